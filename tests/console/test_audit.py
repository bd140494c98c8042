"""Every administrative act is in the event log, with who did it and from where."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.client import ADMIN_KEY
from tests.console.conftest import Browser
from tests.console.import_pages import people, start, upload
from tests.http.identities import SignIn

HERE = "/o/acme"
AGENTS, CONTACTS, SETUP = f"{HERE}/agents", f"{HERE}/contacts", f"{HERE}/setup"
SAVE = ("action", "save")
EXPORTS = {
    f"{AGENTS}/export": "export_agents",
    f"{CONTACTS}.csv": "export_contacts",
    f"{HERE}/events.csv": "export_events",
    "/events.csv": "export_events",
}

Browse = Callable[..., Browser]
Act = Callable[[], object]


def setup_events(browser: Browser) -> list[dict[str, Any]]:
    return browser.api.events("type=setup&limit=200", key=ADMIN_KEY)


def acts(browser: Browser) -> Iterator[tuple[str, Act]]:
    """What an administrator does, with the word that the log has for it."""

    def send(page: str, action: str, **fields: Any) -> Act:
        return lambda: browser.send(browser.open(page), action, **fields)

    yield "rotate_key", send(SETUP, f"{SETUP}/key")
    yield "change", send(SETUP, f"{SETUP}/settings", organizationName="Acme", button=SAVE)
    yield "change", send(SETUP, f"{SETUP}/switch", button=("state", "off"))
    yield "map_agents", send(AGENTS, AGENTS, extension="101", agentFirstName="Ann")
    yield "create", send("/organizations", "/organizations", organization="new", name="New")
    yield from acts_on_a_contact(browser)
    preview = upload(browser, people(2))
    yield "import_contacts", lambda: start(browser, preview)
    for path, word in EXPORTS.items():
        yield word, partial(browser.open, path)


def acts_on_a_contact(browser: Browser) -> Iterator[tuple[str, Act]]:
    """From its first day to its deletion, which is taken back."""
    page = browser.open(f"{CONTACTS}/new")

    def send(action: str, **fields: Any) -> None:
        nonlocal page
        page = browser.send(page, action, **fields)

    yield "add_contact", partial(send, f"{CONTACTS}/new", button=SAVE, lastName="Lenz")
    contact = page.request.path.removeprefix(browser.base)
    page = browser.open(f"{contact}/edit")
    yield "change_contact", partial(send, f"{contact}/edit", button=SAVE, company="Fjord")
    page = browser.open(contact)
    yield "delete_contact", partial(send, f"{contact}/delete")
    yield "restore_contact", partial(send, f"{CONTACTS}/undo")


@pytest.mark.parametrize("who", ["admin key", "user"])
def test_every_act_is_in_the_log_with_who_and_from_where(browse: Browse, who: str) -> None:
    hook = SignIn() if who == "user" else None
    browser = browse({"REMOTE_ADDR": "192.0.2.7"}, identity=hook)
    browser.be("system") if hook else browser.sign_in()
    browser.api.key()
    for name, act in acts(browser):
        before = len(setup_events(browser))
        act()
        events = setup_events(browser)
        assert len(events) == before + 1, name
        detail = events[0]["rawData"]
        assert (detail["action"], detail["by"], detail["origin"]) == (name, who, "192.0.2.7")
        if who == "user":
            assert (detail["userId"], detail["userName"]) == ("system", "Sy System")


def test_signing_in_is_in_the_log(browse: Browse) -> None:
    browser = browse().sign_in()
    detail = setup_events(browser)[0]["rawData"]
    assert (detail["action"], detail["by"]) == ("sign_in", "admin key")
    assert detail["origin"]


def test_a_download_of_the_template_is_in_the_log(admin: Browser) -> None:
    admin.send(admin.open("/o/acme/setup"), "/o/acme/setup/template")
    detail = admin.api.events("type=template", key=ADMIN_KEY)[0]["rawData"]
    assert detail["by"] == "admin key"
    assert detail["origin"]
