"""``contrib/gunicorn.conf.py`` with gunicorn itself, as people run it without ``serve``."""

import runpy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callhelm_threecx import gunicorn as threecx
from callhelm_threecx import schema_version
from callhelm_threecx.settings import Settings
from tests import servers
from tests.cli.processes import Server, fails, running, settings
from tests.cli.test_cli_serve import counted

CONFIGURATION = Path(__file__).parents[2] / "contrib" / "gunicorn.conf.py"
APP = "callhelm_threecx.wsgi:app"


@contextmanager
def gunicorn(database_url: str, folder: Path, *options: str) -> Iterator[Server]:
    port = servers.free_port()
    bind = ["-b", f"127.0.0.1:{port}", "-w", "2"]
    command = ["gunicorn", "-c", str(CONFIGURATION), *bind, *options, APP]
    with running(command, settings(database_url), port, folder) as server:
        yield server


def without_preload(folder: Path) -> list[str]:
    """gunicorn has no option that switches preloading off: a configuration of its own does."""
    path = folder / "own.conf.py"
    path.write_text(f"exec(open({str(CONFIGURATION)!r}).read())\npreload_app = False\n")
    return ["-c", str(path)]


def refused(server: Server, *lines: str) -> int:
    """Send what gunicorn refuses by itself, before any application: the answer's class."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "Host: x", "", ""]).encode())
        answer = connection.recv(4096)
    return int(answer.split()[1]) // 100


@pytest.mark.parametrize("preload", [True, False])
def test_journals_and_events_are_complete_after_a_stop(
    database_url: str, tmp_path: Path, preload: bool
) -> None:
    calls = 40
    options = [] if preload else without_preload(tmp_path)
    with gunicorn(database_url, tmp_path, *options) as server:
        key = server.set_up()
        for number in range(calls):
            with server.client(key) as client:  # a connection each: every worker gets some
                report = {"CallType": "Missed", "Number": f"+4930{100000 + number}"}
                report["CallStartTimeUTC"] = "2026-11-22T08:00:00Z"
                assert client.post("/calls/journal", json=report).status_code == 201
                answer = client.get("/contacts/lookup", params={"number": report["Number"]})
                assert answer.status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.output()
    found = counted(database_url)
    assert (found["journals"], found["lookups"]) == (calls, calls)


def test_no_key_reaches_any_log_whatever_is_switched_on(tmp_path: Path) -> None:
    form = "%(r)s %(q)s %({x-api-key}i)s %({authorization}i)s %({raw_uri}e)s %(f)s %(s)s"
    options = ["--access-logfile", "-", "--access-logformat", form]
    with gunicorn(f"sqlite:///{tmp_path / 'x.db'}", tmp_path, *options) as server:
        key = server.set_up()
        with server.client("") as client:
            query = {"apiKey": key}
            assert client.get("/template", params=query).status_code == 200
            referer = {"Referer": f"{server.url}/?apiKey={key}"}
            assert client.get("/template", params=query, headers=referer).status_code == 200
            bearer = {"Authorization": f"Bearer {key}"}
            assert client.get("/contacts/search?query=xy", headers=bearer).status_code == 200
        for line in ("Broken header: 1", "Transfer-Encoding: nonsense", f"X Key: {key}"):
            assert refused(server, f"GET /api/3cx/template?apiKey={key} HTTP/1.1", line) in {4, 5}
        assert refused(server, f"GET  /?apiKey={key} HTTP/9.9", "X-Y: z") in {4, 5}
        server.stop()
        output = server.output()
    assert output.count("/api/3cx/template?apiKey=*** ") >= 2
    assert key not in output
    assert "admin-key-of-the-tests" not in output


def test_a_wrong_setting_stops_gunicorn_with_one_line(tmp_path: Path) -> None:
    environment = settings(f"sqlite:///{tmp_path / 'x.db'}", default_region="Atlantis")
    status, output = fails(["gunicorn", "-c", str(CONFIGURATION), APP], environment, tmp_path)
    assert (status, output.count("\n")) == (1, 1)
    assert output.startswith("THREECX_DEFAULT_REGION: ")


def test_an_outdated_schema_stops_gunicorn_with_one_line(
    postgres_server: str, tmp_path: Path
) -> None:
    with servers.PostgresSource(postgres_server).empty(tmp_path) as url:
        command = ["gunicorn", "-c", str(CONFIGURATION), APP]
        status, output = fails(command, settings(url), tmp_path)
    assert (status, output.count("\n")) == (1, 1)
    assert f"not at {schema_version.HEAD}" in output


def test_the_configuration_is_what_serve_runs_with(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = runpy.run_path(str(CONFIGURATION))
    options = threecx.options(Settings.load())
    assert {name: named[name] for name in options} == options
    assert named["workers"] == threecx.default_workers()
