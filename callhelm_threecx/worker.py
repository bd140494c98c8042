"""gunicorn's worker with threads, as a telephone system needs it."""

import fcntl
import socket
import struct
import termios
import time
from concurrent.futures import Future
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from callhelm_threecx import routes

_HEAD: Final = 4096
"""Longest head of a request, in bytes, that is looked at: a lookup's has some hundred."""

_UNREAD: Final = 16_384
"""Bytes of answers that a client may leave unread before its requests go to a thread."""

_SLOW_S: Final = 0.05
_PAUSE: Final = 10
_UNSENT: Final = struct.Struct("i")


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads for whatever takes long, none for a lookup on a connection that was kept open.

    Handing a request to a thread, and its connection back, takes as long as the lookup itself. So
    such a lookup is answered where it was noticed, in the worker's loop. Only a request that is
    there as a whole, whose answer the client's connection has room for, is; and one that took long
    sends the next ones to the threads for ten times as long, so that a database that hangs cannot
    hold the loop up.

    And the worker cannot hang at Ctrl-C. gunicorn's own shuts its threads down inside the signal
    handler; when the signal comes while a request is being handed to them, that waits for a lock
    which the interrupted code holds, until the worker is killed with the events in its memory.
    """

    _lookup = b""
    _threads_until = 0.0

    def load_wsgi(self) -> None:
        """Load the application, and find out where it answers lookups."""
        super().load_wsgi()
        app = getattr(self.wsgi, "threecx", self.wsgi)
        services = getattr(app, "services", None)
        if services is not None and not self.cfg.is_ssl:
            path = services.settings.prefix + routes.CONTACTS_LOOKUP
            self._lookup = f"GET {path}?number=".encode()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End as for SIGTERM: requests under way are answered, which takes milliseconds."""
        self.handle_exit(sig, frame)

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """A kept connection has something to read."""
        if not (self.alive and self._is_whole_lookup(conn, client)):
            super().on_client_socket_readable(conn, client)
            return
        started = time.monotonic()
        result = self.handle(conn)
        now = time.monotonic()
        if now - started > _SLOW_S:
            self._threads_until = now + _PAUSE * (now - started)
        self.keepalived_conns.remove(conn)
        if result and self.alive and not conn.parser.unreader.buf.getvalue():
            conn.sock.setblocking(False)
            conn.set_timeout()
            self.keepalived_conns.append(conn)  # registered still, and the last of those that wait
            return
        self.poller.unregister(client)
        done: Future[Any] = Future()
        done.set_result(result)
        self.finish_request(conn, done)

    def _is_whole_lookup(self, conn: Any, client: socket.socket) -> bool:
        if not self._lookup or conn.is_http2 or time.monotonic() < self._threads_until:
            return False
        try:
            head = client.recv(_HEAD, socket.MSG_PEEK)
            unsent = _UNSENT.unpack(fcntl.ioctl(client, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        except OSError:
            return False
        return head.startswith(self._lookup) and head.endswith(b"\r\n\r\n") and unsent < _UNREAD
