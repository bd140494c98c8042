"""``/healthz`` and ``/readyz``: for load balancers."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

import falcon

from callhelm_threecx.limiter import Limiter
from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.services.readiness import Readiness

_FOR_ALL: Final = {"GET": (KeyKind.NONE,), "HEAD": (KeyKind.NONE,)}


class HealthResource:
    """``GET /healthz``: the process is up."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = _FOR_ALL

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Nothing is asked of anything."""
        resp.media = {"success": True, "status": "ok"}

    on_head = on_get  # what many monitors send


class ReadyResource:
    """``GET /readyz``: what is needed to answer, answers."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = _FOR_ALL

    def __init__(self, readiness: Readiness, limiter: Limiter) -> None:
        self._readiness = readiness
        self._limiter = limiter

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """503 when the database or the contact store is away, or the schema out of date; without
        the rate-limit storage requests are still answered, so that is only said."""
        self._readiness.check()
        resp.media = {
            "success": True,
            "status": "ok",
            "database": "ok",
            "contactStore": "ok",
            "rateLimit": "ok" if self._limiter.healthy() else "degraded",
        }

    on_head = on_get
