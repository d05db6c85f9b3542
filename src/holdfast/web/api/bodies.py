"""Reading a body that Ninja does not read: an item with its files, or either form.

Only as much is held in memory as one item's files may weigh; the length was checked
before (:func:`holdfast.web.api.limits.check_length`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from ninja import Schema
from ninja.errors import ValidationError
from pydantic import ValidationError as Unfit

from holdfast.web.api.idempotency import digest_of
from holdfast.web.api.limits import MAX_JSON_BYTES
from holdfast.web.api.problems import ApiError, TooLarge, WrongMediaType

JSON = "application/json"
MULTIPART = "multipart/form-data"
Shape = TypeVar("Shape", bound=Schema)


@dataclass(frozen=True)
class File:
    """One uploaded file."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Parts:
    """A body in parts: the JSON text, and the files in the order they came."""

    said: bytes
    files: tuple[File, ...] | None
    """None when the body was JSON alone."""

    @property
    def digest(self) -> str:
        """The hash of what was said, whatever boundary was between the parts."""
        about = [
            part
            for file in self.files or ()
            for part in (file.name.encode(), file.media_type.encode(), file.data)
        ]
        return digest_of(self.said, *about)


def read_parts(request: HttpRequest, part: str, files: str) -> Parts:
    """A JSON body, or a form whose ``part`` is JSON and whose ``files`` are files."""
    media_type = (request.content_type or "").lower()
    if media_type == JSON:
        if int(request.headers.get("Content-Length") or 0) > MAX_JSON_BYTES:
            raise TooLarge(f"A JSON body has up to {MAX_JSON_BYTES} bytes.")
        return Parts(request.body, None)
    if media_type != MULTIPART:
        raise WrongMediaType(f"The body is {JSON}, or {MULTIPART} with files.")
    return _read_form(request, part, files)


def parse(said: bytes | str, shape: type[Shape]) -> Shape:
    """A JSON text in a shape; raises a 400 or a 422 problem."""
    return fit(json_of(said), shape)


def json_of(said: bytes | str) -> Any:
    """What a JSON text says; raises a 400 problem."""
    try:
        # By way of Python's reader, so that a body in parts and one without are read
        # by the same rules as every other body.
        return json.loads(said)
    except (ValueError, RecursionError):
        raise ApiError("The body is not JSON in UTF-8. Correct it.") from None


def fit(value: Any, shape: type[Shape]) -> Shape:
    """A value in a shape; raises the 422 that names each fault."""
    try:
        return shape.model_validate(value)
    except Unfit as unfit:
        raise ValidationError(
            [
                {"loc": ("body", "", *fault["loc"]), "msg": fault["msg"]}
                for fault in unfit.errors(include_url=False, include_input=False)
            ]
        ) from None


def _read_form(request: HttpRequest, part: str, files: str) -> Parts:
    try:
        fields, uploads = MultiPartParser(
            request.META, request, request.upload_handlers, request.encoding or "utf-8"
        ).parse()
    except (MultiPartParserError, SuspiciousOperation, ValueError):
        raise ApiError(
            "The form cannot be read. Check its boundary and parts."
        ) from None
    # Some clients send the JSON as a file, with a name and a media type.
    as_file = uploads.get(part)
    if as_file is None and part not in fields:
        raise ApiError(f"The form has no part {part!r} with the JSON.")
    said = str(fields[part]).encode() if as_file is None else as_file.read()
    return Parts(said, tuple(_file(each) for each in uploads.getlist(files)))


def _file(upload: UploadedFile[bytes]) -> File:
    return File(upload.name or "", upload.content_type or "", upload.read())
