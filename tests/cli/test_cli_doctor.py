"""``doctor``: each thing that can be amiss, and a machine on which nothing is."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from callhelm_threecx import keys
from tests import servers
from tests.cli.conftest import Cli
from tests.client import SECRET_KEY

Verdicts = dict[str, str]


def verdicts(cli: Cli, status: int = 0) -> Verdicts:
    found = cli.json("doctor", status=status)
    assert found["ok"] is (status == 0)
    return {check["check"]: check["verdict"] for check in found["checks"]}


def test_nothing_is_amiss(cli: Cli, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("THREECX_PUBLIC_URL", "https://crm.example.com")
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).chmod(0o600)
    assert set(verdicts(cli).values()) == {"ok"}


def test_people_read_what_to_do(cli: Cli) -> None:
    lines = cli("doctor").stdout.splitlines()
    assert all(line[:5].strip() in {"ok", "warn", "fail"} for line in lines)
    url = next(line for line in lines if "public URL" in line)
    assert "THREECX_PUBLIC_URL is not set" in url
    assert "https://crm.example.com" in url


def test_no_secret_is_shown(cli: Cli, database_url: str) -> None:
    output = cli("doctor").output
    assert SECRET_KEY not in output
    assert "admin-key-of-the-tests" not in output


def test_a_new_machine_may_start(bare_cli: Cli) -> None:
    assert verdicts(bare_cli)["database"] == "warn"
    assert list(bare_cli.folder.iterdir()) == [], "it changes nothing"


def test_a_new_machine_with_a_store_that_is_nowhere(
    bare_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_CONTACT_STORE", "nowhere")
    assert verdicts(bare_cli, status=1)["contact store"] == "fail"


def test_a_wrong_setting_is_all_that_can_be_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREECX_RATE_LIMIT", "many")
    assert verdicts(cli, status=1) == {"settings": "fail"}


@pytest.mark.parametrize(
    ("name", "value", "check", "verdict"),
    [
        ("PUBLIC_URL", "http://crm.example.com", "public URL", "warn"),
        ("PUBLIC_URL", "https://localhost:8443", "public URL", "fail"),
        ("PUBLIC_URL", "https://127.0.0.7", "public URL", "fail"),
        ("PUBLIC_URL", "http://[::1]:8080", "public URL", "fail"),
        ("PUBLIC_URL", "http://0.0.0.0", "public URL", "fail"),
        ("PUBLIC_URL", "https://10.0.0.5", "public URL", "ok"),
        ("ADMIN_KEY", "", "admin key", "warn"),
        ("ADMIN_KEY", "12345678", "admin key", "warn"),
        ("RATE_LIMIT_STORAGE", "redis://127.0.0.1:1/0", "rate limits", "fail"),
        ("CONTACT_STORE", "nowhere", "contact store", "fail"),
        ("CONTACT_STORE", "memory", "contact store", "warn"),
        ("CONTACT_STORE_OPTIONS", '{"colour": "red"}', "contact store", "fail"),
    ],
)
def test_a_setting_that_is_amiss(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, *, name: str, value: str, check: str, verdict: str
) -> None:
    monkeypatch.setenv(f"THREECX_{name}", value)
    assert verdicts(cli, status=int(verdict == "fail"))[check] == verdict


def test_a_search_index_that_is_not_there(bare_cli: Cli) -> None:
    """Another program built the table of contacts anew, and the triggers went with the old one."""
    bare_cli("org", "create", "acme")
    with closing(sqlite3.connect(bare_cli.folder / "callhelm-threecx.db")) as connection:
        connection.execute("DROP TRIGGER three_cx_search_updated")
    assert verdicts(bare_cli)["search index"] == "warn"
    bare_cli("db", "upgrade")
    assert verdicts(bare_cli)["search index"] == "ok"


@pytest.mark.redis
def test_redis_that_answers_is_well(
    bare_cli: Cli, redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_RATE_LIMIT_STORAGE", redis_server)
    assert verdicts(bare_cli)["rate limits"] == "ok"


def test_keys_that_nobody_can_decrypt(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREECX_SECRET_KEYS", keys.generate_secret_key())
    output = cli("doctor", status=1).output
    assert "the keys of 1 organizations cannot be decrypted: acme." in output


def test_secret_keys_that_are_missing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.delenv("THREECX_SECRET_KEYS")
    if database_url.startswith("sqlite"):
        assert verdicts(cli)["secret keys"] == "warn"
        assert not Path(f"{database_url.removeprefix('sqlite:///')}.keys").exists()
    else:
        assert verdicts(cli, status=1)["secret keys"] == "fail"


def test_a_database_that_does_not_answer(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREECX_DATABASE_URL", "postgresql://me:hidden@127.0.0.1:1/none")
    output = cli("doctor", status=1).output
    assert "fail  database: postgresql+psycopg://me:***@127.0.0.1:1/none" in output
    assert "hidden" not in output


def test_files_that_others_may_read(bare_cli: Cli) -> None:
    bare_cli("org", "create", "acme")
    path = bare_cli.folder / "callhelm-threecx.db"
    path.chmod(0o644)
    assert verdicts(bare_cli)["file permissions"] == "warn"
    path.chmod(0o640)
    assert verdicts(bare_cli)["file permissions"] == "ok"
    keys.key_file_of(path).chmod(0o640)
    assert verdicts(bare_cli, status=1)["file permissions"] == "fail"


def test_a_schema_that_is_not_there(
    database_source: servers.DatabaseSource,
    clean_environment: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database_source.empty(tmp_path) as url:
        monkeypatch.setenv("THREECX_DATABASE_URL", url)
        is_sqlite = url.startswith("sqlite")
        if is_sqlite:
            os.close(os.open(tmp_path / "empty.db", os.O_CREAT, 0o600))
        found = verdicts(Cli(tmp_path), status=0 if is_sqlite else 1)
    assert found["migrations"] == ("warn" if is_sqlite else "fail")
    assert "secret keys" not in found
    if not is_sqlite:
        assert found["search index"] == "warn"
