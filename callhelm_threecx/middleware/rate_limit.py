"""How often a key may call, and what every limited answer says about it."""

from collections.abc import Mapping
from typing import Any, Final

import falcon
from limits import RateLimitItem

from callhelm_threecx.errors import RateLimitedError
from callhelm_threecx.limiter import Limiter, Verdict

COUNTED: Final = "callhelm_threecx.counted"
"""Where the environ holds the verdict on a request that was counted on a short way."""


class RateLimit:
    """Counts the requests of each organization's key, and of each of the host's users."""

    def __init__(self, limiter: Limiter, limit: RateLimitItem) -> None:
        self._limiter = limiter
        self._limit = limit

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        _resource: object,
        _params: Mapping[str, Any],
    ) -> None:
        """Set the ``RateLimit-*`` headers. Raises `RateLimitedError` over the limit."""
        principal = req.context.principal
        counted = principal.counted_as if principal is not None else None
        if counted is None:
            return
        verdict: Verdict = req.env.pop(COUNTED, None) or self._limiter.hit(self._limit, *counted)
        resp.set_header("RateLimit-Limit", str(verdict.limit))
        resp.set_header("RateLimit-Remaining", str(verdict.remaining))
        resp.set_header("RateLimit-Reset", str(verdict.reset))
        if not verdict.allowed:
            who = "of this user" if principal.identity is not None else "with this key"
            raise RateLimitedError(
                f"Too many requests {who}.", retry_after=verdict.reset, limit=verdict.limit
            )
