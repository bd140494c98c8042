"""The shortest way from a prepared read to its rows, for while a phone rings.

A few connections are kept at hand, outside of the pool's bookkeeping, and a statement is prepared
once on each. On PostgreSQL it then runs through libpq itself: what a cursor does around a query
costs more than the query. Nothing here judges an error. Whoever gets `NotTakenError` runs the
statement on a cursor from the pool, where errors are told apart and dead connections replaced.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg import abc, pq
from psycopg.adapt import Transformer
from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from callhelm_threecx import patience
from callhelm_threecx.driver import CompiledRead

KEPT: Final = 8
"""Connections at hand in one process, for as many reads at once. More reads go the usual way, and
the pool has connections for them: nobody waits for one of these."""

Rows = Sequence[Sequence[Any]]
Answers = Sequence[Rows]
Bound = tuple[CompiledRead, Any]
"""A statement and its parameters."""


class NotTakenError(Exception):
    """The short way is not open for this statement, these values or this connection."""


class _StillRunningError(NotTakenError):
    """The answer was not there when patience was over."""


class FastReads:
    """Runs prepared reads of one engine, from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lane = _SqliteLane if engine.dialect.name == "sqlite" else _PostgresLane
        self._idle: list[_SqliteLane | _PostgresLane] = []
        self._at_hand = 0
        self._counting = threading.Lock()

    def rows(self, read: CompiledRead, organization_id: str, parameters: Mapping[str, Any]) -> Rows:
        """The driver's rows. Raises `NotTakenError`, and nothing else."""
        return self._taken([(read, read.bind(organization_id, parameters))])[0]

    def rows_together(self, runs: Sequence[tuple[str, CompiledRead, Mapping[str, Any]]]) -> Answers:
        """The driver's rows of several statements, each for its organization, all in one
        transaction: what they have changed is durable now. Raises `NotTakenError`, and nothing
        else; then nothing was changed, unless the server went away at the very end."""
        return self._taken([(read, read.bind(whose, values)) for whose, read, values in runs])

    def _taken(self, bound: Sequence[Bound]) -> Answers:
        try:
            lane = self._idle.pop()
        except IndexError:
            lane = self._open()
        try:
            answers = lane.answers(bound)
        except _StillRunningError:
            threading.Thread(target=self._see_off, args=(lane,), daemon=True).start()
            raise
        except NotTakenError:
            if lane.is_watched:
                self._give_back(lane)  # the usual way is to find this connection in the pool
            else:
                self._idle.append(lane)
            raise
        except Exception as ex:
            if lane.is_dead:
                self.close()  # what else is at hand may be as dead
            self._give_back(lane)
            raise NotTakenError from ex
        self._idle.append(lane)
        return answers

    def close(self) -> None:
        """Give every connection back that nobody is using."""
        while self._idle:
            with suppress(IndexError):  # another thread took it
                self._give_back(self._idle.pop())

    def forget(self) -> None:
        """Leave a parent process its connections."""
        self._idle, self._at_hand, self._counting = [], 0, threading.Lock()

    def _open(self) -> "_SqliteLane | _PostgresLane":
        if patience.deadline() is not None:
            raise NotTakenError  # connecting cannot be given up; whoever has time will
        with self._counting:
            if self._at_hand >= KEPT:
                raise NotTakenError
            self._at_hand += 1
        try:
            return self._lane(self._engine.raw_connection())
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as ex:
            self._is_gone()
            raise NotTakenError from ex

    def _see_off(self, lane: "_SqliteLane | _PostgresLane") -> None:
        """Wait for what runs on a connection that nobody waits for. So many may run as connections
        are kept, and no more."""
        with suppress(Exception):  # the server is gone, say
            lane.finish()
        self._is_gone()
        lane.discard()

    def _give_back(self, lane: "_SqliteLane | _PostgresLane") -> None:
        self._is_gone()
        lane.close()

    def _is_gone(self) -> None:
        with self._counting:
            self._at_hand -= 1


class _SqliteLane:
    is_watched = False
    is_dead = False

    def __init__(self, pooled: PoolProxiedConnection) -> None:
        self._pooled = pooled
        self._connection: Any = pooled.driver_connection

    def answers(self, bound: Sequence[Bound]) -> Answers:
        """Python's driver keeps its statements prepared by itself."""
        if len(bound) != 1:
            raise NotTakenError  # each would be a transaction by itself
        return [self._connection.execute(read.sql, values).fetchall() for read, values in bound]

    def finish(self) -> None:
        """Nothing runs here that somebody does not wait for."""

    def discard(self) -> None:
        self._pooled.invalidate()

    def close(self) -> None:
        self._pooled.close()


