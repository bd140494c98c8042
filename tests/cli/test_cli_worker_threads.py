"""What the worker of ``serve`` does with a connection while a thread is answering on it."""

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.cli.lines import Line
from tests.cli.processes import Server, serve

HELD_S = 1.0
REPORT = {
    "CallType": "Inbound",
    "Number": "+49301111111",
    "CallStartTimeUTC": "2026-11-22T08:35:00Z",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    with serve(f"sqlite:///{tmp_path / 'threads.db'}", tmp_path) as server:
        yield server, server.set_up()


@pytest.fixture
def line(server: tuple[Server, str]) -> Iterator[Line]:
    line = kept(server)
    with closing(line.socket):
        yield line


def kept(server: tuple[Server, str]) -> Line:
    """A connection on which something was answered already."""
    line = Line(*server)
    line.send(line.lookup("1"))
    assert line.found() == []
    return line


@contextmanager
def writers_wait(folder: Path) -> Iterator[None]:
    """Nobody can write to the database meanwhile, so that a report waits in its thread."""
    with closing(sqlite3.connect(folder / "threads.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def await_the_call(folder: Path) -> None:
    """Return when the call is in the database."""
    deadline = time.monotonic() + 10
    with closing(sqlite3.connect(folder / "threads.db")) as connection:
        while connection.execute("SELECT count(*) FROM three_cx_calls").fetchone() != (1,):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def whole(line: Line) -> bytes:
    return b"".join(line.report(REPORT))


def cpu_seconds(server: Server) -> float:
    """Processor time of the workers so far."""
    workers = psutil.Process(server.process.pid).children(recursive=True)
    assert workers
    times = [worker.cpu_times() for worker in workers]
    return sum(used.user + used.system for used in times)


def test_what_comes_behind_a_report_is_answered_after_it(line: Line, tmp_path: Path) -> None:
    with writers_wait(tmp_path):
        line.send(whole(line))
        time.sleep(HELD_S / 2)  # a thread has it
        line.send(line.lookup("1"))
        time.sleep(HELD_S / 2)  # and the loop has noticed what came behind
    assert line.answer()[0] == 201
    assert line.found() == []
    line.send(whole(line))
    assert line.answer()[0] == 200  # as repeated: the connection goes on as before


def test_other_connections_are_answered_meanwhile(
    line: Line, server: tuple[Server, str], tmp_path: Path
) -> None:
    with writers_wait(tmp_path):
        line.send(whole(line))
        for _ in range(8):  # some of them at the same worker
            other = kept(server)
            other.socket.close()
    assert line.answer()[0] == 201


@pytest.mark.parametrize("sent_behind", [b"", b"GET "], ids=["nothing", "a piece"])
def test_a_client_that_goes_meanwhile_costs_nothing_and_its_call_is_kept(
    line: Line, server: tuple[Server, str], tmp_path: Path, sent_behind: bytes
) -> None:
    with writers_wait(tmp_path):
        line.send(whole(line))
        time.sleep(HELD_S / 2)
        before = cpu_seconds(server[0])
        line.send(sent_behind)
        line.socket.close()
        time.sleep(HELD_S)
        assert cpu_seconds(server[0]) - before < HELD_S / 5
    await_the_call(tmp_path)  # else the next report may be the one that is new
    again = kept(server)
    with closing(again.socket):
        again.send(whole(again))
        status, _, body = again.answer()
    assert (status, json.loads(body)["duplicate"]) == (200, True)


def stop_under_way(line: Line, server: Server) -> None:
    """Send a report, and tell the server to stop while a thread has it."""
    line.send(whole(line))
    time.sleep(HELD_S / 2)
    server.process.send_signal(signal.SIGTERM)


def test_a_report_is_answered_though_the_worker_is_to_stop(
    line: Line, server: tuple[Server, str], tmp_path: Path
) -> None:
    with writers_wait(tmp_path):
        stop_under_way(line, server[0])
        time.sleep(3 * HELD_S)  # longer than connections that only wait are left open
    assert line.answer()[0] == 201
    assert line.is_closed()
    assert server[0].process.wait(30) == 0


def test_a_request_that_comes_while_the_worker_stops_is_the_last(
    line: Line, server: tuple[Server, str], tmp_path: Path
) -> None:
    with writers_wait(tmp_path):
        stop_under_way(line, server[0])
        time.sleep(HELD_S / 2)
        line.send(line.lookup("1"))
        time.sleep(HELD_S / 2)
    assert line.answer()[0] == 201
    status, headers, _ = line.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert line.is_closed()
    assert server[0].process.wait(30) == 0
