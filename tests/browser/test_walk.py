"""The whole way of an administrator: from the first sign-in to a PBX that knows who calls."""

import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from callhelm_threecx.pbx import Agent, Pbx
from tests.browser.conftest import CONSOLE, DESKTOP, PATIENCE_S, PHONE, Visitor, visiting
from tests.http.gunicorns import Gunicorn

AGENT = Agent("101", "Mia", "Winter", "mia@call-helm.example")
CALLER, CALLER_NAME = "+493023125010", "Anna Müller"
STRANGER = "+493023125999"


class Administrator:
    """Somebody who sets an organization of their own up, by what they see on the pages."""

    def __init__(self, visitor: Visitor, *, script: bool, downloads: Path) -> None:
        self.page = visitor.page
        self.visitor = visitor
        self.script = script
        self.downloads = downloads
        self.organization = f"acme-{uuid.uuid4().hex[:8]}"
        self.page.on("dialog", lambda dialog: dialog.accept())

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def go_to(self, section: str) -> None:
        self.page.get_by_role("navigation", name="Sections").get_by_role(
            "link", name=section, exact=True
        ).click()

    def fill(self, **fields: str) -> None:
        """Labels, with underscores for spaces, and what is typed."""
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=False).last.fill(text)

    def sees_heading(self, name: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", name=name).first).to_be_visible()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def is_told(self, text: str | re.Pattern[str]) -> None:
        """A notice on top of the page."""
        expect(self.page.locator("main > .notice").filter(has_text=text)).to_be_visible()

    def row(self, text: str) -> Any:
        return self.page.get_by_role("row").filter(has_text=text).first

    def sees_in_the_log(self, text: str) -> None:
        """Whichever worker writes it: events are written behind the answers."""
        if self.script:
            expect(self.row(text)).to_be_visible()
            return
        deadline = time.monotonic() + PATIENCE_S
        while not self.row(text).is_visible() and time.monotonic() < deadline:
            self.page.reload()
        expect(self.row(text)).to_be_visible()

    def saved(self, press: str | re.Pattern[str], *, role: Any = "button") -> bytes:
        """What a button or link downloads."""
        with self.page.expect_download() as download:
            self.page.get_by_role(role, name=press).first.click()
        path = self.downloads / f"{uuid.uuid4().hex}-{download.value.suggested_filename}"
        download.value.save_as(path)
        return path.read_bytes()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def administrator(
    chromium: Browser,
    server: Gunicorn,
    backend: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Administrator]:
    """Four ways in all, in which each database, with and without script, and each size of the
    window meets each of the others: SQLite has the script at the desk, PostgreSQL on a phone."""
    at_the_desk = request.param == (backend == "sqlite")
    with visiting(
        chromium,
        server.base + CONSOLE,
        viewport=DESKTOP if at_the_desk else PHONE,
        java_script_enabled=request.param,
        permissions=["clipboard-read", "clipboard-write"],
        accept_downloads=True,
    ) as visitor:
        yield Administrator(visitor, script=request.param, downloads=tmp_path)
    assert visitor.complaints == []


def test_from_the_first_sign_in_to_a_pbx_that_knows_who_calls(
    administrator: Administrator,
) -> None:
    sign_in(administrator)
    create_the_organization(administrator)
    template = make_a_key_and_download_the_template(administrator)
    change_the_settings(administrator)
    map_agents(administrator)
    with Pbx(template, agent=AGENT) as pbx:
        connect(pbx)
        try_the_connection(administrator)
        watch_events(administrator, pbx)
        read_calls_and_chats(administrator, pbx)
        keep_contacts(administrator, pbx)
    read_the_overview(administrator)
    switch_off_and_on(administrator)
    sign_out(administrator)


def sign_in(one: Administrator) -> None:
    one.visitor.open("/")
    one.fill(Admin_key="wrong")
    one.press("Sign in")
    one.sees("That did not open.")
    assert "403" in one.visitor.complaints.pop()  # the browser notes that, as it should
    one.visitor.sign_in()
    one.sees_heading("Organizations")


def create_the_organization(one: Administrator) -> None:
    one.page.get_by_label("Id", exact=False).last.fill(one.organization)
    one.page.get_by_label("Name", exact=True).fill("Acme Solar")
    one.press("Create")
    one.is_told("Acme Solar was created.")
    one.sees_heading("Set-up")


def make_a_key_and_download_the_template(one: Administrator) -> bytes:
    one.page.get_by_text("Make a new key").first.click()
    one.press("Make a new key")
    one.sees_heading("Your new key")
    key = one.page.locator("#key").inner_text()
    copy = one.page.get_by_role("button", name="Copy the key")
    if one.script:
        copy.click()
        expect(one.page.get_by_role("button", name="Copied")).to_be_visible()
        assert one.page.evaluate("navigator.clipboard.readText()") == key
    else:
        expect(copy).to_be_hidden()
    template = one.saved(re.compile("^Download"))
    assert key.encode() in template
    one.follow("Go on with the set-up")
    assert key not in one.page.content()
    one.sees(key[-4:])
    return template


def change_the_settings(one: Administrator) -> None:
    page = one.page
    page.get_by_label("Create contacts by themselves").check()
    page.get_by_label("Country of numbers without a country code").select_option("DE")
    page.get_by_label("Page of a contact").fill("https://crm.example.com/contacts/{id}")
    if one.script:
        expect(page.locator("#link-preview")).to_contain_text("https://crm.example.com/contacts/")
    else:
        one.press("Show where it leads")
        expect(page.locator("#link-preview")).to_contain_text("https://crm.example.com/contacts/")
    one.press("Save the settings")
    one.is_told(re.compile("saved|Saved|in force|changed"))
    expect(page.get_by_label("Create contacts by themselves")).to_be_checked()


def map_agents(one: Administrator) -> None:
    one.go_to("Agents")
    one.page.get_by_label("Extension", exact=False).last.fill("101")
    one.fill(First_name="Mia", Last_name="Winter")
    one.page.get_by_label("E-mail", exact=False).last.fill(AGENT.email)
    one.press("Save")
    one.is_told("Extension 101 is Mia Winter.")
    one.page.get_by_role("link", name="Edit extension 101").click()
    one.fill(First_name="Maria")
    one.press("Save")
    one.is_told("Maria Winter")
    one.press("Undo")
    one.is_told("Mia Winter")
    one.press("Delete extension 101")
    one.is_told("nobody's now")
    one.press("Undo")
    expect(one.row("Mia Winter")).to_be_visible()
    import_agents(one)


def import_agents(one: Administrator) -> None:
    one.follow("Import CSV")
    lines = ["Extension,AgentEmail,AgentFirstName,AgentLastName"]
    lines += ["102,leo@call-helm.example,Leo,Sommer", ",nobody@call-helm.example,,"]
    table = "\n".join(lines).encode()
    one.page.get_by_label("File").set_input_files(
        {"name": "agents.csv", "mimeType": "text/csv", "buffer": table}
    )
    one.press("Show what would change")
    one.sees("1 added, 0 changed, 0 as they are, 1 not taken.")
    one.press("Map 1 extension")
    expect(one.row("Leo Sommer")).to_be_visible()
    exported = one.saved("Export CSV", role="link").decode("utf-8-sig")
    assert "101" in exported
    assert "leo@call-helm.example" in exported


def connect(pbx: Pbx) -> None:
    """The PBX runs the downloaded template: it creates a contact, and knows it when it rings."""
    created = pbx.create_contact(
        first_name="Anna", last_name="Müller", company="Nordlicht Solar", number=CALLER
    )
    assert [contact.name for contact in created.contacts] == [CALLER_NAME]
    call = pbx.ring(CALLER)
    assert [contact.name for contact in call.contacts] == [CALLER_NAME]
    assert call.screen_pop
    assert call.screen_pop.startswith("https://crm.example.com/contacts/")


def try_the_connection(one: Administrator) -> None:
    one.go_to("Set-up")
    one.page.get_by_label(re.compile("^The caller.s number")).fill("030 23125010")
    one.press("Test the connection")
    one.sees_heading("What the agent sees")
    expect(one.page.locator(".caller")).to_have_text(CALLER_NAME)
    expect(one.page.get_by_role("link", name="Open the contact")).to_be_visible()


def watch_events(one: Administrator, pbx: Pbx) -> None:
    """A lookup appears on a page that stays as it is; without script, at the next look."""
    one.go_to("Events")
    one.sees_in_the_log(CALLER)
    assert not pbx.ring(STRANGER).contacts
    if not one.script:
        one.follow("Look for new ones")
    one.sees_in_the_log(STRANGER)
    if one.page.viewport_size == PHONE:
        one.page.get_by_text("Filters", exact=True).click() if one.script else None
    one.page.get_by_label("Number", exact=True).fill("030 23125999")
    one.press("Show")
    expect(one.row(STRANGER)).to_be_visible()
    expect(one.page.get_by_role("row").filter(has_text=CALLER)).to_have_count(0)
    exported = one.saved(re.compile("^Export"), role="link").decode("utf-8-sig")
    assert STRANGER in exported
    assert CALLER not in exported
    one.row(STRANGER).get_by_role("link").first.click()
    one.sees_heading("The report as it came")


def read_calls_and_chats(one: Administrator, pbx: Pbx) -> None:
    journal = pbx.hang_up(
        pbx.ring(CALLER), talk=83, transcription="Anna: Hello\nMia: Good morning", summary="A quote"
    )
    again = pbx.report_again(journal)
    assert (journal.status, again.status) == (201, 200)
    assert pbx.chat(["Is it on its way?", "It is."], number=CALLER).ok
    one.go_to("Calls and chats")
    expect(one.row(CALLER_NAME)).to_contain_text("Mia Winter")
    expect(one.page.get_by_role("row").filter(has_text=CALLER_NAME)).to_have_count(1)
    one.row(CALLER_NAME).get_by_role("link").first.click()
    one.sees_heading(re.compile(f"^Call with {CALLER_NAME}"))
    one.sees("Good morning")
    one.follow("Calls")
    one.follow("Chats")
    one.page.get_by_role("row").nth(1).get_by_role("link").first.click()
    one.sees("Is it on its way?")


def keep_contacts(one: Administrator, pbx: Pbx) -> None:
    one.go_to("Contacts")
    one.follow("Add a contact")
    one.fill(First_name="Ole", Last_name="Lenz")
    one.page.get_by_label("Number").first.fill("0171 3920055")
    one.press("Add the contact")
    one.sees_heading("Ole Lenz")
    one.follow("Edit")
    one.fill(Company="Fjord")
    one.press("Save")
    one.sees("Fjord")
    one.press("Delete")
    one.is_told("The contact was deleted.")
    one.press("Undo")
    one.is_told("The contact is back.")
    one.go_to("Contacts")
    one.fill(Search_as_your_PBX_does="0049 171 3920055")
    one.press("Search")
    one.sees_heading("A call from this number shows")
    expect(one.row("Ole Lenz")).to_be_visible()
    import_contacts(one)
    names = [pbx.ring(number).contacts[0].name for number in ("01713920055", "+46701740605")]
    assert names == ["Ole Lenz", "Nora Lund"]


def import_contacts(one: Administrator) -> None:
    one.go_to("Contacts")
    one.follow("Import")
    table = b"FirstName,LastName,PhoneMobile\nNora,Lund,+46701740605\n,,\nNo,Number,none\n"
    one.page.get_by_label("File").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": table}
    )
    one.press("Show what would change")
    one.sees_heading("What would happen")
    one.press(re.compile("^Import"))
    ended = one.page.get_by_role("link", name="Go to the contacts")
    while not one.script and not ended.is_visible():
        one.follow("Refresh")
    expect(ended).to_be_visible()
    refused = one.saved("Download the refused rows", role="link").decode("utf-8-sig")
    assert "Nora" not in refused
    ended.click()
    expect(one.row("Nora Lund")).to_be_visible()


def read_the_overview(one: Administrator) -> None:
    one.go_to("Overview")
    one.sees_heading("Is it connected?")
    one.sees_heading("Everything is set up")
    expect(one.page.get_by_role("heading", name="Known callers")).to_be_visible()


def switch_off_and_on(one: Administrator) -> None:
    one.go_to("Set-up")
    one.press("Switch the integration off")
    one.is_told("The integration is switched off.")
    one.press("Undo")
    one.is_told("The integration is switched on.")


def sign_out(one: Administrator) -> None:
    here = one.page.url
    one.follow("Sign out")
    one.press("Sign out")
    one.sees("You are signed out.")
    one.page.goto(here)
    expect(one.page.get_by_label("Admin key")).to_be_visible()
