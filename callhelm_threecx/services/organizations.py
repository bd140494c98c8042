"""What an organization's id may look like, wherever it is typed."""

import re
from typing import Final

from callhelm_threecx.errors import BadInputError

_ORGANIZATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


def checked_organization_id(value: object, field: str = "organizationId") -> str:
    """An organization's id. Raises `BadInputError` that names the field."""
    if value is None or value == "":
        raise BadInputError.of_field(field, "is required")
    if not isinstance(value, str) or not _ORGANIZATION_ID.fullmatch(value):
        raise BadInputError.of_field(field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -")
    return value
