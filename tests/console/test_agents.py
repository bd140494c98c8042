"""Agent mappings in the console."""

from collections.abc import Callable

import pytest
from webtest import TestResponse

from callhelm_threecx.models import CallRow
from callhelm_threecx.services.agents import NewMapping
from tests.client import ADMIN_KEY
from tests.console.conftest import Browser

AGENTS = "/o/acme/agents"
ANNA = {"extension": "101", "agentFirstName": "Anna", "agentLastName": "Berg"}


@pytest.fixture
def agents(admin: Browser) -> Callable[[], dict[str, str]]:
    """The mappings of acme: what each extension is called."""

    def read() -> dict[str, str]:
        rows = admin.api.app.services.agents.all("acme")
        return {r.three_cx_extension: f"{r.agent_first_name} {r.agent_last_name}" for r in rows}

    return read


def extensions(page: TestResponse) -> list[str]:
    """The extensions that the list shows."""
    return [code.text for code in page.html.select("section[aria-labelledby=mapped] th code")]


def test_an_extension_is_mapped_and_the_notice_says_to_whom(admin, agents) -> None:
    page = admin.send(admin.open(AGENTS), AGENTS, **ANNA)
    assert agents() == {"101": "Anna Berg"}
    assert "Extension 101 is Anna Berg." in page
    assert "Extension 101 is Anna Berg." not in admin.open(AGENTS)


def test_a_mapping_without_an_extension_is_refused_at_its_field(admin, agents) -> None:
    page = admin.send(admin.open(AGENTS), AGENTS, **{**ANNA, "extension": " "}, status=400)
    assert page.html.find(id="e-extension").text == "is required"
    assert page.html.find(id="f-agentLastName")["value"] == "Berg"
    assert agents() == {}


def test_an_edit_can_be_undone(admin, agents) -> None:
    admin.send(admin.open(AGENTS), AGENTS, **ANNA)
    edit = admin.open(AGENTS).click("Edit")
    action = edit.request.path.removeprefix(admin.base)
    page = admin.send(edit, action, agentFirstName="Bea")
    assert agents() == {"101": "Bea Berg"}
    admin.post(AGENTS, admin.form(page, AGENTS).submit_fields())
    assert agents() == {"101": "Anna Berg"}


def test_a_deleted_mapping_can_be_brought_back(admin, agents) -> None:
    admin.send(admin.open(AGENTS), AGENTS, **ANNA)
    page = admin.open(AGENTS)
    deletion = next(f for f in page.forms.values() if f.action.endswith("/delete"))
    page = admin.post(deletion.action.removeprefix(admin.base), deletion.submit_fields())
    assert agents() == {}
    admin.post(AGENTS, admin.form(page, AGENTS).submit_fields())
    assert agents() == {"101": "Anna Berg"}


def test_whoever_deletes_second_is_told(admin, agents) -> None:
    admin.send(admin.open(AGENTS), AGENTS, **ANNA)
    page = admin.open(AGENTS)
    deletion = next(f for f in page.forms.values() if f.action.endswith("/delete"))
    action = deletion.action.removeprefix(admin.base)
    admin.post(action, deletion.submit_fields())
    assert "gone already" in admin.post(action, deletion.submit_fields())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["9", "101", "102"]),
        ("101", ["101"]),
        ("anna", ["101"]),
        ("BERG anna", ["101"]),
        ("b@example.com", ["102"]),
        ("u-9", ["9"]),
        ("10", ["101", "102"]),
        ("%", []),
        ("nobody", []),
    ],
)
def test_a_search_finds_every_word_in_any_column(admin, query, found) -> None:
    admin.api.app.services.agents.put_all(
        "acme",
        [
            NewMapping("101", agent_first_name="Anna", agent_last_name="Berg"),
            NewMapping("102", agent_email="b@example.com"),
            NewMapping("9", agent_id="u-9"),
        ],
    )
    page = admin.open(f"{AGENTS}?q={query.replace('%', '%25')}")
    assert extensions(page) == found


def test_pages_follow_one_another_in_the_order_of_extensions(admin) -> None:
    mappings = [NewMapping(str(number)) for number in range(90, 215)]
    admin.api.app.services.agents.put_all("acme", mappings)
    page, seen = admin.open(AGENTS), []
    while True:
        seen += extensions(page)
        if 'rel="next"' not in page.text:
            break
        page = page.click("Next")
    assert seen == [str(number) for number in range(90, 215)]


