"""What a browser's form brings, and how it is shown again with what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import falcon
from falcon.media.multipart import MultipartFormHandler, MultipartParseError

from callhelm_threecx.errors import (
    BadInputError,
    FieldError,
    TooLargeError,
    UnsupportedMediaError,
)
from callhelm_threecx.services.values import clean

MAX_FORM: Final = 256 * 1024
"""Largest form without a file, in bytes."""

MAX_FIELDS: Final = 500
TOKEN_FIELD: Final = "_token"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form."""

    name: str
    content: bytes


@dataclass(slots=True)
class Form:
    """Texts and files by name, with what is wrong with them."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    message: str = ""
    errors: Sequence[FieldError] = ()

    def value(self, name: str) -> str:
        """A text, clean and stripped; empty when it is missing."""
        return self.fields.get(name, "")

    def values(self, name: str) -> Sequence[str]:
        """Every text of this name, in order: of fields that occur several times."""
        return self.lists.get(name, ())

    def is_on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.value(name) == "on"

    def error(self, name: str) -> str:
        """What is wrong with a field, for its reader; empty when nothing is."""
        return "; ".join(error.message for error in self.errors if error.field == name)

    def refused(self, ex: BadInputError) -> "Form":
        """The form with what an error says about it."""
        self.message, self.errors = ex.message, ex.errors
        return self


def read_form(req: falcon.Request, *, max_file: int = 0) -> Form:
    """The form in a body, url-encoded or multipart.

    ``max_file`` bounds a file in bytes; 0 takes none. Raises `TooLargeError`, `BadInputError` and
    `UnsupportedMediaError`.
    """
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    if kind == falcon.MEDIA_URLENCODED:
        body = req.bounded_stream.read(MAX_FORM + 1)
        if len(body) > MAX_FORM:
            raise TooLargeError("The form is too large.")
        try:
            text = body.decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            raise BadInputError("The form cannot be read.") from None
        return _form(pairs, {})
    if kind == falcon.MEDIA_MULTIPART and max_file:
        return _multipart(req, max_file)
    raise UnsupportedMediaError("The body must be a form.")


def _multipart(req: falcon.Request, max_file: int) -> Form:
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = MAX_FIELDS
    handler.parse_options.max_body_part_buffer_size = max_file + 1
    pairs: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    try:
        media = handler.deserialize(req.bounded_stream, req.content_type, req.content_length)
        for part in media:
            name = part.name or ""
            if part.filename is not None:
                content = part.stream.read(max_file + 1)
                if len(content) > max_file:
                    raise TooLargeError(f"The file is larger than {max_file} bytes.")
                files[name] = Upload(clean(part.filename)[:255], content)
            else:
                pairs.append((name, part.text))
    except (MultipartParseError, falcon.MediaMalformedError, UnicodeDecodeError):
        raise BadInputError("The form cannot be read.") from None
    return _form(pairs, files)


def _form(pairs: Sequence[tuple[str, str]], files: Mapping[str, Upload]) -> Form:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(clean(name), []).append(clean(value))
    return Form({name: values[-1] for name, values in lists.items()}, files, lists)
