"""``GET /template``: the file that a PBX's administrator uploads."""

from collections.abc import Callable, Collection, Mapping
from typing import ClassVar, Final

import falcon

from callhelm_threecx.errors import ForbiddenError
from callhelm_threecx.middleware.auth import KeyKind, shown_key
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.resources.reading import integration_of
from callhelm_threecx.services.events import Event, EventType
from callhelm_threecx.services.templates import template_of

FILE_NAME: Final = "call-helm-3cx.xml"


class TemplateResource:
    """The template of an organization, its URL and the very key that asked for it filled in."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": (KeyKind.ORGANIZATION,)}
    key_in_query: ClassVar[bool] = True
    """A browser that follows the download link cannot send a header."""

    def __init__(
        self,
        client: Client,
        prefix: str,
        emit: Callable[[Event], None],
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._emit = emit

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The XML file as an attachment, never to be cached."""
        integration = integration_of(req)
        if integration.key_is_replaced:  # whoever holds an old key must not get the new one by it
            raise ForbiddenError("This key was replaced by a newer one.", code="key_replaced")
        base_url = self._client.base_url(req)
        api_key = shown_key(req, in_query=self.key_in_query)
        resp.text = template_of(integration, api_key, base_url, self._prefix)
        resp.content_type = "application/xml; charset=utf-8"
        resp.set_header("Content-Disposition", f'attachment; filename="{FILE_NAME}"')
        resp.set_header("Cache-Control", "no-store")
        origin = {"client": req.context.client_address}
        self._emit(Event(integration.organization_id, EventType.TEMPLATE, raw_data=origin))