def test_extensions_in_calls_are_offered_with_one_click(admin, agents) -> None:
    report = {
        "CallType": "Inbound",
        "Number": "030123456",
        "Agent": "105",
        "AgentFirstName": "Olga",
        "AgentLastName": "One",
        "CallStartTimeUTC": "2026-11-22T08:35:00Z",
    }
    admin.api.post("/calls/journal", report, status=201)
    page = admin.open(AGENTS)
    assert "In your calls, but not mapped" in page
    offer = next(f for f in page.forms.values() if f.action == admin.base + AGENTS)
    page = admin.post(AGENTS, offer.submit_fields())
    assert agents() == {"105": "Olga One"}
    assert "In your calls, but not mapped" not in page


def test_an_import_shows_what_it_would_change_and_then_changes_that(admin, agents) -> None:
    services = admin.api.app.services
    services.agents.put_all("acme", [NewMapping("101", agent_first_name="Anna"), NewMapping("102")])
    table = "Extension,AgentFirstName,Colour\n101,Bea,red\n102,,\n103,Cleo,\n,Nobody,\n103,Twice,\n"
    page = admin.open(f"{AGENTS}/import")
    form = admin.form(page, f"{AGENTS}/import")
    form["file"] = ("agents.csv", table.encode())
    preview = form.submit(headers={"Origin": "http://localhost:80"})
    assert "1 added, 1 changed, 1 as they are, 2 not taken." in preview
    assert "has no Extension" in preview
    assert "Colour" in preview
    assert agents()["101"] == "Anna None"
    done = admin.send(preview, f"{AGENTS}/import/apply")
    assert "2 extensions were mapped as the table says." in done
    assert agents() == {"101": "Bea None", "102": "None None", "103": "Cleo None"}


def test_an_import_that_is_no_longer_what_was_shown_is_shown_again(admin, agents) -> None:
    services = admin.api.app.services
    form = admin.form(admin.open(f"{AGENTS}/import"), f"{AGENTS}/import")
    form["file"] = ("agents.csv", b"Extension,AgentFirstName\n101,Bea\n")
    preview = form.submit(headers={"Origin": "http://localhost:80"})
    services.agents.put("acme", NewMapping("101", agent_first_name="Meanwhile"))
    again = admin.send(preview, f"{AGENTS}/import/apply")
    assert "Mappings were changed meanwhile" in again
    assert agents() == {"101": "Meanwhile None"}
    admin.send(again, f"{AGENTS}/import/apply")
    assert agents() == {"101": "Bea None"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "choose a file"),
        (b"Name\nAnna\n", "Extension"),
        (b'Extension\n"1', "quote"),
        (b"Extension\n\xff\xfe\xfa", "UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused(admin, agents, content, told) -> None:
    form = admin.form(admin.open(f"{AGENTS}/import"), f"{AGENTS}/import")
    form["file"] = ("agents.csv", content)
    refused = form.submit(headers={"Origin": "http://localhost:80"}, status=400)
    assert told in refused
    assert agents() == {}


def test_an_export_is_what_an_import_takes(admin, agents) -> None:
    admin.send(admin.open(AGENTS), AGENTS, **ANNA)
    exported = admin.open(AGENTS).click("Export CSV")
    assert exported.content_type == "text/csv"
    assert exported.text.splitlines() == [
        "Extension,AgentEmail,AgentFirstName,AgentLastName,AgentId",
        "101,,Anna,Berg,",
    ]


def test_each_change_says_who_made_it(admin) -> None:
    admin.send(admin.open(AGENTS), AGENTS, **ANNA)
    event = admin.api.events("type=setup&limit=1", key=ADMIN_KEY)[0]
    assert event["rawData"]["action"] == "map_agents"
    assert event["rawData"]["by"] == "admin key"
    assert event["rawData"]["origin"]


def test_another_organizations_mapping_is_not_here(admin) -> None:
    admin.api.set_up("other")
    row = admin.api.app.services.agents.put("other", NewMapping("300"))
    admin.open(f"{AGENTS}/{row.id}", status=404)


def test_a_team_lead_looks_and_finds_nothing_to_press(member) -> None:
    services = member.api.app.services
    services.agents.put("acme", NewMapping("101", agent_first_name="Anna"))
    page = member.be("agent").open(AGENTS)
    assert "Anna" in page
    assert not [form for form in page.forms.values() if form.method.upper() == "POST"]
    row = services.agents.all("acme")[0]
    assert "not change them" in member.open(f"{AGENTS}/{row.id}")


def test_what_a_caller_may_have_written_is_inert(admin) -> None:
    name = "<script>alert(1)</script>"
    services = admin.api.app.services
    services.agents.put("acme", NewMapping("101", agent_first_name=name))
    with services.database.write("acme") as session:
        session.add(
            CallRow(
                organization_id="acme",
                fingerprint="f",
                call_type="Inbound",
                direction="Inbound",
                agent_extension="102",
                agent_name=name,
            )
        )
    page = admin.open(AGENTS)
    assert "<script>alert" not in page.text
    assert page.text.count("&lt;script&gt;") >= 2
