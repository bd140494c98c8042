"""gunicorn's worker with threads, as a telephone system needs it."""

import fcntl
import gc
import os
import socket
import struct
import termios
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from callhelm_threecx import plain_http, routes

_OF_A_PBX: Final = (
    *(routes.CONTACTS_LOOKUP, routes.CONTACTS_SEARCH, routes.CONTACTS_CREATE),
    *(routes.CALLS_JOURNAL, routes.CHATS_JOURNAL, routes.TEMPLATE),
)

_MOST: Final = 16_384
"""Longest request, in bytes, that is looked at: a lookup has some hundred, a report a thousand."""

_UNREAD: Final = 16_384
"""Bytes of answers that a client may leave unread before its requests go to a thread."""

_SLOW_S: Final = 0.05
_PAUSE: Final = 10
_UNSENT: Final = struct.Struct("i")


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads for whatever takes long, none for a lookup on a connection that was kept open.

    Handing a request to a thread, and its connection back, takes as long as the lookup itself; so
    does reading every form of HTTP there is. So what a PBX sends on a connection that was kept is
    read at a glance where it is plain (see ``plain_http``). A plain lookup is answered where it is
    noticed, in the worker's loop, by the application's short way; the other requests by a thread,
    since they may wait for a disk. What is not plain, or is not taken for whatever reason, goes
    through gunicorn as if nobody had looked. A lookup that took long sends the next ones to the
    threads for ten times as long, so that a database that hangs cannot hold the loop up; so does a
    client that does not read its answers.

    And the worker cannot hang at Ctrl-C. gunicorn's own shuts its threads down inside the signal
    handler; when the signal comes while a request is being handed to them, that waits for a lock
    which the interrupted code holds, until the worker is killed with the events in its memory.
    """

    _app: Any = None
    _lookup: Any = None
    _reader: plain_http.PlainReader | None = None
    _threads_until = 0.0

    def load_wsgi(self) -> None:
        """Load the application, and find out where it answers a PBX."""
        super().load_wsgi()
        gc.freeze()  # what an application consists of stays: no later collection looks at it again
        app: Any = getattr(self.wsgi, "threecx", self.wsgi)
        services = getattr(app, "services", None)
        if services is not None and hasattr(app, "short_ways") and self._is_plain_server():
            self._app = app
            paths = [services.settings.prefix + path for path in _OF_A_PBX]
            lookup = services.settings.prefix + routes.CONTACTS_LOOKUP
            self._lookup = app.short_ways[lookup]
            self._reader = plain_http.PlainReader(lookup, paths)

    def _is_plain_server(self) -> bool:
        """Whether nothing is configured that gunicorn does around each request."""
        cfg = self.cfg
        configured = cfg.is_ssl or cfg.proxy_protocol not in {False, "off"}
        watched = cfg.accesslog or cfg.statsd_host or any(cfg.forwarded_allow_ips)
        hooks = any(cfg.settings[n].value is not cfg.settings[n].default for n in _HOOKS)
        return not (configured or watched or hooks or os.environ.get("SCRIPT_NAME"))

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End as for SIGTERM: requests under way are answered, which takes milliseconds."""
        self.handle_exit(sig, frame)

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """A kept connection has something to read."""
        if self._reader is not None and self._answered(conn, client, self._reader):
            conn.set_timeout()
            self.keepalived_conns.remove(conn)
            self.keepalived_conns.append(conn)  # registered still, and the last of those that wait
        else:
            super().on_client_socket_readable(conn, client)

    def handle(self, conn: Any) -> Any:
        """Answer the request of a connection, in a thread; whether the connection stays open."""
        if self._reader is not None and conn.initialized:
            environ = self._plain_request(conn, self._reader)
            if environ is not None:
                return self._answer_in_thread(conn, environ)
        return super().handle(conn)

    def _answered(self, conn: Any, client: socket.socket, reader: plain_http.PlainReader) -> bool:
        """Answer a plain lookup; False, and nothing read or sent, for anything else."""
        started = time.monotonic()
        if started < self._threads_until or not self._may_keep(conn):
            return False
        data = _waiting(client)
        if not reader.is_lookup(data) or not _reads_its_answers(client):
            return False
        environ = reader.environ(data, conn.client, conn.server)
        if environ is None:
            return False
        answer = self._short_answer(environ)
        now = time.monotonic()
        if now - started > _SLOW_S:
            self._threads_until = now + _PAUSE * (now - started)
        if answer is None:
            return False
        self.nr += 1
        client.recv(len(data))
        _send(client, answer)
        return True

    def _short_answer(self, environ: dict[str, Any]) -> bytes | None:
        started = _Started()
        try:
            body = self._lookup(environ, started)
        except Exception:  # gunicorn's way meets it again, and logs it; the loop must go on
            return None
        return None if body is None else started.answer(b"".join(body))

    def _plain_request(self, conn: Any, reader: plain_http.PlainReader) -> dict[str, Any] | None:
        """The plain request that a kept connection has to read, which is read then."""
        is_full = len(self.keepalived_conns) >= self.max_keepalived
        if is_full or not self._may_keep(conn) or conn.parser.unreader.buf.getvalue():
            return None
        data = _waiting(conn.sock)
        environ: dict[str, Any] | None = reader.environ(data, conn.client, conn.server)
        if environ is not None:
            self.nr += 1
            conn.sock.recv(len(data))
        return environ

    def _answer_in_thread(self, conn: Any, environ: dict[str, Any]) -> bool:
        started = _Started()
        try:
            conn.sock.setblocking(True)
            conn.sock.sendall(started.answer(b"".join(self._app(environ, started))))
        except OSError:  # the client is gone
            return False
        except Exception as ex:
            self.handle_error(None, conn.sock, conn.client, ex)
            return False
        return True

    def _may_keep(self, conn: Any) -> bool:
        """Whether a connection stays open after its next request, and is one of TCP."""
        goes_on = self.alive and self.nr + 1 < self.max_requests
        return goes_on and not conn.is_http2 and isinstance(conn.client, tuple)


class _Started:
    """The ``start_response`` of one answer."""

    status = ""
    headers: plain_http.Headers = ()

    def __call__(self, status: str, headers: plain_http.Headers, _error: Any = None) -> None:
        self.status, self.headers = status, headers

    def answer(self, body: bytes) -> bytes:
        return plain_http.answer(self.status, self.headers, body)


_HOOKS: Final = ("pre_request", "post_request")


def _waiting(client: socket.socket) -> bytes:
    """What a connection has to read, left where it is; nothing of what is too long."""
    try:
        data = client.recv(_MOST, socket.MSG_PEEK)
    except OSError:
        return b""
    return data if len(data) < _MOST else b""


def _reads_its_answers(client: socket.socket) -> bool:
    try:
        unsent = _UNSENT.unpack(fcntl.ioctl(client, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
    except OSError:
        return False
    return bool(unsent < _UNREAD)


def _send(client: socket.socket, answer: bytes) -> None:
    """Send on a socket that does not block; there is room, as `_reads_its_answers` has seen."""
    try:
        sent = client.send(answer)
        if sent < len(answer):
            client.setblocking(True)
            client.sendall(answer[sent:])
            client.setblocking(False)
    except OSError:
        client.close()
