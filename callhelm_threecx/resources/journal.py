"""``/calls/journal`` and ``/chats/journal``: what a PBX reports when it is over."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

import falcon

from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.resources.reading import BodyReader, integration_of
from callhelm_threecx.resources.short_way import raise_failed
from callhelm_threecx.services.journal import Journal, Recorded

CALLS_FEATURE: Final = "call_journaling_enabled"
"""Without which no call is taken."""


class CallsResource:
    """``POST /calls/journal``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"POST": (KeyKind.ORGANIZATION,)}

    def __init__(self, journal: Journal, body: BodyReader) -> None:
        self._journal = journal
        self._body = body

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Log one ended call: 201 when new, 200 for the same call again."""
        raise_failed(req)
        integration = integration_of(req, CALLS_FEATURE)
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
    resp.media = answer_of(kind, recorded)


def answer_of(kind: str, recorded: Recorded) -> dict[str, Any]:
    """What a PBX is told of its report of a ``call`` or ``chat``."""
    what = "was logged before" if recorded.duplicate else "is logged"
    return {
        "success": True,
        f"{kind}Id": recorded.id,
        "contactId": recorded.contact_id,
        "agentId": recorded.agent_id,
        "duplicate": recorded.duplicate,
        "message": f"The {kind} {what}.",
    }
