"""``agents sync``: what the host's members say about extensions, proposed and kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callhelm_threecx.stores.base import Organization
from tests.callhelm.hosts import Host, new_host
from tests.cli.conftest import Cli
from tests.client import SECRET_KEY
from tests.servers import PostgresSource


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def cli(host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("THREECX_DATABASE_URL", host.url)
    monkeypatch.setenv("THREECX_SECRET_KEYS", SECRET_KEY)
    monkeypatch.setenv("THREECX_CONTACT_STORE", "callhelm")
    return Cli(tmp_path)


@pytest.fixture
def acme(host: Host, cli: Cli) -> Iterator[Organization]:
    """An organization with two members of one extension, and two with their own."""
    organization = host.organization()
    host.member(organization, "anna@example.com", "Anna Berg", three_cx_extension="101")
    host.member(organization, "ben@example.com", "Ben", extension="102")
    for name in ("cleo", "dora"):
        host.member(organization, f"{name}@example.com", name.title(), extension="103")
    host.member(organization, "gone@example.com", "Gone", extension="104", is_active=False)
    cli("org", "create", organization.id)
    yield organization
    host.own.execute("DELETE FROM organizations WHERE id = %s", (organization.id,))
    host.own.execute("DELETE FROM profiles")


def proposals(cli: Cli, organization: Organization, *options: str) -> dict[str, str]:
    answer = cli.json("agents", "sync", "--org", organization.id, *options)
    return {one["extension"]: one["proposal"] for one in answer["proposals"]}


def test_it_proposes_and_keeps_nothing(cli: Cli, acme: Organization) -> None:
    expected = {"101": "add", "102": "add", "103": "ambiguous"}
    assert proposals(cli, acme) == expected
    assert proposals(cli, acme) == expected


def test_it_keeps_what_is_certain_when_told_to(cli: Cli, acme: Organization) -> None:
    applied = cli.json("agents", "sync", "--org", acme.id, "--apply")
    assert applied["applied"] == 2
    assert proposals(cli, acme) == {"101": "keep", "102": "keep", "103": "ambiguous"}
    exported = cli("agents", "export", "-", "--org", acme.id).stdout.splitlines()
    assert [line.partition(",")[0] for line in exported] == ["Extension", "101", "102"]


def test_it_says_what_is_ambiguous_and_why(cli: Cli, acme: Organization) -> None:
    shown = cli("agents", "sync", "--org", acme.id).output
    assert "cleo@example.com, dora@example.com" in shown
    assert "2 active users have it" in shown
    assert "2 would be mapped; --apply does it." in shown


def test_a_store_that_knows_no_users_says_so(
    cli: Cli, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_CONTACT_STORE", "sql")
    told = cli("agents", "sync", "--org", acme.id, status=1).output
    assert told == "The contact store 'sql' knows no users.\n"
