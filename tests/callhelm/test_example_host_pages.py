"""The example host's own pages: sign-in, contacts, calls."""

from collections.abc import Iterator

import pytest

from contrib.callhelm_host import passwords, people
from contrib.callhelm_host.browser import Browser, Page
from contrib.callhelm_host.people import BIKES, SOLAR
from contrib.callhelm_host.sessions import COOKIE
from contrib.callhelm_host.stage import Stage
from tests.callhelm.example_hosts import member, running, signed_in
from tests.servers import PostgresSource

AGENT = member(BIKES, "agent").user
CONTACT = people.contacts_of(BIKES)[0]
PAGES = ["/", "/contacts", f"/contacts/{CONTACT.id}", "/calls", "/3cx"]


@pytest.fixture(scope="module")
def stage(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with running(host_databases, tmp_path_factory.mktemp("host"), workers=1) as stage:
        yield stage


@pytest.fixture
def stranger(stage: Stage) -> Iterator[Browser]:
    with Browser(stage.base_url) as browser:
        yield browser


@pytest.fixture
def agent(stage: Stage) -> Iterator[Browser]:
    with signed_in(stage, AGENT) as browser:
        yield browser


@pytest.mark.parametrize("path", PAGES)
def test_every_page_asks_to_sign_in(stranger: Browser, path: str) -> None:
    page = stranger.open(path)
    assert page.address.startswith(f"{stranger.base_url}/sign-in")
    assert CONTACT.name not in page.text


@pytest.mark.parametrize("path", PAGES[1:])
def test_signing_in_leads_to_the_page_that_was_asked_for(stranger: Browser, path: str) -> None:
    page = stranger.sign_in(AGENT.email, people.PASSWORD, at=path)
    assert (page.status, page.address) == (200, stranger.base_url + path)
    assert AGENT.name in page.text


@pytest.mark.parametrize(
    "place",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "/\t/elsewhere.example/",
        "javascript:alert(1)",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(stranger: Browser, place: str) -> None:
    form = Page(stranger.client.get("/sign-in", params={"next": place})).fields
    for after in (form["next"], place):
        fields = {**form, "next": after, "email": AGENT.email, "password": people.PASSWORD}
        answer = stranger.client.post("/sign-in", data=fields, follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/contacts")
        form = Page(stranger.client.post("/sign-out", data=_token(stranger))).fields


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (AGENT.email, "wrong"),
        (AGENT.email, ""),
        (AGENT.email, "\x00" * 3),
        ("nobody@goldengate.example", people.PASSWORD),
        ("", ""),
        ("owen@goldengate.example", people.PASSWORD),
        ("'; DROP TABLE profiles; --", people.PASSWORD),
    ],
    ids=["wrong", "none", "control characters", "nobody", "empty", "switched off", "SQL"],
)
def test_a_sign_in_that_is_refused_does_not_say_why(
    stranger: Browser, email: str, password: str
) -> None:
    page = stranger.sign_in(email, password)
    assert page.status == 403
    assert "E-mail address or password is wrong." in page.text
    assert stranger.open("/contacts").address.startswith(f"{stranger.base_url}/sign-in")


def test_an_address_is_the_same_in_capitals(stranger: Browser) -> None:
    assert stranger.sign_in(AGENT.email.upper(), people.PASSWORD).status == 200


def test_guessing_is_slowed_down_also_for_a_right_guess(stranger: Browser) -> None:
    lead = member(BIKES, "team_lead").user.email
    statuses = [stranger.sign_in(lead, f"guess {n}").status for n in range(10)]
    assert statuses == [403] * 10
    page = stranger.sign_in(lead, people.PASSWORD)
    assert page.status == 429
    assert "Too many attempts." in page.text
    assert stranger.sign_in(AGENT.email, people.PASSWORD).status == 200, "others are not kept out"


def test_the_cookie_is_for_this_hosts_requests_only(stranger: Browser) -> None:
    cookie = stranger.client.get("/sign-in").headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="):
        assert attribute in cookie


def test_signing_in_begins_a_new_session(stranger: Browser) -> None:
    stranger.open("/sign-in")
    planted = stranger.client.cookies[COOKIE]
    stranger.sign_in(AGENT.email, people.PASSWORD)
    assert stranger.client.cookies[COOKIE] != planted


def test_signing_out_ends_it(agent: Browser) -> None:
    page = Page(agent.client.post("/sign-out", data=_token(agent)))
    assert page.address == f"{agent.base_url}/sign-in"
    assert agent.open("/contacts").address.startswith(f"{agent.base_url}/sign-in")


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "gAAAAA",
        "\u00fc".encode("latin-1").decode("latin-1"),
        "UeQ7bkxzd7VnpxDyScXBvdQt0HUYOFepwgfPA3NYMs8=",
    ],
)
def test_a_cookie_that_this_host_did_not_make_signs_nobody_in(
    stranger: Browser, cookie: str
) -> None:
    header = f"{COOKIE}={cookie}".encode("latin-1")
    answer = stranger.client.get("/contacts", headers={b"Cookie": header}, follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.parametrize("token", [None, "", "x", "\u00fc"])
def test_a_form_that_the_host_did_not_give_out_is_refused(
    agent: Browser, token: str | None
) -> None:
    fields = {} if token is None else {"form_token": token}
    answer = agent.client.post("/sign-out", data={"x": "y", **fields})
    assert answer.status_code == 403
    assert AGENT.name in agent.open("/contacts").text


def test_what_is_no_form_is_refused(agent: Browser) -> None:
    assert agent.client.post("/sign-out", json={}).status_code == 415


def test_a_form_that_is_too_long_is_refused(stranger: Browser) -> None:
    answer = stranger.client.post("/sign-in", data={"email": "x" * 100_000})
    assert answer.status_code == 413


def test_contacts_are_those_of_ones_organization(agent: Browser) -> None:
    rows = agent.open("/contacts").rows
    assert {cells[-1] for _, cells in rows} == {BIKES.name}
    assert len(rows) == len(people.contacts_of(BIKES))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("dobbins", ["Earl Dobbins", "Ingrid Dobbins"]),
        ("0142", ["Maria Delgado"]),
        ("%", []),
        ("_", []),
        ("O'Dell", ["Frank O'Dell"]),
        ("no such thing", []),
    ],
)
def test_a_search_finds_what_is_in_a_row(agent: Browser, query: str, names: list[str]) -> None:
    page = Page(agent.client.get("/contacts", params={"q": query}))
    assert [cells[0] for _, cells in page.rows] == names


