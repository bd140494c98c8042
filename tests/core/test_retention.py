"""How long events are kept: settings, and what organizations have of their own."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.db import Database
from callhelm_threecx.errors import BadInputError, SettingsError
from callhelm_threecx.retention import LONGEST_DAYS, Retention, age_text, parse_age
from callhelm_threecx.services.events import EventFilter, EventLog
from callhelm_threecx.services.retention import TYPES, RetentionRules

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
AGES = st.none() | st.integers(1, LONGEST_DAYS).map(lambda days: timedelta(days=days))


@pytest.fixture
def rules(database: Database) -> RetentionRules:
    return RetentionRules(database, "365d,setup=forever")


@given(AGES, st.dictionaries(st.sampled_from(TYPES), AGES))
def test_a_retention_reads_what_it_writes(
    rest: timedelta | None, types: dict[str, timedelta | None]
) -> None:
    retention = Retention(rest).overlaid(types)
    assert Retention.parse(str(retention)) == retention


@given(st.text(max_size=30) | st.from_regex(r"[a-z=,0-9dw ]{0,30}"))
def test_any_text_is_a_retention_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert Retention.parse(str(Retention.parse(text))) == Retention.parse(text)


@given(AGES)
def test_an_age_reads_what_it_writes(age: timedelta | None) -> None:
    assert parse_age(age_text(age)) == age


@pytest.mark.parametrize(
    ("setting", "own", "counts"),
    [
        ("90d,setup=forever", {}, "90d,setup=forever"),
        ("90d,setup=forever", {"lookup": "7d"}, "90d,lookup=7d,setup=forever"),
        ("90d,setup=forever", {"setup": "7d"}, "90d,setup=7d"),
        ("90d,setup=forever", {"": "7d"}, "7d"),
        ("90d,setup=forever", {"": "7d", "lookup": "forever"}, "7d,lookup=forever"),
    ],
)
def test_what_an_organization_says_comes_before_the_server(
    database: Database, setting: str, own: dict[str, str], counts: str
) -> None:
    rules = RetentionRules(database, setting)
    assert str(rules.change("acme", own)) == counts
    assert str(rules.of("acme")) == counts
    assert {one: str(kept) for one, kept in rules.own().items()} == (
        {"acme": counts} if own else {}
    )
    assert str(rules.of("other")) == setting


def test_an_organizations_own_age_may_be_changed_and_taken_away(rules: RetentionRules) -> None:
    rules.change("acme", {"": "90d", "lookup": "4w"})
    assert str(rules.change("acme", {"lookup": "forever"})) == "90d,lookup=forever"
    assert str(rules.change("acme", {"": "server"})) == "365d,lookup=forever,setup=forever"
    assert str(rules.change("acme", {"lookup": " Server "})) == str(rules.server)
    assert rules.own() == {}


def test_a_change_is_in_the_event_log(database: Database, rules: RetentionRules) -> None:
    rules.change("acme", {"": "90d", "lookup": "server"})
    (row,) = EventLog(database, "DE").page(EventFilter("acme")).events
    assert row.event_type == "setup"
    assert row.raw_data == {
        "action": "retention",
        "keep": {"all": "90d", "lookup": "server"},
        "by": "program",
    }


@pytest.mark.parametrize(
    ("own", "field"), [({"dance": "9d"}, "type"), ({"": "9"}, "keep"), ({"lookup": "0d"}, "lookup")]
)
def test_what_cannot_be_read_is_refused_and_changes_nothing(
    rules: RetentionRules, own: dict[str, str], field: str
) -> None:
    with pytest.raises(BadInputError) as raised:
        rules.change("acme", {"setup": "1d", **own})
    assert [error.field for error in raised.value.errors] == [field]
    assert rules.own() == {}


def test_a_setting_that_names_no_type_is_refused(database: Database) -> None:
    with pytest.raises(SettingsError, match=r"^THREECX_EVENT_RETENTION: 'lokup' is none of lookup"):
        RetentionRules(database, "90d,lokup=30d")


@pytest.mark.parametrize("age", ["forever", "36500d"])
def test_no_age_reaches_before_all_time(age: str) -> None:
    early = datetime(1, 6, 1, tzinfo=timezone.utc)
    assert Retention.parse(age).before("lookup", early) < early
