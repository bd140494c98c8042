"""The short way of a lookup: from the environ of a ringing phone's question to its answer.

While a phone rings, what a web framework and four stations of middleware do around one indexed
query costs more than the query. So the plainest form of the question, which is the one that the
template asks, is answered here: ``GET …/contacts/lookup?number=…`` with a key that this process
knows, within its rate limit. Everything else goes the long way, also what fails here: the rules are
those of the long way, and the tests hold both to the same answers.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import falcon
from falcon.uri import decode
from limits import RateLimitItem

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.limiter import Limiter, Verdict
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.middleware.context import AccessLine, given_request_id, log_request
from callhelm_threecx.resources.errors import to_json
from callhelm_threecx.services.contacts import Contacts
from callhelm_threecx.services.integrations import Integrations
from callhelm_threecx.settings import MAX_KEY

FAILED: Final = "callhelm_threecx.failed"
"""Where the environ holds what a lookup raised on the short way, for the long way to answer."""

_ASKED: Final = "number="
_HIDDEN: Final = "number=***"
_WITH_QUERY: Final = ("RAW_URI", "REQUEST_URI")
_JSON: Final = ("content-type", falcon.MEDIA_JSON)
_NO_STORE: Final = ("cache-control", "no-store")
_NO_SNIFFING: Final = ("x-content-type-options", "nosniff")

Headers = list[tuple[str, str]]
Environ = dict[str, Any]


class ShortLookup:
    """Answers the plainest lookups without the framework."""

    def __init__(
        self,
        path: str,
        *,
        contacts: Contacts,
        integrations: Integrations,
        limiter: Limiter,
        limit: RateLimitItem,
        client: Client,
    ) -> None:
        self._path = path
        self._contacts = contacts
        self._integrations = integrations
        self._limiter = limiter
        self._limit = limit
        self._client = client

    def __call__(
        self, environ: Environ, start_response: Callable[[str, Headers], object]
    ) -> list[bytes] | None:
        """The body of the answer, whose head is sent; None, and nothing sent, where the long way
        must answer."""
        number = self._asked_number(environ)
        if number is None:
            return None
        started = perf_counter()
        integration = self._integrations.known(environ.get("HTTP_X_API_KEY", "").strip()[:MAX_KEY])
        if integration is None:
            return None
        try:
            address, base_url = self._client.seen(environ)
        except BadInputError:
            return None
        verdict = self._limiter.hit(self._limit, "key", integration.organization_id)
        if not verdict.allowed:
            return None
        try:
            found = self._contacts.lookup(integration, number, base_url)
        except Exception as ex:
            environ[FAILED] = ex
            return None
        body = to_json({"success": True, "contacts": found})
        request_id = given_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        _hide_number(environ)
        log_request(
            AccessLine(
                request_id,
                "GET",
                self._path,
                200,
                started,
                address,
                integration.organization_id,
                number=number,
            )
        )
        start_response("200 OK", _headers(request_id, verdict, len(body)))
        return [body]

    def _asked_number(self, environ: Environ) -> str | None:
        """The number of a plain question; None for any other request."""
        if environ["PATH_INFO"] != self._path or environ["REQUEST_METHOD"] != "GET":
            return None
        query = environ.get("QUERY_STRING", "")
        if not query.startswith(_ASKED) or "&" in query or _has_body(environ):
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


def _headers(request_id: str, verdict: Verdict, length: int) -> Headers:
    return [
        ("ratelimit-limit", str(verdict.limit)),
        ("ratelimit-remaining", str(verdict.remaining)),
        ("ratelimit-reset", str(verdict.reset)),
        ("x-request-id", request_id),
        _NO_SNIFFING,
        _NO_STORE,
        ("content-length", str(length)),
        _JSON,
    ]
