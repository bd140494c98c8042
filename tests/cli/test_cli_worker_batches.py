"""What the worker of ``serve`` does with calls that are reported while others are recorded."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import ANNA
from tests.cli.lines import Line
from tests.cli.processes import Server

HELD_S = 0.5
LINES = 12


@pytest.fixture
def lines(one_worker: tuple[Server, str]) -> Iterator[list[Line]]:
    """Connections on each of which something was answered already."""
    with ExitStack() as stack:
        lines = [Line(*one_worker) for _ in range(LINES)]
        for line in lines:
            stack.enter_context(closing(line.socket))
            line.send(line.lookup("1"))
            assert line.found() == []
        yield lines


def report(line: Line, second: int, number: str = "+12125550123", **others: str) -> None:
    fields = {
        "CallType": "Inbound",
        "Number": number,
        "CallStartTimeUTC": f"2026-11-22T08:35:{second:02}Z",
        **others,
    }
    line.send(b"".join(line.report(fields)))


@contextmanager
def nobody_writes(postgres_url: str) -> Iterator[None]:
    """Calls cannot be recorded meanwhile: who would, waits."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("LOCK TABLE three_cx_calls IN SHARE MODE")
        yield


def calls_and_transactions(postgres_url: str) -> Any:
    with psycopg.connect(postgres_url) as connection:
        counted = "SELECT count(*), count(DISTINCT xmin::text) FROM three_cx_calls"
        return connection.execute(counted).fetchone()


def test_what_waits_is_recorded_together(lines: list[Line], postgres_url: str) -> None:
    with nobody_writes(postgres_url):
        for second, line in enumerate(lines):
            report(line, second)
        time.sleep(HELD_S)
    assert [line.answer()[0] for line in lines] == [201] * LINES
    calls, transactions = calls_and_transactions(postgres_url)
    assert calls == LINES
    assert transactions <= LINES / 2


def test_each_of_them_gets_its_own_answer(lines: list[Line], postgres_url: str) -> None:
    report(lines[0], 0)
    assert lines[0].answer()[0] == 201
    with nobody_writes(postgres_url):
        report(lines[0], 0)  # again
        report(lines[1], 1, ANNA)
        report(lines[2], 2, CallType="Sideways")
        lines[3].key = "3cx_" + "x" * 43
        report(lines[3], 3)
        for at in range(4, LINES):
            report(lines[at], at)
        time.sleep(HELD_S)
    answers = [line.answer() for line in lines]
    assert [status for status, _, _ in answers[:4]] == [200, 201, 400, 401]
    assert {status for status, _, _ in answers[4:]} == {201}
    bodies = [json.loads(body) for _, _, body in answers]
    assert bodies[0]["duplicate"] is True
    assert bodies[1]["contactId"]
    assert len({body["callId"] for body in bodies[4:]}) == LINES - 4
    for line in (*lines[:3], *lines[4:]):
        line.send(line.lookup(ANNA.replace("+", "%2B")))
        assert line.found() == ["Anna"]


def test_one_that_waits_for_a_lock_holds_up_nobody_who_comes_later(
    lines: list[Line], postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("SELECT id FROM three_cx_contacts FOR UPDATE")
        report(lines[0], 0, ANNA)
        time.sleep(HELD_S)
        began = time.monotonic()
        for at in range(1, LINES):
            report(lines[at], at)
        assert [line.answer()[0] for line in lines[1:]] == [201] * (LINES - 1)
        assert time.monotonic() - began < 10 * HELD_S
    assert lines[0].answer()[0] == 201


def test_a_client_that_goes_meanwhile_takes_nobody_along(
    lines: list[Line], postgres_url: str
) -> None:
    with nobody_writes(postgres_url):
        for second, line in enumerate(lines):
            report(line, second)
        time.sleep(HELD_S)
        for gone in lines[::3]:
            gone.socket.close()
    stayed = [line for at, line in enumerate(lines) if at % 3]
    assert [line.answer()[0] for line in stayed] == [201] * len(stayed)
    for second, line in enumerate(stayed):
        report(line, 20 + second)
        assert line.answer()[0] == 201
    assert calls_and_transactions(postgres_url)[0] == LINES + len(stayed)


def test_all_are_answered_though_the_worker_is_to_stop(
    lines: list[Line], one_worker: tuple[Server, str], postgres_url: str
) -> None:
    with nobody_writes(postgres_url):
        for second, line in enumerate(lines):
            report(line, second)
        time.sleep(HELD_S)
        one_worker[0].process.send_signal(signal.SIGTERM)
        time.sleep(HELD_S)
    assert [line.answer()[0] for line in lines] == [201] * LINES
    assert all(line.is_closed() for line in lines)
    assert one_worker[0].process.wait(30) == 0
