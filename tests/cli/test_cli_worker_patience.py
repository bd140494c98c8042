"""The loop of the worker waits for nobody: not for a database that hangs, nor for a client that
does not read or is gone."""

import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing

import psutil
import psycopg
import pytest

from callhelm_threecx.worker import Worker
from tests.cli.conftest import ANNA
from tests.cli.lines import Line
from tests.cli.processes import Server
from tests.cli.test_cli_worker_slow import HEALTH, contacts_hang

GONE = struct.pack("ii", 1, 0)  # closed with a reset, as by a client that was killed
BIG = "+49309999999"
ASKED = ANNA.replace("+", "%2B")


def kept(server: tuple[Server, str]) -> Line:
    """A connection whose next lookup is answered in the loop."""
    line = Line(*server)
    for _ in range(3):
        line.send(line.lookup(ASKED))
        assert line.found() == ["Anna"]
    return line


@pytest.fixture
def line(one_worker: tuple[Server, str]) -> Iterator[Line]:
    line = kept(one_worker)
    with closing(line.socket):
        yield line


def worker_of(server: Server) -> int:
    (worker,) = psutil.Process(server.process.pid).children()
    return worker.pid


def test_a_database_that_hangs_holds_the_loop_up_for_a_second_and_no_longer(
    line: Line, one_worker: tuple[Server, str], postgres_url: str
) -> None:
    other = kept(one_worker)
    worker = worker_of(one_worker[0])
    with closing(other.socket):
        with contacts_hang(postgres_url):
            line.send(line.lookup(ASKED))
            time.sleep(1.5)
            other.send(HEALTH)
            other.socket.settimeout(1)
            assert other.answer()[0] == 200
        assert line.found() == ["Anna"]
    assert worker_of(one_worker[0]) == worker


def test_a_lookup_that_fails_in_the_loop_is_answered_and_counted_once(
    line: Line, postgres_url: str
) -> None:
    line.send(line.lookup(ASKED))
    before = int(line.answer()[1]["ratelimit-remaining"])
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE three_cx_contact_phones RENAME TO away")
        line.send(line.lookup(ASKED))
        status, headers, _ = line.answer()
        connection.execute("ALTER TABLE away RENAME TO three_cx_contact_phones")
    assert (status, headers["retry-after"]) == (503, "5")
    assert int(headers["ratelimit-remaining"]) == before - 1
    line.send(line.lookup(ASKED))
    assert line.found() == ["Anna"]


def test_clients_that_are_gone_before_their_answer_cost_no_other_connection(
    one_worker: tuple[Server, str],
) -> None:
    """Their descriptors are free for the next connections, which the loop hears as any other."""
    lines = [kept(one_worker) for _ in range(5)]
    worker = psutil.Process(worker_of(one_worker[0]))
    worker.suspend()  # so that the lookups and the resets are noticed at once
    for line in lines:
        line.send(line.lookup(ASKED))
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, GONE)
        line.socket.close()
    worker.resume()
    for _ in range(8):
        line = kept(one_worker)
        line.socket.close()


def test_a_connection_that_was_closed_in_the_same_turn_is_passed_over() -> None:
    """What was noticed on it, and was not looked at yet, is of nobody."""
    client, other = socket.socketpair()
    with closing(other):
        client.close()
        Worker.on_client_socket_readable(object.__new__(Worker), None, client)


def test_an_answer_that_finds_no_room_is_sent_by_a_thread(one_worker: tuple[Server, str]) -> None:
    server, key = one_worker
    long = "\N{MOBILE PHONE}" * 300
    with server.client(key) as client:
        for n in range(10):
            contact = {"FirstName": f"{n}{long}", "LastName": long, "Company": long}
            client.post("/contacts/create", json={**contact, "Number": BIG}).raise_for_status()
    slow, other = little_room(one_worker), kept(one_worker)
    with closing(slow.socket), closing(other.socket):
        slow.send(slow.lookup(BIG.replace("+", "%2B")))
        for _ in range(20):
            other.send(other.lookup(ASKED))
            other.socket.settimeout(2)
            assert other.found() == ["Anna"]
        assert len(slow.found()) == 10
        slow.send(slow.lookup(ASKED))
        assert slow.found() == ["Anna"]


def little_room(server: tuple[Server, str]) -> Line:
    """A kept connection with room for some kilobytes of answers that nobody has read."""
    line = Line(*server)
    address = line.socket.getpeername()
    line.socket.close()
    line.socket = socket.socket()
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 300)
    line.socket.settimeout(30)
    line.socket.connect(address)
    line.send(line.lookup("1"))
    assert line.found() == []
    return line


def test_the_worker_stops_while_a_lookup_hangs(
    one_worker: tuple[Server, str], postgres_url: str
) -> None:
    line = kept(one_worker)
    with closing(line.socket), contacts_hang(postgres_url):
        line.send(line.lookup(ASKED))
        time.sleep(0.2)
        began = time.monotonic()
        one_worker[0].process.send_signal(signal.SIGTERM)
        one_worker[0].process.wait(30)
        assert time.monotonic() - began < 20
