"""A load of GET requests over kept connections, in one thread: it must cost less than a server.

Each connection sends its next request when the answer to the one before is complete, as the HTTP
client of a PBX does.
"""

import random
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What one round measured. Latencies are in milliseconds."""

    seconds: float
    latencies: list[float] = field(repr=False)
    failures: int = 0

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class _Connection:
    def __init__(self, port: int) -> None:
        self.port = port
        self.sent_at = 0.0
        self.received = b""
        self.socket = self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> tuple[int, bool] | None:
        """(status, whether the server closes) when the answer is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed in the middle of an answer")
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        lower = head.lower()
        length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        return int(head[9:12]), b"connection: close" in lower

    def reconnect(self) -> None:
        self.socket.close()
        self.socket = self._connect()


def request(path: str, headers: dict[str, str]) -> bytes:
    """The bytes of one GET request."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def run(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Outcome:
    """Send requests, chosen at random, for so many seconds over so many connections."""
    chance = random.Random(7)
    selector = selectors.DefaultSelector()
    outcome = Outcome(seconds, [])
    for _ in range(connections):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(chance.choice(requests))
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        for key, _ in selector.select(timeout=1.0):
            connection = key.data
            answer = connection.read()
            if answer is None:
                continue
            status, closes = answer
            outcome.latencies.append((time.perf_counter() - connection.sent_at) * 1000)
            outcome.failures += status != 200
            if closes:
                selector.unregister(connection.socket)
                connection.reconnect()
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(chance.choice(requests))
    outcome.seconds = time.perf_counter() - started
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    selector.close()
    return outcome


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 30.0) -> None:
    """Return when somebody listens."""
    deadline = time.monotonic() + seconds
    while not _is_listening(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody listens on port {port}")
        time.sleep(0.05)


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
