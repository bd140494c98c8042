"""Pages of the console on a large log: few statements, each from an index, whatever is asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.services import overview as overview_module
from callhelm_threecx.services.conversations import ConversationFilter, Conversations
from callhelm_threecx.services.events import EventFilter, EventLog, EventStatus, EventType
from callhelm_threecx.services.extensions import Extensions
from callhelm_threecx.services.overview import Overview
from callhelm_threecx.services.reports import CallType
from callhelm_threecx.settings import database_url as parse_url
from tests.core import big_log
from tests.core.big_log import AGENTS, COMMON_NUMBER, NOW, RARE_AGENT, RARE_NUMBER
from tests.core.plans import Statement, watched
from tests.servers import DatabaseSource

TABLES = ("three_cx_call_events", "three_cx_calls", "three_cx_chats")
# A page touches so much at most: hundreds of steps on SQLite, blocks on PostgreSQL. A walk
# through the log takes many times that.
PAGE_WORK = {"sqlite": 600, "postgresql": 900}
# An overview counts what happened since yesterday, on an index alone.
DAY_WORK = {"sqlite": 6000, "postgresql": 3000}


@pytest.fixture(scope="module")
def big(
    database_source: DatabaseSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with database_source.empty(tmp_path_factory.mktemp("big")) as url:
        database = Database(parse_url(url))
        migrate.upgrade(database)
        big_log.fill(database)
        yield database
        database.dispose()


@dataclass
class Services:
    log: EventLog
    conversations: Conversations
    extensions: Extensions
    overview: Overview


def of(database: Database) -> Services:
    log = EventLog(database, "DE")
    overview = Overview(database, log)
    return Services(log, Conversations(database, "DE"), Extensions(database), overview)


def assert_indexed(statements: list[Statement], *, most: int) -> None:
    """No statement reads a table from end to end, or touches more than it should."""
    for statement in statements:
        for table in TABLES:
            assert f"Seq Scan {table}" not in statement.plan, statement
            assert f"SCAN {table}\n" not in statement.plan + "\n", statement
        assert statement.work <= most, statement


EVENT_PAGES: dict[str, EventFilter] = {
    "everything": EventFilter("acme"),
    "a frequent type": EventFilter("acme", type=EventType.LOOKUP),
    "a rare type": EventFilter("acme", type=EventType.REFUSED),
    "a type that never was": EventFilter("acme", type=EventType.TEMPLATE),
    "a frequent status": EventFilter("acme", status=EventStatus.OK),
    "a rare status": EventFilter("acme", status=EventStatus.ERROR),
    "a type with a status that it never has": EventFilter(
        "acme", type=EventType.LOOKUP, status=EventStatus.DUPLICATE
    ),
    "a frequent number": EventFilter("acme", number=COMMON_NUMBER),
    "a rare number": EventFilter("acme", number=RARE_NUMBER),
    "an unknown number": EventFilter("acme", number="+49301"),
    "a number in national form": EventFilter("acme", number="030 999999"),
    "a rare number and a type": EventFilter("acme", number=RARE_NUMBER, type=EventType.LOOKUP),
    "a rare number and a status": EventFilter("acme", number=RARE_NUMBER, status=EventStatus.OK),
    "an agent": EventFilter("acme", agent=AGENTS[0]),
    "an unknown agent": EventFilter("acme", agent="1"),
    "an agent and a rare number": EventFilter("acme", agent=AGENTS[0], number=RARE_NUMBER),
    "a span": EventFilter("acme", since=NOW.replace(day=3), until=NOW.replace(day=4)),
    "a span without its type": EventFilter(
        "acme", type=EventType.TEMPLATE, since=NOW.replace(day=3)
    ),
    "all organizations": EventFilter(),
    "a rare type of all": EventFilter(type=EventType.REFUSED),
    "a status that nobody has": EventFilter(status=EventStatus.ERROR, type=EventType.SEARCH),
    "a rare number of all": EventFilter(number=RARE_NUMBER),
}


@pytest.mark.parametrize("way", EVENT_PAGES)
def test_a_page_of_events_is_answered_from_an_index(big: Database, way: str) -> None:
    log = EventLog(big, "DE")
    with watched(big) as statements:
        first = log.page(EVENT_PAGES[way])
        if first.next_cursor:
            log.page(EVENT_PAGES[way], cursor=first.next_cursor)
        log.newer(EVENT_PAGES[way], first.newest_cursor)
    assert len(statements) <= 6  # three pages; a number needs the organization's region too
    assert_indexed(statements, most=PAGE_WORK[big.dialect])


CALL_PAGES: dict[str, ConversationFilter] = {
    "everything": ConversationFilter("acme"),
    "a type": ConversationFilter("acme", call_type=CallType.MISSED),
    "a rare number": ConversationFilter("acme", number=RARE_NUMBER),
    "a number in national form": ConversationFilter("acme", number="030 999999"),
    "an agent": ConversationFilter("acme", agent=AGENTS[0]),
    "an agent and a type": ConversationFilter(
        "acme", agent=AGENTS[0], call_type=CallType.NOTANSWERED
    ),
    "an agent's rare number": ConversationFilter("acme", agent=AGENTS[0], number=RARE_NUMBER),
    "an unknown contact": ConversationFilter("acme", contact_id="nobody"),
    "a span": ConversationFilter("acme", since=NOW.replace(day=3), until=NOW.replace(day=4)),
    "a contact's calls of a type": ConversationFilter(
        "acme", contact_id="nobody", call_type=CallType.INBOUND
    ),
}


@pytest.mark.parametrize("way", CALL_PAGES)
def test_a_page_of_calls_is_answered_from_an_index(big: Database, way: str) -> None:
    conversations = Conversations(big, "DE")
    with watched(big) as statements:
        conversations.calls(CALL_PAGES[way])
        conversations.chats(CALL_PAGES[way])
    assert len(statements) <= 6  # for each: the page, the contacts' names, perhaps the region
    assert_indexed(statements, most=PAGE_WORK[big.dialect])


@pytest.mark.parametrize("organization", ["acme", "nobody", None])
def test_an_overview_is_five_statements_on_indexes(
    big: Database, organization: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_module, "utc_now", lambda: NOW)
    overview = of(big).overview
    overview.of(organization, 30)  # counts the days that are over, once
    with watched(big) as statements:
        facts = overview.of(organization, 30)
    assert len(statements) == (5 if facts.errors else 4)
    assert_indexed(statements, most=DAY_WORK[big.dialect])
    assert bool(facts.last_lookup_at) is (organization != "nobody")


SINGLE: dict[str, Callable[[Services], object]] = {
    "the extensions that nobody is mapped to": lambda s: s.extensions.unmapped("acme"),
    "the extensions of an organization without calls": lambda s: s.extensions.unmapped("nobody"),
}


@pytest.mark.parametrize("way", SINGLE)
def test_an_index_is_probed_once_for_each_of(big: Database, way: str) -> None:
    with watched(big) as statements:
        SINGLE[way](of(big))
    assert len(statements) == 2
    assert_indexed(statements, most=PAGE_WORK[big.dialect])


def test_every_extension_of_a_large_log_is_found(big: Database) -> None:
    found = of(big).extensions.unmapped("acme")
    assert {one.extension for one in found} == {*AGENTS, RARE_AGENT}
    assert {one.calls for one in found if one.extension != RARE_AGENT} == {100}


def test_an_export_reads_each_event_once_in_pages(big: Database) -> None:
    log = EventLog(big, "DE")
    with watched(big) as statements:
        ids = [row.id for row in log.export(EventFilter("acme", type=EventType.SEARCH))]
    assert len(ids) == len(set(ids)) > 5000
    assert_indexed(statements, most=20 * PAGE_WORK[big.dialect])
