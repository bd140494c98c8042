"""Every page of the console, as somebody comes to it: a name, and the way there."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from playwright.sync_api import Page

from tests.browser.conftest import Visitor
from tests.browser.town import ORGANIZATION

HERE: Final = f"/o/{ORGANIZATION}"
TABLE: Final = b"FirstName,LastName,Company,Number\nNora,Lund,Fjord AB,+46701740605\n,,,\n"
MAPPINGS: Final = b"Extension,AgentFirstName,AgentLastName\n104,Ole,Lenz\n101,Mia,Sommer\n,No,One\n"

Way = Callable[[Visitor], Page]


def at(path: str) -> Way:
    """By an address."""
    return lambda visitor: visitor.open(path)


def first_of(path: str, link: str = "tbody th a") -> Way:
    """By the first link of a list."""

    def go(visitor: Visitor) -> Page:
        page = visitor.open(path)
        page.goto(str(page.locator(link).first.evaluate("link => link.href")))
        return page

    return go


def _connection(visitor: Visitor) -> Page:
    page = visitor.open(f"{HERE}/setup/test")
    page.locator("#f-number").fill("+49 30 23125010")
    page.get_by_role("button", name="Let it ring").click()
    page.get_by_role("heading", name="What the agent sees").wait_for()
    return page


def _new_key(visitor: Visitor) -> Page:
    page = visitor.open("/o/alpenblick/setup")
    page.get_by_text("Make a new key").first.click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Make a new key").click()
    page.get_by_role("heading", name="Your new key").wait_for()
    return page


def _agents_preview(visitor: Visitor) -> Page:
    page = visitor.open(f"{HERE}/agents/import")
    file = {"name": "agents.csv", "mimeType": "text/csv", "buffer": MAPPINGS}
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("heading", name="What would change").wait_for()
    return page


def _edit(visitor: Visitor) -> Page:
    page = first_of(f"{HERE}/contacts")(visitor)
    page.get_by_role("link", name="Edit", exact=False).first.click()
    page.get_by_role("heading", name="Edit a contact").wait_for()
    return page


def _nameless(visitor: Visitor) -> Page:
    page = visitor.open(f"{HERE}/contacts/new")
    page.get_by_label("Number").first.fill("no number")
    page.get_by_role("button", name="Add the contact").click()
    page.get_by_role("alert").first.wait_for()
    return page


def _imported(*, start: bool) -> Way:
    def go(visitor: Visitor) -> Page:
        page = visitor.open(f"{HERE}/contacts/imports")
        file = {"name": "contacts.csv", "mimeType": "text/csv", "buffer": TABLE}
        page.locator("input[type=file]").set_input_files(file)
        page.locator("form[enctype] button").first.click()
        page.get_by_role("heading", name="What would happen").wait_for()
        if start:
            page.get_by_role("button", name=re.compile("^Import (it|all)")).click()
            page.get_by_role("link", name="Go to the contacts").wait_for()
        return page

    return go


def _door(visitor: Visitor) -> Page:
    visitor.page.context.clear_cookies()
    return visitor.open("/sign-in")


def _wrong_key(visitor: Visitor) -> Page:
    visitor.page.context.clear_cookies()
    return visitor.sign_in("wrong")


SIGNED_IN: Final[Mapping[str, Way]] = {
    "organizations": at("/organizations"),
    "all-events": at("/events"),
    "overview": at(HERE),
    "set-up": at(f"{HERE}/setup"),
    "set-up-first": at("/o/brand-new/setup"),
    "new-key": _new_key,
    "test-connection": _connection,
    "agents": at(f"{HERE}/agents"),
    "agent": first_of(f"{HERE}/agents", "td.act a"),
    "agents-import": at(f"{HERE}/agents/import"),
    "agents-preview": _agents_preview,
    "events": at(f"{HERE}/events"),
    "events-filtered": at(f"{HERE}/events?number=0"),
    "events-refused-filter": at(f"{HERE}/events?since=never"),
    "event": first_of(f"{HERE}/events?type=journal"),
    "calls": at(f"{HERE}/calls"),
    "call": first_of(f"{HERE}/calls?type=Inbound"),
    "chats": at(f"{HERE}/chats"),
    "chat": first_of(f"{HERE}/chats"),
    "contacts": at(f"{HERE}/contacts"),
    "contacts-found": at(f"{HERE}/contacts?query=anna"),
    "contact": first_of(f"{HERE}/contacts"),
    "contact-new": at(f"{HERE}/contacts/new"),
    "contact-edit": _edit,
    "contact-wrong": _nameless,
    "contact-import": at(f"{HERE}/contacts/imports"),
    "contact-import-preview": _imported(start=False),
    "contact-import-done": _imported(start=True),
    "sign-out": at("/sign-out"),
    "not-there": at(f"{HERE}/calls/none"),
}
SIGNED_OUT: Final[Mapping[str, Way]] = {"sign-in": _door, "wrong-key": _wrong_key}
EVERY_PAGE: Final[Mapping[str, Way]] = {**SIGNED_IN, **SIGNED_OUT}
