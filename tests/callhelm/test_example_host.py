"""The worked example: a PBX and people at a host with the integration in it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from callhelm_threecx import phone
from contrib.callhelm_host import people, story
from contrib.callhelm_host.browser import Browser
from contrib.callhelm_host.people import BIKES, SOLAR
from contrib.callhelm_host.stage import Stage
from tests.callhelm.example_hosts import member, running, signed_in
from tests.servers import PostgresSource

ADMINS = ["super_admin", "org_admin"]
READERS = ["team_lead", "agent", "billing_admin"]


@pytest.fixture(scope="module")
def stage(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with running(host_databases, tmp_path_factory.mktemp("host")) as stage:
        yield stage


@pytest.fixture
def database(stage: Stage) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(stage.environment["THREECX_DATABASE_URL"], autocommit=True) as connection:
        yield connection


def set_up(stage: Stage, browser: Browser, **headers: str) -> httpx.Response:
    """Ask for a new key, as the page of the host does; the old one lives on for the other tests."""
    body = {"organizationId": str(BIKES.id), "graceMinutes": 60}
    return browser.client.post(f"{stage.api}/setup", json=body, headers=headers)


def state(stage: Stage, browser: Browser, organization: people.Organization) -> httpx.Response:
    query = {"organizationId": str(organization.id)}
    return browser.client.get(f"{stage.api}/setup", params=query)


def test_a_working_day_goes_well_at_both_organizations(stage: Stage) -> None:
    steps = list(story.play(stage))
    assert [(step.action, step.expected, step.seen) for step in steps if not step.ok] == []
    assert len(steps) > len(list(people.contacts()))


def test_a_pbx_with_the_key_of_another_organization_is_noticed(stage: Stage) -> None:
    swapped = {BIKES.slug: stage.api_keys[SOLAR.slug], SOLAR.slug: stage.api_keys[BIKES.slug]}
    steps = list(story.play(replace(stage, api_keys=swapped)))
    assert "+14155550142 rings, kept as '(415) 555-0142'" in [s.action for s in steps if not s.ok]


def test_a_host_that_is_gone_is_one_wrong_step(stage: Stage) -> None:
    nowhere = "http://127.0.0.1:1"
    steps = list(story.play(replace(stage, base_url=nowhere, api=f"{nowhere}/api/3cx")))
    assert [step.ok for step in steps] == [False]


@pytest.mark.parametrize("contact", list(people.contacts()), ids=lambda contact: contact.email)
def test_every_number_of_the_rows_is_the_one_that_rings(contact: people.Contact) -> None:
    number = phone.parse(contact.phone_number, contact.organization.region)
    assert (number.canonical if number else "") == contact.rings_as


@pytest.mark.parametrize("role", ADMINS)
def test_an_administrator_gives_their_organization_a_key_from_the_hosts_page(
    stage: Stage, role: str
) -> None:
    with signed_in(stage, member(BIKES, role).user) as browser:
        answer = set_up(stage, browser, Origin=stage.base_url)
        assert answer.status_code == 200
        template = browser.client.get(answer.json()["downloadUrl"])
        assert answer.json()["apiKey"] in template.text


@pytest.mark.parametrize("role", [*ADMINS, *READERS])
def test_every_member_reads_the_state_of_their_organization(stage: Stage, role: str) -> None:
    with signed_in(stage, member(BIKES, role).user) as browser:
        answer = state(stage, browser, BIKES)
    assert (answer.status_code, answer.json()["configured"]) == (200, True)


@pytest.mark.parametrize("role", READERS)
def test_who_is_no_administrator_does_not_set_up(stage: Stage, role: str) -> None:
    with signed_in(stage, member(BIKES, role).user) as browser:
        answer = set_up(stage, browser, Origin=stage.base_url)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://crm.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Referer": "http://127.0.0.1.example.com/"},
    ],
    ids=str,
)
def test_another_site_sets_nothing_up_with_an_administrators_cookie(
    stage: Stage, headers: dict[str, str]
) -> None:
    with signed_in(stage, member(BIKES, "org_admin").user) as browser:
        before = state(stage, browser, BIKES).json()
        answer = set_up(stage, browser, **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        assert state(stage, browser, BIKES).json() == before


def test_a_member_of_one_organization_reads_nothing_of_the_other(stage: Stage) -> None:
    with signed_in(stage, member(BIKES, "org_admin").user) as browser:
        answer = state(stage, browser, SOLAR)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_organization")


def test_a_role_counts_in_its_own_organization_only(stage: Stage) -> None:
    """Grace runs the bike shop, and keeps the books of the solar company."""
    body = {"organizationId": str(SOLAR.id), "enabled": True}
    with signed_in(stage, member(BIKES, "super_admin").user) as browser:
        assert state(stage, browser, SOLAR).status_code == 200
        answer = browser.client.patch(
            f"{stage.api}/setup", json=body, headers={"Origin": stage.base_url}
        )
    assert answer.status_code == 403


def test_the_systems_administrator_reads_every_organization(stage: Stage) -> None:
    with signed_in(stage, people.SUPPORT) as browser:
        states = [state(stage, browser, organization) for organization in people.ORGANIZATIONS]
        assert {answer.status_code for answer in states} == {200}
        rows = browser.open("/contacts").rows
    assert {cells[-1] for _, cells in rows} == {BIKES.name, SOLAR.name}


def test_who_is_not_signed_in_reads_nothing(stage: Stage) -> None:
    with Browser(stage.base_url) as browser:
        assert state(stage, browser, BIKES).status_code == 401


def test_a_member_who_is_switched_off_is_out_at_once(
    stage: Stage, database: "psycopg.Connection[Any]"
) -> None:
    nina = next(m for m in people.MEMBERS if m.user.name == "Nina Alvarez")
    switch = "UPDATE organization_members SET is_active = %s WHERE id = %s"
    with signed_in(stage, nina.user) as browser:
        database.execute(switch, (False, nina.id))
        try:
            assert state(stage, browser, BIKES).status_code == 401
            assert "Sign in" in browser.open("/calls").text
        finally:
            database.execute(switch, (True, nina.id))


def test_the_event_of_a_set_up_names_who_did_it(
    stage: Stage, database: "psycopg.Connection[Any]"
) -> None:
    admin = member(BIKES, "org_admin").user
    with signed_in(stage, admin) as browser:
        assert set_up(stage, browser, Origin=stage.base_url).status_code == 200
    row = database.execute(
        "SELECT raw_data FROM three_cx_call_events WHERE event_type = 'setup'"
        " ORDER BY created_at DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    assert row[0]["userId"] == str(admin.id)
