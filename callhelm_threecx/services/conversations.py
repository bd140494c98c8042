"""The calls and chats that the default store keeps: pages of them, newest first, and one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import defer
from sqlmodel import col

from callhelm_threecx.db import Database, retry_when_passing
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.models import CallRow, ChatRow
from callhelm_threecx.services.contact_names import names_within, uuid_of
from callhelm_threecx.services.events import region_of
from callhelm_threecx.services.pages import Wanted, aside, equal, page_of, spellings
from callhelm_threecx.services.reports import CallType
from callhelm_threecx.stores.cursors import cursor_of, read_cursor

C = TypeVar("C", CallRow, ChatRow)
DEFAULT_PAGE: Final = 50
_LONG_TEXTS: Final = ("transcription", "summary", "messages")


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """Which calls or chats of an organization are wanted; None means all. ``call_type`` is for
    calls; ``since`` and ``until`` (not included) are about ``happened_at``."""

    organization_id: str
    call_type: CallType | None = None
    number: str | None = None
    agent: str | None = None
    contact_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def wanted(self, table: type[CallRow] | type[ChatRow], region: str, dialect: str) -> Wanted:
        """The filter as branches of the table's indexes: the narrowest of what is asked for begins
        the index, the rest is asked of what is found there."""
        asked: list[tuple[Any, Sequence[str]]] = []
        if self.contact_id is not None:
            asked.append((col(table.contact_id), [self.contact_id]))
        if self.number is not None:
            asked.append((col(table.number), spellings(self.number, region)))
        if self.agent is not None:
            asked.append((col(table.agent_extension), [self.agent]))
        if self.call_type is not None and table is CallRow:
            asked.append((col(CallRow.call_type), [self.call_type.value]))
        conditions = [aside(column, dialect).in_(values) for column, values in asked[1:]]
        branches = [equal([(column, value)]) for column, values in asked[:1] for value in values]
        return Wanted(branches or [[]], conditions, self.since, self.until)


@dataclass(frozen=True, slots=True)
class ConversationPage(Generic[C]):
    """Calls or chats, newest first, without their long texts; the names of their contacts by id;
    the cursor of the next page (None on the last). A contact that is gone, or that another store
    keeps, has no name here."""

    rows: Sequence[C]
    names: Mapping[str, str]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Conversation(Generic[C]):
    """One call or chat with the name of its contact, if there is one."""

    row: C
    contact_name: str | None


class Conversations:
    """Reads calls and chats, in two statements a page."""

    def __init__(self, database: Database, default_region: str) -> None:
        self._database = database
        self._region = default_region

    def calls(
        self, wanted: ConversationFilter, *, limit: int = DEFAULT_PAGE, cursor: str | None = None
    ) -> ConversationPage[CallRow]:
        """A page of calls. Raises `BadInputError` for a cursor that no such page gave."""
        return self._page(CallRow, wanted, limit, cursor)

    def chats(
        self, wanted: ConversationFilter, *, limit: int = DEFAULT_PAGE, cursor: str | None = None
    ) -> ConversationPage[ChatRow]:
        """A page of chats. Raises `BadInputError` for a cursor that no such page gave."""
        return self._page(ChatRow, wanted, limit, cursor)

    def call(self, organization_id: str, call_id: str) -> Conversation[CallRow]:
        """A call by its id. Raises `NotFoundError`, also for another organization's."""
        return self._one(CallRow, organization_id, call_id, "call")

    def chat(self, organization_id: str, chat_id: str) -> Conversation[ChatRow]:
        """A chat by its id. Raises `NotFoundError`, also for another organization's."""
        return self._one(ChatRow, organization_id, chat_id, "chat")

    @retry_when_passing
    def _page(
        self, table: type[C], wanted: ConversationFilter, limit: int, cursor: str | None
    ) -> ConversationPage[C]:
        position = read_cursor(cursor) if cursor else None
        with self._database.read(wanted.organization_id) as session:
            region = self._region
            if wanted.number is not None:
                region = region_of(session) or region
            branches = wanted.wanted(table, region, self._database.dialect)
            moment = col(table.happened_at)
            statement = page_of(table, moment, branches, limit + 1, position)
            found = session.execute(_without_long_texts(statement)).scalars().all()
            rows = found[:limit]
            names = names_within(session, (row.contact_id for row in rows))
        more = len(found) > limit
        last = cursor_of(rows[-1].happened_at, rows[-1].id) if more else None
        return ConversationPage(rows, names, last)

    @retry_when_passing
    def _one(self, table: type[C], organization_id: str, key: str, what: str) -> Conversation[C]:
        with self._database.read(organization_id) as session:
            parsed = uuid_of(key)
            row = session.get(table, parsed) if parsed else None
            if row is None:
                raise NotFoundError(f"There is no such {what}.")
            names = names_within(session, [row.contact_id])
        return Conversation(row, names.get(row.contact_id or ""))


def _without_long_texts(statement: Select[C]) -> Select[C]:
    """A page of transcripts would be megabytes that nobody sees."""
    table = statement.column_descriptions[0]["entity"]  # or the alias of merged branches
    found = (getattr(table, name, None) for name in _LONG_TEXTS)
    return statement.options(*(defer(text, raiseload=True) for text in found if text is not None))
