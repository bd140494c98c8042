"""What the worker reads at a glance: one form of request, and nothing that differs from it."""

from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from callhelm_threecx.plain_http import PlainReader, answer

PATH, JOURNAL = "/api/3cx/contacts/lookup", "/api/3cx/calls/journal"
PEER, SERVER = ("192.0.2.7", 41234), ("127.0.0.1", 8080)
READER = PlainReader(PATH, [JOURNAL])
HEADERS = "Host: pbx.example.com:8080\r\nX-API-Key: 3cx_key\r\nAccept: */*\r\n"
PLAIN = f"GET {PATH}?number=%2B4930123456 HTTP/1.1\r\n{HEADERS}Connection: Keep-Alive\r\n\r\n"
REPORT = (
    f"POST {JOURNAL} HTTP/1.1\r\n{HEADERS}Content-Type: application/json\r\n"
    'Content-Length: 22\r\n\r\n{"CallType": "Missed"}'
)


def by_gunicorn(data: bytes) -> dict[str, Any]:
    """The environ that gunicorn makes of a request; raises what gunicorn does."""
    config = Config()
    config.set("forwarded_allow_ips", "")
    parser = RequestParser(config, [data], PEER)
    _, environ = wsgi.create(next(parser), None, PEER, SERVER, config)
    body = environ["wsgi.input"].read()
    assert not parser.unreader.buf.getvalue(), "something is left unread"
    return {**environ, "wsgi.input": body}


def assert_read_alike(data: bytes, found: dict[str, Any]) -> None:
    theirs = by_gunicorn(data)
    ours = {**found, "wsgi.input": found["wsgi.input"].read()}
    for name in ("wsgi.errors", "wsgi.multithread", "wsgi.multiprocess"):
        assert name in theirs
        ours.pop(name)
    assert ours == {name: theirs.get(name) for name in ours}
    assert not {n for n in theirs.keys() - ours.keys() if n.startswith(("HTTP_", "CONTENT_"))}


@pytest.mark.parametrize("request_", [PLAIN, REPORT], ids=["lookup", "report"])
def test_a_plain_request_is_read_as_by_gunicorn(request_: str) -> None:
    found = READER.environ(request_.encode(), PEER, SERVER)
    assert found is not None
    assert_read_alike(request_.encode(), found)


def test_only_a_lookup_begins_as_one() -> None:
    assert READER.is_lookup(PLAIN.encode())
    assert not READER.is_lookup(REPORT.encode())
    assert not READER.is_lookup(PLAIN.replace("number", "email").encode())


CHANGED = [
    ("GET ", "PUT "),
    ("GET ", "get "),
    ("GET ", " GET "),
    ("GET ", "HEAD "),
    ("GET ", "POST "),
    ("HTTP/1.1", "HTTP/1.0"),
    ("HTTP/1.1", "HTTP/2"),
    ("HTTP/1.1", "HTTP/1.1 "),
    ("lookup?", "lookup/?"),
    ("lookup?", "LOOKUP?"),
    ("lookup?", "%6Cookup?"),
    ("/api", "//api"),
    ("/api", "/../api"),
    ("/api", "http://127.0.0.1/api"),
    ("number=", "number=\\"),
    ("%2B4930123456", "1;2"),
    ("%2B4930123456", "1#2"),
    ("%2B4930123456", "1?2"),
    ("%2B4930123456", "1\u00e9"),
    ("%2B4930123456", "1 2"),
    ("%2B4930123456", "4" * 1100),
    ("Host: pbx.example.com:8080\r\n", ""),
    ("Host: ", "Host : "),
    ("Host: ", " Host: "),
    ("X-API-Key: ", "X_API_Key: "),
    ("Accept: */*", "Accept: */*\r\nAccept: */*"),
    ("Accept: */*", "Accept: */*\r\n folded"),
    ("Accept: */*", "Accept:"),
    ("Accept: */*", "Accept: a\x00b"),
    ("Accept: */*", "Accept: a\x7fb"),
    ("Accept: */*", "Accept: \u00e9"),
    ("Accept: */*", "Accept"),
    ("Accept: */*", "Content-Length: 0"),
    ("Accept: */*", "Transfer-Encoding: chunked"),
    ("Accept: */*", "Expect: 100-continue"),
    ("Accept: */*", "Upgrade: h2c"),
    ("Accept: */*", "HTTP2-Settings: x"),
    ("Accept: */*", "Proxy: http://127.0.0.1"),
    ("Accept: */*", "Script-Name: /x"),
    ("Keep-Alive", "close"),
    ("Keep-Alive", "keep-alive, Upgrade"),
    ("\r\n", "\n"),
    ("\r\n\r\n", "\r\n"),
    ("\r\n\r\n", "\r\n\r\nx"),
    ("\r\n\r\n", "\r\n\r\n\r\n"),
]


