"""``serve``, as a process of its own."""

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callhelm_threecx import schema_version
from callhelm_threecx.app import build_services
from callhelm_threecx.services.statistics import statistics
from callhelm_threecx.settings import Settings
from tests import servers
from tests.cli.processes import fails, serve, settings
from tests.client import SECRET_KEY


def counted(database_url: str) -> dict[str, int]:
    """The statistics, once the server is gone."""
    services = build_services(Settings.load(database_url=database_url, secret_keys=SECRET_KEY))
    try:
        return statistics(services.events, "acme", 2)
    finally:
        services.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_no_answered_request_is_lost_when_it_is_stopped(
    database_url: str, tmp_path: Path, how: signal.Signals
) -> None:
    calls = 60
    with serve(database_url, tmp_path) as server:
        key = server.set_up()
        with server.client(key) as client, ThreadPoolExecutor(4) as pool:

            def work(number: int) -> None:
                report = {
                    "CallType": "Inbound",
                    "Number": f"+4930{100000 + number}",
                    "CallStartTimeUTC": "2026-11-22T08:00:00Z",
                }
                assert client.post("/calls/journal", json=report).status_code == 201
                answer = client.get("/contacts/lookup", params={"number": report["Number"]})
                assert answer.status_code == 200

            list(pool.map(work, range(calls)))
        assert server.stop(how) == 0
        assert "Traceback" not in server.output()
    found = counted(database_url)
    assert (found["journals"], found["lookups"]) == (calls, calls)


def test_every_request_is_one_json_line_without_a_key(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path) as server:
        key = server.set_up()
        with server.client("") as client:
            assert client.get("/template", params={"apiKey": key}).status_code == 200
        with server.client(key) as client:
            assert client.get("/contacts/lookup?number=%2B4930123456").status_code == 200
        server.stop()
        lines = [json.loads(line) for line in server.output().splitlines()]
        text = server.output()
    paths = [line["path"] for line in lines if line["logger"] == "callhelm_threecx.access"]
    assert paths.count("/api/3cx/template") == 1
    assert paths.count("/api/3cx/contacts/lookup") == 1
    assert key not in text
    assert "30123456" not in text
    assert not [line for line in lines if line["logger"] == "gunicorn.access"]


def test_logs_may_be_text(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path / 'x.db'}", tmp_path, log_format="text") as server:
        server.stop()
        assert "INFO    gunicorn.error: Listening at: http://127.0.0.1:" in server.output()


def test_sqlite_is_brought_up_to_date_before_the_first_request(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'threecx.db'}"
    with serve(url, tmp_path) as server, server.client() as client:
        assert client.get("/readyz").json()["status"] == "ok"


def test_an_outdated_schema_elsewhere_is_refused_with_one_line(
    postgres_server: str, tmp_path: Path
) -> None:
    with servers.PostgresSource(postgres_server).empty(tmp_path) as url:
        port = str(servers.free_port())
        command = ["callhelm_threecx", "serve", "--port", port]
        status, output = fails(command, settings(url), tmp_path)
    expected = f"is empty, not at {schema_version.HEAD}; run callhelm-threecx db upgrade.\n"
    assert (status, output) == (1, f"The database schema {expected}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("default_region", "Atlantis"),
        ("database_url", "oracle://x"),
        ("contact_store", "nowhere"),
        ("secret_keys", "short"),
        ("trusted_proxies", "everybody"),
        ("log_format", "yaml"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    tmp_path: Path, name: str, value: str
) -> None:
    environment = settings(f"sqlite:///{tmp_path / 'x.db'}") | {f"THREECX_{name.upper()}": value}
    status, output = fails(["callhelm_threecx", "serve"], environment, tmp_path)
    assert status == 1
    assert output.startswith(f"THREECX_{name.upper()}: ")
    assert output.count("\n") == 1


def test_a_port_that_is_taken_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = settings(f"sqlite:///{tmp_path / 'x.db'}")
        command = ["callhelm_threecx", "serve", "--port", port]
        status, output = fails(command, environment, tmp_path)
    assert status == 1
    assert output == f"Cannot listen on 127.0.0.1 port {port}: Address already in use.\n"


@pytest.mark.parametrize("options", [["--port", "0"], ["--port", "x"], ["--workers", "0"]])
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, options: list[str]) -> None:
    environment = settings(f"sqlite:///{tmp_path / 'x.db'}")
    status, _ = fails(["callhelm_threecx", "serve", *options], environment, tmp_path)
    assert status == 2


def test_forwarded_headers_of_strangers_are_not_believed(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path / 'x.db'}", tmp_path) as server, server.client() as client:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
        answer = client.post("/setup", json={"organizationId": "acme"}, headers=headers)
        assert answer.json()["crmUrl"] == server.url
