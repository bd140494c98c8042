"""Test connection: a call that is played, over the network where that is possible."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from webtest import TestResponse

from callhelm_threecx.console.trial import Ringer, reason_to_stay_inside
from callhelm_threecx.services.events import EventFilter
from tests import servers
from tests.client import Api
from tests.console.conftest import Browser
from tests.core.statements import recorded
from tests.http.identities import SignIn
from tests.http.wire import setup

TEST = "/o/acme/setup/test"
THREADS = {"wsgi.multithread": True}
"""What a server with threads tells an application."""

ANNA = {"FirstName": "Anna", "LastName": "Muller", "Company": "Acme", "Number": "+49 30 123456"}


def ring(browser: Browser, number: str = "+4930123456", **fields: str) -> TestResponse:
    return browser.send(browser.open(TEST), TEST, number=number, **fields)


def verdict(page: TestResponse) -> str:
    return str(page.html.find(class_="notice").text).strip()


def steps(page: TestResponse) -> list[tuple[str, str]]:
    """(done or failed, its heading) of each step."""
    found = page.html.select("ol.steps > li")
    return [(" ".join(one["class"]), one.find("strong").text) for one in found]


def remark(page: TestResponse) -> str:
    found = page.html.find(attrs={"role": "note"})
    return str(found.text) if found else ""


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Nothing to standard error."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A real server in front of an app; gives its address."""
    with make_server("127.0.0.1", 0, app, WSGIServer, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answering(status: str, *headers: tuple[str, str], body: bytes = b"") -> Any:
    """What is in front of us, or in our place: it answers always the same."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/html"), *headers])
        return [body]

    return app


# -- what is shown


def test_a_known_caller_is_shown_with_name_company_and_page(admin: Browser) -> None:
    contact = admin.api.create(**ANNA)
    page = ring(admin)
    assert verdict(page) == "The agent would see Anna Muller."
    card = page.html.find(class_="phone-card")
    assert [text in card.text for text in ("Anna Muller", "Acme", "+4930123456")] == [True] * 3
    link = card.find("a")
    assert link["href"] == contact["contactUrl"].replace(":80", "")
    assert set(link["rel"]) == {"noopener", "noreferrer"}


def test_each_step_of_the_pbx_is_told(admin: Browser) -> None:
    admin.api.create(**ANNA)
    page = ring(admin)
    assert [state for state, _ in steps(page)] == ["done"] * 5
    told = " ".join(heading for _, heading in steps(page))
    for word in ("A call from +4930123456.", "The answer is 200", "It reads one contact."):
        assert word in told
    assert "/api/3cx/contacts/lookup?number=%2B4930123456" in page.html.find(class_="wire").text
    assert "phone business" in page.html.select("ol.steps > li")[-1].text


def test_the_key_is_masked_in_what_is_shown(admin: Browser) -> None:
    page = ring(admin)
    assert admin.api.key() not in page.text
    assert "x-api-key: •••" in page.html.text


def test_a_stranger_is_told_from_a_fault(admin: Browser) -> None:
    page = ring(admin, "+4930999999")
    assert "nobody in the contacts has this number" in verdict(page)
    assert {state for state, _ in steps(page)} == {"done"}
    assert page.html.find(class_="phone-card").text.split() == [
        "Incoming",
        "call",
        "+4930999999",
        "No",
        "name",
    ]


def test_a_cut_number_is_shown_as_the_pbx_sends_it(admin: Browser) -> None:
    admin.api.create(**ANNA)
    page = ring(admin, "+49 30 123456", maxLength="6")
    first = page.html.select("ol.steps > li")[0].text
    assert "cuts the number to its last 6 digits" in first
    assert "123456" in page.html.find(class_="wire").text.rpartition("=")[2]
    assert verdict(page) == "The agent would see Anna Muller."


def test_of_several_contacts_the_first_is_shown_and_all_are_listed(admin: Browser) -> None:
    admin.api.create(**ANNA)
    admin.api.create(**{**ANNA, "FirstName": "Bert"})
    page = ring(admin)
    assert "It reads 2 contacts." in [heading for _, heading in steps(page)]
    assert "shows the first of the 2" in page.html.select("ol.steps > li")[-1].text
    assert len(page.html.select("ol.steps table")) == 2


def test_a_withheld_number_is_nobody(admin: Browser) -> None:
    assert "nobody" in verdict(ring(admin, "anonymous"))


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"number": " "}, "number"),
        ({"number": "1" * 65}, "number"),
        ({"number": "1", "maxLength": "x"}, "maxLength"),
    ],
)
def test_what_cannot_ring_is_told_at_its_field(
    admin: Browser, fields: dict[str, str], faulty: str
) -> None:
    form = dict(admin.form(admin.open(TEST), TEST).submit_fields())
    page = admin.post(TEST, {**form, **fields}, status=400)
    assert page.html.find(id=f"e-{faulty}")


def test_an_integration_that_is_switched_off_is_told(admin: Browser) -> None:
    setup(admin.api, enabled=False)
    page = ring(admin)
    assert "no usable answer" in verdict(page)
    assert "The integration is switched off" in page.html.text
    assert ("failed", "The answer is 403") in [(a, b.partition(",")[0]) for a, b in steps(page)]


def test_a_link_that_no_browser_should_open_is_none(make_api: Callable[..., Api]) -> None:
    """A store may give any text as a contact's id; the pattern decides the scheme."""
    browser = Browser(make_api()).sign_in()
    browser.api.key()
    browser.api.create(**ANNA)
    page = ring(browser)
    assert [link["href"].partition(":")[0] for link in page.html.select(".phone-card a")] == [
        "http"
    ]


def test_a_hostile_name_is_text(admin: Browser) -> None:
    admin.api.create(LastName="<script>alert(1)</script>", Number="+4930123456")
    page = ring(admin)
    assert "<script>alert" not in page.text
    assert page.html.find(class_="caller").find("bdi").text == "<script>alert(1)</script>"


def test_a_test_leaves_one_lookup_in_the_log_and_no_contact(admin: Browser) -> None:
    setup(admin.api, settings={"auto_create_contacts": True})
    services = admin.api.app.services
    services.writer.flush(5)
    before = [row.id for row in services.events.page(EventFilter("acme")).events]
    ring(admin, "+4930999999")
    services.writer.flush(5)
    new = [row for row in services.events.page(EventFilter("acme")).events if row.id not in before]
    assert [row.event_type for row in new] == ["lookup"]
    assert admin.api.lookup("+4930999999") == []


# -- the way that the request takes


def test_a_server_that_answers_one_at_a_time_does_not_wait_for_itself(admin: Browser) -> None:
    page = ring(admin)
    assert "one request at a time" in remark(page)
    assert "It asks inside this server." in [heading for _, heading in steps(page)]


def test_over_the_network_nothing_is_to_be_added(
    browse: Callable[..., Browser], make_api: Callable[..., Api]
) -> None:
    api = make_api()
    with serving(api.app) as address:
        browser = Browser(make_api(public_url=address), **THREADS)
        browser.origin = address
        browser.sign_in().api.key()
        browser.api.create(**ANNA)
        page = ring(browser)
    assert remark(page) == ""
    assert "It asks this server over the network." in [heading for _, heading in steps(page)]
    assert verdict(page) == "The agent would see Anna Muller."


def at(make_api: Callable[..., Api], public_url: str) -> Browser:
    """Signed in at a server with threads whose public URL is this; Anna is a contact."""
    browser = Browser(make_api(public_url=public_url), **THREADS)
    browser.origin = public_url
    browser.sign_in().api.key()
    browser.api.create(**ANNA)
    return browser


def test_an_address_where_nobody_listens_is_no_fault_for_certain(
    make_api: Callable[..., Api],
) -> None:
    """Only the PBX may be able to reach it; the rest of the test goes on inside."""
    page = ring(at(make_api, f"http://127.0.0.1:{servers.free_port()}"))
    assert "could not reach itself" in remark(page)
    assert "nothing listens there" in remark(page)
    assert verdict(page) == "The agent would see Anna Muller."


IN_BETWEEN = [
    ("301 Moved", [("Location", "https://crm.example.com/")], "3CX follows no redirect"),
    ("401 Unauthorized", [], "asks for a sign-in of its own"),
    ("404 Not Found", [], "leads to another server"),
    ("502 Bad Gateway", [], "could not reach this server"),
    ("418 Teapot", [], "between your PBX and this server"),
]


@pytest.mark.parametrize(("status", "headers", "advice"), IN_BETWEEN)
def test_what_a_proxy_answers_is_told_from_what_the_server_says(
    make_api: Callable[..., Api], status: str, headers: list[tuple[str, str]], advice: str
) -> None:
    with serving(answering(status, *headers)) as address:
        page = ring(at(make_api, address))
    assert f"the answer is {status[:3]}; asked directly, this server answers otherwise" in remark(
        page
    )
    assert advice in remark(page)
    assert "no usable answer" in verdict(page)


def test_a_page_in_place_of_an_answer_is_a_fault(make_api: Callable[..., Api]) -> None:
    with serving(answering("200 OK", body=b"<h1>Welcome to nginx</h1>")) as address:
        page = ring(at(make_api, address))
    assert "no usable answer" in verdict(page)
    assert "Welcome to nginx" in page.html.text


def test_an_answer_that_does_not_come_is_waited_for_only_briefly(api: Api) -> None:
    """A PBX waits no longer; and a server whose workers are all busy must not be held up."""
    key = api.key()
    template = api.get("/template", key=key).text
    release = threading.Event()

    def hanging(_environ: Any, start_response: Any) -> list[bytes]:
        release.wait(10)
        start_response("200 OK", [])
        return [b""]

    with serving(hanging) as address:
        ours = template.replace("http://localhost:80", address)
        trial = Ringer(api.app, time_limit=0.3).ring(ours, "+4930123456", address)
        release.set()
    assert trial.inside
    assert not trial.is_fault
    assert "no answer came" in trial.remark
    assert trial.call.answer.status == 200


def test_below_a_path_the_request_arrives_where_it_does_in_life(
    make_api: Callable[..., Api],
) -> None:
    base_url = "https://crm.example.com/a%20b"
    api = make_api(public_url=base_url)
    contact = api.create(**ANNA)
    template = api.get("/template").text
    trial = Ringer(api.app).ring(template, "+4930123456", base_url, kept_inside="for this test")
    assert trial.call.exchanges[0].url.startswith(f"{base_url}/api/3cx/contacts/lookup?")
    assert trial.call.screen_pop == contact["contactUrl"] == f"{base_url}/contacts/{contact['id']}"


REASONS = [
    ({}, True, True, "one request at a time"),
    ({"wsgi.multithread": True}, True, False, ""),
    ({"wsgi.multiprocess": True}, True, False, ""),
    ({"wsgi.multithread": True}, False, True, ""),
    ({"wsgi.multithread": True}, False, False, "does not know its public address"),
]


@pytest.mark.parametrize(("environ", "public", "operator", "reason"), REASONS)
def test_when_a_test_stays_inside(
    environ: dict[str, Any], public: bool, operator: bool, reason: str
) -> None:
    said = reason_to_stay_inside(environ, has_public_url=public, is_operator=operator)
    assert (reason in said) if reason else not said


def test_a_host_s_user_cannot_have_the_server_call_where_they_like(
    make_api: Callable[..., Api],
) -> None:
    """The Host of a request is the visitor's to choose, and the key would go there."""
    browser = Browser(make_api(identity=SignIn()), **THREADS).be("admin")
    browser.api.key()
    asked: list[str] = []

    def listening(environ: Any, start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b""]

    with serving(listening) as address:
        host = {"Host": address.removeprefix("http://"), "Origin": address}
        host["Cookie"] = "user=admin"  # a cookie jar has none for a host that it does not know
        fields = browser.form(browser.open(TEST), TEST).submit_fields()
        page = browser.post(TEST, [*fields, ("number", "1")], headers=host)
    assert asked == []
    assert "does not know its public address" in remark(page)


def test_the_fullest_answer_stays_a_small_page_of_few_statements(admin: Browser) -> None:
    for index in range(10):
        long = dict.fromkeys(("LastName", "Company"), "x" * 300)
        admin.api.create(FirstName=f"Caller {index}", Number="+4930123456", **long)
    form = dict(admin.form(admin.open(TEST), TEST).submit_fields())
    with recorded(admin.api.app.services.database) as statements:
        page = admin.post(TEST, {**form, "number": "+4930123456"})
    assert "It reads 10 contacts." in [heading for _, heading in steps(page)]
    assert len(page.body) < 100_000
    assert len([one for one in statements if one.lstrip().upper().startswith("SELECT")]) <= 8
