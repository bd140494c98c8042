"""Connections to a server that are spoken to byte by byte."""

import json
import re
import socket
from urllib.parse import urlsplit

from tests.cli.processes import Server

LOOKUP = "/api/3cx/contacts/lookup?number="
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Line:
    """One connection, spoken to byte by byte."""

    def __init__(self, server: Server, key: str) -> None:
        parts = urlsplit(server.url)
        assert parts.hostname
        assert parts.port
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self.key = key
        self._received = b""

    def lookup(self, number: str, *headers: str, key: str | None = None) -> bytes:
        """The bytes of a lookup."""
        key = self.key if key is None else key
        lines = [f"GET {LOOKUP}{number} HTTP/1.1", "Host: pbx.example.com", f"X-API-Key: {key}"]
        return "\r\n".join([*lines, *headers, "", ""]).encode()

    def report(self, report: dict[str, str], *headers: str) -> tuple[bytes, bytes]:
        """Head and body of a call's report."""
        body = json.dumps(report).encode()
        lines = ["POST /api/3cx/calls/journal HTTP/1.1", "Host: pbx.example.com", *headers]
        lines += ["Content-Type: application/json", f"X-API-Key: {self.key}"]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode(), body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        while b"\r\n\r\n" not in self._received:
            self._read()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length
        while len(rest) < int(length[1]):
            self._read()
            rest = self._received.partition(b"\r\n\r\n")[2]
        body, self._received = rest[: int(length[1])], rest[int(length[1]) :]
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers, body

    def found(self) -> list[str]:
        """The first names of the next answer."""
        status, _, body = self.answer()
        assert status == 200, body
        return [contact["firstName"] for contact in json.loads(body)["contacts"]]

    def is_closed(self) -> bool:
        """Whether the server has closed it, with nothing more to read."""
        return not self._received and self.socket.recv(1) == b""

    def _read(self) -> None:
        data = self.socket.recv(65536)
        assert data, "The server has closed the connection."
        self._received += data
