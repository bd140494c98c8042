"""Cursors of pages: a place in a list that is ordered by an instant and an id, as opaque text."""

import base64
import binascii
import uuid
from datetime import datetime, timezone

from callhelm_threecx.errors import BadInputError


def cursor_of(at: datetime, key: uuid.UUID) -> str:
    """The cursor behind the entry with this instant and id."""
    text = f"{at.isoformat()} {key}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    """The instant and the id of a cursor. Raises `BadInputError` for one that nobody gave."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        at, key = text.decode("ascii").split(" ")
        return datetime.fromisoformat(at).astimezone(timezone.utc), uuid.UUID(key)
    except (ValueError, binascii.Error, OverflowError):
        raise BadInputError.of_field("cursor", "is not a cursor of this list") from None
