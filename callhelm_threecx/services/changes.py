"""What an administrator asks to change, read from a body or a form and checked field by field."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from callhelm_threecx import contact_links, phone
from callhelm_threecx.errors import BadInputError, FieldError, collecting
from callhelm_threecx.services.integrations import CONTACT_URL, DEFAULT_SETTINGS, Change
from callhelm_threecx.services.reports import text_fields
from callhelm_threecx.services.values import clean

MAX_NAME: Final = 320
"""Longest name of an organization, in characters."""

MAX_SERVER_URL: Final = 255
MAX_SETTING: Final = 1024
"""Longest text of a setting, in characters."""

_MAX_NUMBER: Final = 2**53  # what every reader of JSON keeps exactly


def read_change(body: Mapping[str, Any]) -> Change:
    """The changes that a body asks for, its fields named as ``PATCH /setup`` names them.

    Raises `BadInputError` that names what is wrong.
    """
    with collecting("The body cannot be read.") as errors:
        enabled = body.get("enabled")
        if enabled is not None and not isinstance(enabled, bool):
            errors.append(FieldError("enabled", "must be true or false"))
        change = Change(
            enabled=enabled,
            three_cx_server_url=_server_url(body, errors),
            default_region=_region(body, errors),
            organization_name=optional_text(body, "organizationName", MAX_NAME, errors),
            settings=_settings(body, errors),
        )
    return change


def optional_text(
    body: Mapping[str, Any], name: str, most: int, errors: list[FieldError]
) -> str | None:
    """A text that may be missing (None: leave it) or null (empty: clear it)."""
    if name not in body:
        return None
    try:
        return text_fields(body, {name: most})[name]
    except BadInputError as ex:
        errors.extend(ex.errors)
        return None


def _server_url(body: Mapping[str, Any], errors: list[FieldError]) -> str | None:
    url = optional_text(body, "threeCxServerUrl", MAX_SERVER_URL, errors)
    if url:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
            usable = usable and url.isprintable() and " " not in url
        except ValueError:
            usable = False
        if not usable:
            errors.append(FieldError("threeCxServerUrl", "must be an http or https URL"))
    return url


def _region(body: Mapping[str, Any], errors: list[FieldError]) -> str | None:
    region = optional_text(body, "defaultRegion", 8, errors)
    if region and not phone.is_region(region.upper()):
        errors.append(FieldError("defaultRegion", "must be a two-letter region such as US or DE"))
    return region.upper() if region is not None else None


def _settings(body: Mapping[str, Any], errors: list[FieldError]) -> Mapping[str, Any]:
    """Our own settings are checked; others are a host's, and kept when they are plain values."""
    settings = body.get("settings", {})
    if not isinstance(settings, dict):
        errors.append(FieldError("settings", "must be an object"))
        return {}
    for name, value in settings.items():
        fault = _fault(name, value)
        if fault is not None:
            errors.append(fault)
    return {
        name: clean(value) if isinstance(value, str) else value for name, value in settings.items()
    }


def _fault(name: str, value: object) -> FieldError | None:
    """What is wrong with one setting."""
    field = f"settings.{name[:64]}"
    if name in DEFAULT_SETTINGS and not isinstance(value, bool):
        return FieldError(field, "must be true or false")
    if not name.isidentifier() or not name.isascii() or len(name) > 64:
        return FieldError("settings", "has a name that is no identifier")
    if not _is_plain(value):
        return FieldError(field, "must be a short plain value")
    if name == CONTACT_URL and value not in {None, ""}:
        return _pattern_fault(field, value)
    return None


def _pattern_fault(field: str, value: object) -> FieldError | None:
    if not isinstance(value, str):
        return FieldError(field, "must be a text")
    try:
        contact_links.check_pattern(clean(value))
    except ValueError as ex:
        return FieldError(field, str(ex)) if clean(value) else None
    return None


def _is_plain(value: object) -> bool:
    """Whether both databases keep a value as it is: a short text, a number, a truth value, null."""
    if isinstance(value, str):
        return len(value) <= MAX_SETTING
    if isinstance(value, (int, float)):
        return abs(value) <= _MAX_NUMBER
    return value is None
