"""Where a screen pop leads: a contact's page in the CRM, by a pattern with ``{id}`` in it."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

PLACE: Final = "{id}"
"""What a pattern has where the contact's id belongs."""

DEFAULT_PATTERN: Final = "/contacts/{id}"
_SCHEMES: Final = ("http://", "https://")
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f]")


def check_pattern(pattern: str) -> None:
    """Raise `ValueError`, with what can be shown behind the field's name, for a pattern that leads
    nowhere. Only http, https and paths do: an agent's browser opens the link unasked."""
    if PLACE not in pattern:
        raise ValueError("has no {id} in it")
    if pattern.startswith("/"):
        usable = True
    elif pattern.startswith(_SCHEMES):
        usable = _has_host(pattern)
    else:
        raise ValueError("is neither a URL nor a path that starts with /")
    if not usable or _NOT_IN_URL.search(pattern):
        raise ValueError("is not a URL such as https://crm.example.com/contacts/{id}")


def is_pattern(text: object) -> bool:
    """Whether a kept value is a pattern that leads somewhere."""
    try:
        check_pattern(text if isinstance(text, str) else "")
    except ValueError:
        return False
    return True


def link(pattern: str, contact_id: str, base_url: str) -> str:
    """The address of a contact's page; a path is one below ``base_url``."""
    plain = contact_id.isascii() and contact_id.replace("-", "").isalnum()
    url = pattern.replace(PLACE, contact_id if plain else quote(contact_id, safe=""))
    return url if url.startswith(_SCHEMES) else base_url + url


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets of no IPv6 address, a port that is none
        return False
