"""Sign-ins to the console: what a browser holds, how long it counts, and how it ends."""

import time
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from callhelm_threecx.db import Database
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.models import ConsoleSessionRow, utc_now
from callhelm_threecx.services.console_sessions import IDLE_S, RENEW_S, ConsoleSessions
from tests.client import SECRET_KEY


@pytest.fixture
def sessions(database: Database, ring: KeyRing) -> ConsoleSessions:
    return ConsoleSessions(database, ring)


def aged(token: str, seconds: int) -> str:
    """A token as it was sealed so many seconds ago."""
    cipher = Fernet(SECRET_KEY)
    return cipher.encrypt_at_time(
        cipher.decrypt(token.encode()), int(time.time()) - seconds
    ).decode()


def test_a_session_is_found_by_its_token(sessions: ConsoleSessions) -> None:
    session = sessions.open("192.0.2.1")
    found = sessions.find(sessions.token(session))
    assert found == session
    assert not session.needs_renewal


def test_each_sign_in_is_a_session_of_its_own(sessions: ConsoleSessions) -> None:
    assert sessions.open("192.0.2.1").id != sessions.open("192.0.2.1").id


@pytest.mark.parametrize("token", ["", "x", "\N{SNOWMAN}", "gAAAAA" * 20, "\x00"])
def test_any_other_text_opens_nothing(sessions: ConsoleSessions, token: str) -> None:
    sessions.open("192.0.2.1")
    assert sessions.find(token) is None


def test_a_text_that_was_sealed_for_another_purpose_opens_nothing(
    sessions: ConsoleSessions, ring: KeyRing
) -> None:
    session = sessions.open("192.0.2.1")
    assert sessions.find(ring.seal(session.id, "console form")) is None


def test_a_token_that_nobody_used_for_long_is_worth_nothing(sessions: ConsoleSessions) -> None:
    token = sessions.token(sessions.open("192.0.2.1"))
    assert sessions.find(aged(token, IDLE_S - 60)) is not None
    assert sessions.find(aged(token, IDLE_S + 60)) is None


def test_a_token_in_use_is_renewed(sessions: ConsoleSessions) -> None:
    token = sessions.token(sessions.open("192.0.2.1"))
    found = sessions.find(aged(token, RENEW_S + 60))
    assert found is not None
    assert found.needs_renewal


def test_a_session_ends_however_busy_it_is(sessions: ConsoleSessions, database: Database) -> None:
    token = sessions.token(sessions.open("192.0.2.1"))
    with database.write_all_organizations() as session:
        session.query(ConsoleSessionRow).update({"expires_at": utc_now() - timedelta(seconds=1)})
    assert sessions.find(token) is None


def test_signing_out_ends_one_session_and_its_copies(sessions: ConsoleSessions) -> None:
    one, other = sessions.open("192.0.2.1"), sessions.open("192.0.2.2")
    token = sessions.token(one)
    sessions.close(one)
    assert sessions.find(token) is None
    assert sessions.find(sessions.token(other)) == other


def test_signing_out_everywhere_ends_all(sessions: ConsoleSessions) -> None:
    tokens = [sessions.token(sessions.open("192.0.2.1")) for _ in range(3)]
    sessions.close_all()
    assert [sessions.find(token) for token in tokens] == [None, None, None]


def test_ended_sessions_are_swept_out_by_the_next_sign_in(
    sessions: ConsoleSessions, database: Database
) -> None:
    sessions.open("192.0.2.1")
    with database.write_all_organizations() as session:
        session.query(ConsoleSessionRow).update({"expires_at": utc_now() - timedelta(seconds=1)})
    kept = sessions.open("192.0.2.1")
    with database.read_all_organizations() as session:
        assert [str(row.id) for row in session.query(ConsoleSessionRow)] == [kept.id]
