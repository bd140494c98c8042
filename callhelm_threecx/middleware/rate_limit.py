"""How often a key may call, and what every limited answer says about it."""

from collections.abc import Mapping
from typing import Any

import falcon
from limits import RateLimitItem

from callhelm_threecx.errors import RateLimitedError
from callhelm_threecx.limiter import Limiter


class RateLimit:
    """Counts the requests of each organization's key."""

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
        if principal is None or principal.organization_id is None:
            return
        verdict = self._limiter.hit(self._limit, "key", principal.organization_id)
        resp.set_header("RateLimit-Limit", str(verdict.limit))
        resp.set_header("RateLimit-Remaining", str(verdict.remaining))
        resp.set_header("RateLimit-Reset", str(verdict.reset))
        if not verdict.allowed:
            raise RateLimitedError(
                "Too many requests with this key.", retry_after=verdict.reset, limit=verdict.limit
            )
