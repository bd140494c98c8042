"""``/calls/journal`` and ``/chats/journal``: what a PBX reports when it is over."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import falcon

from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.resources.reading import BodyReader, integration_of
from callhelm_threecx.services.journal import Journal, Recorded


class CallsResource:
    """``POST /calls/journal``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"POST": (KeyKind.ORGANIZATION,)}

    def __init__(self, journal: Journal, body: BodyReader) -> None:
        self._journal = journal
        self._body = body

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Log one ended call: 201 when new, 200 for the same call again."""
        integration = integration_of(req, "call_journaling_enabled")
        _answer(resp, "call", self._journal.record_call(integration, self._body(req)))


class ChatsResource:
    """``POST /chats/journal``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"POST": (KeyKind.ORGANIZATION,)}

    def __init__(self, journal: Journal, body: BodyReader) -> None:
        self._journal = journal
        self._body = body

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Log one chat: 201 when new, 200 for the same chat again."""
        integration = integration_of(req, "chat_journaling_enabled")
        _answer(resp, "chat", self._journal.record_chat(integration, self._body(req)))


def _answer(resp: falcon.Response, kind: str, recorded: Recorded) -> None:
    resp.status = 200 if recorded.duplicate else 201
    what = "was logged before" if recorded.duplicate else "is logged"
    resp.media = {
        "success": True,
        f"{kind}Id": recorded.id,
        "contactId": recorded.contact_id,
        "agentId": recorded.agent_id,
        "duplicate": recorded.duplicate,
        "message": f"The {kind} {what}.",
    }
