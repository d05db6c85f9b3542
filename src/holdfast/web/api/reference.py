"""The OpenAPI document as what one reads: groups of operations in the order of use.

For what: the page at ``/api/v1/docs``. Everything on it comes from the document, so
that the page and the document cannot differ. Never does: know of one address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.web.api import curl
from holdfast.web.api.fields import Field, Fields

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Body:
    """A body that is sent or answered, in one media type."""

    media_type: str
    about: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    """What comes when it went well. ``statuses`` share one body."""

    statuses: tuple[str, ...]
    body: Body
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Operation:
    """One method of one address. ``refusals``: statuses of problem documents."""

    anchor: str
    method: str
    path: str
    summary: str
    about: str
    keyed: bool
    scopes: tuple[str, ...]
    parameters: tuple[tuple[str, Field], ...]
    body_about: str
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    refusals: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """The operations of one tag."""

    anchor: str
    title: str
    about: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Refusal:
    """What one status of a problem document means."""

    status: str
    about: str


@dataclass(frozen=True)
class Reference:
    """The whole document."""

    title: str
    server: str
    groups: tuple[Group, ...]
    refusals: tuple[Refusal, ...]
    problem: Body
    problem_example: str


def read(document: Json) -> Reference:
    """The document as what one reads."""
    return _Reader(document).whole()


class _Reader:
    def __init__(self, document: Json) -> None:
        self.document = document
        self.server: str = document["servers"][0]["url"]
        self.fields = Fields(document["components"]["schemas"])

    def whole(self) -> Reference:
        refused: Json = self.document["components"]["responses"]
        bodies = next(iter(refused.values()))["content"]
        schema = next(iter(bodies.values()))["schema"]
        return Reference(
            title=self.document["info"]["title"],
            server=self.server,
            groups=tuple(self._group(tag) for tag in self.document["tags"]),
            refusals=tuple(
                Refusal(name.removeprefix("Problem"), said["description"])
                for name, said in refused.items()
            ),
            problem=next(self._bodies(bodies)),
            problem_example=json.dumps(self.fields.named(schema)["example"], indent=2),
        )

    def _group(self, tag: Json) -> Group:
        found = [
            self._operation(path, method, said)
            for path, methods in self.document["paths"].items()
            for method, said in methods.items()
            if tag["name"] in said["tags"]
        ]
        return Group(slug(tag["name"]), tag["name"], tag["description"], tuple(found))

    def _operation(self, path: str, method: str, said: Json) -> Operation:
        asked = said.get("requestBody", {})
        security = said.get("security", [])
        return Operation(
            anchor=slug(f"{method} {path}"),
            method=method.upper(),
            path=path,
            summary=said["summary"],
            about=said["description"],
            keyed=bool(security),
            scopes=tuple(
                scope for way in security for scopes in way.values() for scope in scopes
            ),
            parameters=tuple(self._parameters(said)),
            body_about=asked.get("description", ""),
            bodies=tuple(self._bodies(asked.get("content", {}))),
            answers=tuple(self._answers(said["responses"])),
            refusals=tuple(
                status
                for status, answer in said["responses"].items()
                if "$ref" in answer
            ),
            examples=tuple(self._examples(path, method, said)),
        )

    def _parameters(self, said: Json) -> Iterator[tuple[str, Field]]:
        for each in said["parameters"]:
            about = each.get("description", "")
            schema = {**each["schema"], **({"description": about} if about else {})}
            row = self.fields.row(each["name"], schema, required=each["required"])
            yield each["in"], row

    def _bodies(self, content: Json) -> Iterator[Body]:
        for media_type, said in content.items():
            schema = said["schema"]
            rows = tuple(self.fields.rows(schema))
            yield Body(media_type, self.fields.about(schema), rows)

    def _answers(self, responses: Json) -> Iterator[Answer]:
        well = {key: said for key, said in responses.items() if "$ref" not in said}
        bodies = {
            key: next(self._bodies(said["content"])) for key, said in well.items()
        }
        for body in dict.fromkeys(bodies.values()):
            statuses = tuple(key for key, same in bodies.items() if same == body)
            headers = well[statuses[0]].get("headers", {})
            yield Answer(
                statuses,
                body,
                tuple((name, each["description"]) for name, each in headers.items()),
            )

    def _examples(self, path: str, method: str, said: Json) -> Iterator[str]:
        url, keyed = self.server + path, bool(said.get("security"))
        content = said.get("requestBody", {}).get("content", {})
        bodies = [
            curl.body_of(kind, each["schema"], self.fields)
            for kind, each in content.items()
        ]
        for body in bodies or [[]]:
            yield curl.command(url, method, said, body, keyed=keyed)


def slug(words: str) -> str:
    """Words as an anchor: ``put-api-v1-items-id``."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
