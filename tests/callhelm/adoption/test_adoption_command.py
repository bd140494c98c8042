"""``db upgrade`` and ``doctor`` on a database with the earlier tables."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callhelm_threecx.cli import app
from tests.callhelm.adoption.earlier_integration import KEY, Earlier
from tests.client import ADMIN_KEY, SECRET_KEY

Cli = Callable[..., Result]


@pytest.fixture
def cli(earlier: Earlier, acme: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on the earlier database, with one organization."""
    monkeypatch.setenv("THREECX_DATABASE_URL", earlier.url)
    monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
    monkeypatch.setenv("THREECX_ADMIN_KEY", ADMIN_KEY)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        assert KEY not in result.output
        assert "Traceback" not in result.output
        return result

    return run


def test_a_dry_run_tells_what_would_be_done(earlier: Earlier, cli: Cli) -> None:
    result = cli("db", "upgrade", "--dry-run")
    assert result.exit_code == 0
    assert "would be adopted" in result.stdout
    assert "keys in clear, encrypted: 1" in result.stdout
    assert "three_cx_integrations.key_fingerprint" in result.stdout
    assert earlier.is_as_before()


def test_a_dry_run_speaks_json(earlier: Earlier, cli: Cli) -> None:
    told = json.loads(cli("db", "upgrade", "--dry-run", "--json").stdout)
    assert (told["dryRun"], told["changed"], told["before"]) == (True, True, None)
    assert (told["adoption"]["keys"], told["adoption"]["contradictions"]) == (1, [])
    assert earlier.is_as_before()


def test_a_contradiction_is_exit_status_1(earlier: Earlier, cli: Cli) -> None:
    earlier.run(
        "ALTER TABLE three_cx_agent_mappings ALTER organization_id DROP NOT NULL",
        "INSERT INTO three_cx_agent_mappings (three_cx_extension) VALUES ('101')",
    )
    sentence = "1 rows of three_cx_agent_mappings have no organization."
    for arguments in (("--dry-run",), ()):
        result = cli("db", "upgrade", *arguments)
        assert (result.exit_code, sentence in result.stderr) == (1, True)
    result = cli("db", "upgrade", "--dry-run", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["adoption"]["contradictions"] == [sentence]


def test_an_upgrade_tells_what_was_done(cli: Cli) -> None:
    result = cli("db", "upgrade")
    assert result.exit_code == 0
    assert "are adopted" in result.stdout
    assert "The schema is now at" in result.stdout
    assert cli("db", "upgrade", "--dry-run").stdout.startswith("The schema is already at")


def test_secret_keys_must_be_set(
    earlier: Earlier, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("THREECX_SECRET_KEYS")
    for arguments in (("--dry-run",), ()):
        result = cli("db", "upgrade", *arguments)
        assert result.exit_code == 1
        assert "THREECX_SECRET_KEYS: is not set" in result.stderr
    assert earlier.is_as_before()


@pytest.fixture
def hidden_from(earlier: Earlier, cli: Cli) -> Iterator[str]:
    """The URL of a role that policies apply to, on the adopted database."""
    assert cli("db", "upgrade").exit_code == 0
    role = "threecx_hidden_from"
    earlier.run(
        f"CREATE ROLE {role} LOGIN PASSWORD '{role}'",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
    )
    yield earlier.as_role(role).url
    earlier.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def row_security(cli: Cli) -> list[dict[str, Any]]:
    checks = json.loads(cli("doctor", "--json").stdout)["checks"]
    return [check for check in checks if check["check"] == "row-level security"]


def test_doctor_warns_when_policies_hide_rows(
    cli: Cli, hidden_from: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row_security(cli) == []
    monkeypatch.setenv("THREECX_DATABASE_URL", hidden_from)
    (check,) = row_security(cli)
    assert check["verdict"] == "warn"
    assert "three_cx_integrations" in check["message"]
