"""The host's ids are UUIDs; whatever else is asked for is nobody's."""

import uuid


def uuid_text(text: str) -> str | None:
    """A UUID as PostgreSQL writes it, or None for what is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
