"""The shortest way from a prepared read to its rows, for while a phone rings.

A few connections are kept at hand, outside of the pool's bookkeeping, and a statement is prepared
once on each. On PostgreSQL it then runs through libpq itself: what a cursor does around a query
costs more than the query. Nothing here judges an error. Whoever gets `NotTakenError` runs the
statement on a cursor from the pool, where errors are told apart and dead connections replaced.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from callhelm_threecx.driver import CompiledRead

KEPT: Final = 8
"""Connections at hand in one process, for as many reads at once. More reads go the usual way, and
the pool has connections for them: nobody waits for one of these."""

Rows = Sequence[Sequence[Any]]


class NotTakenError(Exception):
    """The short way is not open for this statement, these values or this connection."""


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
        try:
            lane = self._idle.pop()
        except IndexError:
            lane = self._open()
        try:
            rows = lane.rows(read, read.bind(organization_id, parameters))
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
        return rows

    def close(self) -> None:
        """Give every connection back that nobody is using."""
        while self._idle:
            with suppress(IndexError):  # another thread took it
                self._give_back(self._idle.pop())

    def forget(self) -> None:
        """Leave a parent process its connections."""
        self._idle, self._at_hand, self._counting = [], 0, threading.Lock()

    def _open(self) -> "_SqliteLane | _PostgresLane":
        with self._counting:
            if self._at_hand >= KEPT:
                raise NotTakenError
            self._at_hand += 1
        try:
            return self._lane(self._engine.raw_connection())
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as ex:
            self._is_gone()
            raise NotTakenError from ex

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

    def rows(self, read: CompiledRead, values: Any) -> Rows:
        """Python's driver keeps its statements prepared by itself."""
        rows: Rows = self._connection.execute(read.sql, values).fetchall()
        return rows

    def close(self) -> None:
        self._pooled.close()


class _PostgresLane:
    def __init__(self, pooled: PoolProxiedConnection) -> None:
        self._pooled = pooled
        self._connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        self._prepared: dict[str, bytes] = {}

    @property
    def is_watched(self) -> bool:
        """Whether somebody watches statements through a cursor class of their own."""
        return self._connection.cursor_factory is not psycopg.Cursor

    @property
    def is_dead(self) -> bool:
        """Whether the server is gone, rather than the statement refused."""
        return self._connection.pgconn.status != pq.ConnStatus.OK

    def rows(self, read: CompiledRead, values: Mapping[str, Any]) -> Rows:
        if self.is_watched:
            raise NotTakenError
        connection = self._connection
        encoded = _encoded([values[name] for name in read.names])
        name = self._prepared.get(read.numbered) or self._prepare(read.numbered)
        result = connection.pgconn.exec_prepared(name, encoded)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(result.error_message.decode("utf-8", "replace"))
        transformer = Transformer(connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _prepare(self, sql: str) -> bytes:
        name = b"threecx_%d" % len(self._prepared)
        result = self._connection.pgconn.prepare(name, sql.encode())
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(result.error_message.decode("utf-8", "replace"))
        self._prepared[sql] = name
        return name

    def close(self) -> None:
        """The pool must not get a connection back that has statements prepared under our names."""
        if self._prepared:
            self._pooled.invalidate()
        else:
            self._pooled.close()


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
