"""The one form of HTTP request that a ringing phone's question has, read at a glance.

``GET`` of one path with one query in unreserved characters, HTTP/1.1, plain headers, no body, and
nothing behind it. Whatever differs in one character is not read here at all: a server's real parser
answers for HTTP, with all its doubtful cases.
"""

import io
import re
import sys
import time
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final

_HEAD: Final = (
    rb"GET (?P<path>%s)\?(?P<query>number=[A-Za-z0-9%%+*._~-]{1,512}) HTTP/1\.1\r\n"
    rb"(?P<headers>(?:[A-Za-z][A-Za-z0-9-]*:[ \t]*[!-~](?:[ !-~]*[!-~])?\r\n)+)\r\n"
)
_UNPLAIN: Final = frozenset(
    {
        *("CONTENT_LENGTH", "CONTENT_TYPE", "TRANSFER_ENCODING", "TRAILER", "TE"),
        *("EXPECT", "UPGRADE", "HTTP2_SETTINGS", "RANGE", "SCRIPT_NAME", "PROXY"),
    }
)
"""Headers that mean more than a plain question, by their names in a WSGI environ."""


Headers = Sequence[tuple[str, str]]


class PlainReader:
    """Reads heads of requests for one path."""

    def __init__(self, path: str) -> None:
        self._begin = f"GET {path}?number=".encode()
        self._head = re.compile(_HEAD % re.escape(path.encode()))
        self._path = path

    def begins(self, head: bytes) -> bool:
        """Whether it is worth a closer look."""
        return head.startswith(self._begin)

    def environ(self, head: bytes, peer: tuple[str, int], server: tuple[str, int]) -> Any:
        """The part of a WSGI environ that an application needs for it; None for another form."""
        found = self._head.fullmatch(head)
        if found is None:
            return None
        query = found["query"].decode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": self._path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "REMOTE_ADDR": peer[0],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        for line in found["headers"].decode("ascii").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            name = name.upper().replace("-", "_")
            key = f"HTTP_{name}"
            if key in environ or name in _UNPLAIN:
                return None
            environ[key] = value.strip(" \t")
        is_kept = environ.get("HTTP_CONNECTION", "keep-alive").lower() == "keep-alive"
        return environ if is_kept and "HTTP_HOST" in environ else None


def answer(status: str, headers: Headers, body: bytes) -> bytes:
    """A whole answer, on a connection that stays open. The headers are the application's own."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {status}\r\n{_server(int(time.time()))}{lines}\r\n"
    return head.encode("latin-1") + body


@lru_cache(maxsize=1)
def _server(second: int) -> str:
    date = formatdate(second, usegmt=True)
    return f"Server: gunicorn\r\nDate: {date}\r\nConnection: keep-alive\r\n"
