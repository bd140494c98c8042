"""The plainest form of an HTTP request, which is all that a PBX sends, read at a glance.

``GET`` or ``POST`` of one of some paths, a query in unreserved characters, HTTP/1.1, plain headers,
and exactly the body that they announce, with nothing behind it. Whatever differs in one character
is not read here at all: a server's real parser answers for HTTP, with all its doubtful cases.
"""

import io
import re
import sys
import time
from collections.abc import Collection, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final

_HEAD: Final = re.compile(
    rb"(?P<method>GET|POST) (?P<path>/[A-Za-z0-9/_.-]+)"
    rb"(?:\?(?P<query>[A-Za-z0-9%+*._~=&-]{1,1024}))? HTTP/1\.1\r\n"
    rb"(?P<headers>(?:[A-Za-z][A-Za-z0-9-]*:[ \t]*[!-~](?:[ !-~]*[!-~])?\r\n)+)\r\n"
)
_LENGTH: Final = re.compile(r"0|[1-9][0-9]{0,6}", re.ASCII)
_UNPLAIN: Final = frozenset(
    {
        *("TRANSFER_ENCODING", "TRAILER", "TE", "CONTENT_ENCODING"),
        *("EXPECT", "UPGRADE", "HTTP2_SETTINGS", "RANGE", "SCRIPT_NAME", "PATH_INFO", "PROXY"),
    }
)
"""Headers that mean more than a plain question, by their names in a WSGI environ."""

_OF_BODIES: Final = frozenset({"CONTENT_LENGTH", "CONTENT_TYPE"})

Headers = Sequence[tuple[str, str]]


class PlainReader:
    """Reads requests for some paths."""

    def __init__(self, lookup: str, others: Collection[str]) -> None:
        """``lookup`` is the path of lookups by ``number``."""
        self._lookup = f"GET {lookup}?number=".encode()
        self._paths = frozenset({lookup, *others})

    def is_lookup(self, data: bytes) -> bool:
        """Whether this begins as a ringing phone's question does."""
        return data.startswith(self._lookup)

    def environ(self, data: bytes, peer: tuple[str, int], server: tuple[str, int]) -> Any:
        """The WSGI environ of a whole request; None for one that is not plain, or not whole."""
        found = _HEAD.match(data)
        if found is None:
            return None
        path, query = found["path"].decode(), (found["query"] or b"").decode()
        if path not in self._paths:
            return None
        body = data[found.end() :]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": found["method"].decode(),
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "RAW_URI": f"{path}?{query}" if query else path,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "REMOTE_ADDR": peer[0],
            "REMOTE_PORT": str(peer[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        return environ if _add_headers(environ, found["headers"], len(body)) else None


def _add_headers(environ: dict[str, Any], lines: bytes, length: int) -> bool:
    """Add a request's headers to its environ; False when one of them is not plain, or they do not
    announce a body of this length."""
    for line in lines.decode("ascii").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name = name.upper().replace("-", "_")
        key = name if name in _OF_BODIES else f"HTTP_{name}"
        if key in environ or name in _UNPLAIN:
            return False
        environ[key] = value.strip(" \t")
    is_kept = environ.get("HTTP_CONNECTION", "keep-alive").lower() == "keep-alive"
    return is_kept and "HTTP_HOST" in environ and _is_announced(environ, length)


def _is_announced(environ: dict[str, Any], length: int) -> bool:
    announced = environ.get("CONTENT_LENGTH")
    if environ["REQUEST_METHOD"] == "GET":
        return announced is None and not length
    return announced is not None and bool(_LENGTH.fullmatch(announced)) and int(announced) == length


def answer(status: str, headers: Headers, body: bytes) -> bytes:
    """A whole answer, on a connection that stays open. The headers are the application's own."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {status}\r\n{_server(int(time.time()))}{lines}\r\n"
    return head.encode("latin-1") + body


@lru_cache(maxsize=1)
def _server(second: int) -> str:
    date = formatdate(second, usegmt=True)
    return f"Server: gunicorn\r\nDate: {date}\r\nConnection: keep-alive\r\n"
