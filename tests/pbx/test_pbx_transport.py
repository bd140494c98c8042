"""Requests over real sockets: what is on the wire, limits, redirects, silence."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import Any

import pytest

from callhelm_threecx.pbx import ExchangeError, Pbx
from callhelm_threecx.pbx.outgoing import Outgoing
from callhelm_threecx.pbx.transport import MAX_ANSWER, Transport
from tests.pbx.crm import Crm, lookup, person, template

REPORT = (
    '<Scenario Id="ReportCall" Type="REST">'
    '<Request Url="http://crm/log" RequestType="Post"/></Scenario>'
)


class Wire:
    """A server that keeps every request line as it came, and answers by path."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.cookies: list[str | None] = []
        self.release = Event()
        self.pair = Barrier(2)
        self.met = 0
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                wire.lines.append(self.requestline)
                wire.cookies.append(self.headers["Cookie"])
                getattr(wire, self.path.strip("/").partition("?")[0], wire.plain)(self)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def reply(self, to: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
        to.send_response(status)
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def plain(self, to: BaseHTTPRequestHandler) -> None:
        self.reply(to, 200, b"{}", Content_Type="application/json", Set_Cookie="a=b")

    def moved(self, to: BaseHTTPRequestHandler) -> None:
        self.reply(to, 307, b"", Location=f"{self.base}/plain")

    def silent(self, _to: BaseHTTPRequestHandler) -> None:
        self.release.wait(10)

    def trickle(self, to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Content-Length", "100")
        to.end_headers()
        for _ in range(100):
            to.wfile.write(b" ")
            to.wfile.flush()
            if self.release.wait(0.05):
                return

    def endless(self, to: BaseHTTPRequestHandler) -> None:
        self.reply(to, 200, b" " * (MAX_ANSWER + 1))

    def latin(self, to: BaseHTTPRequestHandler) -> None:
        self.reply(to, 200, "ü".encode("latin-1"), Content_Type="text/plain; charset=latin-1")

    def nonsense(self, to: BaseHTTPRequestHandler) -> None:
        self.reply(to, 200, "ü".encode(), Content_Type="text/plain; charset=nonsense")

    def together(self, to: BaseHTTPRequestHandler) -> None:
        try:
            self.pair.wait(0.3)
            self.met += 1
        except BrokenBarrierError:
            pass
        self.reply(to, 200, b"{}")


@pytest.fixture
def wire() -> Iterator[Wire]:
    running = Wire()
    yield running
    running.close()


def get(transport: Transport, url: str) -> Any:
    return transport.send(Outgoing("GET", url, (), b""), "test", frozenset())


def test_a_literal_plus_is_a_literal_plus_on_the_wire(wire: Wire) -> None:
    transport = Transport(base=wire.base)
    get(transport, "http://crm.example.com/plain?n=+1 415&m=%2B1&x=[y]")
    transport.close()
    assert wire.lines == ["GET /plain?n=+1%20415&m=%2B1&x=[y] HTTP/1.1"]


def test_a_redirect_is_not_followed(wire: Wire) -> None:
    pbx = Pbx(template(lookup('<Request Url="http://crm/moved"/>')), base=wire.base)
    with pbx:
        call = pbx.ring("+1")
    assert "redirects (307)" in call.failures[0].reason
    assert len(wire.lines) == 1


@pytest.mark.parametrize("path", ["silent", "trickle"])
def test_an_answer_must_be_complete_in_time(wire: Wire, path: str) -> None:
    transport = Transport(base=wire.base, time_limit=0.3)
    exchange = get(transport, f"http://crm/{path}")
    transport.close()
    assert exchange.error == "No complete answer came within 0.3 seconds."
    assert exchange.status == 0
    assert exchange.seconds < 5


def test_an_endless_answer_is_refused(wire: Wire) -> None:
    transport = Transport(base=wire.base)
    assert "longer than" in get(transport, "http://crm/endless").error
    transport.close()


@pytest.mark.parametrize("path", ["latin", "nonsense"])
def test_answers_are_decoded_by_their_charset(wire: Wire, path: str) -> None:
    transport = Transport(base=wire.base)
    assert get(transport, f"http://crm/{path}").body == "ü"
    transport.close()


def test_cookies_are_not_kept(wire: Wire) -> None:
    transport = Transport(base=wire.base)
    for _ in range(2):
        get(transport, "http://crm/plain")
    transport.close()
    assert wire.cookies == [None, None]


@pytest.mark.parametrize(("allowed", "met"), [(1, 0), (2, 2)])
def test_no_more_requests_are_up_than_the_template_allows(
    wire: Wire, allowed: int, met: int
) -> None:
    transport = Transport(base=wire.base, max_concurrent=allowed)
    threads = [Thread(target=get, args=(transport, "http://crm/together")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transport.close()
    assert wire.met == met


def test_a_server_that_is_not_there_is_a_failure() -> None:
    with Pbx(template(lookup() + REPORT), base="http://127.0.0.1:9", time_limit=2) as pbx:
        call = pbx.ring("+1")
        assert "refused" in call.failures[0].reason.lower()
        assert pbx.hang_up(call).failures
    with (
        Pbx(template(lookup()), base="http://127.0.0.1:9", strict=True) as strict,
        pytest.raises(ExchangeError),
    ):
        strict.ring("+1")


def test_an_application_in_this_process_has_a_time_limit_too() -> None:
    slow = Event()

    def answer(_asked: Any) -> Any:
        slow.wait(0.15)
        return {"people": [person()]}

    call = Pbx(template(lookup()), app=Crm(answer), time_limit=0.1).ring("+14155550100")
    assert "within 0.1 seconds" in call.failures[0].reason


def test_an_application_sees_the_path_as_utf_8() -> None:
    crm = Crm(lambda _asked: {"people": []})
    Pbx(template(lookup('<Request Url="http://crm/ü/[Number]"/>')), app=crm).ring("é")
    assert crm.asked[0].path == "/ü/é"
