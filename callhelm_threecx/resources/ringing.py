"""The short way of a lookup: ``GET …/contacts/lookup?number=…``, as the template asks it while a
phone rings."""

from typing import Final

from falcon.uri import decode

from callhelm_threecx.resources.errors import to_json
from callhelm_threecx.resources.short_way import (
    FAILED,
    Environ,
    Gate,
    StartResponse,
    send,
)
from callhelm_threecx.services.contacts import Contacts

_ASKED: Final = "number="
_HIDDEN: Final = "number=***"
_WITH_QUERY: Final = ("RAW_URI", "REQUEST_URI")


class ShortLookup:
    """Answers the plainest lookups without the framework."""

    def __init__(self, gate: Gate, contacts: Contacts) -> None:
        self._gate = gate
        self._contacts = contacts

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        """See `ShortWay`."""
        number = _asked_number(environ)
        admitted = self._gate.admit(environ) if number is not None else None
        if number is None or admitted is None:
            return None
        try:
            found = self._contacts.lookup(admitted.integration, number, admitted.base_url)
        except Exception as ex:
            environ[FAILED] = ex
            return None
        body = to_json({"success": True, "contacts": found})
        _hide_number(environ)
        return send(environ, start_response, admitted, "200 OK", body, number=number)


def _asked_number(environ: Environ) -> str | None:
    """The number of a plain question; None for any other request."""
    query = environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] != "GET" or not query.startswith(_ASKED):
        return None
    if "&" in query or _has_body(environ):
        return None
    number = decode(query[len(_ASKED) :])
    return number if number.strip() else None


def _has_body(environ: Environ) -> bool:
    return bool(environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"))


def _hide_number(environ: Environ) -> None:
    """As `middleware.context.hide_query` does, for a query of which all is known."""
    environ["QUERY_STRING"] = _HIDDEN
    for name in _WITH_QUERY:
        if name in environ:
            environ[name] = f"{str(environ[name]).partition('?')[0]}?{_HIDDEN}"
