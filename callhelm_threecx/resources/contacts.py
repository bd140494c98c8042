"""``/contacts/…``: what a PBX asks while a phone rings or an agent types."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import falcon

from callhelm_threecx.errors import BadInputError
from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.resources.reading import (
    BodyReader,
    integer,
    integration_of,
    raw_param,
    text_param,
)
from callhelm_threecx.resources.short_way import raise_failed
from callhelm_threecx.services.contacts import DEFAULT_LIMIT, MAX_LIMIT, Contacts

_FOR_ORGANIZATIONS = (KeyKind.ORGANIZATION,)


class LookupResource:
    """``GET /contacts/lookup?number=`` or ``?email=``; ``?id=`` for a Call Flow Designer app."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": _FOR_ORGANIZATIONS}

    def __init__(self, contacts: Contacts, client: Client) -> None:
        self._contacts = contacts
        self._client = client

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The contacts that own a number or an address, best first."""
        raise_failed(req)
        integration = integration_of(req)
        base_url = self._client.base_url(req)
        number = raw_param(req, "number")
        if number.strip():
            found = self._contacts.lookup(integration, number, base_url)
        elif email := text_param(req, "email"):
            found = self._contacts.lookup_email(integration, email, base_url)
        elif contact_id := text_param(req, "id"):
            found = self._contacts.lookup_id(integration, contact_id, base_url)
        else:
            raise BadInputError.of_field("number", "is required, or email")
        resp.media = {"success": True, "contacts": found}


class SearchResource:
    """``GET /contacts/search?query=&limit=``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": _FOR_ORGANIZATIONS}

    def __init__(self, contacts: Contacts, client: Client) -> None:
        self._contacts = contacts
        self._client = client

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The contacts in which every word of the query occurs."""
        found = self._contacts.search(
            integration_of(req),
            text_param(req, "query"),
            self._client.base_url(req),
            limit=integer(req, "limit", default=DEFAULT_LIMIT, most=MAX_LIMIT),
        )
        resp.media = {"success": True, "contacts": found}


class CreateResource:
    """``POST /contacts/create``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"POST": _FOR_ORGANIZATIONS}

    def __init__(self, contacts: Contacts, client: Client, body: BodyReader) -> None:
        self._contacts = contacts
        self._client = client
        self._body = body

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A new contact (201), or the one with the same number and name that is there (200)."""
        integration = integration_of(req, "contact_creation_enabled")
        body = self._body(req)
        contact, is_new = self._contacts.create(integration, body, self._client.base_url(req))
        resp.status = 201 if is_new else 200
        resp.media = {"success": True, **contact}
