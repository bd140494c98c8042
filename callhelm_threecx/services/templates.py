"""The XML template of an organization."""

import re
from functools import lru_cache
from typing import Any, Final

from callhelm_threecx import keys
from callhelm_threecx.services.integrations import Integration
from callhelm_threecx.template.builder import render_template

_PLACE: Final = keys.API_KEY_PREFIX + "0" * 43
"""Stands where the key belongs, in templates that are kept."""

_UNPRINTABLE: Final = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")


def template_of(integration: Integration, api_key: str, base_url: str, prefix: str) -> str:
    """The template with the organization's URL and a key of it, its features as they are set.

    Control characters in the organization's name, which XML cannot hold, are left out.
    """
    parts: dict[str, Any] = {
        "base_url": base_url,
        "prefix": prefix,
        "organization_name": _UNPRINTABLE.sub("", integration.organization_name),
        "journaling": integration.allows("call_journaling_enabled"),
        "chat_journaling": integration.allows("chat_journaling_enabled"),
        "contact_creation": integration.allows("contact_creation_enabled"),
    }
    if not keys.is_well_formed(api_key):  # an earlier integration's, which XML may have to escape
        return render_template(**parts, api_key=api_key)
    return _without_key(**parts).replace(_PLACE, api_key)


@lru_cache(maxsize=64)
def _without_key(**parts: Any) -> str:
    """A template that has everything but its key, which no cache may hold."""
    return render_template(**parts, api_key=_PLACE)
