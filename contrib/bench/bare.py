"""The yardsticks: Falcon and one prepared statement; no key, limit, tenants or events.

``BENCH_DATABASE_URL`` names a PostgreSQL database or, with ``sqlite:///``, a file.
"""

import os
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import falcon
import psycopg

LOOKUP = (
    "SELECT id, first_name, last_name, company, email, number"
    " FROM bare_contacts WHERE number = {hole} LIMIT 10"
)
INSERT = (
    "INSERT INTO bare_calls (id, call_type, direction, number, name, agent, duration, started_at,"
    " subject) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
FIELDS = (
    *("CallType", "CallDirection", "Number", "Name", "Agent", "Duration", "CallStartTimeUTC"),
    "Subject",
)
Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """Connections that nobody uses at the moment; as many as were ever used at once."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._free: deque[Connection] = deque()

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """One for the time of a block."""
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._connect()
        yield connection
        self._free.append(connection)


Postgres = Pool["psycopg.Connection[tuple[Any, ...]]"]


class PostgresLookup:
    """``GET /lookup?number=``."""

    def __init__(self, pool: Postgres) -> None:
        self._pool = pool
        self._query = LOOKUP.format(hole="%s")

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        number = req.get_param("number")
        with self._pool.lent() as connection:
            rows = connection.execute(self._query, (number,), prepare=True).fetchall()
        resp.media = {"success": True, "contacts": [_contact(row) for row in rows]}


class SqliteLookup:
    """``GET /lookup?number=``; the driver keeps the statement prepared."""

    def __init__(self, pool: Pool[sqlite3.Connection]) -> None:
        self._pool = pool
        self._query = LOOKUP.format(hole="?")

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        with self._pool.lent() as connection:
            rows = connection.execute(self._query, (req.get_param("number"),)).fetchall()
        resp.media = {"success": True, "contacts": [_contact(row) for row in rows]}


class Insert:
    """``POST /journal``: one insert, committed when it is answered."""

    def __init__(self, pool: Postgres) -> None:
        self._pool = pool

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        report = req.get_media()
        call = uuid.uuid4()
        values = (call, *(report[name] for name in FIELDS))
        with self._pool.lent() as connection:
            connection.execute(INSERT, values, prepare=True)  # commits by itself
        resp.status = falcon.HTTP_201
        resp.media = {"success": True, "callId": str(call)}


def _contact(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "firstName": row[1],
        "lastName": row[2],
        "company": row[3],
        "email": row[4],
        "phoneBusiness": row[5],
        "contactUrl": f"https://crm.example.com/contacts/{row[0]}",
        "entityType": "Contact",
    }


def build() -> "falcon.App[falcon.Request, falcon.Response]":
    """The application for the database that the environment names."""
    url = os.environ["BENCH_DATABASE_URL"]
    bare = falcon.App()
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        files = Pool(lambda: sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        bare.add_route("/lookup", SqliteLookup(files))
    else:
        pool = Pool(lambda: psycopg.connect(url, autocommit=True))
        bare.add_route("/lookup", PostgresLookup(pool))
        bare.add_route("/journal", Insert(pool))
    return bare


app = build()
