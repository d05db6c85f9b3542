"""An operation of the document as a command to copy: ``curl``, the key, the body.

Everything comes from the document's own examples. The key is never in it: the shell
puts in ``$HOLDFAST_KEY``, and a new ``Idempotency-Key`` each time.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from holdfast.web.api import bodies, idempotency, ndjson
from holdfast.web.api.fields import Fields

Json = Mapping[str, Any]
NEW_KEY = "$(openssl rand -hex 16)"
"""Shell for a new random value; OpenSSL is there wherever curl is, near enough."""
CSV = "text/csv"
BREAK = " \\\n  "


def command(
    url: str, method: str, operation: Json, body: list[str], *, keyed: bool
) -> str:
    """The command. ``body``: its arguments, from :func:`body_of`."""
    parameters = operation["parameters"]
    for each in parameters:
        if each["in"] == "path":
            url = url.replace(f"{{{each['name']}}}", quote(example_of(each), safe=""))
    parts = [f"curl {shlex.quote(url)}"]
    if method != ("post" if body else "get"):
        parts[0] = f"curl -X {method.upper()} {shlex.quote(url)}"
    if keyed:
        parts.append('-H "Authorization: Bearer $HOLDFAST_KEY"')
    if any(each["name"] == idempotency.HEADER for each in parameters):
        parts.append(f'-H "{idempotency.HEADER}: {NEW_KEY}"')
    return BREAK.join([*parts, *body])


def body_of(media_type: str, schema: Json, fields: Fields) -> list[str]:
    """A body as arguments of curl. ``schema``: that of the body, not resolved."""
    if media_type == bodies.MULTIPART:
        return list(_form(schema, fields))
    example = fields.named(schema)["example"]
    if media_type == ndjson.MEDIA_TYPE:
        text = json.dumps(example, ensure_ascii=False)
        option = "--data-binary"
    elif media_type == CSV:
        text, option = _csv(example), "--data-binary"
    else:
        text = json.dumps(example, ensure_ascii=False, indent=2)
        option = "-d"
    return [f"-H 'Content-Type: {media_type}'", f"{option} {shlex.quote(text)}"]


def example_of(parameter: Json) -> str:
    """A parameter's own example."""
    return str(parameter["schema"]["examples"][0])


def _csv(example: Json) -> str:
    """An example as a file of one record; several values with spaces between them."""
    values = (
        " ".join(each) if isinstance(each, list) else each for each in example.values()
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(example), list(values)])
    return text.getvalue()


def _form(schema: Json, fields: Fields) -> Iterator[str]:
    parts = schema["properties"]
    for name, part in parts.items():
        if "$ref" not in part:
            yield f"-F {name}=@picture.jpg"
            continue
        example = fields.named(part)["example"]
        # What comes as a file is not said in the JSON as well.
        said = {key: value for key, value in example.items() if key not in parts}
        text = json.dumps(said, ensure_ascii=False, indent=2)
        yield f"--form-string {shlex.quote(f'{name}={text}')}"
