"""The set-up page: the key, the template, the settings, the switch."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestResponse

from callhelm_threecx.keys import is_well_formed
from callhelm_threecx.services.events import EventFilter, EventType
from callhelm_threecx.template.codec import parse
from tests.client import Api
from tests.console.conftest import ORIGIN, Browser
from tests.core.statements import recorded
from tests.http.identities import PEOPLE
from tests.http.wire import raw

SETUP = "/o/acme/setup"
PAGES = f"{SETUP}", f"{SETUP}/test"


def shown_key(page: TestResponse) -> str:
    return str(page.html.find(id="key").text)


def opens(api: Api, key: str) -> int:
    return raw(api, "GET", "/contacts/lookup?number=1", headers={"x-api-key": key}).status_int


def newest(
    browser: Browser, organization: str = "acme", kind: EventType = EventType.SETUP
) -> dict[str, Any]:
    """What the newest event of a kind tells."""
    services = browser.api.app.services
    services.writer.flush(5)
    events = services.events.page(EventFilter(organization, type=kind)).events
    return dict(events[0].raw_data)


def state(browser: Browser) -> Any:
    return browser.api.app.services.integrations.get("acme")


# -- the key


def test_the_first_key_creates_the_integration(browse: Callable[..., Browser]) -> None:
    browser = browse().sign_in()
    page = browser.open("/o/fresh/setup")
    assert "nothing is answered before that" in page.text
    made = browser.send(page, "/o/fresh/setup/key", organizationName="Fresh & Co")
    key = shown_key(made)
    assert is_well_formed(key)
    assert opens(browser.api, key) == 200
    assert browser.api.app.services.integrations.get("fresh").organization_name == "Fresh & Co"
    assert newest(browser, "fresh")["by"] == "admin key"


def test_a_key_is_shown_in_one_answer_and_nowhere_else(admin: Browser) -> None:
    made = admin.send(admin.open(SETUP), f"{SETUP}/key", grace="0")
    key = shown_key(made)
    assert made.headers["Cache-Control"] == "no-store"
    again = admin.open(SETUP)
    assert key not in again.text
    assert f"3cx_…{key[-4:]}" in again.text
    assert key not in admin.open(f"{SETUP}/key").text


@pytest.mark.parametrize(("grace", "old"), [("0", 401), ("60", 200), ("1440", 200), ("10080", 200)])
def test_an_old_key_goes_on_as_long_as_was_asked(admin: Browser, grace: str, old: int) -> None:
    before = admin.api.key()
    made = admin.send(admin.open(SETUP), f"{SETUP}/key", grace=grace)
    assert opens(admin.api, before) == old
    assert opens(admin.api, shown_key(made)) == 200
    assert ("still works" in admin.open(SETUP).text) == (old == 200)
    assert newest(admin)["graceMinutes"] == int(grace)


def test_what_a_new_key_breaks_is_said_beside_the_button(admin: Browser) -> None:
    form = admin.form(admin.open(SETUP), f"{SETUP}/key")
    said = admin.open(SETUP).html.find("details").text
    assert "callers are no longer recognised" in said
    assert form["grace"].value == "1440"  # what breaks least


def test_loading_the_answer_anew_makes_no_second_key(admin: Browser) -> None:
    """A browser that reloads the page with the key sends the same form again."""
    page = admin.open(SETUP)
    fields = admin.form(page, f"{SETUP}/key").submit_fields()
    key = shown_key(admin.post(f"{SETUP}/key", fields))
    again = admin.post(f"{SETUP}/key", fields)
    assert "made already" in again.text
    assert opens(admin.api, key) == 200


def test_a_period_that_is_not_offered_is_refused(admin: Browser) -> None:
    fields = dict(admin.form(admin.open(SETUP), f"{SETUP}/key").submit_fields())
    page = admin.post(f"{SETUP}/key", {**fields, "grace": "99999"}, status=400)
    assert page.html.find(id="e-grace").text == "is none of the periods"
    assert opens(admin.api, admin.api.key()) == 200


def test_an_id_that_can_be_none_is_refused(admin: Browser) -> None:
    admin.open("/o/a%20b/setup", status=400)


# -- the template


def test_the_template_is_the_file_that_the_api_gives(admin: Browser) -> None:
    page = admin.open(SETUP)
    file = admin.send(page, f"{SETUP}/template")
    own = raw(admin.api, "GET", "/template", headers={"x-api-key": admin.api.key()})
    assert file.body == own.body
    assert file.headers["Content-Disposition"] == own.headers["Content-Disposition"]
    assert file.headers["Content-Type"] == own.headers["Content-Type"]
    assert file.headers["Cache-Control"] == "no-store"
    assert parse(file.body).name == "Call-Helm"


def test_a_download_is_in_the_log_with_who_and_from_where(admin: Browser) -> None:
    admin.send(admin.open(SETUP), f"{SETUP}/template")
    event = newest(admin, kind=EventType.TEMPLATE)
    assert event["by"] == "admin key"
    assert event["origin"] == event["client"] == "unknown"
    assert "never" not in admin.open(SETUP).html.find(string="Last downloaded").find_next("dd").text


def test_a_template_from_before_the_key_is_told(admin: Browser) -> None:
    admin.send(admin.open(SETUP), f"{SETUP}/template")
    newest(admin, kind=EventType.TEMPLATE)
    assert "before the present key was made" not in admin.open(SETUP).text
    admin.send(admin.open(SETUP), f"{SETUP}/key")
    assert "before the present key was made" in admin.open(SETUP).text


def test_the_template_cannot_be_had_by_a_link(admin: Browser) -> None:
    """A link in a mail would make an administrator's browser fetch the key."""
    admin.open(f"{SETUP}/template", status=405)