class _PostgresLane:
    def __init__(self, pooled: PoolProxiedConnection) -> None:
        self._pooled = pooled
        self._connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        self._prepared: dict[str, bytes] = {}
        self._hearing = select.poll()

    @property
    def is_watched(self) -> bool:
        """Whether somebody watches statements through a cursor class of their own."""
        return self._connection.cursor_factory is not psycopg.Cursor

    @property
    def is_dead(self) -> bool:
        """Whether the server is gone, rather than the statement refused."""
        return self._connection.pgconn.status != pq.ConnStatus.OK

    def answers(self, bound: Sequence[Bound]) -> Answers:
        if self.is_watched:
            raise NotTakenError
        asked = [
            (
                self._prepared.get(read.numbered) or self._prepare(read.numbered),
                _encoded([values[name] for name in read.names]),
            )
            for read, values in bound
        ]
        if len(asked) > 1:
            results = self._piped(asked)
        else:
            connection = self._connection.pgconn
            done = self._done(connection.exec_prepared, connection.send_query_prepared, *asked[0])
            results = [_expected(done, pq.ExecStatus.TUPLES_OK)]
        transformer = Transformer(self._connection)
        return [_rows(transformer, result) for result in results]

    def _piped(self, asked: Sequence[tuple[bytes, list[Any]]]) -> list[pq.abc.PGresult]:
        """The results of statements that are sent at once, as one transaction up to the ``Sync``
        behind them (PostgreSQL's extended query protocol). When one is refused, none has changed
        anything, and the connection is as good as before."""
        connection = self._connection.pgconn
        connection.enter_pipeline_mode()
        for name, values in asked:
            connection.send_query_prepared(name, values)
        connection.pipeline_sync()
        results = list(self._until_sync())
        connection.exit_pipeline_mode()
        if any(result.status != pq.ExecStatus.TUPLES_OK for result in results):
            raise NotTakenError
        return results

    def _until_sync(self) -> Iterator[pq.abc.PGresult]:
        """Every result up to the one that says that all is committed, or undone."""
        connection = self._connection.pgconn
        while True:
            self._hear(None)
            result = connection.get_result()
            if result is None:  # between the results of two statements
                if connection.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError("The server is gone.")
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return
            yield result

    def _prepare(self, sql: str) -> bytes:
        name, connection = b"threecx_%d" % len(self._prepared), self._connection.pgconn
        done = self._done(connection.prepare, connection.send_prepare, name, sql.encode())
        _expected(done, pq.ExecStatus.COMMAND_OK)
        self._prepared[sql] = name
        return name

    def _done(
        self, do: Callable[..., pq.abc.PGresult], send: Callable[..., None], *what: Any
    ) -> pq.abc.PGresult | None:
        """The result of a command, for as long as there is patience for it."""
        until = patience.deadline()
        if until is None:
            return do(*what)
        send(*what)
        return self._results(until)

    def _results(self, until: float | None) -> pq.abc.PGresult | None:
        """The first result of a command that was sent; None when there is none. All are read."""
        connection, first = self._connection.pgconn, None
        while True:
            self._hear(until)  # the driver itself would wait with the interpreter's lock
            result = connection.get_result()
            if result is None:
                return first
            first = first or result

    def _hear(self, until: float | None) -> None:
        """Return when a result can be got without waiting. Raises `_StillRunningError` when there
        is none when patience is over, and the driver's error when the server is gone."""
        connection = self._connection.pgconn
        while (is_unsent := connection.flush()) or connection.is_busy():
            events = select.POLLIN | (select.POLLOUT if is_unsent else 0)
            self._hearing.register(connection.socket, events)
            left = None if until is None else max(0.0, until - time.monotonic()) * 1000
            if not self._hearing.poll(left):
                raise _StillRunningError
            connection.consume_input()

    def finish(self) -> None:
        """Wait for a command that runs, however long, and leave its results."""
        self._results(None)

    def close(self) -> None:
        """The pool must not get a connection back that has statements prepared under our names."""
        if self._prepared:
            self.discard()
        else:
            self._pooled.close()

    def discard(self) -> None:
        """Close the connection: what else was prepared on it is not known."""
        self._pooled.invalidate()


def _expected(result: pq.abc.PGresult | None, status: pq.ExecStatus) -> pq.abc.PGresult:
    if result is None:
        raise psycopg.OperationalError("The server is gone.")
    if result.status != status:
        raise psycopg.OperationalError(result.error_message.decode("utf-8", "replace"))
    return result


def _rows(transformer: abc.Transformer, result: pq.abc.PGresult) -> Rows:
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _encoded(values: Sequence[Any]) -> list[Any]:
    """Parameters in the protocol's text format, of the few types that reads have; None is NULL."""
    encoded = [value.encode() if type(value) is str else _in_text(value) for value in values]
    if b"\0" in b"".join(filter(None, encoded)):  # where the protocol's texts end
        raise NotTakenError
    return encoded


def _in_text(value: Any) -> bytes | None:
    if type(value) is int:
        return b"%d" % value
    if value is None:
        return None
    raise NotTakenError
