"""The list of organizations: found, paged, created, switched on and off."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from webtest import TestResponse

from callhelm_threecx.models import IntegrationRow
from callhelm_threecx.services.events import Event, EventFilter, EventStatus, EventType
from tests.console.conftest import Browser
from tests.core.plans import watched

PATH = "/organizations"


def names(page: TestResponse) -> list[str]:
    """The organizations of a page, as they are called."""
    return [row.th.a.text for row in page.html.select("tbody tr")]


def fill(browser: Browser, number: int, name: str = "Customer {}") -> None:
    """So many organizations, written in one go."""
    with browser.api.app.services.database.write_all_organizations() as session:
        session.add_all(
            IntegrationRow(
                organization_id=f"c{place:05}",
                organization_name=name.format(place),
                key_fingerprint=f"f{place}",
                key_encrypted="x" * 200,
                key_hint="3cx_…abcd",
            )
            for place in range(number)
        )


def test_a_page_shows_fifty_and_leads_to_the_next(admin: Browser) -> None:
    fill(admin, 120)
    seen, page = [], admin.open(PATH)
    for _ in range(2):
        seen.append(len(names(page)))
        page = page.click("More organizations")
    assert [*seen, len(names(page))] == [50, 50, 21]  # with acme
    assert "More organizations" not in page.text
    assert names(page.click("From the beginning"))[0] == "acme"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("bakery", ["Dough Bakery"]),
        ("dough BAK", ["Dough Bakery"]),
        ("acme", ["acme"]),
        ("köhler", ["Käserei KÖHLER", "Köhler"]),
        ("KÄSEREI", ["Käserei KÖHLER"]),
        ("100%", ["100% Print"]),
        ("_", []),
        ("nobody", []),
        ("dough print", []),
        ("", ["100% Print", "Dough Bakery", "Käserei KÖHLER", "Köhler", "acme"]),
    ],
)
def test_a_search_finds_what_has_its_words_in_the_name_or_the_id(
    admin: Browser, search: str, found: list[str]
) -> None:
    integrations = admin.api.app.services.integrations
    for place, name in enumerate(("Dough Bakery", "100% Print", "Köhler", "Käserei KÖHLER")):
        integrations.set_up(f"o{place}", organization_name=name)
    page = admin.open(f"{PATH}?search={search.replace('%', '%25')}")
    assert sorted(names(page)) == found
    assert found or "No organization" in page.text


def test_a_search_goes_on_with_its_pages(admin: Browser) -> None:
    fill(admin, 60)
    page = admin.open(f"{PATH}?search=customer").click("More organizations")
    assert names(page) == [f"Customer {place}" for place in range(50, 60)]
    assert page.html.find(id="search")["value"] == "customer"


@pytest.mark.parametrize("search", ["", "customer 9999", "nobody at all"])
def test_ten_thousand_organizations_are_one_small_page(admin: Browser, search: str) -> None:
    fill(admin, 10_000, name="Customer {}: " + "\N{MOUSE}" * 250)
    database = admin.api.app.services.database
    if database.dialect == "postgresql":
        with database.reader.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE three_cx_integrations")
    with watched(database) as statements:
        page = admin.open(f"{PATH}?search={search}")
    assert len(page.body) < 100_000
    assert len(statements) <= 4  # the session, the last day, the count, the page
    for statement in statements:
        assert "Seq Scan three_cx_integrations" not in statement.plan, statement
        scans = re.findall(r"SCAN three_cx_integrations.*", statement.plan)
        assert all("COVERING INDEX" in scan for scan in scans), statement


@pytest.mark.parametrize("query", ["after=%22%3E", "after=" + "a" * 65])
def test_a_page_that_nobody_was_led_to_is_refused(admin: Browser, query: str) -> None:
    assert "after" in admin.open(f"{PATH}?{query}", status=400).text


def create(browser: Browser, status: int = 200, **fields: str) -> TestResponse:
    button = ("action", "create")
    return browser.send(browser.open(PATH), PATH, button=button, status=status, **fields)


def switch(browser: Browser, page: TestResponse, action: str, organization: str) -> TestResponse:
    return browser.send(page, PATH, button=(action, organization))


def is_on(browser: Browser, organization: str) -> bool:
    integration = browser.api.app.services.integrations.get(organization)
    return bool(integration and integration.enabled)


def test_an_organization_is_created_and_leads_to_its_set_up(admin: Browser) -> None:
    page = create(admin, organization="fresh", name="Fresh & Co")
    assert "Fresh &amp; Co was created" in page.text
    assert page.html.h1.text == "Set-up"
    assert is_on(admin, "fresh")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"organization": ""}, "is required"),
        ({"organization": "a b"}, "must be 1 to 64 characters"),
        ({"organization": "acme"}, "is there already"),
        ({"organization": "long", "name": "x" * 321}, "is longer than 320 characters"),
    ],
)
def test_what_cannot_be_created_is_told_at_its_field(
    admin: Browser, fields: dict[str, str], fault: str
) -> None:
    page = create(admin, status=400, **fields)
    wrong = page.html.select_one("[aria-invalid]")
    assert fault in page.html.find(id=wrong["aria-describedby"].split()[-1]).text
    assert wrong["value"] == fields.get(wrong["name"])


def test_an_organization_is_switched_off_and_by_undo_on_again(admin: Browser) -> None:
    page = switch(admin, admin.open(PATH), "disable", "acme")
    assert "acme is switched off; its PBX is refused from now on." in page.text
    assert not is_on(admin, "acme")
    undone = page.forms[0].submit(headers={"Origin": "http://localhost:80"}).follow()
    assert "acme answers its PBX again" in undone.text
    assert is_on(admin, "acme")


def test_switching_stays_at_the_page_where_it_was_done(admin: Browser) -> None:
    fill(admin, 120)
    page = admin.open(f"{PATH}?search=customer").click("More organizations")
    after = switch(admin, page, "disable", "c00060")
    assert names(after) == names(page)
    assert "switched off" in after.html.select("tbody tr")[10].text


def test_who_switched_is_in_the_log(admin: Browser) -> None:
    switch(admin, admin.open(PATH), "disable", "acme")
    services = admin.api.app.services
    services.writer.flush(5)
    newest = services.events.page(EventFilter("acme")).events[0]
    assert (newest.event_type, newest.raw_data["by"]) == ("setup", "admin key")
    assert newest.raw_data["enabled"] is False


def test_the_last_day_of_all_organizations_is_told_above_the_list(admin: Browser) -> None:
    services = admin.api.app.services
    admin.api.set_up("other")
    now = datetime.now(timezone.utc)
    for organization, kind, status, hours in (
        ("acme", EventType.LOOKUP, EventStatus.OK, 0),
        ("other", EventType.LOOKUP, EventStatus.NO_MATCH, 23),
        ("other", EventType.LOOKUP, EventStatus.OK, 25),
        ("other", EventType.JOURNAL, EventStatus.OK, 23),
        ("other", EventType.JOURNAL, EventStatus.ERROR, 1),
    ):
        at = now - timedelta(hours=hours)
        services.writer.emit(Event(organization, kind, status, call_type="Inbound", created_at=at))
    services.writer.flush(5)
    tiles = admin.open(PATH).html.select(".tiles > div")
    told = {tile.dt.text: tile.select_one(".figure").text for tile in tiles}
    assert told == {
        "Organizations": "2",
        "Lookups in 24 h": "2",
        "Calls in 24 h": "1",
        "Errors in 24 h": "1",
    }


# -- people of a host


def test_people_see_their_own_organizations_also_those_that_are_not_set_up(
    member: Browser,
) -> None:
    page = member.be("two").open(PATH)
    assert names(page) == ["acme", "other"]
    assert "not set up yet" in page.text
    assert page.click("other").follow().html.h1.text == "Set-up"


def test_who_administers_no_server_creates_and_switches_nothing(member: Browser) -> None:
    page = member.be("two").open(PATH)
    assert not page.html.select("button[name], .tiles")
    token = member.be("system").open(PATH).html.find("input", {"name": "_token"})["value"]
    refused = member.be("two").post(PATH, {"_token": token, "disable": "acme"}, status=403)
    assert refused.html.h1.text == "Not allowed"
    assert is_on(member, "acme")


@pytest.mark.parametrize(("user", "path"), [("agent", "/o/acme"), ("stranger", "/o/other/setup")])
def test_who_has_one_organization_begins_there(member: Browser, user: str, path: str) -> None:
    assert member.be(user).open("").request.path == member.base + path


def test_who_has_none_is_told_so(member: Browser) -> None:
    assert "You belong to no organization here." in member.be("nobody").open("").text


def test_an_empty_server_says_what_to_do(browse: Callable[..., Browser]) -> None:
    page = browse().sign_in().open("")
    assert "Create the first one below." in page.text
    assert page.html.find(id="new-organization")
