"""Who may pass: organization keys, the admin key, the host's signed-in users, and what each
resource says it takes."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import falcon
from limits import RateLimitItem

from callhelm_threecx import keys
from callhelm_threecx.errors import (
    ForbiddenError,
    RateLimitedError,
    SettingsError,
    UnauthorizedError,
)
from callhelm_threecx.identity import Identity
from callhelm_threecx.limiter import Limiter
from callhelm_threecx.middleware.client import Client, neighbourhood
from callhelm_threecx.middleware.same_origin import SAFE_METHODS, from_own_page
from callhelm_threecx.middleware.sign_in import SignIn
from callhelm_threecx.services.events import Event, EventStatus, EventType
from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.settings import MAX_KEY

_log = logging.getLogger(__name__)
_REFUSED: Final = "A valid API key is required."
_SHOWN_ORIGIN: Final = 256  # characters in a log line


class KeyKind(str, Enum):
    """The kinds of key that a resource may take.

    ``IDENTITY`` is no key but the host's sign-in. No resource names it: what takes the admin key
    takes an identity, within the organizations of its user.
    """

    NONE = "none"
    ORGANIZATION = "organization"
    ADMIN = "admin"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose request it is: one organization's, the administrator's, or that of a user of the
    host."""

    kind: KeyKind
    integration: Integration | None = None
    identity: Identity | None = None

    @property
    def organization_id(self) -> str | None:
        """The organization of an organization key."""
        return self.integration.organization_id if self.integration else None

    @property
    def counted_as(self) -> tuple[str, str] | None:
        """Under what the rate limit counts; None when it does not (the admin key)."""
        if self.identity is not None:
            return "user", self.identity.user_id
        return ("key", self.organization_id) if self.organization_id is not None else None

    def is_admitted_by(self, wanted: Collection[KeyKind]) -> bool:
        """Whether a resource takes this kind."""
        kind = KeyKind.ADMIN if self.kind is KeyKind.IDENTITY else self.kind
        return kind in wanted


def check_declaration(resource: object) -> None:
    """Raise `SettingsError` unless a resource declares the key kinds of each of its methods."""
    declared = getattr(resource, "keys", {})
    for name in dir(resource):
        method = name.removeprefix("on_").upper()
        if name.startswith("on_") and not declared.get(method):
            kind = type(resource).__name__
            raise SettingsError(f"The resource {kind} declares no key kind for {method}.")


class KeyAuth:
    """Finds the principal of a request, or refuses it.

    A key that is shown decides alone. Only a request without one, for what the admin key opens,
    may be that of the host's signed-in user.

    Failed attempts are limited for each client address. An organization key has 256 random bits,
    so a right one passes even then; the admin key may be weaker, so it does not.
    """

    def __init__(
        self,
        integrations: Integrations,
        admin_key: str | None,
        limiter: Limiter,
        failed_auth_limit: RateLimitItem,
        emit: Callable[[Event], None],
        *,
        sign_in: SignIn,
    ) -> None:
        self._integrations = integrations
        self._admin_key = admin_key
        self._limiter = limiter
        self._limit = failed_auth_limit
        self._emit = emit
        self._sign_in = sign_in

    def process_resource(
        self,
        req: falcon.Request,
        _resp: falcon.Response,
        resource: Any,
        _params: Mapping[str, Any],
    ) -> None:
        """Set ``principal`` on the context. Raises `UnauthorizedError` or `RateLimitedError`, and
        what `SignIn.identity` raises."""
        wanted: Collection[KeyKind] = getattr(resource, "keys", {}).get(req.method, ())
        if not wanted or KeyKind.NONE in wanted:
            return
        shown = shown_key(req, in_query=getattr(resource, "key_in_query", False))
        identity = None
        if not shown and KeyKind.ADMIN in wanted:
            identity = self._sign_in.identity(req)
        if identity is not None:
            req.context.principal = Principal(KeyKind.IDENTITY, identity=identity)
        else:
            req.context.principal = self._principal(req, shown)

    def _principal(self, req: falcon.Request, shown: str) -> Principal:
        if not shown:
            raise self._refusal(req, "missing")
        if self._admin_key is not None and keys.same(shown, self._admin_key):
            if not self._limiter.peek(self._limit, *_failures(req)).allowed:
                self._integrations.authenticate(shown)  # the time that a wrong key takes
                raise self._refusal(req, "throttled")
            return Principal(KeyKind.ADMIN)
        state, integration = self._integrations.authenticate(shown)
        if integration is None:
            raise self._refusal(req, state.value)
        return Principal(KeyKind.ORGANIZATION, integration)

    def _refusal(self, req: falcon.Request, reason: str) -> Exception:
        """Count, log and name a failed attempt; its wording never tells what was wrong."""
        verdict = self._limiter.hit(self._limit, *_failures(req))
        address = req.context.client_address
        _log.warning("A key was refused.", extra={"reason": reason, "client": address})
        if not verdict.allowed:
            return RateLimitedError(
                "Too many failed attempts.", retry_after=verdict.reset, limit=verdict.limit
            )
        detail = {"reason": reason, "client": address, "path": req.path}
        refused = Event(
            None, EventType.REFUSED, EventStatus.REFUSED, error="unauthorized", raw_data=detail
        )
        self._emit(refused)
        return UnauthorizedError(_REFUSED)


def _failures(req: falcon.Request) -> tuple[str, str]:
    return ("failed-auth", neighbourhood(req.context.client_address))


class Admission:
    """Turns away who is known but may not do this; behind the rate limit, so that this counts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def process_resource(
        self,
        req: falcon.Request,
        _resp: falcon.Response,
        resource: Any,
        _params: Mapping[str, Any],
    ) -> None:
        """Raises `ForbiddenError`."""
        principal: Principal | None = req.context.principal
        if principal is None:
            return
        if principal.integration is not None and not principal.integration.enabled:
            raise ForbiddenError("This integration is disabled.", code="integration_disabled")
        if not principal.is_admitted_by(resource.keys[req.method]):
            raise ForbiddenError("This kind of key does not open this.", code="wrong_key_kind")
        if principal.identity is not None and req.method not in SAFE_METHODS:
            self._require_own_page(req)

    def _require_own_page(self, req: falcon.Request) -> None:
        """The host's sign-in travels in a cookie, which any page can make a browser send."""
        if from_own_page(req, self._client):
            return
        _log.warning(
            "A change from another site was refused.",
            extra={
                "request_id": req.context.request_id,
                "path": req.path,
                "origin": (req.get_header("Origin") or "")[:_SHOWN_ORIGIN],
                "expected": self._client.base_url(req),
            },
        )
        raise ForbiddenError(
            "A signed-in user's change must come from a page of this server.", code="cross_site"
        )


def shown_key(req: falcon.Request, *, in_query: bool) -> str:
    """The key that a request shows in its headers or, where one may be there, in its query; empty
    when it shows none."""
    shown = (req.get_header("x-api-key") or "").strip()
    if not shown:
        scheme, _, credentials = (req.get_header("Authorization") or "").partition(" ")
        shown = credentials.strip() if scheme.casefold() == "bearer" else ""
    if not shown and in_query:
        shown = (req.get_param("apiKey") or "").strip()
    return shown[:MAX_KEY]
