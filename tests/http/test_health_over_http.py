"""Load balancers' questions, and what callers get while a server is away."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.stores.base import StoreUnavailableError
from callhelm_threecx.stores.memory import MemoryContactStore
from tests import servers
from tests.client import ADMIN_KEY, Api
from tests.http.wire import CALL, ENDPOINTS, ORGANIZATION_ONLY, raw, refused

READY = {
    "success": True,
    "status": "ok",
    "database": "ok",
    "contactStore": "ok",
    "rateLimit": "ok",
}


def nowhere() -> str:
    """A PostgreSQL URL that refuses every connection."""
    return f"postgresql://nobody:hidden-word@127.0.0.1:{servers.free_port()}/nothing"


@contextmanager
def outage(url: str) -> Iterator[list[tuple[str, str]]]:
    """What then fails: PostgreSQL drops its connections and takes no new ones; on SQLite, where
    no server can go away, another program holds the write lock."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield [("POST", "/calls/journal")]
        return
    name = make_url(url).database
    server = servers.psycopg_url_with_database(url, "postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield [("GET", "/readyz"), ("POST", "/calls/journal"), ("GET", "/events")]
        finally:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())


def test_a_process_that_is_up_says_so(api: Api) -> None:
    assert raw(api, "GET", "/healthz").json == {"success": True, "status": "ok"}
    assert raw(api, "GET", "/readyz").json == READY


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_asks_for_no_key_and_minds_none(api: Api, path: str) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"Authorization": "Bearer x"}):
        assert raw(api, "GET", path, headers=headers).status_int == 200
        answer = raw(api, "HEAD", path, headers=headers)
        assert (answer.status_int, answer.body) == (200, b"")
        assert answer.headers["X-Request-Id"]


def test_with_the_database_away_the_process_is_up_but_not_ready() -> None:
    api = Api.build(database_url=nowhere())
    assert raw(api, "GET", "/healthz").status_int == 200
    answer = raw(api, "GET", "/readyz")
    refused(answer, 503, "storage_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    api.close()


def test_with_the_database_away_every_endpoint_is_503_and_tells_nothing() -> None:
    api = Api.build(database_url=nowhere())
    for method, path in ENDPOINTS:
        key = "3cx_x" if (method, path) in ORGANIZATION_ONLY else ADMIN_KEY
        query = "?organizationId=acme" if method in {"GET", "DELETE"} else ""
        body = b'{"organizationId": "acme", "extension": "1"}' if not query else b""
        answer = raw(api, method, path + query, body, headers={"x-api-key": key})
        found = refused(answer, 503, "storage_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert ("contacts" in found) == (path in {"/contacts/lookup", "/contacts/search"})
        for secret in ("127.0.0.1", "nobody", "hidden-word", "psycopg", "SELECT", "Traceback"):
            assert secret not in answer.text
    api.close()


def test_after_an_outage_all_is_well_again(make_api: Callable[..., Api], database_url: str) -> None:
    api = make_api()
    contact = api.create(LastName="M", Number="+4930123456")
    with outage(database_url) as failing:
        for method, path in failing:
            body = json.dumps(CALL).encode() if method == "POST" else b""
            answer = raw(api, method, path, body, headers={"x-api-key": api.key()})
            refused(answer, 503, "storage_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
    assert [found["id"] for found in api.lookup("+4930123456")] == [contact["id"]]
    assert raw(api, "GET", "/readyz").json == READY
    api.post("/calls/journal", CALL, status=201)


def test_a_database_without_our_tables_is_not_ready(
    database_source: servers.DatabaseSource, tmp_path: Path
) -> None:
    with database_source.empty(tmp_path) as url:
        api = Api.build(database_url=url)
        if url.startswith("sqlite"):  # brought up to date at start
            assert raw(api, "GET", "/readyz").status_int == 200
        else:
            body = refused(raw(api, "GET", "/readyz"), 503, "storage_unavailable")
            assert "db upgrade" in body["error"]
        api.close()


class AwayStore(MemoryContactStore):
    """A contact store whose backend does not answer."""

    def health(self) -> None:
        raise StoreUnavailableError("The address book does not answer.")

    def find_by_number(self, *_args: object, **_kwargs: object) -> list[object]:  # type: ignore[override]
        raise StoreUnavailableError("The address book does not answer.")


def test_a_contact_store_that_is_away_is_503(make_api: Callable[..., Api]) -> None:
    api = make_api(store=AwayStore())
    refused(raw(api, "GET", "/readyz"), 503, "storage_unavailable")
    answer = api.get("/contacts/lookup?number=1", status="*")
    body = refused(answer, 503, "storage_unavailable")
    assert (body["error"], body["contacts"]) == ("The address book does not answer.", [])
    assert isinstance(StoreUnavailableError("x"), StorageUnavailableError)


@pytest.mark.redis
def test_with_redis_gone_requests_are_answered_and_readiness_says_degraded(
    tmp_path: Path,
) -> None:
    with servers.own_redis(tmp_path) as (url, process):
        api = Api.build(
            database_url=f"sqlite:///{tmp_path / 'x.db'}",
            rate_limit_storage=url,
            rate_limit="5/minute",
            failed_auth_limit="1/minute",
        )
        api.key()
        assert raw(api, "GET", "/readyz").json == READY
        assert api.get("/contacts/lookup?number=1").headers["RateLimit-Remaining"] == "4"
        process.kill()
        process.wait(10)
        statuses = [api.get("/contacts/lookup?number=1", status="*").status_int for _ in range(6)]
        assert statuses == [200] * 5 + [429]  # the process's own count, from nothing
        assert api.app.services.limiter.fallbacks >= 6
        wrong = {"x-api-key": "wrong"}
        statuses = [raw(api, "GET", "/events", headers=wrong).status_int for _ in range(2)]
        assert statuses == [401, 429]
        answer = raw(api, "GET", "/readyz")
        assert answer.status_int == 200
        assert answer.json == {**READY, "rateLimit": "degraded"}
        api.close()


@pytest.mark.redis
def test_redis_that_was_never_there_does_not_stop_the_start(tmp_path: Path) -> None:
    url = f"redis://:hidden-word@127.0.0.1:{servers.free_port()}/0"
    api = Api.build(database_url=f"sqlite:///{tmp_path / 'x.db'}", rate_limit_storage=url)
    assert api.get("/contacts/lookup?number=1").status_int == 200
    assert raw(api, "GET", "/readyz").json["rateLimit"] == "degraded"
    api.close()


@pytest.mark.redis
def test_two_processes_share_one_limit(redis_server: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'x.db'}"
    settings = {"rate_limit_storage": redis_server, "rate_limit": "7/hour"}
    here = Api.build(database_url=database, **settings)
    there = Api.build(database_url=database, **settings)
    organization = f"org-{tmp_path.name}-{servers.free_port()}"
    key = here.key(organization)
    statuses = [
        api.get("/contacts/lookup?number=1", key=key, status="*").status_int
        for _ in range(5)
        for api in (here, there)
    ]
    assert statuses == [200] * 7 + [429] * 3
    here.close()
    there.close()
