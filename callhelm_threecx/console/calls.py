"""The calls and chats that the default store keeps: lists, and each with all that was said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from callhelm_threecx.console import event_words as words
from callhelm_threecx.console.contact_guide import ContactGuide, Signpost
from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.dialogue import Turn, turns
from callhelm_threecx.console.downloads import send_text
from callhelm_threecx.console.inert import excerpt, web_link
from callhelm_threecx.console.page import Page
from callhelm_threecx.console.queries import CURSOR, Query
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.models import CallRow, ChatRow
from callhelm_threecx.services.conversations import (
    Conversation,
    ConversationFilter,
    ConversationPage,
    Conversations,
)
from callhelm_threecx.services.reports import CallType

C = TypeVar("C", CallRow, ChatRow)
PAGE: Final = 40
FILTERS: Final = ("type", "number", "agent", "contact", "since", "until")
TYPES: Final = (
    ("", "All"),
    (CallType.INBOUND.value, "Incoming, answered"),
    (CallType.MISSED.value, "Missed"),
    (CallType.OUTBOUND.value, "Outgoing, answered"),
    (CallType.NOTANSWERED.value, "Outgoing, not answered"),
)
MAX_SAID: Final = 36 * 1024
"""So much of a transcript or of messages is shown, in bytes of the page; the rest is in a file."""

MAX_SUMMARY: Final = 12 * 1024
MAX_SUBJECT: Final = 600
MAX_TURNS: Final = 150


@dataclass(frozen=True, slots=True)
class Line(Generic[C]):
    """A call or chat as a line of the list."""

    row: C
    contact: Signpost | None
    badge: tuple[str, str]
    direction: str


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, or the beginning of it; ``length`` counts the characters of the whole."""

    turns: Sequence[Turn]
    length: int
    is_cut: bool


def said(text: str) -> Said:
    """As much of a transcript as a page can hold."""
    shown = excerpt(text, MAX_SAID)
    found = turns(shown.text)
    is_cut = shown.is_cut or len(found) > MAX_TURNS
    return Said(found[:MAX_TURNS], len(text), is_cut)


class ConversationsPageBase(Page):
    """What the pages of calls and of chats have in common."""

    section = "/calls"

    def __init__(self, desk: Desk, conversations: Conversations, contacts: ContactGuide) -> None:
        super().__init__(desk)
        self.conversations = conversations
        self.contacts = contacts

    def line(self, visit: Visit, row: C, name: str) -> Line[C]:
        """A call or chat with the way to its contact."""
        contact = self.contacts.to(visit, visit.organization_id, row.contact_id, name)
        if isinstance(row, ChatRow):
            return Line(row, contact, ("", ""), "")
        badge = words.call_type_of(row.call_type)
        return Line(row, contact, badge, words.direction_of(row.direction))

    def list_of(
        self,
        visit: Visit,
        template: str,
        path: str,
        read: Callable[..., ConversationPage[C]],
        **context: Any,
    ) -> None:
        """Answer with a page of a list that ``read`` reads, newest first."""
        query = Query(visit.req, FILTERS)
        since, until = query.span()
        wanted = ConversationFilter(
            visit.organization_id,
            call_type=query.choice("type", CallType),
            number=query.text("number", 128),
            agent=query.text("agent", 64),
            contact_id=query.text("contact", 64),
            since=since,
            until=until,
        )
        page: ConversationPage[C] = ConversationPage((), {}, None)
        if query.is_sound:
            page = read(wanted, limit=PAGE, cursor=query.cursor)
        else:
            visit.resp.status = 400
        here = self.desk.url(visit.req, visit.path(path))
        self.render(
            visit,
            template,
            form=query.form,
            list_path=path,
            lines=[
                self.line(visit, row, page.names.get(row.contact_id or "", "")) for row in page.rows
            ],
            filtered=query.is_filtered,
            first=query.address(here),
            paged=query.cursor is not None,
            older=query.address(here, **{CURSOR: page.next_cursor}) if page.next_cursor else "",
            **context,
        )

    def detail(
        self, visit: Visit, template: str, one: Conversation[C], conversation: str, **context: Any
    ) -> None:
        """Answer with all of a call or chat; ``conversation`` is what was said in it."""
        row = one.row
        is_call = isinstance(row, CallRow)
        self.render(
            visit,
            template,
            list_path="/calls" if is_call else "/chats",
            list_name="Calls" if is_call else "Chats",
            heading="Call" if is_call else "Chat",
            who=one.contact_name or row.name or row.number,
            row=row,
            line=self.line(visit, row, one.contact_name or ""),
            said=said(conversation),
            subject=excerpt(row.subject, MAX_SUBJECT),
            agent_finding=words.attribution(
                row.attributed_by, extension=row.agent_extension, email=row.agent_email
            ),
            **context,
        )


class CallsPage(ConversationsPageBase):
    """The calls."""

    def show(self, visit: Visit, **_: str) -> None:
        """One page of them."""
        self.list_of(visit, "calls.html", "/calls", self.conversations.calls, types=TYPES)


class ChatsPage(ConversationsPageBase):
    """The chats."""

    def show(self, visit: Visit, **_: str) -> None:
        """One page of them."""
        self.list_of(visit, "chats.html", "/chats", self.conversations.chats)


class CallPage(ConversationsPageBase):
    """One call: recording, summary and transcript."""

    def show(self, visit: Visit, call_id: str = "", **_: str) -> None:
        """The call. Raises `NotFoundError`."""
        one = self.conversations.call(visit.organization_id, call_id)
        self.detail(
            visit,
            "call.html",
            one,
            one.row.transcription,
            summary=excerpt(one.row.summary, MAX_SUMMARY),
            recording=web_link(one.row.recording_url),
            recording_text=excerpt(one.row.recording_url, MAX_SUBJECT),
        )


class ChatPage(ConversationsPageBase):
    """One chat as a conversation."""

    def show(self, visit: Visit, chat_id: str = "", **_: str) -> None:
        """The chat. Raises `NotFoundError`."""
        one = self.conversations.chat(visit.organization_id, chat_id)
        self.detail(visit, "chat.html", one, one.row.messages)


class TextFile(ConversationsPageBase):
    """The whole of a text of which a page shows the beginning."""

    def show(
        self, visit: Visit, part: str = "", call_id: str = "", chat_id: str = "", **_: str
    ) -> None:
        """Plain text. Raises `NotFoundError`."""
        texts: Mapping[str, str]
        if call_id:
            call = self.conversations.call(visit.organization_id, call_id).row
            texts = {
                "transcript": call.transcription,
                "summary": call.summary,
                "subject": call.subject,
            }
        else:
            chat = self.conversations.chat(visit.organization_id, chat_id).row
            texts = {"messages": chat.messages, "subject": chat.subject}
        if not texts.get(part):
            raise NotFoundError("There is no such text.")
        send_text(visit.resp, f"{part}-{call_id or chat_id}.txt", texts[part])
