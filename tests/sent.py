"""Every statement that a piece of work sends to PostgreSQL, with the plan it had and what it read.

Each is asked for its plan by the very cursor that sends it, with its own parameters, and really
runs for that: one that writes does so behind a savepoint, and then once more.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.pq import TransactionStatus

from callhelm_threecx.db import Database
from tests.client import Api
from tests.core.statements import on_new_connections

READING = ("SELECT", "WITH")
WRITING = ("INSERT", "UPDATE", "DELETE")
BULK = ("COPY",)
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")
BY_INDEX = ("Index Scan", "Index Only Scan", "Bitmap Index Scan", "Bitmap Heap Scan")
CATALOG = "pg_"
FINGERPRINT = re.compile(r"^(ix_three_cx_host_.*)_[0-9a-f]{8}$")

Ask = Callable[[Api], object]


@dataclass(frozen=True, slots=True)
class Step:
    """A node of a plan: how it reads which table by which index (or nothing; one that was prepared
    on a host's table without its fingerprint), and how many rows it gave in all."""

    kind: str
    table: str
    index: str
    rows: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement. ``blocks`` are those that it touched, of tables and indexes; of what is no query
    (``SAVEPOINT``) there is no plan."""

    sql: str
    steps: tuple[Step, ...] = ()
    blocks: int = 0

    @property
    def verb(self) -> str:
        verb = self.sql.lstrip(" (\n").split(None, 1)[0].upper()
        return "INSERT" if verb == "WITH" and "INSERT INTO" in self.sql else verb

    @property
    def written(self) -> set[str]:
        """The tables that it changes."""
        return {step.table for step in self.steps if step.kind == "ModifyTable"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and what the statements may do that it sends: go by these indexes, change these
    tables, and no statement gives more rows in a step or touches more blocks. ``before`` is sent
    first, unwatched."""

    ask: Ask
    indexes: set[str]
    writes: set[str]
    rows: int = 40
    blocks: int = 300
    before: Ask | None = None


def get(path: str) -> Ask:
    """A request of a path below the prefix."""
    return lambda api: api.get(path)


def lookup(number: str) -> Ask:
    """A ringing phone's question."""
    return get(f"/contacts/lookup?number={quote(number)}")


def search(query: str) -> Ask:
    """A search."""
    return get(f"/contacts/search?query={quote(query)}")


def post(path: str, **fields: str) -> Ask:
    """A body of fields, sent to a path."""
    return lambda api: api.post(path, fields)


def call(minute: int, **fields: str) -> Ask:
    """A call of its own, that ended at this minute."""
    at = f"2026-11-22T08:{minute}:00Z"
    return post("/calls/journal", CallType="Inbound", CallEndTimeUTC=at, **fields)


def chat(minute: int, **fields: str) -> Ask:
    """A chat of its own, that began at this minute."""
    at = f"2026-11-22T09:{minute}:00Z"
    return post("/chats/journal", ChatMessages="Hello", ChatStartTimeUTC=at, **fields)


def create(**fields: str) -> Ask:
    """A new contact."""
    return post("/contacts/create", FirstName="New", LastName="One", **fields)


def assert_bounded(api: Api, request: Request, always: set[str]) -> None:
    """Send the request and hold each statement of it to what is allowed to it, and ``always``."""
    services = api.app.services
    if request.before is not None:
        request.before(api)
    with every_statement(services.database) as statements:
        request.ask(api)
        assert services.writer.flush(60)
    assert statements
    written: set[str] = set()
    for sent in statements:
        assert sent.verb in (*READING, *WRITING, *BULK, *CONTROL), sent
        _assert_allowed(sent, request, request.indexes | always)
        written |= sent.written
    assert written == request.writes


def _assert_allowed(sent: Sent, request: Request, indexes: set[str]) -> None:
    for step in sent.steps:
        is_catalog = (step.table or step.index).startswith(CATALOG)  # which does not grow with use
        if step.table and step.kind != "ModifyTable" and not is_catalog:
            assert step.kind in BY_INDEX, sent
        if step.index and not is_catalog:
            assert step.index in indexes, sent
        assert step.rows <= request.rows, sent
    assert sent.blocks <= request.blocks, sent


@contextmanager
def every_statement(database: Database) -> Iterator[list[Sent]]:
    """The statements of the block, on new connections of both engines."""
    seen: list[Sent] = []

    class Watching(_Explaining):
        sent = seen

    def watch(connection: Any, _record: Any) -> None:
        connection.cursor_factory = Watching

    with on_new_connections(database, watch):
        seen.clear()
        yield seen


class _Explaining(psycopg.Cursor[Any]):
    """Keeps the plan of each statement before it sends it."""

    sent: list[Sent]

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        statement = Sent(query.decode() if isinstance(query, bytes) else str(query))
        if statement.verb in READING:
            statement = self._explained(statement, params)
        elif statement.verb in WRITING:
            idle = self.connection.info.transaction_status == TransactionStatus.IDLE
            is_alone = idle and self.connection.autocommit
            super().execute("BEGIN" if is_alone else "SAVEPOINT before_plan")
            statement = self._explained(statement, params)
            super().execute("ROLLBACK" if is_alone else "ROLLBACK TO SAVEPOINT before_plan")
        self.sent.append(statement)
        return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        assert not returning
        for params in params_seq:
            self.execute(query, params)

    def copy(self, statement: Any, *args: Any, **options: Any) -> Any:
        """A COPY into a table has no plan: it adds rows, and reads none."""
        table = str(statement).split()[1]
        self.sent.append(Sent(str(statement), (Step("ModifyTable", table, "", 0),)))
        return super().copy(statement, *args, **options)

    def _explained(self, statement: Sent, params: Any) -> Sent:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}"
        super().execute(explain, params, prepare=False)
        row = super().fetchone()
        assert row is not None
        return _with_plan(statement, row[0][0]["Plan"])


def _with_plan(sent: Sent, plan: dict[str, Any]) -> Sent:
    steps = tuple(
        Step(
            kind=node["Node Type"],
            table=node.get("Relation Name", ""),
            index=FINGERPRINT.sub(r"\1", node.get("Index Name", "")),
            rows=node["Actual Rows"] * node["Actual Loops"],
        )
        for node in _nodes(plan)
    )
    return Sent(sent.sql, steps, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
