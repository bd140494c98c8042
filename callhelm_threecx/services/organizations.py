"""What an organization's id may look like, wherever it is typed."""

import re
from typing import Final

from callhelm_threecx.errors import BadInputError

_ORGANIZATION_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


def canonical_organization_id(text: str) -> str:
    """The one spelling of an organization's id: a UUID, as a host's database may know it by, is the
    same in capitals; any other id is another one."""
    return text.lower() if _UUID.fullmatch(text) else text


def checked_organization_id(value: object, field: str = "organizationId") -> str:
    """An organization's id, in its one spelling. Raises `BadInputError` that names the field."""
    if value is None or value == "":
        raise BadInputError.of_field(field, "is required")
    if not isinstance(value, str) or not _ORGANIZATION_ID.fullmatch(value):
        raise BadInputError.of_field(field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -")
    return canonical_organization_id(value)
