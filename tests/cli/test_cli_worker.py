"""The worker of ``serve`` on kept connections: plain lookups and whatever else comes over them."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.lines import Line
from tests.cli.processes import Server, serve


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    folder: Path = tmp_path_factory.mktemp("worker")
    with serve(f"sqlite:///{folder / 'worker.db'}", folder) as server:
        key = server.set_up()
        with server.client(key) as client:
            for name, number in (("Anna", "+49301111111"), ("Ben", "+49302222222")):
                contact = {"FirstName": name, "Number": number}
                client.post("/contacts/create", json=contact).raise_for_status()
        yield server, key


@pytest.fixture
def line(server: tuple[Server, str]) -> Iterator[Line]:
    line = Line(*server)
    line.send(line.lookup("1"))
    assert line.found() == []  # the key is known, and the connection kept
    with closing(line.socket):
        yield line


def test_lookups_on_a_kept_connection_are_answered_in_turn(line: Line) -> None:
    for _ in range(50):
        line.send(line.lookup("%2B49301111111"))
        assert line.found() == ["Anna"]
        line.send(line.lookup("030%202222222"))
        assert line.found() == ["Ben"]


def test_the_headers_are_those_of_any_answer(line: Line) -> None:
    line.send(line.lookup("%2B49301111111", "X-Request-Id: ring-7"))
    _, plain, body = line.answer()
    line.send(line.lookup("%2B49301111111&x=1", "X-Request-Id: ring-7"))
    _, other, same = line.answer()
    varying = {"date", "ratelimit-remaining", "ratelimit-reset"}
    assert {n: v for n, v in plain.items() if n not in varying} == {
        n: v for n, v in other.items() if n not in varying
    }
    assert plain.keys() == other.keys()
    assert body == same
    assert plain["x-request-id"] == "ring-7"


def test_several_requests_in_one_packet_are_each_answered(line: Line) -> None:
    line.send(line.lookup("%2B49301111111") + line.lookup("%2B49302222222") + line.lookup("1"))
    assert [line.found(), line.found(), line.found()] == [["Anna"], ["Ben"], []]


def test_a_request_in_pieces_is_answered_when_it_is_whole(line: Line) -> None:
    whole = line.lookup("%2B49301111111")
    line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in (whole[:9], whole[9:60], whole[60:-1], whole[-1:]):
        line.send(piece)
    assert line.found() == ["Anna"]


def test_a_report_is_answered_alike_whole_and_in_pieces(line: Line) -> None:
    answers = []
    line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for pieces, started in ((1, "2026-11-22T08:35:00Z"), (2, "2026-11-22T08:36:00Z")):
        report = {"CallType": "Inbound", "Number": "+49301111111", "CallStartTimeUTC": started}
        head, body = line.report(report, "X-Request-Id: end-7")
        if pieces == 1:
            line.send(head + body)
        else:
            line.send(head)
            time.sleep(0.2)  # it is noticed without its body
            line.send(body)
        status, headers, answer = line.answer()
        told = {**json.loads(answer), "callId": ""}
        varying = {"date", "ratelimit-remaining", "ratelimit-reset"}
        answers.append((status, {n: v for n, v in headers.items() if n not in varying}, told))
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    assert answers[0][1]["x-request-id"] == "end-7"


def test_a_report_is_kept_once_however_often_it_comes(line: Line) -> None:
    report = {
        "CallType": "Missed",
        "Number": "+49302222222",
        "CallStartTimeUTC": "2026-11-22T08:37:00Z",
    }
    whole = b"".join(line.report(report))
    line.send(whole)
    status, _, first = line.answer()
    line.send(whole * 3)
    again = [line.answer() for _ in range(3)]
    assert status == 201
    assert [status for status, _, _ in again] == [200] * 3
    assert {json.loads(body)["callId"] for _, _, body in again} == {json.loads(first)["callId"]}


def test_lookups_and_reports_pass_over_the_same_connection(line: Line) -> None:
    for minute in range(20):
        started = f"2026-11-22T09:{minute:02}:00Z"
        report = {"CallType": "Outbound", "Number": "+49301111111", "CallStartTimeUTC": started}
        line.send(b"".join(line.report(report)))
        assert line.answer()[0] == 201
        line.send(line.lookup("%2B49301111111"))
        assert line.found() == ["Anna"]


def test_a_report_that_cannot_be_read_is_refused_and_the_connection_goes_on(line: Line) -> None:
    line.send(b"".join(line.report({"CallType": "Sideways"})))
    status, _, body = line.answer()
    assert (status, json.loads(body)["success"]) == (400, False)
    line.send(line.lookup("%2B49301111111"))
    assert line.found() == ["Anna"]


def test_a_wrong_key_is_refused_and_the_connection_goes_on(line: Line) -> None:
    line.send(line.lookup("%2B49301111111", key="3cx_" + "x" * 43))
    assert line.answer()[0] == 401
    line.send(line.lookup("%2B49301111111"))
    assert line.found() == ["Anna"]


def test_a_connection_is_closed_when_the_client_says_so(line: Line) -> None:
    line.send(line.lookup("%2B49301111111", "Connection: close"))
    assert line.found() == ["Anna"]
    assert line.is_closed()


def test_a_client_that_reads_nothing_holds_nobody_up(
    line: Line, server: tuple[Server, str]
) -> None:
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.socket.settimeout(1)
    asked = line.lookup("%2B49301111111") * 50
    sent = 0
    try:
        for _ in range(400):
            sent += line.socket.send(asked)
    except TimeoutError:
        pass  # the server reads no more from it either
    others = [Line(*server) for _ in range(6)]  # some of them at the same worker
    for other in others:
        for _ in range(3):
            other.send(other.lookup("%2B49302222222"))
            assert other.found() == ["Ben"]
        other.socket.close()
    assert sent
