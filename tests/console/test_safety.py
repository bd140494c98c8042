"""The console's doors: forged forms, planted and copied cookies, guessed keys, frames, roles."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import falcon.inspect
import pytest
from sqlalchemy import update
from sqlmodel import col
from webtest import TestApp, TestResponse

from callhelm_threecx.console.desk import NOTICE_COOKIE, SESSION_COOKIE
from callhelm_threecx.models import ConsoleSessionRow, utc_now
from callhelm_threecx.services.console_sessions import IDLE_S
from tests.client import ADMIN_KEY
from tests.console.conftest import ORIGIN, Browser
from tests.http.identities import PEOPLE, SignIn

UNKNOWN = "0190b2a0-0000-7000-8000-000000000000"
READERS = [name for name, one in PEOPLE.items() if one.may_read("acme")]
STRANGERS = [name for name in PEOPLE if name not in READERS]
MAY_NOT_WRITE = [name for name in READERS if not PEOPLE[name].may_set_up("acme")]
Browse = Callable[..., Browser]


@dataclass(frozen=True)
class Route:
    """An address of the console. Ids in it are of nothing that is there, but for ``acme``."""

    path: str
    methods: frozenset[str]

    @property
    def of_an_organization(self) -> bool:
        return self.path.startswith("/o/")


def routes(browser: Browser) -> list[Route]:
    """Every route of the console."""
    known = {"organization_id": "acme", "name": "console.css", "part": "transcript", "act": "start"}
    found = []
    for route in falcon.inspect.inspect_routes(browser.api.app):
        if route.path.startswith(browser.base):
            path = re.sub(r"{(\w+)}", lambda m: known.get(m[1], UNKNOWN), route.path)
            methods = frozenset(method.method for method in route.methods if not method.internal)
            found.append(Route(path.removeprefix(browser.base), methods))
    assert len(found) > 30
    return found


def token(browser: Browser, subject: str) -> str:
    """What the forms of a visitor carry."""
    return str(browser.api.app.services.ring.seal(subject, "console form"))


def client(browser: Browser) -> TestApp:
    return browser._app


def session_cookie(browser: Browser) -> str:
    """What the browser shows first: the cookie of the longest path (RFC 6265, 5.4)."""
    found = [one for one in client(browser).cookiejar if one.name == SESSION_COOKIE]
    return str(max(found, key=lambda one: len(one.path)).value).strip('"') if found else ""


def show_instead(browser: Browser, cookie: str) -> None:
    """Let the browser show this session and no other."""
    client(browser).reset()
    client(browser).set_cookie(SESSION_COOKIE, cookie)


def setup_events(browser: Browser) -> list[dict[str, Any]]:
    return browser.api.events("type=setup&limit=200", key=ADMIN_KEY)


# -- forged forms


def test_a_form_of_another_site_changes_nothing_on_any_route(admin: Browser) -> None:
    """However it says where it comes from, and with a token that would be right."""
    right = admin.form(admin.open("/sign-out"), "/sign-out")["_token"].value
    sources = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN + ".evil.example"},
        {"Referer": "https://evil.example/" + ORIGIN},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ]
    admin.api.app.services.writer.flush(5)
    before = len(setup_events(admin))
    for route in routes(admin):
        for headers in sources if "POST" in route.methods else ():
            answer = admin.post(route.path, {"_token": right}, headers=headers, status="*")
            assert answer.status_int == 403, (route, headers, answer.status)
    assert len(setup_events(admin)) == before
    assert admin.open("/organizations").forms


def wrong_tokens(browser: Browser) -> Iterator[tuple[str, str]]:
    services = browser.api.app.services
    yield "none", ""
    yield "no token at all", "x" * 100
    yield "of nobody, as the sign-in has it", token(browser, "nobody")
    other = services.ring.seal("session 0190b2a0-0000-7000-8000-000000000000", "console form")
    yield "of another session", other
    yield "of a user of the host", token(browser, "user admin")
    session = session_cookie(browser)
    yield "the session itself", session
    yield (
        "sealed for something else",
        services.ring.seal(client_subject(browser, session), "console notice"),
    )


def client_subject(browser: Browser, cookie: str) -> str:
    found = browser.api.app.services.ring.unseal(cookie, "console session", ttl_s=IDLE_S)
    assert found
    return f"session {found}"


def test_a_form_without_the_visitor_s_own_token_changes_nothing_on_any_route(
    admin: Browser,
) -> None:
    before = len(setup_events(admin))
    for name, value in wrong_tokens(admin):
        for route in routes(admin):
            wants = "POST" in route.methods and not (route.path == "/sign-in" and "nobody" in name)
            if wants:
                answer = admin.post(route.path, {"_token": value}, status="*")
                assert answer.status_int == 403, (route, name, answer.status)
    assert len(setup_events(admin)) == before


def test_the_token_of_one_organization_s_form_opens_no_other_organization(
    browse: Browse,
) -> None:
    """A token is the visitor's: it gives a member of one no right in another."""
    browser = browse(identity=SignIn()).be("admin")
    browser.api.key("acme")
    browser.api.key("other")
    page = browser.open("/o/acme/setup")
    own = browser.form(page, "/o/acme/setup/switch")["_token"].value
    fields = {"_token": own, "state": "off"}
    for route in routes(browser):
        if route.of_an_organization and "POST" in route.methods:
            path = route.path.replace("/o/acme", "/o/other")
            browser.post(path, fields, status=403)
    assert browser.api.app.services.integrations.get("other").enabled


