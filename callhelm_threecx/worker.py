"""gunicorn's worker with threads, as a telephone system needs it."""

import functools
import gc
import math
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    STOP_KEEPALIVE_LINGER as _LINGER_S,
)
from gunicorn.workers.gthread import ThreadWorker

from callhelm_threecx import patience, plain_http, routes, sockets
from callhelm_threecx.batches import PATIENCE_S, Batches
from callhelm_threecx.middleware.rate_limit import COUNTED
from callhelm_threecx.promptness import Promptness
from callhelm_threecx.resources.short_way import FAILED

_OF_A_PBX: Final = (
    *(routes.CONTACTS_LOOKUP, routes.CONTACTS_SEARCH, routes.CONTACTS_CREATE),
    *(routes.CALLS_JOURNAL, routes.CHATS_JOURNAL, routes.TEMPLATE),
)

_PATIENCE_S: Final = 1.0
"""Longest time that everybody waits for one lookup, which then is left to a thread."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads for whatever takes long, none for a lookup on a connection that was kept open.

    Handing a request to a thread, and its connection back, takes as long as the lookup itself; so
    does reading every form of HTTP there is. So what a PBX sends on a connection that was kept is
    read at a glance where it is plain (see ``plain_http``). A plain lookup is answered where it is
    noticed, in the worker's loop, by the application's short way; the other requests by a thread,
    since they may wait for a disk. Calls that are reported while a thread is at others are recorded
    by it next, together, where the application can (see ``batches``). What is not plain, or is not
    taken for whatever reason, goes through gunicorn as if nobody had looked. A lookup that takes
    too long is left to a thread (see ``patience``), and sends the next ones there for a while (see
    ``promptness``), so that a database that hangs cannot hold the loop up. What a client does not
    read at once of its answer, a thread sends.

    And the worker cannot hang at Ctrl-C. gunicorn's own shuts its threads down inside the signal
    handler; when the signal comes while a request is being handed to them, that waits for a lock
    which the interrupted code holds, until the worker is killed with the events in its memory.
    """

    _app: Any = None
    _lookup: Any = None
    _lookup_path = ""
    _together: Any = None
    _journal = ""
    _reader: plain_http.PlainReader | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_hand: dict[Any, bool] = {}
        """Connections on which a thread is answering, and whether the loop hears them no more."""
        self._handing = threading.Lock()
        self._promptness = Promptness()
        self._reports: Batches[tuple[Any, dict[str, Any]]] = Batches(
            self._answer_together, self._in_thread
        )

    def load_wsgi(self) -> None:
        """Load the application, and find out where it answers a PBX."""
        super().load_wsgi()
        gc.freeze()  # what an application consists of stays: no later collection looks at it again
        app: Any = getattr(self.wsgi, "threecx", self.wsgi)
        services = getattr(app, "services", None)
        if services is not None and hasattr(app, "short_ways") and self._is_plain_server():
            self._app = app
            paths = [services.settings.prefix + path for path in _OF_A_PBX]
            self._lookup_path = services.settings.prefix + routes.CONTACTS_LOOKUP
            if services.looks_up_in_time:
                self._lookup = app.short_ways[self._lookup_path]
            self._journal = services.settings.prefix + routes.CALLS_JOURNAL
            self._together = app.short_ways[self._journal].together
            self._reader = plain_http.PlainReader(self._lookup_path, paths)

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
        """A kept connection has something to read, or was closed; by us, when it was noticed in the
        same turn of the loop."""
        if client.fileno() < 0:
            return
        if not (self._is_in_hand(conn, client) or self._taken(conn, client)):
            super().on_client_socket_readable(conn, client)

    def _is_in_hand(self, conn: Any, client: socket.socket) -> bool:
        """Whether a thread is answering on the connection, which then is not heard until it has."""
        with self._handing:
            if conn not in self._in_hand:
                return False
            self._in_hand[conn] = True
        self.poller.unregister(client)
        return True

    def _taken(self, conn: Any, client: socket.socket) -> bool:
        """Answer a plain lookup, or hand another plain request to a thread; False, and nothing read
        or sent, for anything else. The connection stays registered, and becomes the last of those
        that wait."""
        reader = self._reader
        if reader is None or not self._may_keep(conn):
            return False
        data = sockets.waiting(client)
        environ = reader.environ(data, conn.client, conn.server)
        if environ is None:
            return False
        answer = None
        if self._lookup is not None and reader.is_lookup(data) and self._promptness.is_likely:
            answer = self._timed_answer(environ)
            if answer is None and COUNTED not in environ:
                return False
        sockets.skip(client, len(data))
        if answer is None:
            self._hand_over(conn, environ)
        elif rest := sockets.unsent(client, answer):
            self._in_thread(functools.partial(self._send_rest, self._in_hands(conn), rest))
        else:
            conn.set_timeout()
        self.nr += 1
        self.keepalived_conns.remove(conn)
        self.keepalived_conns.append(conn)
        return True

    def _in_thread(self, work: Callable[[], None]) -> None:
        self.tpool.submit(work)

    def _in_hands(self, conn: Any) -> Any:
        """A connection that a thread is to answer on, and that does not wait meanwhile."""
        conn.timeout = math.inf
        self._in_hand[conn] = False
        return conn

    def _hand_over(self, conn: Any, environ: dict[str, Any]) -> None:
        conn = self._in_hands(conn)
        is_report = environ["PATH_INFO"] == self._journal and self._together is not None
        if is_report and sockets.reads_its_answers(conn.sock):  # else others wait for its client
            self._reports.add((conn, environ))
        else:
            self.tpool.submit(self._answer_in_thread, conn, environ)

    def _timed_answer(self, environ: dict[str, Any]) -> bytes | None:
        started = time.monotonic()
        answer = self._short_answer(environ)
        self._promptness.waited(time.monotonic() - started)
        return answer

    def _short_answer(self, environ: dict[str, Any]) -> bytes | None:
        started = _Started()
        try:
            with patience.limited(_PATIENCE_S):
                body = self._lookup(environ, started)
        except Exception:  # the usual way meets it again, and logs it; the loop must go on
            return None
        environ.pop(FAILED, None)  # a thread, which may wait, tries once more
        return None if body is None else started.answer(b"".join(body))

    def _answer_in_thread(self, conn: Any, environ: dict[str, Any]) -> None:
        stays = False
        try:
            stays = self._sent(conn, environ)
        finally:
            self._let_go(conn, stays)

    def _answer_together(self, reports: list[tuple[Any, dict[str, Any]]]) -> None:
        if len(reports) == 1:
            self._answer_in_thread(*reports[0])
            return
        asked = [(environ, _Started()) for _, environ in reports]
        try:
            bodies = self._together(asked)
        except Exception:  # each alone meets it again, and it is logged there
            bodies = [None] * len(reports)
        for (conn, _), (_, started), body in zip(reports, asked, bodies, strict=True):
            if body is not None:
                self._let_go(conn, sockets.is_sent(conn.sock, started.answer(b"".join(body))))
        for (conn, environ), body in zip(reports, bodies, strict=True):
            if body is None:
                self._answer_alone(conn, environ)

    def _answer_alone(self, conn: Any, environ: dict[str, Any]) -> None:
        try:
            self.tpool.submit(self._answer_in_thread, conn, environ)
        except RuntimeError:  # there are no threads any more
            self._let_go(conn, False)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One turn of the loop: what was reported in it is recorded together."""
        super().wait_for_and_dispatch_events(PATIENCE_S if self._reports.is_waiting else timeout)
        self._reports.begin()

    def _sent(self, conn: Any, environ: dict[str, Any]) -> bool:
        """Whether a request was answered, and its connection can stay open."""
        started, begun = _Started(), time.monotonic()
        try:
            answer = started.answer(b"".join(self._app(environ, started)))
        except Exception as ex:
            self.handle_error(None, conn.sock, conn.client, ex)
            return False
        if environ["PATH_INFO"] == self._lookup_path and started.status.startswith("200"):
            self._promptness.took_elsewhere(time.monotonic() - begun)
        return sockets.is_sent(conn.sock, answer)

    def _send_rest(self, conn: Any, rest: bytes) -> None:
        self._let_go(conn, sockets.is_sent(conn.sock, rest))

    def _let_go(self, conn: Any, stays: bool) -> None:
        """Give a connection back: to wait as it is, or to the loop to look after."""
        with self._handing:
            if stays and self.alive and not self._in_hand[conn]:
                del self._in_hand[conn]
                conn.set_timeout()
                return
        self.method_queue.defer(self._settle, conn, stays)

    def _settle(self, conn: Any, stays: bool) -> None:
        """In the loop: hear a connection again, or close it."""
        is_unheard = self._in_hand.pop(conn)
        if stays:
            conn.timeout = time.monotonic() + (self.cfg.keepalive if self.alive else _LINGER_S)
            if is_unheard:
                heard = functools.partial(self.on_client_socket_readable, conn)
                self.poller.register(conn.sock, selectors.EVENT_READ, heard)
            return
        if not is_unheard:
            self.poller.unregister(conn.sock)
        self.keepalived_conns.remove(conn)
        self.nr_conns -= 1
        conn.close(graceful=True)

    def _cap_keepalive(self, deadline: float) -> None:
        """At the end, connections wait no longer than this; those on which a thread is answering
        have as long as every request."""
        with self._handing:
            super()._cap_keepalive(deadline)
            for conn in self._in_hand:
                conn.timeout = math.inf

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
