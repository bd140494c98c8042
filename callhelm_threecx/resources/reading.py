"""What resources have in common: bodies, parameters, and for whom a request speaks.

`readable_organization` and `writable_organization` are the only doors from a request to the
organization that it names: whoever has the id has been asked whether they may.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

import falcon

from callhelm_threecx.errors import (
    BadInputError,
    ForbiddenError,
    TooLargeError,
    UnsupportedMediaError,
)
from callhelm_threecx.identity import Identity
from callhelm_threecx.middleware.auth import KeyKind, Principal
from callhelm_threecx.services import values
from callhelm_threecx.services.audit import ADMIN_KEY, Actor
from callhelm_threecx.services.integrations import Integration
from callhelm_threecx.services.organizations import checked_organization_id

_JSON_TYPE = re.compile(r"application/(?:[\w.+-]+\+)?json", re.ASCII | re.IGNORECASE)


class BodyReader:
    """Reads the JSON object in a body of bounded size."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body

    def __call__(self, req: falcon.Request) -> dict[str, Any]:
        """The object.

        Raises `UnsupportedMediaError` for another type, `TooLargeError`, and `BadInputError` for
        what is not a JSON object in UTF-8.
        """
        require_json(req.content_type)
        return json_object(self._bytes(req))

    def _bytes(self, req: falcon.Request) -> bytes:
        try:
            length = req.content_length
        except falcon.HTTPInvalidHeader:
            raise BadInputError("Content-Length is not a number.") from None
        # Without a length the body ends where the server says that it ends (chunked).
        bounded = length is not None or not req.env.get("wsgi.input_terminated")
        stream = req.bounded_stream if bounded else req.stream
        data: bytes = stream.read(self._max_body + 1)
        if len(data) > self._max_body:
            raise TooLargeError(f"The body is larger than {self._max_body} bytes.")
        return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def require_json(content_type: str | None) -> None:
    """Return when a body is said to be JSON, or nothing is said of it. Raises
    `UnsupportedMediaError`."""
    kind = (content_type or "application/json").partition(";")[0].strip()
    if not _JSON_TYPE.fullmatch(kind):
        raise UnsupportedMediaError("The body must be JSON (application/json).")


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises `BadInputError` for what is not one in UTF-8."""
    try:
        body = _JSON.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
    except (ValueError, RecursionError):
        raise BadInputError("The body is not JSON.", code="bad_json") from None
    if not isinstance(body, dict):
        raise BadInputError("The body is not a JSON object.", code="bad_json")
    return body


_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant)
"""As `json.loads` would make for each body anew."""


def integration_of(req: falcon.Request, feature: str | None = None) -> Integration:
    """The integration whose key opened this.

    Raises `ForbiddenError` when the feature is switched off.
    """
    integration: Integration = req.context.principal.integration
    if feature is not None and not integration.allows(feature):
        raise ForbiddenError("This is switched off for the organization.", code="feature_disabled")
    return integration


def readable_organization(req: falcon.Request) -> str | None:
    """The organization that a reading request is about; None for all of them.

    An organization key reads its own, whether it names it or not; the admin key any, or all. A
    user of the host reads those that they belong to, and need not name the only one; a system
    administrator is to this what the admin key is. Raises `ForbiddenError` for another
    organization's, whether it exists or not, and `BadInputError` when one must be named.
    """
    principal: Principal = req.context.principal
    value = req.params.get("organizationId")
    named = checked_organization_id(value) if value else None
    if principal.identity is not None:
        return _readable_by(principal.identity, named)
    if principal.kind is KeyKind.ADMIN:
        return named
    if named is not None and named != principal.organization_id:
        raise ForbiddenError("This key belongs to another organization.", code="wrong_organization")
    return principal.organization_id


def the_readable_organization(req: falcon.Request) -> str:
    """As `readable_organization`, where one answer cannot be about all of them."""
    return readable_organization(req) or _none_named()


def writable_organization(req: falcon.Request, source: Mapping[str, Any]) -> str:
    """The organization that a change is about, named in the query or the body.

    Raises `BadInputError` when none is named, and `ForbiddenError` unless the admin key was shown
    or a user is signed in whose role may set this organization up.
    """
    principal: Principal = req.context.principal
    named = checked_organization_id(source.get("organizationId"))
    if principal.identity is not None:
        _require_member(principal.identity, named)
        if not principal.identity.may_set_up(named):
            message = "Your role in this organization may read this, not change it."
            raise ForbiddenError(message, code="role_not_allowed")
    elif principal.kind is not KeyKind.ADMIN:
        raise ForbiddenError("This kind of key does not open this.", code="wrong_key_kind")
    return named


def _readable_by(identity: Identity, named: str | None) -> str | None:
    if named is not None:
        _require_member(identity, named)
    elif not identity.is_system_admin:
        return next(iter(identity.roles)) if len(identity.roles) == 1 else _none_named()
    return named


def _none_named() -> NoReturn:
    raise BadInputError.of_field("organizationId", "is required")


def _require_member(identity: Identity, organization_id: str) -> None:
    """The wording is one, whether the organization exists or not: nothing is asked of a store."""
    if not identity.may_read(organization_id):
        message = "You do not belong to this organization."
        raise ForbiddenError(message, code="not_your_organization")


def actor_of(req: falcon.Request) -> Actor:
    """Who makes a change, for its event."""
    identity: Identity | None = req.context.principal.identity
    origin: str = req.context.client_address
    return Actor.of_user(identity, origin) if identity else Actor(ADMIN_KEY, origin)


def integer(req: falcon.Request, name: str, *, default: int, most: int) -> int:
    """A whole number from 1 to ``most`` in the query."""
    text = text_param(req, name)
    if not text:
        return default
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise BadInputError.of_field(name, f"must be a whole number from 1 to {most}")
    return int(text)


def instant(req: falcon.Request, name: str) -> datetime | None:
    """An instant in the query."""
    text = text_param(req, name)
    try:
        return values.instant(text) if text else None
    except ValueError as ex:
        raise BadInputError.of_field(name, str(ex)) from None


def text_param(req: falcon.Request, name: str) -> str:
    """A clean text in the query; empty when it is missing."""
    return values.clean(raw_param(req, name))


def raw_param(req: falcon.Request, name: str) -> str:
    """A text in the query as it came (a leading space may be a lost plus)."""
    value = req.params.get(name, "")
    return value[-1] if isinstance(value, list) else value
