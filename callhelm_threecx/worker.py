"""gunicorn's worker with threads, as a telephone system needs it."""

import fcntl
import os
import socket
import struct
import termios
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from callhelm_threecx import plain_http, routes

_HEAD: Final = 4096
"""Longest head of a request, in bytes, that is looked at: a lookup's has some hundred."""

_UNREAD: Final = 16_384
"""Bytes of answers that a client may leave unread before its requests go to a thread."""

_SLOW_S: Final = 0.05
_PAUSE: Final = 10
_UNSENT: Final = struct.Struct("i")


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads for whatever takes long, none for a lookup on a connection that was kept open.

    Handing a request to a thread, and its connection back, takes as long as the lookup itself; so
    does reading every form of HTTP there is. So a plain lookup (see ``plain_http``) is answered
    where it is noticed, in the worker's loop, by the application's short way. What that does not
    take, whatever its reason, goes through gunicorn as if nobody had looked. A lookup that took
    long sends the next ones to the threads for ten times as long, so that a database that hangs
    cannot hold the loop up; so does a client that does not read its answers.

    And the worker cannot hang at Ctrl-C. gunicorn's own shuts its threads down inside the signal
    handler; when the signal comes while a request is being handed to them, that waits for a lock
    which the interrupted code holds, until the worker is killed with the events in its memory.
    """

    _app: Any = None
    _reader: plain_http.PlainReader | None = None
    _threads_until = 0.0

    def load_wsgi(self) -> None:
        """Load the application, and find out where it answers lookups."""
        super().load_wsgi()
        app = getattr(self.wsgi, "threecx", self.wsgi)
        services = getattr(app, "services", None)
        if services is not None and hasattr(app, "short_lookup") and self._is_plain_server():
            self._app = app
            path = services.settings.prefix + routes.CONTACTS_LOOKUP
            self._reader = plain_http.PlainReader(path)

    def _is_plain_server(self) -> bool:
        """Whether nothing is configured that gunicorn does around each request."""
        cfg = self.cfg
        configured = cfg.is_ssl or cfg.proxy_protocol not in {False, "off"}
        watched = cfg.accesslog or cfg.statsd_host
        hooks = any(cfg.settings[n].value is not cfg.settings[n].default for n in _HOOKS)
        return not (configured or watched or hooks or os.environ.get("SCRIPT_NAME"))

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End as for SIGTERM: requests under way are answered, which takes milliseconds."""
        self.handle_exit(sig, frame)

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """A kept connection has something to read."""
        if self._reader is not None and self.alive and self._answered(conn, client, self._reader):
            conn.set_timeout()
            self.keepalived_conns.remove(conn)
            self.keepalived_conns.append(conn)  # registered still, and the last of those that wait
        else:
            super().on_client_socket_readable(conn, client)

    def _answered(self, conn: Any, client: socket.socket, reader: plain_http.PlainReader) -> bool:
        """Answer a plain lookup; False, and nothing read or sent, for anything else."""
        started = time.monotonic()
        if started < self._threads_until or self.nr + 1 >= self.max_requests or conn.is_http2:
            return False
        head = _whole_head(client, reader)
        if head is None or not isinstance(conn.client, tuple):
            return False
        environ = reader.environ(head, conn.client, conn.server)
        if environ is None:
            return False
        answer = self._answer(environ)
        now = time.monotonic()
        if now - started > _SLOW_S:
            self._threads_until = now + _PAUSE * (now - started)
        if answer is None:
            return False
        self.nr += 1
        client.recv(len(head))
        _send(client, answer)
        return True

    def _answer(self, environ: dict[str, Any]) -> bytes | None:
        heads: list[tuple[str, plain_http.Headers]] = []

        def start_response(status: str, headers: plain_http.Headers) -> None:
            heads.append((status, headers))

        try:
            body = self._app.short_lookup(environ, start_response)
        except Exception:  # gunicorn's way meets it again, and logs it; the loop must go on
            return None
        return None if body is None else plain_http.answer(*heads[0], b"".join(body))


_HOOKS: Final = ("pre_request", "post_request")


def _whole_head(client: socket.socket, reader: plain_http.PlainReader) -> bytes | None:
    """What a connection has to read, when that is the whole head of what may be a lookup and the
    client reads its answers."""
    try:
        head = client.recv(_HEAD, socket.MSG_PEEK)
        if not reader.begins(head) or not head.endswith(b"\r\n\r\n"):
            return None
        unsent = _UNSENT.unpack(fcntl.ioctl(client, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    except OSError:
        return None
    return head if unsent < _UNREAD else None


def _send(client: socket.socket, answer: bytes) -> None:
    """Send on a socket that does not block; there is room, as `_whole_head` has seen."""
    try:
        sent = client.send(answer)
        if sent < len(answer):
            client.setblocking(True)
            client.sendall(answer[sent:])
            client.setblocking(False)
    except OSError:
        client.close()
