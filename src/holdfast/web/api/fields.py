"""A schema of the document as rows that people read: name, type, what may stand there.

For what: the page of the document. Never does: pass over a rule it does not know. A
keyword of JSON Schema that is new here is an error, so that the page cannot say less
than the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

KNOWN = {
    "$ref", "additionalProperties", "anyOf", "const", "default", "description",
    "enum", "example", "examples", "format", "items", "maxItems",
    "maxLength", "maximum", "minItems", "minLength", "minimum", "pattern", "properties",
    "required", "title", "type",
}  # fmt: skip
TYPES = {
    "date-time": "time",
    "binary": "file",
}
"""What a string with a format is called."""


@dataclass(frozen=True)
class Field:
    """One row. ``name`` has the way to it: ``media[].url``."""

    name: str
    type: str
    about: str
    one_of: tuple[str, ...]
    required: bool
    nullable: bool


class Fields:
    """Reads schemas, with those that they refer to."""

    def __init__(self, schemas: Json) -> None:
        self.schemas = schemas

    def rows(self, schema: Json, before: str = "") -> Iterator[Field]:
        """The fields of an object or of a list of objects, inner ones after outer."""
        whole, _ = self.resolved(schema)
        if whole["type"] == "array":
            yield from self.rows(whole["items"], f"{before}[]")
            return
        lead = f"{before}." if before else ""
        for name, part in whole.get("properties", {}).items():
            required = name in whole.get("required", ())
            yield self.row(f"{lead}{name}", part, required=required)
            inner, _ = self.resolved(part)
            yield from self._inside(f"{lead}{name}", inner)

    def row(self, name: str, part: Json, *, required: bool) -> Field:
        """One field or parameter."""
        schema, nullable = self.resolved(part)
        return Field(
            name=name,
            type=self.type_of(schema),
            about=" ".join(self._about(schema)),
            one_of=_one_of(schema),
            required=required,
            nullable=nullable,
        )

    def type_of(self, schema: Json) -> str:
        """The type in a word or three."""
        kind: str = schema["type"]
        if kind == "array":
            inner, _ = self.resolved(schema["items"])
            return f"array of {self.type_of(inner)}"
        return TYPES.get(schema.get("format", ""), kind)

    def resolved(self, schema: Json) -> tuple[Json, bool]:
        """What a schema comes down to, and whether it may be null."""
        if unknown := set(schema) - KNOWN:
            raise ValueError(f"The page cannot say these of a schema: {unknown}")
        if "$ref" in schema:
            # What the model says of itself is not said of this place: see about().
            model = _without(self.named(schema), "description")
            return self.resolved({**model, **_without(schema, "$ref")})
        if "anyOf" not in schema:
            return schema, False
        ways = [each for each in schema["anyOf"] if each != {"type": "null"}]
        if len(ways) != 1:
            raise ValueError("The page cannot say that a field is of several types.")
        inner, _ = self.resolved(ways[0])
        return {**inner, **_without(schema, "anyOf")}, True

    def named(self, schema: Json) -> Json:
        """The model that a schema refers to."""
        model: Json = self.schemas[schema["$ref"].rpartition("/")[2]]
        return model

    def about(self, schema: Json) -> str:
        """What a model, or that of a list of them, says of itself; ``""`` of none."""
        if "items" in schema:
            return self.about(schema["items"])
        return self.named(schema)["description"] if "$ref" in schema else ""

    def _inside(self, name: str, schema: Json) -> Iterator[Field]:
        if schema["type"] == "object":
            yield from self.rows(schema, name)
        elif schema["type"] == "array":
            inner, _ = self.resolved(schema["items"])
            yield from self._inside(f"{name}[]", inner)

    def _about(self, schema: Json) -> Iterator[str]:
        if schema.get("description"):
            yield schema["description"]
        if words := _limits(schema):
            yield f"{words[0].upper()}{words[1:]}."
        if schema["type"] == "array":
            inner, _ = self.resolved(schema["items"])
            if words := _limits(inner):
                yield f"Each: {words}."
            if choices := _one_of(inner):
                yield f"Each is one of {_quoted(choices)}."
        if schema.get("default") not in (None, ""):
            yield f"Left out: `{schema['default']}`."
        if schema.get("examples"):
            yield f"Such as {_quoted(schema['examples'])}."


def _limits(schema: Json) -> str:
    said = [
        _range(schema, "minLength", "maxLength", " characters"),
        _range(schema, "minItems", "maxItems", " entries"),
        _range(schema, "minimum", "maximum", ""),
        f"matching `{schema['pattern']}`" if "pattern" in schema else "",
    ]
    return ", ".join(each for each in said if each)


def _range(schema: Json, least: str, most: str, unit: str) -> str:
    low, high = schema.get(least), schema.get(most)
    if high is None:
        return "" if low is None else f"at least {low:,}{unit}"
    return f"up to {high:,}{unit}" if low is None else f"{low:,} to {high:,}{unit}"


def _one_of(schema: Json) -> tuple[str, ...]:
    if "const" in schema:
        return (str(schema["const"]),)
    return tuple(str(each) for each in schema.get("enum", ()))


def _quoted(values: Any) -> str:
    return ", ".join(f"`{each}`" for each in values)


def _without(schema: Json, key: str) -> dict[str, Any]:
    return {name: said for name, said in schema.items() if name != key}
