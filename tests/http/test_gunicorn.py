"""The application under gunicorn: several workers, one truth."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from callhelm_threecx import migrate
from callhelm_threecx.db import Database
from callhelm_threecx.settings import database_url
from tests import servers
from tests.client import ADMIN_KEY, Api
from tests.http.gunicorns import Gunicorn, gunicorn

NUMBER = "+4930123456"


@pytest.fixture(scope="module", params=["sync", "gthread"])
def server(
    request: pytest.FixtureRequest,
    database_source: servers.DatabaseSource,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gunicorn]:
    """Two workers on one database; on SQLite they make it at the same moment."""
    folder = tmp_path_factory.mktemp("gunicorn")
    with database_source.empty(folder) as url:
        if not url.startswith("sqlite"):
            database = Database(database_url(url))
            migrate.upgrade(database)
            database.dispose()
        with gunicorn(folder, request.param, database_url=url) as running:
            yield running


def report(number: int, **more: str) -> dict[str, str]:
    start = f"2026-11-22T08:{number // 60:02}:{number % 60:02}Z"
    return {"CallType": "Inbound", "Number": NUMBER, "CallStartTimeUTC": start, **more}


def test_the_same_reports_from_eight_threads_make_each_call_once(server: Gunicorn) -> None:
    key = server.set_up("journal")

    def send(_thread: int) -> list[tuple[int, int, str]]:
        with server.client(key) as client:
            sent = []
            for number in range(15):
                answer = client.post("/calls/journal", json=report(number))
                sent.append((number, answer.status_code, answer.json()["callId"]))
            return sent

    with ThreadPoolExecutor(8) as threads:
        answers = [answer for sent in threads.map(send, range(8)) for answer in sent]
    assert Counter(status for _, status, _ in answers) == {201: 15, 200: 105}
    assert len({call for _, _, call in answers}) == 15
    assert len({(number, call) for number, _, call in answers}) == 15
    with server.client(key) as client:
        statistics = client.get("/stats").json()
    assert (statistics["journals"], statistics["duplicates"]) == (15, 105)


def test_lookups_from_eight_threads_all_find_the_caller(server: Gunicorn) -> None:
    key = server.set_up("lookups")
    with server.client(key) as client:
        body = {"LastName": "Caller", "Number": NUMBER}
        made = client.post("/contacts/create", json=body).json()

    def look(_thread: int) -> set[tuple[int, str]]:
        with server.client(key) as client:
            answers = [client.get("/contacts/lookup", params={"number": NUMBER}) for _ in range(20)]
        return {(answer.status_code, answer.json()["contacts"][0]["id"]) for answer in answers}

    with ThreadPoolExecutor(8) as threads:
        assert set.union(*threads.map(look, range(8))) == {(200, made["id"])}


def test_one_contact_is_made_of_the_same_unknown_caller_on_all_workers(server: Gunicorn) -> None:
    key = server.set_up("auto")
    with server.client(ADMIN_KEY) as client:
        body = {"organizationId": "auto", "settings": {"auto_create_contacts": True}}
        assert client.patch("/setup", json=body).status_code == 200

    def send(thread: int) -> str:
        with server.client(key) as client:
            answer = client.post("/calls/journal", json=report(thread, Name="New Caller"))
            return str(answer.json()["contactId"])

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(send, range(16)))) == 1


def statuses(server: Gunicorn, key: str, number: int = 16) -> Counter[int]:
    def ask(_number: int) -> int:
        with server.client(key) as client:  # a connection of its own: any worker may answer
            return client.get("/contacts/lookup", params={"number": "1"}).status_code

    with ThreadPoolExecutor(4) as threads:
        return Counter(threads.map(ask, range(number)))


def test_a_new_key_is_in_force_on_every_worker_within_five_seconds(server: Gunicorn) -> None:
    old = server.set_up("rotation")
    assert statuses(server, old) == {200: 16}
    new = server.set_up("rotation")
    asked = regenerated = time.monotonic()
    while statuses(server, old) != {401: 16}:
        assert asked - regenerated < 5  # nothing that is asked later gets in
        asked = time.monotonic()
    assert statuses(server, new) == {200: 16}


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"CallType": "Inbound", "Number": "1", "Transcription": "'
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield b'"}'


def test_a_body_in_chunks_is_read_up_to_the_limit(server: Gunicorn) -> None:
    key = server.set_up("bodies")
    headers = {"Content-Type": "application/json"}
    with server.client(key) as client:
        answer = client.post("/calls/journal", content=chunks(65536 * 2), headers=headers)
        assert answer.status_code == 201
        answer = client.post("/calls/journal", content=chunks(1024 * 1024), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_whose_length_is_too_large_is_refused_unread(server: Gunicorn) -> None:
    import socket

    host, port = server.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            b"POST /api/3cx/calls/journal HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Content-Length: 5000000\r\nContent-Type: application/json\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body_too_large"' in answer


def test_no_key_number_or_name_is_in_what_the_server_writes(server: Gunicorn) -> None:
    key = server.set_up("private")
    with server.client(key) as client:
        body = {"FirstName": "Annabella", "LastName": "Privateer", "Number": NUMBER}
        client.post("/contacts/create", json=body)
        client.get("/contacts/lookup", params={"number": NUMBER})
        client.get("/contacts/search", params={"query": "Annabella"})
        client.post("/calls/journal", json=report(7, Name="Annabella Privateer"))
        client.get("/contacts/lookup", params={"number": "x\nFAKE 1"})
    answer = httpx.get(f"{server.base}/api/3cx/template", params={"apiKey": key})
    assert key in answer.text
    with server.client(key) as client:
        client.get("/events")  # a later line: what came before is in the file
    log = server.log
    for private in (key, key[4:], ADMIN_KEY, NUMBER, "30123456", "Annabella", "Privateer"):
        assert private not in log
    assert "/api/3cx/template?apiKey=***" in log
    ours = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"request_id", "method", "path", "status", "ms"} <= set(ours[-1])
    assert [line for line in ours if line.get("number") == "+49•••••56"]


def lines_of(folder: Path, **settings: Any) -> str:
    url = f"sqlite:///{folder / 'x.db'}"
    with gunicorn(folder, "sync", database_url=url, **settings) as running:
        key = running.set_up()
        with running.client(key) as client:
            client.get("/contacts/lookup", params={"number": NUMBER})
        running.stop()
        assert key not in running.log
        return running.log


def test_debug_shows_whole_numbers_and_text_reads_well(tmp_path: Path) -> None:
    log = lines_of(tmp_path, log_level="DEBUG", log_format="text")
    assert re.search(rf"INFO +callhelm_threecx\.access: request .*number={re.escape(NUMBER)}", log)


def test_what_was_answered_before_the_end_is_in_the_event_log(
    database_source: servers.DatabaseSource, tmp_path: Path
) -> None:
    with database_source.fresh(tmp_path) as url:
        with gunicorn(tmp_path, "sync", database_url=url) as running:
            key = running.set_up("acme")
            with running.client(key) as client:
                for _ in range(30):
                    client.get("/contacts/lookup", params={"number": "1"})
            running.stop()
            assert "Traceback" not in running.log
        api = Api.build(database_url=url)
        assert api.get("/stats", key=key).json["lookups"] == 30
        api.close()


@pytest.mark.redis
def test_a_limit_in_redis_is_exact_over_two_servers(redis_server: str, tmp_path: Path) -> None:
    settings = {
        "database_url": f"sqlite:///{tmp_path / 'x.db'}",
        "rate_limit": "40/hour",
        "rate_limit_storage": redis_server,
    }
    with (
        gunicorn(tmp_path, "sync", **settings) as one,
        gunicorn(tmp_path, "gthread", **settings) as two,
    ):
        key = one.set_up(f"redis-{servers.free_port()}-{time.time_ns()}")
        with ThreadPoolExecutor(2) as threads:
            counts = threads.map(lambda server: statuses(server, key, 60), (one, two))
            assert sum(counts, Counter()) == {200: 40, 429: 80}
