"""While a database hangs, lookups leave the loop of the worker; when it answers, they return."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from callhelm_threecx.promptness import SLOW_S
from tests.cli.conftest import ANNA
from tests.cli.lines import Line
from tests.cli.processes import Server

HELD_S = 0.5
PROMPT_S = HELD_S / 2
HEALTH = b"GET /api/3cx/healthz HTTP/1.1\r\nHost: pbx.example.com\r\n\r\n"


@pytest.fixture
def phone(one_worker: tuple[Server, str]) -> Iterator[Line]:
    """A connection whose next lookup is answered in the loop."""
    line = Line(*one_worker)
    with closing(line.socket):
        for _ in range(3):
            ring(line)
            assert line.found() == ["Anna"]
        yield line


@pytest.fixture
def other(one_worker: tuple[Server, str]) -> Iterator[Line]:
    """A connection for what needs no database."""
    line = Line(*one_worker)
    with closing(line.socket):
        line.send(HEALTH)
        assert line.answer()[0] == 200
        yield line


def ring(line: Line) -> None:
    line.send(line.lookup(ANNA.replace("+", "%2B")))


@contextmanager
def contacts_hang(url: str) -> Iterator[None]:
    """Whoever reads contacts waits meanwhile."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE three_cx_contacts IN ACCESS EXCLUSIVE MODE")
        yield


def is_prompt(line: Line) -> bool:
    """Whether what needs no database is answered at once."""
    line.send(HEALTH)
    began = time.monotonic()
    assert line.answer()[0] == 200
    return time.monotonic() - began < PROMPT_S


def after_a_slow_lookup(phone: Line, url: str) -> None:
    with contacts_hang(url):
        ring(phone)
        time.sleep(HELD_S)
    assert phone.found() == ["Anna"]


def test_after_one_slow_lookup_the_next_ones_hold_nobody_up(
    phone: Line, other: Line, postgres_url: str
) -> None:
    after_a_slow_lookup(phone, postgres_url)
    with contacts_hang(postgres_url):
        ring(phone)
        time.sleep(PROMPT_S)
        assert is_prompt(other)
    assert phone.found() == ["Anna"]


def test_when_some_were_quick_again_lookups_are_answered_in_the_loop(
    phone: Line, other: Line, postgres_url: str
) -> None:
    after_a_slow_lookup(phone, postgres_url)
    quick = 0
    while quick < 25:  # twenty, and some to spare; a busy machine may need more
        began = time.monotonic()
        ring(phone)
        assert phone.found() == ["Anna"]
        quick = quick + 1 if time.monotonic() - began < SLOW_S else 0
    with contacts_hang(postgres_url):
        ring(phone)
        time.sleep(PROMPT_S)
        other.send(HEALTH)
        other.socket.settimeout(PROMPT_S)
        with pytest.raises(TimeoutError):  # nobody listens: the loop has the lookup
            other.answer()
    assert phone.found() == ["Anna"]
    other.socket.settimeout(30)
    assert other.answer()[0] == 200