@pytest.mark.parametrize(("text", "instead"), CHANGED)
def test_whatever_differs_is_left_to_the_servers_parser(text: str, instead: str) -> None:
    changed = PLAIN.replace(text, instead).encode("utf-8")
    assert changed != PLAIN.encode()
    assert READER.environ(changed, PEER, SERVER) is None


UNANNOUNCED = [
    ("Content-Length: 22", "Content-Length: 21"),
    ("Content-Length: 22", "Content-Length: 23"),
    ("Content-Length: 22", "Content-Length: 022"),
    ("Content-Length: 22", "Content-Length: +22"),
    ("Content-Length: 22", "Content-Length: 22, 22"),
    ("Content-Length: 22", "Content-Length: 22\r\nContent-Length: 22"),
    ("Content-Length: 22", "Content-Length: 0x16"),
    ("Content-Length: 22", "Content-Length: \u0662\u0662"),
    ("Content-Length: 22", "X-Length: 22"),
    ("Content-Length: 22", "Transfer-Encoding: chunked"),
    ("Content-Length: 22", "Content-Length: 22\r\nTransfer-Encoding: chunked"),
    ("Content-Length: 22", "Content-Length: 22\r\nContent-Encoding: gzip"),
    ("POST", "GET"),
    ('"Missed"}', '"Missed"'),
    ('"Missed"}', '"Missed"}G'),
]


@pytest.mark.parametrize(("text", "instead"), UNANNOUNCED)
def test_a_body_that_is_not_just_as_announced_is_left_to_the_servers_parser(
    text: str, instead: str
) -> None:
    changed = REPORT.replace(text, instead).encode("utf-8")
    assert changed != REPORT.encode()
    assert READER.environ(changed, PEER, SERVER) is None


NAMES = st.sampled_from(
    [
        *("Host", "X-API-Key", "Accept", "content-type", "Content-Length", "X-Forwarded-Proto"),
        *("Cookie", "X-Request-Id", "Connection", "SCRIPT-NAME", "x_api_key", "Via", ""),
        "Transfer-Encoding",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["a", "0", "7", "https", "keep-alive", "close", "chunked", "a, b", " a\t", ""]),
    st.text(max_size=12),
)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Something near to a plain request, with a byte or two out of place."""
    method = draw(st.sampled_from(["GET", "POST", "GET", "POST", "HEAD"]))
    target = draw(st.sampled_from([PATH, JOURNAL, PATH + "?number=1", PATH + "?a=%20&b=+"]))
    body = draw(st.sampled_from([b"", b"{}", b"GET / HTTP/1.1\r\n\r\n"]))
    lines = [("Host", "pbx.example.com"), *draw(LINES)]
    if method == "POST" and draw(st.booleans()):
        lines.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    data = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body
    for place in draw(st.lists(st.integers(0, len(data) - 1), max_size=2)):
        instead = draw(st.sampled_from([b"", b" ", b"\t", b"\r", b"\n", b":", b"\x00", b"\xff"]))
        data = data[:place] + instead + data[place + 1 :]
    return data


@settings(max_examples=1500)
@given(data=requests())
def test_whatever_is_read_is_read_as_by_gunicorn(data: bytes) -> None:
    found = READER.environ(data, PEER, SERVER)
    if found is not None:
        assert_read_alike(data, found)


@given(data=st.binary(max_size=300))
def test_no_bytes_are_too_strange_for_it(data: bytes) -> None:
    assert READER.environ(data, PEER, SERVER) is None
    mixed = PLAIN.encode().replace(b"Accept: */*", data)
    found = READER.environ(mixed, PEER, SERVER)
    if found is not None:
        assert_read_alike(mixed, found)


def test_an_answer_is_whole_and_keeps_the_connection() -> None:
    head, _, body = answer("200 OK", [("content-length", "2")], b"{}").partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert lines[1] == "Server: gunicorn"
    assert lines[2].startswith("Date: ")
    assert lines[2].endswith(" GMT")
    assert lines[3:] == ["Connection: keep-alive", "content-length: 2"]
    assert body == b"{}"
