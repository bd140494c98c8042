"""What a process knows of keys, it does not read again for each; and it learns of every change."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.models import IntegrationRow, utc_now
from callhelm_threecx.services import known_keys
from callhelm_threecx.services.integrations import Integrations, KeyState
from callhelm_threecx.services.known_keys import KnownKeys, version_columns
from tests.core.statements import recorded

DIGEST = b"of a key that is read late"


class Clock:
    """A monotonic clock that a test moves on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the module, which asks nobody by itself."""
    clock = Clock()
    monkeypatch.setattr(known_keys, "time", clock)
    monkeypatch.setattr(KnownKeys, "_ask_again", lambda _self: None)
    return clock


@pytest.fixture
def keys(integrations: Integrations) -> dict[str, str]:
    """Keys that are known, by organization."""
    keys = {f"org-{n}": integrations.set_up(f"org-{n}", grace_minutes=5)[1] for n in range(20)}
    for key in keys.values():
        assert integrations.authenticate(key)[0] is KeyState.VALID
    return keys


def open_now(integrations: Integrations, keys: dict[str, str]) -> set[str]:
    """The organizations whose keys are known to open."""
    return {name for name, key in keys.items() if integrations.known(key)}


def test_a_key_is_believed_for_three_seconds(
    integrations: Integrations, keys: dict[str, str], clock: Clock
) -> None:
    assert known_keys.BELIEVED_S < 5
    clock.ahead = known_keys.BELIEVED_S - 1
    assert open_now(integrations, keys) == set(keys)
    clock.ahead = known_keys.BELIEVED_S + 0.1
    assert open_now(integrations, keys) == set()


def test_one_query_confirms_all_keys(
    database: Database, integrations: Integrations, keys: dict[str, str], clock: Clock
) -> None:
    clock.ahead = 100.0
    with recorded(database) as statements:
        integrations._known.confirm()
        assert open_now(integrations, keys) == set(keys)
    assert len(statements) == 1
    clock.ahead += known_keys.BELIEVED_S + 0.1
    assert open_now(integrations, keys) == set()


def test_many_keys_are_confirmed_without_reading_them(
    database: Database,
    integrations: Integrations,
    keys: dict[str, str],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(known_keys, "_FEW", 5)
    integrations._known.confirm()
    clock.ahead = 100.0
    with recorded(database) as statements:
        integrations._known.confirm()
    assert open_now(integrations, keys) == set(keys)
    assert len(statements) == 1
    if database.dialect == "postgresql":
        assert "hashtextextended" in statements[0]
    with database.write("org-7") as session:
        session.query(IntegrationRow).one().enabled = False
    clock.ahead = 200.0
    integrations._known.confirm()
    assert open_now(integrations, keys) == set(keys) - {"org-7"}
    with database.write_all_organizations() as session:
        session.execute(text("DELETE FROM three_cx_integrations WHERE organization_id = 'org-3'"))
    integrations._known.confirm()
    assert open_now(integrations, keys) == set(keys) - {"org-7", "org-3"}


@pytest.mark.only("postgres")
@pytest.mark.parametrize("when", ["before the comparison", "behind it"])
def test_what_is_read_while_all_are_asked_for_is_not_taken_for_compared(
    database: Database,
    integrations: Integrations,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    """A key is read, then its row changes, then what all keys add up to is asked for."""
    monkeypatch.setattr(known_keys, "_FEW", 5)
    known = integrations._known
    known.confirm()
    summed = KnownKeys._sum_of_all
    late: list[Callable[[], object]] = []

    def read_then_changed(self: KnownKeys) -> Any:
        if late:
            return summed(self)
        read_at = time.monotonic()
        with database.read_all_organizations() as session:
            row = session.execute(
                select(IntegrationRow.organization_id, *version_columns("postgresql")).where(
                    col(IntegrationRow.organization_id) == "org-7"
                )
            ).one()
        was = integrations.known(keys["org-7"])
        assert was is not None
        late.append(lambda: known.put(DIGEST, was, tuple(row[1:]), read_at))
        if when == "before the comparison":
            late[0]()
        with database.write("org-7") as session:
            session.query(IntegrationRow).one().enabled = False
        return summed(self)

    monkeypatch.setattr(KnownKeys, "_sum_of_all", read_then_changed)
    known.confirm()
    if when == "behind it":
        late[0]()
    for _ in range(2):
        known.confirm()
        assert known.get(DIGEST) is None


def test_a_change_is_not_missed_when_the_database_fails_while_it_is_looked_for(
    database: Database,
    integrations: Integrations,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(known_keys, "_FEW", 5)
    integrations._known.confirm()
    with database.write("org-7") as session:
        session.query(IntegrationRow).one().enabled = False

    def away(*_: object) -> None:
        raise StorageUnavailableError("The database does not answer.")

    with monkeypatch.context() as failing:
        failing.setattr(KnownKeys, "_versions", away)
        integrations._known._asked()
    integrations._known.confirm()
    assert open_now(integrations, keys) == set(keys) - {"org-7"}


CHANGES: dict[str, Callable[[IntegrationRow], Any]] = {
    "enabled": lambda row: setattr(row, "enabled", False),
    "the key": lambda row: setattr(row, "key_fingerprint", "f" * 64),
    "the settings": lambda row: setattr(row, "settings", {"auto_create_contacts": True}),
    "the region": lambda row: setattr(row, "default_region", "FR"),
    "the name": lambda row: setattr(row, "organization_name", "Acme"),
    "the server": lambda row: setattr(row, "three_cx_server_url", "https://pbx.example.com"),
    "the instant": lambda row: setattr(row, "updated_at", utc_now()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_is_read_again(
    database: Database, integrations: Integrations, keys: dict[str, str], what: str
) -> None:
    with database.write("org-7") as session:
        CHANGES[what](session.query(IntegrationRow).one())
    assert "org-7" in open_now(integrations, keys)
    integrations._known.confirm()
    assert open_now(integrations, keys) == set(keys) - {"org-7"}


def test_an_integration_that_is_gone_is_forgotten(
    database: Database, integrations: Integrations, keys: dict[str, str]
) -> None:
    with database.write_all_organizations() as session:
        session.execute(text("DELETE FROM three_cx_integrations WHERE organization_id = 'org-3'"))
    integrations._known.confirm()
    assert open_now(integrations, keys) == set(keys) - {"org-3"}


def test_what_was_read_before_a_change_is_not_believed_after_it(
    integrations: Integrations, keys: dict[str, str]
) -> None:
    known = KnownKeys(integrations._database)
    integration = integrations.known(keys["org-1"])
    assert integration
    read_at = time.monotonic()
    known.confirm()
    known.put(b"digest", integration, ("as it was",), read_at)
    assert known.get(b"digest") is None


def test_a_replaced_key_opens_no_longer_than_it_may(
    database: Database, integrations: Integrations
) -> None:
    old = integrations.set_up("acme")[1]
    integrations.set_up("acme", grace_minutes=1)
    assert integrations.authenticate(old)[0] is KeyState.VALID
    assert integrations.known(old)
    with database.write("acme") as session:
        row = session.query(IntegrationRow).one()
        row.previous_key_expires_at = utc_now() + timedelta(milliseconds=300)
    integrations._known.forget("acme")
    assert integrations.authenticate(old)[0] is KeyState.VALID
    time.sleep(0.4)
    assert integrations.known(old) is None
    assert integrations.authenticate(old)[0] is KeyState.UNKNOWN


def test_the_keys_asked_for_last_are_kept(
    integrations: Integrations, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_keys, "MOST", len(keys))
    assert integrations.known(keys["org-0"])  # so org-1 is the one that nobody asked for longest
    new = integrations.set_up("another")[1]
    integrations.authenticate(new)
    assert len(integrations._known) == len(keys)
    assert open_now(integrations, keys) == set(keys) - {"org-1"}


def test_keys_in_use_stay_known_and_changes_arrive_by_themselves(
    database: Database, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_keys, "BELIEVED_S", 3.0)  # and not less: a machine may be busy
    monkeypatch.setattr(known_keys, "ASKED_AGAIN_S", 0.2)
    here, there = (Integrations(database, ring, "DE") for _ in range(2))
    key = here.set_up("acme")[1]
    assert there.authenticate(key)[0] is KeyState.VALID
    until = time.monotonic() + 4.0
    while time.monotonic() < until:  # nothing but `known`, which never reads for itself
        assert there.known(key)
        time.sleep(0.05)
    with database.write("acme") as session:
        session.query(IntegrationRow).one().enabled = False
    until = time.monotonic() + 5.0
    while there.known(key) is not None:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_end_waits_for_a_query_under_way(
    integrations: Integrations,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slow(*_: object) -> dict[str, object]:
        asked.set()
        answered.wait(10)
        return {}

    monkeypatch.setattr(KnownKeys, "_versions", slow)
    monkeypatch.setattr(known_keys, "ASKED_AGAIN_S", 0.0)
    integrations.known(keys["org-1"])
    assert asked.wait(10)
    threading.Timer(0.2, answered.set).start()
    integrations.close()
    assert answered.is_set()


def test_a_database_that_is_away_is_no_reason_to_believe_longer(
    integrations: Integrations,
    keys: dict[str, str],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailableError("The database does not answer.")

    monkeypatch.setattr(KnownKeys, "_versions", away)
    clock.ahead = known_keys.BELIEVED_S - 0.5
    integrations._known._asked()  # what the thread does: no error leaves it
    assert open_now(integrations, keys) == set(keys)
    clock.ahead = known_keys.BELIEVED_S + 0.1
    assert open_now(integrations, keys) == set()
