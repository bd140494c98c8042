"""``python -m contrib.callhelm_host``, as somebody runs it who has just cloned the repository."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from contrib.callhelm_host import people, serve
from contrib.callhelm_host.browser import Browser
from tests.client import SECRET_KEY
from tests.servers import PostgresSource, free_port

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-u", "-m", "contrib.callhelm_host", "--port", "0"]


def environment(**others: str) -> dict[str, str]:
    """A machine where nothing is set, no folder for a login session either, but what is given."""
    unset = ("THREECX", "CALLHELM", "XDG_RUNTIME_DIR")
    return {k: v for k, v in os.environ.items() if not k.startswith(unset)} | others


@pytest.fixture
def place() -> Iterator[Path]:
    """A new folder that other users can reach, which pytest's own are not: a PostgreSQL that root
    starts runs as another user."""
    with tempfile.TemporaryDirectory(prefix="threecx-host-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def started(folder: Path, **others: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command, and what it says until it has nothing more to say; it is ended by SIGTERM."""
    command = [*COMMAND, "--workers", "1", "--folder", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(**others), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("The call is then under"):
                break
        try:
            yield process, "".join(lines)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_it_plays_on_a_machine_with_nothing_prepared(place: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--play"],
        cwd=ROOT,
        env=environment(TMPDIR=str(place)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"All \d+ steps did what they should\.", done.stdout)
    assert " failed " not in done.stdout
    assert done.stderr == ""
    assert list(place.iterdir()) == [], "its folder is gone"


def test_it_serves_says_what_to_try_and_goes_on_where_it_was(place: Path) -> None:
    folder = place / "host"
    with started(folder) as (_, said):
        base = re.search(r"Call-Helm is at (\S+) until", said)
        assert base
        for member in people.MEMBERS:
            assert member.user.email in said
        lookups = re.findall(r"^  (curl .*/contacts/lookup)$", said, re.MULTILINE)
        assert [_found(command) for command in lookups] == ["Delgado", "K\u00e4stner"]
        with Browser(base[1]) as browser:
            email = people.MEMBERS[0].user.email
            assert browser.sign_in(email, people.PASSWORD).status == 200
            cookies = dict(browser.client.cookies)
    with started(folder) as (_, again):
        assert _keys(again) == _keys(said)
        base = re.search(r"Call-Helm is at (\S+) until", again)
        assert base
        page = httpx.get(f"{base[1]}/contacts", cookies=cookies, trust_env=False)
        assert page.status_code == 200, "who was signed in still is"
    assert all(key not in (folder / "server.log").read_text() for key in _keys(said))


def test_a_database_of_somebody_elses_is_left_alone(
    host_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    with psycopg.connect(host_url, autocommit=True) as connection:
        connection.execute("INSERT INTO organizations (name, slug) VALUES ('Acme', 'acme')")
        monkeypatch.setenv("THREECX_DATABASE_URL", host_url)
        monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
        assert serve.main(["--port", "0", "--folder", str(tmp_path)]) == 1
        tables = connection.execute("SELECT to_regclass('three_cx_integrations')").fetchone()
        assert tables == (None,)
    assert "not this example's" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///host.db", "lives in PostgreSQL"),
        ("nonsense", "THREECX_DATABASE_URL"),
        ("postgresql://nobody@127.0.0.1:{port}/nothing", "does not answer"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    url: str,
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THREECX_DATABASE_URL", url.format(port=free_port()))
    monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
    assert serve.main(["--port", "0", "--folder", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_a_server_that_does_not_start_says_why(
    host_databases: PostgresSource,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with host_databases.empty(tmp_path) as url:
        monkeypatch.setenv("THREECX_DATABASE_URL", url)
        monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
        monkeypatch.setenv("CALLHELM_SESSION_KEY", "short")
        assert serve.main(["--port", "0", "--folder", str(tmp_path)]) == 1
    assert "CALLHELM_SESSION_KEY" in capsys.readouterr().err


def _found(command: str) -> str:
    """What the printed command would show: whose number it is."""
    _, _, _, header, _, _, parameter, url = shlex.split(command)
    query, headers = dict([parameter.split("=")]), dict([header.split(": ")])
    answer = httpx.get(url, params=query, headers=headers, trust_env=False)
    return str(answer.json()["contacts"][0]["lastName"])


def _keys(said: str) -> list[str]:
    return re.findall(r"has the key (3cx_\S+)", said)
