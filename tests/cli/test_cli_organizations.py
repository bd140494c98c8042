"""``org``, ``template``, ``keygen`` and ``keys reencrypt``."""

import pytest

from callhelm_threecx.app import build_services
from callhelm_threecx.keys import check_secret_key
from callhelm_threecx.services.events import EventFilter
from callhelm_threecx.services.integrations import KeyState
from callhelm_threecx.settings import Settings
from tests.cli.conftest import Cli
from tests.client import SECRET_KEY


def opens(api_key: str) -> KeyState:
    """What is known of a key, by services that have nothing cached."""
    fresh = build_services(Settings.load())
    try:
        return fresh.integrations.authenticate(api_key)[0]
    finally:
        fresh.close()


def test_create_prints_the_key_alone_on_standard_output(cli: Cli) -> None:
    key = cli("org", "create", "beta").stdout.strip()
    assert opens(key) is KeyState.VALID


def test_the_key_is_shown_at_creation_only(cli: Cli) -> None:
    key = cli("org", "create", "beta").stdout.strip()
    assert key not in cli("org", "list").output
    assert key not in cli("org", "list", "--json").output


def test_create_keeps_name_and_region(cli: Cli) -> None:
    made = cli.json("org", "create", "beta", "--name", "Beta & Söhne", "--region", "at")
    assert made["apiKey"].startswith("3cx_")
    assert (made["organizationName"], made["defaultRegion"]) == ("Beta & Söhne", "AT")
    listed = {each["organizationId"]: each for each in cli.json("org", "list")}
    assert listed["beta"]["organizationName"] == "Beta & Söhne"
    assert set(listed) == {"acme", "beta"}


def test_create_changes_nothing_of_an_organization_that_is_there(cli: Cli) -> None:
    before = cli.json("org", "list")
    assert "rotate-key" in cli("org", "create", "acme", status=1).stderr
    assert cli.json("org", "list") == before


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 65, "../etc"])
def test_create_refuses_what_cannot_be_an_organization(cli: Cli, name: str) -> None:
    assert cli("org", "create", name, status=1).stderr.startswith("organizationId: ")


def test_create_refuses_a_region_that_is_none(cli: Cli) -> None:
    assert "--region" in cli("org", "create", "beta", "--region", "XX", status=1).stderr
    assert len(cli.json("org", "list")) == 1


def test_rotate_replaces_the_key_at_once(cli: Cli) -> None:
    old = cli("org", "create", "beta").stdout.strip()
    new = cli("org", "rotate-key", "beta").stdout.strip()
    assert opens(old) is KeyState.UNKNOWN
    assert opens(new) is KeyState.VALID


def test_rotate_lets_the_old_key_live_on_when_asked_to(cli: Cli) -> None:
    old = cli("org", "create", "beta").stdout.strip()
    result = cli("org", "rotate-key", "beta", "--grace-minutes", "10")
    assert opens(old) is KeyState.VALID
    assert "The old one opens until" in result.stderr


def test_disable_and_enable_switch_the_key(cli: Cli) -> None:
    key = cli("org", "create", "beta").stdout.strip()
    cli("org", "disable", "beta")
    assert opens(key) is KeyState.DISABLED
    cli("org", "enable", "beta")
    assert opens(key) is KeyState.VALID


@pytest.mark.parametrize("command", ["rotate-key", "disable", "enable"])
def test_an_organization_that_is_not_there_is_told(cli: Cli, command: str) -> None:
    assert "no organization nobody" in cli("org", command, "nobody", status=1).stderr


def test_the_list_is_separated_by_tabs_where_no_terminal_is(cli: Cli) -> None:
    header, row = cli("org", "list").stdout.splitlines()
    assert header.split("\t")[0] == "ORG"
    assert row.split("\t")[:4] == ["acme", "", "enabled", "DE"]


def test_the_template_has_url_and_key_in_it(cli: Cli) -> None:
    key = cli("org", "create", "beta").stdout.strip()
    xml = cli("template", "beta", "--url", "https://crm.example.com/").stdout
    assert key in xml
    assert "https://crm.example.com" in xml


def test_the_template_takes_the_public_url(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREECX_PUBLIC_URL", "https://public.example.com")
    assert "https://public.example.com" in cli("template", "acme").stdout


def test_the_template_file_is_closed_to_others(cli: Cli) -> None:
    cli("template", "acme", "--url", "https://x.example", "-o", cli.path("crm.xml"))
    path = cli.folder / "crm.xml"
    assert path.read_text().startswith("<?xml")
    assert path.stat().st_mode & 0o077 == 0


def test_the_template_needs_a_url(cli: Cli) -> None:
    assert "THREECX_PUBLIC_URL" in cli("template", "acme", status=1).stderr


def test_the_template_refuses_what_is_no_url(cli: Cli) -> None:
    assert cli("template", "acme", "--url", "pbx", status=1).stderr.startswith("--url: ")


def test_a_template_that_cannot_be_written_is_one_line(cli: Cli) -> None:
    target = cli.path("no/such/folder/crm.xml")
    result = cli("template", "acme", "--url", "https://x.example", "-o", target, status=1)
    assert result.stderr == f"{target}: No such file or directory.\n"


def test_keygen_prints_a_key_that_the_settings_take(bare_cli: Cli) -> None:
    keys = {bare_cli("keygen").stdout.strip() for _ in range(3)}
    assert len(keys) == 3
    for key in keys:
        check_secret_key(key)


def test_secret_keys_rotate_without_a_change_for_any_pbx(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_key = cli("org", "create", "beta").stdout.strip()
    new = cli("keygen").stdout.strip()
    monkeypatch.setenv("THREECX_SECRET_KEYS", f"{new},{SECRET_KEY}")
    assert cli.json("keys", "reencrypt") == {"changed": 2, "total": 2}
    assert cli("keys", "reencrypt").stdout.startswith("0 of 2 ")
    monkeypatch.setenv("THREECX_SECRET_KEYS", new)
    assert opens(api_key) is KeyState.VALID
    assert api_key in cli("template", "beta", "--url", "https://x.example").stdout


def test_a_key_that_nobody_can_decrypt_is_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_SECRET_KEYS", cli("keygen").stdout.strip())
    result = cli("template", "acme", "--url", "https://x.example", status=1)
    assert "cannot be decrypted" in result.stderr


def test_each_act_is_in_the_event_log_as_one_of_the_command_line(cli: Cli) -> None:
    cli("org", "create", "beta", "--region", "AT")
    cli("org", "rotate-key", "beta")
    cli("org", "disable", "beta")
    path = cli.write("team.csv", "Extension\n101\n")
    cli("agents", "import", path, "--org", "beta")
    services = build_services(Settings.load())
    events = services.events.page(EventFilter(organization_id="beta")).events
    services.close()
    assert [event.raw_data["action"] for event in reversed(events)] == [
        *("create", "change", "rotate_key", "change", "map_agents")
    ]
    assert {event.raw_data["by"] for event in events} == {"command line"}