# -- sessions


def test_a_cookie_that_was_planted_is_not_adopted(browse: Browse) -> None:
    for planted in ("planted", UNKNOWN, "gAAAAA" + "x" * 120):
        browser = browse()
        client(browser).set_cookie(SESSION_COOKIE, planted)
        browser.sign_in()
        assert session_cookie(browser) != planted
        browser.open("/organizations")


def test_the_attacker_s_session_does_not_become_the_victim_s(browse: Browse) -> None:
    attacker = browse().sign_in()
    own = session_cookie(attacker)
    victim = Browser(attacker.api)
    client(victim).set_cookie(SESSION_COOKIE, own)
    attacker.send(attacker.open("/sign-out"), "/sign-out")
    victim.sign_in()
    assert session_cookie(victim) != own
    assert "Admin key" in attacker.open("/organizations")


def copied(browser: Browser) -> Browser:
    """Another browser with the cookie of the first."""
    other = Browser(browser.api)
    client(other).set_cookie(SESSION_COOKIE, session_cookie(browser))
    return other


def is_in(browser: Browser) -> bool:
    return "Sign out" in browser.open("/organizations").text


def test_a_copied_cookie_opens_nothing_after_the_sign_out(admin: Browser) -> None:
    copy = copied(admin)
    assert is_in(copy)
    admin.send(admin.open("/sign-out"), "/sign-out")
    assert not is_in(copy)


def test_a_form_that_was_open_at_the_sign_out_changes_nothing(admin: Browser) -> None:
    copy = copied(admin)
    page = copy.open("/o/acme/setup")
    admin.send(admin.open("/sign-out"), "/sign-out")
    button = ("state", "off")
    assert "Admin key" in copy.send(page, "/o/acme/setup/switch", button=button)
    assert admin.api.app.services.integrations.get("acme").enabled


def test_signing_out_everywhere_ends_every_session(admin: Browser) -> None:
    others = [Browser(admin.api).sign_in() for _ in range(2)]
    admin.send(admin.open("/sign-out"), "/sign-out", everywhere="on")
    assert not any(is_in(one) for one in (admin, *others))


def test_signing_out_here_leaves_the_others_in(admin: Browser) -> None:
    other = Browser(admin.api).sign_in()
    admin.send(admin.open("/sign-out"), "/sign-out")
    assert (is_in(admin), is_in(other)) == (False, True)


