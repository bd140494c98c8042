"""The yardsticks: Falcon and one prepared statement; no key, limit, tenants or events.

``BENCH_DATABASE_URL`` names a PostgreSQL database or, with ``sqlite:///``, a file.
"""

import os
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from typing import Any

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
_local = threading.local()


class PostgresLookup:
    """``GET /lookup?number=``."""

    def __init__(self) -> None:
        self._query = LOOKUP.format(hole="%s")

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        number = req.get_param("number")
        rows = _postgres().execute(self._query, (number,), prepare=True).fetchall()
        resp.media = {"success": True, "contacts": [_contact(row) for row in rows]}


class SqliteLookup:
    """``GET /lookup?number=``; the driver keeps the statement prepared."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._query = LOOKUP.format(hole="?")

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        rows = self._connection().execute(self._query, (req.get_param("number"),)).fetchall()
        resp.media = {"success": True, "contacts": [_contact(row) for row in rows]}

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(_local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None)
            _local.connection = connection
        return connection


class Insert:
    """``POST /journal``: one insert, committed when it is answered."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        report = req.get_media()
        call = uuid.uuid4()
        values = (call, *(report[name] for name in FIELDS))
        _postgres().execute(INSERT, values, prepare=True)  # commits by itself
        resp.status = falcon.HTTP_201
        resp.media = {"success": True, "callId": str(call)}


def _postgres() -> "psycopg.Connection[tuple[Any, ...]]":
    connection: psycopg.Connection[tuple[Any, ...]] | None = getattr(_local, "connection", None)
    if connection is None:
        connection = psycopg.connect(os.environ["BENCH_DATABASE_URL"], autocommit=True)
        _local.connection = connection
    return connection


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
        bare.add_route("/lookup", SqliteLookup(url.removeprefix("sqlite:///")))
    else:
        bare.add_route("/lookup", PostgresLookup())
        bare.add_route("/journal", Insert())
    return bare


app = build()
