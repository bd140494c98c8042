"""What the command line says about itself."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.cli.conftest import Cli

COMMANDS = [
    "",
    "serve",
    "keygen",
    "demo",
    "doctor",
    "template",
    "db",
    "db upgrade",
    "db current",
    "db partition-events",
    "org",
    "org create",
    "org list",
    "org rotate-key",
    "org disable",
    "org enable",
    "contacts",
    "contacts import",
    "contacts export",
    "agents",
    "agents import",
    "agents export",
    "events",
    "events tail",
    "events purge",
    "events retention",
    "keys",
    "keys reencrypt",
    "pbx",
    "pbx lint",
    "pbx run",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(bare_cli: Cli, command: str) -> None:
    assert "Usage:" in bare_cli(*command.split(), "--help").stdout


@pytest.mark.parametrize("group", ["", "db", "org", "contacts", "agents", "events", "keys", "pbx"])
def test_a_group_without_a_command_is_a_usage_error_that_helps(bare_cli: Cli, group: str) -> None:
    assert "Usage:" in bare_cli(*group.split(), status=2).output


def test_help_loads_neither_database_nor_web_framework_nor_engine() -> None:
    program = (
        "import sys\nfrom callhelm_threecx.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'falcon', 'gunicorn', 'httpx', 'pydantic', 'phonenumbers'}\n"
        "sys.exit(f'loaded: {found}' if (found := heavy & set(sys.modules)) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_it_tells_its_version(bare_cli: Cli) -> None:
    assert version("callhelm-threecx") in bare_cli("--version").stdout


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "callhelm_threecx", "keygen"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(done.stdout.strip()) == 44


def test_an_unknown_command_is_a_usage_error(bare_cli: Cli) -> None:
    assert "No such command" in bare_cli("sing", status=2).output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THREECX_DATABASE_URL", "mysql://x/y"),
        ("THREECX_DEFAULT_REGION", "Atlantis"),
        ("THREECX_SECRET_KEYS", "short"),
        ("THREECX_RATE_LIMIT", "many"),
        ("THREECX_CONTACT_STORE", "nowhere"),
        ("THREECX_PUBLIC_URL", "crm.example.com"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    bare_cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = bare_cli("org", "list", status=1)
    assert result.stdout == ""
    assert result.stderr.startswith(f"{name}: ")
    assert result.stderr.count("\n") == 1


def test_a_database_that_does_not_answer_is_one_line(
    bare_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("THREECX_SECRET_KEYS", "A" * 43 + "=")
    assert bare_cli("org", "list", status=1).stderr == "The database does not answer.\n"
