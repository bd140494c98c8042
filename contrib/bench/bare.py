"""The yardstick: Falcon and one prepared, indexed query; no key, limit, tenants or events."""

import os
import threading
from typing import Any

import falcon
import psycopg
from psycopg.rows import TupleRow

QUERY = (
    "SELECT id, first_name, last_name, company, email, number"
    " FROM bare_contacts WHERE number = %s LIMIT 10"
)
_local = threading.local()


class Lookup:
    """``GET /lookup?number=``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        rows = _connection().execute(QUERY, (req.get_param("number"),), prepare=True).fetchall()
        resp.media = {"success": True, "contacts": [_contact(row) for row in rows]}


def _connection() -> "psycopg.Connection[TupleRow]":
    connection: psycopg.Connection[TupleRow] | None = getattr(_local, "connection", None)
    if connection is None:
        connection = psycopg.connect(os.environ["BENCH_DATABASE_URL"], autocommit=True)
        _local.connection = connection
    return connection


def _contact(row: TupleRow) -> dict[str, Any]:
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


app = falcon.App()
app.add_route("/lookup", Lookup())