def test_a_session_that_nobody_used_has_ended(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_instead(admin, _sealed_before(admin, IDLE_S + 2, monkeypatch))
    assert not is_in(admin)


def test_a_session_in_use_goes_on_with_a_new_cookie(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = _sealed_before(admin, IDLE_S - 60, monkeypatch)
    show_instead(admin, older)
    assert is_in(admin)
    assert session_cookie(admin) != older


def _sealed_before(browser: Browser, seconds: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The cookie of the same session as it was given so many seconds ago."""
    ring = browser.api.app.services.ring
    session_id = client_subject(browser, session_cookie(browser)).removeprefix("session ")
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now - seconds)
        return str(ring.seal(session_id, "console session"))


def test_no_session_is_older_than_its_lifetime(admin: Browser) -> None:
    """However busy it is: the row says when it ends, whatever the cookie says."""
    assert is_in(admin)
    with admin.api.app.services.database.write_all_organizations() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(ConsoleSessionRow).values({col(ConsoleSessionRow.expires_at): past}))
    assert not is_in(admin)


# -- guessing


def test_after_too_many_wrong_keys_not_even_the_right_one_opens(browse: Browse) -> None:
    browser = browse(failed_auth_limit="3/minute")
    page = browser.open("/sign-in")
    for _ in range(3):
        browser.send(page, "/sign-in", key="wrong", status=403)
    answer = browser.send(page, "/sign-in", key=ADMIN_KEY, status=403)
    assert "Too many wrong keys" in answer.text
    assert not session_cookie(browser)


def test_wrong_keys_at_the_api_and_at_the_sign_in_are_counted_together(browse: Browse) -> None:
    browser = browse(failed_auth_limit="3/minute")
    page = browser.open("/sign-in")
    for _ in range(2):
        browser.api.get("/setup?organizationId=acme", key="wrong", status=401)
    browser.send(page, "/sign-in", key="wrong", status=403)
    assert "Too many wrong keys" in browser.send(page, "/sign-in", key=ADMIN_KEY, status=403).text


def test_a_wrong_key_is_in_no_answer_and_in_no_event(browse: Browse) -> None:
    browser = browse()
    guess = "a-guess-that-nobody-should-read"
    page = browser.send(browser.open("/sign-in"), "/sign-in", key=guess, status=403)
    assert guess not in page.text
    events = browser.api.events("type=refused", key=ADMIN_KEY)
    assert events
    assert guess not in str(events)


# -- headers and cookies


def opened(browser: Browser) -> Iterator[tuple[Route, TestResponse]]:
    for route in routes(browser):
        if "GET" in route.methods:
            yield route, client(browser).get(browser.base + route.path, status="*")


def test_no_page_can_be_framed_cached_sniffed_or_run_what_is_not_ours(admin: Browser) -> None:
    for route, answer in opened(admin):
        where = (route.path, answer.status)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        if route.path.startswith("/assets/"):
            continue
        assert answer.headers["Cache-Control"] == "no-store", where
        if answer.status_int in {302, 303} or answer.content_type != "text/html":
            continue
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in answer.headers["Content-Security-Policy"].split(";")
        )
        assert policy["frame-ancestors"] == policy["default-src"] == "'none'", where
        assert policy["base-uri"] == "'none'", where
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert answer.headers["X-Frame-Options"] == "DENY", where
        assert answer.headers["Referrer-Policy"] == "same-origin", where


@pytest.mark.parametrize("public_url", [None, "https://crm.example.com/below"])
def test_cookies_are_kept_from_scripts_other_sites_and_other_paths(
    browse: Browse, public_url: str | None
) -> None:
    browser = browse(public_url=public_url) if public_url else browse()
    page = client(browser).get(browser.base + "/sign-in")
    fields = {"_token": page.form["_token"].value, "key": ADMIN_KEY}
    parts = urlsplit(public_url or ORIGIN)
    origin = {"Origin": f"{parts.scheme}://{parts.netloc}"}
    answer = client(browser).post(browser.base + "/sign-in", fields, headers=origin)
    (cookie,) = answer.headers.getall("Set-Cookie")
    flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", f"path={parts.path}{browser.base}"} <= flags
    assert ("secure" in flags) is (parts.scheme == "https")


def test_a_notice_that_was_planted_is_not_shown(admin: Browser) -> None:
    for planted in ("%7B%22text%22%3A%22Call%20me%22%7D", "Call me", session_cookie(admin)):
        client(admin).set_cookie(NOTICE_COOKIE, planted)
        page = admin.open("/organizations")
        assert "Call me" not in page.text
        assert not page.html.select("main > .notice")


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/%0d%0aLocation:https://evil.example",
    "/\r\nX-Header: planted",
    "javascript:alert(1)",
    "/" + "x" * 600,
    "@evil.example",
    ".evil.example",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_the_sign_in_leads_to_no_other_site(browse: Browse, wanted: str) -> None:
    browser = browse()
    page = client(browser).get(browser.base + "/sign-in", {"next": wanted})
    fields = dict(page.form.submit_fields()) | {"key": ADMIN_KEY, "next": wanted}
    sent = {"Origin": ORIGIN}
    after = client(browser).post(browser.base + "/sign-in", fields, headers=sent)
    again = client(browser).get(browser.base + "/sign-in", {"next": wanted})
    for answer in (after, again):
        parts = urlsplit(answer.headers["Location"])
        assert (parts.netloc, parts.path.startswith(browser.base)) in {
            ("", True),
            (urlsplit(ORIGIN).netloc, True),
            ("localhost", True),
        }
        assert "X-Header" not in answer.headers


# -- roles


@pytest.mark.parametrize("user", READERS)
def test_whoever_belongs_to_an_organization_may_look_at_all_of_it(
    member: Browser, user: str
) -> None:
    member.be(user)
    for route, answer in opened(member):
        if route.of_an_organization:
            assert answer.status_int != 403, (user, route.path)
            assert answer.status_int < 500, (user, route.path)


@pytest.mark.parametrize("user", STRANGERS)
def test_whoever_does_not_belong_to_it_finds_every_page_closed(member: Browser, user: str) -> None:
    member.be(user)
    for route, answer in opened(member):
        if route.of_an_organization:
            assert answer.status_int == 403, (user, route.path)
    for route in routes(member):
        if route.of_an_organization and "POST" in route.methods:
            fields = {"_token": token(member, f"user {user}")}
            member.post(route.path, fields, status=403)


@pytest.mark.parametrize("user", MAY_NOT_WRITE)
def test_whoever_may_only_look_changes_nothing_on_any_route(member: Browser, user: str) -> None:
    member.be(user)
    before = len(setup_events(member))
    for route in routes(member):
        if route.of_an_organization and "POST" in route.methods:
            fields = {"_token": token(member, f"user {user}")}
            answer = member.post(route.path, fields, status=403)
            assert "Your role may look at this" in answer.text, route.path
    assert len(setup_events(member)) == before


@pytest.mark.parametrize("user", [name for name, one in PEOPLE.items() if not one.is_system_admin])
def test_only_a_system_s_administrator_sees_or_changes_all_organizations(
    member: Browser, user: str
) -> None:
    member.be(user)
    for path in ("/events", "/events.csv", "/events/new", f"/events/{UNKNOWN}"):
        member.open(path, status=403)
    fields = {"_token": token(member, f"user {user}"), "organization": "made", "action": "create"}
    member.post("/organizations", fields, status=403)
    assert member.api.app.services.integrations.get("made") is None


def test_nobody_who_is_not_signed_in_sees_a_page_or_changes_a_thing(browse: Browse) -> None:
    browser = browse()
    browser.api.key()
    before = len(setup_events(browser))
    for route, answer in opened(browser):
        if route.path != "/sign-in" and not route.path.startswith("/assets/"):
            assert answer.status_int == 303, route.path
            assert f"{browser.base}/sign-in" in answer.headers["Location"]
    for route in routes(browser):
        if "POST" in route.methods and route.path != "/sign-in":
            fields = {"_token": token(browser, "nobody")}
            answer = browser.post(route.path, fields, status=303)
            assert "/sign-in" in answer.headers["Location"], route.path
    assert len(setup_events(browser)) == before
