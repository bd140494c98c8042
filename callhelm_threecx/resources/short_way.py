"""The short way of what a PBX asks most: from the environ of a request to its answer.

What a web framework and four stations of middleware do around one query costs more than the query.
So the plainest form of a request, with a key that this process knows and within its rate limit, is
answered without them. Everything else goes the long way, also what fails here: the rules are those
of the long way, and the tests hold both to the same answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import falcon
from limits import RateLimitItem

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.limiter import Limiter, Verdict
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.middleware.context import AccessLine, given_request_id, log_request
from callhelm_threecx.middleware.rate_limit import COUNTED
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.settings import MAX_KEY

FAILED: Final = "callhelm_threecx.failed"
"""Where the environ holds what was raised on the short way, for the long way to answer."""

_JSON: Final = ("content-type", falcon.MEDIA_JSON)
_NO_STORE: Final = ("cache-control", "no-store")
_NO_SNIFFING: Final = ("x-content-type-options", "nosniff")

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
StartResponse = Callable[[str, Headers], object]
ShortWay = Callable[[Environ, StartResponse], list[bytes] | None]
"""Gives the body of the answer, whose head is sent; None, and nothing sent, where the long way must
answer."""


Asked = tuple[Environ, StartResponse]
Together = Callable[[Sequence[Asked]], list[list[bytes] | None]]
"""Answers several requests at once, as a `ShortWay` answers each; None for each that the short way
itself must be asked for, which goes on from there."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may pass: whose it is, where it comes from, and what it called us."""

    integration: Integration
    address: str
    base_url: str
    verdict: Verdict
    started: float


class Gate:
    """Who may take a short way: an organization whose key is known, and within its limit."""

    def __init__(
        self, integrations: Integrations, limiter: Limiter, limit: RateLimitItem, client: Client
    ) -> None:
        self._integrations = integrations
        self._limiter = limiter
        self._limit = limit
        self._client = client

    def admit(self, environ: Environ, feature: str | None = None) -> Admitted | None:
        """Let a request pass, and count it, once; None for whom the long way has to look at.
        Without the ``feature``, which the organization may have switched off, nobody passes."""
        started = perf_counter()
        integration = self._integrations.known(environ.get("HTTP_X_API_KEY", "").strip()[:MAX_KEY])
        if integration is None or not (feature is None or integration.allows(feature)):
            return None
        try:
            address, base_url = self._client.seen(environ)
        except BadInputError:
            return None
        verdict: Verdict | None = environ.get(COUNTED)
        if verdict is None:
            verdict = self._limiter.hit(self._limit, "key", integration.organization_id)
            environ[COUNTED] = verdict
        if not verdict.allowed:
            return None
        return Admitted(integration, address, base_url, verdict, started)


def raise_failed(req: falcon.Request) -> None:
    """Raise what was raised on the short way of this request, if it went there and failed."""
    failed: Exception | None = req.env.pop(FAILED, None)
    if failed is not None:
        raise failed


def send(
    environ: Environ,
    start_response: StartResponse,
    admitted: Admitted,
    status: str,
    body: bytes,
    *,
    number: str | None = None,
) -> list[bytes]:
    """Log the request, send the head of its answer, and give the body, which is JSON."""
    request_id = given_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    log_request(
        AccessLine(
            request_id,
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            int(status[:3]),
            admitted.started,
            admitted.address,
            admitted.integration.organization_id,
            number=number,
        )
    )
    verdict = admitted.verdict
    headers = [
        ("ratelimit-limit", str(verdict.limit)),
        ("ratelimit-remaining", str(verdict.remaining)),
        ("ratelimit-reset", str(verdict.reset)),
        ("x-request-id", request_id),
        _NO_SNIFFING,
        _NO_STORE,
        ("content-length", str(len(body))),
        _JSON,
    ]
    start_response(status, headers)
    return [body]
