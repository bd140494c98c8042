"""What the worker reads at a glance: one form of request, and nothing that differs from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.plain_http import PlainReader, answer

PATH = "/api/3cx/contacts/lookup"
PEER, SERVER = ("192.0.2.7", 41234), ("127.0.0.1", 8080)
READER = PlainReader(PATH)
PLAIN = (
    f"GET {PATH}?number=%2B4930123456 HTTP/1.1\r\n"
    "Host: pbx.example.com:8080\r\n"
    "X-API-Key: 3cx_key\r\n"
    "Accept: */*\r\n"
    "Connection: Keep-Alive\r\n\r\n"
)


def test_a_plain_question_is_read_as_any_server_reads_it() -> None:
    environ = READER.environ(PLAIN.encode(), PEER, SERVER)
    assert environ.pop("wsgi.input").read() == b""
    assert environ.pop("wsgi.errors").writable()
    assert environ == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": "number=%2B4930123456",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "pbx.example.com:8080",
        "HTTP_X_API_KEY": "3cx_key",
        "HTTP_ACCEPT": "*/*",
        "HTTP_CONNECTION": "Keep-Alive",
    }


CHANGED = [
    ("GET ", "POST "),
    ("GET ", "get "),
    ("GET ", " GET "),
    ("HTTP/1.1", "HTTP/1.0"),
    ("HTTP/1.1", "HTTP/2"),
    ("HTTP/1.1", "HTTP/1.1 "),
    ("lookup?", "lookup/?"),
    ("lookup?", "LOOKUP?"),
    ("/api", "//api"),
    ("/api", "http://127.0.0.1/api"),
    ("number=", "Number="),
    ("%2B4930123456", ""),
    ("%2B4930123456", "1&number=2"),
    ("%2B4930123456", "1;2"),
    ("%2B4930123456", "1#2"),
    ("%2B4930123456", "1\u00e9"),
    ("%2B4930123456", "1 2"),
    ("%2B4930123456", "4" * 600),
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
    ("Accept: */*", "Content-Type: text/plain"),
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


@given(head=st.binary(max_size=300))
def test_no_bytes_are_too_strange_for_it(head: bytes) -> None:
    assert READER.environ(head, PEER, SERVER) is None
    mixed = PLAIN.encode().replace(b"Accept: */*", head)
    found = READER.environ(mixed, PEER, SERVER)
    if found is not None:
        values = [value for value in found.values() if isinstance(value, str)]
        assert all(value.isprintable() and value == value.strip() for value in values)
        assert (found["PATH_INFO"], found["HTTP_X_API_KEY"]) == (PATH, "3cx_key")


def test_an_answer_is_whole_and_keeps_the_connection() -> None:
    head, _, body = answer("200 OK", [("content-length", "2")], b"{}").partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert lines[1] == "Server: gunicorn"
    assert lines[2].startswith("Date: ")
    assert lines[2].endswith(" GMT")
    assert lines[3:] == ["Connection: keep-alive", "content-length: 2"]
    assert body == b"{}"