# -- the settings

SETTINGS = {
    "organizationName": ("Müller & Söhne", lambda one: one.organization_name),
    "threeCxServerUrl": ("https://pbx.example.com:5001", lambda one: one.three_cx_server_url),
    "defaultRegion": ("GB", lambda one: one.region),
    "settings.contact_url": ("https://crm.example.com/c/{id}", lambda one: one.contact_url),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_kept_and_shown(admin: Browser, name: str) -> None:
    value, kept = SETTINGS[name]
    page = admin.send(admin.open(SETUP), f"{SETUP}/settings", **{name: value})
    assert "saved" in page.html.find(class_="notice").text
    assert kept(state(admin)) == value
    assert admin.form(page, f"{SETUP}/settings")[name].value == value


@pytest.mark.parametrize(
    "name",
    [
        "call_journaling_enabled",
        "chat_journaling_enabled",
        "contact_creation_enabled",
        "auto_create_contacts",
    ],
)
def test_a_switch_is_turned_and_turned_back(admin: Browser, name: str) -> None:
    was = state(admin).allows(name)
    for wanted in (not was, was):
        field = {f"settings.{name}": wanted}
        page = admin.send(admin.open(SETUP), f"{SETUP}/settings", **field)
        assert state(admin).allows(name) is wanted
        assert admin.form(page, f"{SETUP}/settings")[f"settings.{name}"].checked is wanted


def test_only_what_changed_is_changed_and_logged(admin: Browser) -> None:
    """A region that is the server's goes on following the server's."""
    pattern = {"settings.contact_url": "/c/{id}"}
    admin.send(admin.open(SETUP), f"{SETUP}/settings", **pattern)
    event = newest(admin)
    assert (event["action"], event["settings"]) == ("change", {"contact_url": "/c/{id}"})
    assert event["by"] == "admin key"
    page = admin.send(admin.open(SETUP), f"{SETUP}/settings")
    assert "Nothing was changed" in page.text


FAULTS = [
    ("organizationName", "x" * 321),
    ("threeCxServerUrl", "ftp://pbx.example.com"),
    ("threeCxServerUrl", "javascript:alert(1)"),
    ("settings.contact_url", "https://crm.example.com/"),
    ("settings.contact_url", "javascript:alert('{id}')"),
    ("settings.contact_url", "https:///{id}"),
    ("defaultRegion", "Germany"),
]


@pytest.mark.parametrize(("name", "value"), FAULTS)
def test_a_fault_is_shown_at_its_field_and_nothing_is_kept(
    admin: Browser, name: str, value: str
) -> None:
    before = state(admin)
    fields = dict(admin.form(admin.open(SETUP), f"{SETUP}/settings").submit_fields())
    page = admin.post(f"{SETUP}/settings", {**fields, name: value}, status=400)
    assert page.html.find(id=f"e-{name}").text
    assert page.html.find(attrs={"role": "alert"})
    if name != "defaultRegion":
        assert admin.form(page, f"{SETUP}/settings")[name].value == value
    assert state(admin) == before


PREVIEWS = [
    ("", "http://localhost:80/contacts/4711"),
    ("/c?id={id}", "http://localhost:80/c?id=4711"),
    ("https://crm.example.com/{id}/{id}", "https://crm.example.com/4711/4711"),
]


@pytest.mark.parametrize(("pattern", "url"), PREVIEWS)
def test_where_a_link_leads_can_be_seen_before_it_is_kept(
    admin: Browser, pattern: str, url: str
) -> None:
    field = {"settings.contact_url": pattern}
    button = ("action", "preview")
    page = admin.send(admin.open(SETUP), f"{SETUP}/settings", button=button, **field)
    assert page.html.find(id="link-preview").text == url
    assert admin.form(page, f"{SETUP}/settings")["settings.contact_url"].value == pattern
    assert state(admin).contact_url == ""


def test_an_empty_pattern_is_the_server_s(browse: Callable[..., Browser]) -> None:
    browser = browse(contact_url="https://crm.example.com/{id}").sign_in()
    browser.api.key()
    assert browser.open(SETUP).html.find(id="link-preview").text == "https://crm.example.com/4711"


def test_countries_have_their_names(admin: Browser) -> None:
    select = admin.form(admin.open(SETUP), f"{SETUP}/settings")["defaultRegion"]
    options = {code: text for code, _, text in select.options}
    assert options["DE"] == "Germany (+49)"
    assert options["GB"] == "United Kingdom (+44)"
    assert options["XK"] == "Kosovo (+383)"
    assert not [text for code, text in options.items() if text.startswith(code + " (")]


# -- the switch


def test_switching_off_refuses_the_pbx_and_can_be_undone(admin: Browser) -> None:
    button = ("state", "off")
    page = admin.send(admin.open(SETUP), f"{SETUP}/switch", button=button)
    assert opens(admin.api, admin.api.key()) == 403
    assert "switched off" in page.text
    admin.send(page, f"{SETUP}/switch")  # the button beside the notice
    assert opens(admin.api, admin.api.key()) == 200
    assert newest(admin)["enabled"] is True


# -- who may


READERS = [name for name, one in PEOPLE.items() if one.may_read("acme") and name != "two"]


@pytest.mark.parametrize("user", READERS)
@pytest.mark.parametrize("path", PAGES)
def test_whoever_may_only_read_sees_no_controls(member: Browser, user: str, path: str) -> None:
    page = member.be(user).open(path)
    may = PEOPLE[user].may_set_up("acme")
    assert bool(page.forms) is may
    assert state(member).key_hint in page.text or may


ACTIONS = ["key", "template", "settings", "switch", "test"]


@pytest.mark.parametrize("action", ACTIONS)
def test_what_a_reader_sends_is_refused(member: Browser, action: str) -> None:
    """Even with a token of their own, from a page of ours."""
    before = state(member)
    token = member.api.app.services.ring.seal("user agent", "console form")
    mark = before.key_created_at.isoformat()
    fields = {"_token": token, "state": "off", "number": "1", "grace": "0", "replaces": mark}
    page = member.be("agent").post(f"{SETUP}/{action}", fields, status=403)
    assert "Your role may look at this" in page.text
    assert state(member) == before


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": ORIGIN, "Sec-Fetch-Site": "x"}]
)
def test_what_another_site_sends_is_refused(
    admin: Browser, action: str, headers: dict[str, str]
) -> None:
    before = state(admin)
    fields = admin.form(admin.open(SETUP), f"{SETUP}/key").submit_fields()
    admin.post(f"{SETUP}/{action}", fields, headers=headers, status=403)
    assert state(admin) == before


def test_another_organization_s_set_up_is_closed(member: Browser) -> None:
    for path in PAGES:
        member.be("stranger").open(path, status=403)


def test_a_step_before_the_first_is_refused(browse: Callable[..., Browser]) -> None:
    browser = browse().sign_in()
    token = browser.form(browser.open("/o/new/setup"), "/o/new/setup/key")["_token"].value
    for action in ("template", "settings", "switch", "test"):
        browser.post(f"/o/new/setup/{action}", {"_token": token, "state": "on"}, status=403)
    browser.open("/o/new/setup/test", status=403)


# -- what it costs


def test_the_page_is_a_few_statements_and_kilobytes(admin: Browser) -> None:
    with recorded(admin.api.app.services.database) as statements:
        page = admin.open(SETUP)
    assert len([one for one in statements if re.match(r"\s*SELECT", one, re.IGNORECASE)]) <= 8
    assert len(page.body) < 100_000