def test_a_contacts_page_shows_it_with_its_calls(agent: Browser) -> None:
    page = agent.open(f"/contacts/{CONTACT.id}")
    for text in (CONTACT.name, CONTACT.phone_number, CONTACT.company, CONTACT.email):
        assert text in page.text
    assert [cells[3] for _, cells in page.rows] == [CONTACT.name]


@pytest.mark.parametrize(
    "path",
    [
        f"/contacts/{people.contacts_of(SOLAR)[0].id}",
        "/contacts/00000000-0000-0000-0000-000000000000",
        "/contacts/no-uuid",
        "/nowhere",
        "/static/../pages.py",
        "/static/%2e%2e/pages.py",
    ],
)
def test_what_is_not_there_or_not_ones_own_is_404(agent: Browser, path: str) -> None:
    page = agent.open(path)
    assert page.status == 404
    assert "Not Found" in page.text


def test_calls_are_those_of_ones_organization_the_newest_first(agent: Browser) -> None:
    rows = agent.open("/calls").rows
    began = [cells[0] for _, cells in rows]
    assert began == sorted(began, reverse=True)
    assert {cells[8] for _, cells in rows} == {BIKES.name}


def test_every_value_of_a_page_is_escaped(agent: Browser) -> None:
    answer = agent.client.get("/contacts", params={"q": "<script>"})
    assert "<script>" not in answer.text
    listed = agent.client.get("/contacts").text
    assert "Ferry Building &lt;Front Desk&gt;" in listed
    assert "<Front" not in listed


@pytest.mark.parametrize("path", ["/contacts", "/sign-in", "/nowhere", "/static/style.css"])
def test_every_answer_forbids_what_it_does_not_need(agent: Browser, path: str) -> None:
    headers = agent.client.get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_3cx_page_offers_a_key_to_administrators_only(stage: Stage, agent: Browser) -> None:
    offer = "Give a new key"
    assert offer not in agent.open("/3cx").text
    with signed_in(stage, member(BIKES, "super_admin").user) as browser:
        page = browser.client.get("/3cx").text
    assert page.count(offer) == 1, "for the organization that she administers, not for the other"
    assert f'data-organization="{BIKES.id}"' in page
    assert f'data-organization="{SOLAR.id}"' in page


def test_a_password_is_not_kept(stage: Stage) -> None:
    sealed = passwords.seal("bell")
    assert "bell" not in sealed
    assert passwords.seal("bell") != sealed, "each has a salt of its own"
    assert passwords.is_right("bell", sealed)
    assert not passwords.is_right("Bell", sealed)


def _token(browser: Browser) -> dict[str, str]:
    """The token for the form at the head of a page."""
    return {"form_token": browser.open("/contacts").fields["form_token"]}
