"""A plain lookup takes a short way. Nobody can tell: answer, headers, log and environ are those of
the long way."""

import logging
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.services.events import EventFilter
from callhelm_threecx.settings import MAX_KEY
from tests.client import ADMIN_KEY, Api

LOOKUP = "/api/3cx/contacts/lookup"
VARYING = {"x-request-id", "ratelimit-remaining", "ratelimit-reset"}


class Answer:
    """What a server would send, and the environ as a server's log would find it."""

    def __init__(self, app: Any, environ: dict[str, Any]) -> None:
        self.status, self.headers = "", {}
        self.environ = environ
        self.body = b"".join(app(environ, self._start))

    def _start(self, status: str, headers: list[tuple[str, str]], _info: Any = None) -> Any:
        self.status, self.headers = status, {name.lower(): value for name, value in headers}

    @property
    def lasting(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name not in VARYING}


def environ(query: str, key: str, **others: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": LOOKUP,
        "QUERY_STRING": query,
        "RAW_URI": f"{LOOKUP}?{query}",
        "REQUEST_URI": f"{LOOKUP}?{query}",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost:80",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_X_API_KEY": key,
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
        "wsgi.errors": BytesIO(),
        **others,
    }


class Ways:
    """The two ways into one application."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def both(self, query: str, key: str, **others: Any) -> tuple[Answer, Answer]:
        """The answer of the application, and that of the framework alone."""
        app = self.api.app
        taken = Answer(app, environ(query, key, **others))
        ways, app.short_ways = app.short_ways, {}
        try:
            return taken, Answer(app, environ(query, key, **others))
        finally:
            app.short_ways = ways

    def is_short(self, query: str, key: str, **others: Any) -> bool:
        sent: list[str] = []

        def start(status: str, _headers: Any) -> None:
            sent.append(status)

        asked = environ(query, key, **others)
        way = self.api.app.short_ways.get(asked["PATH_INFO"], lambda *_: None)
        answer = way(asked, start)
        assert (answer is None) == (not sent)
        return answer is not None


@pytest.fixture(scope="module")
def ways(shared_api: Api) -> Iterator[Ways]:
    shared_api.key()
    for first, number in (("Anna", "+49 30 123456"), ("Ben", "030 123456"), ("Cleo", "0171 55555")):
        body = {"FirstName": first, "Number": number, "Email": f"{first}@example.com"}
        shared_api.post("/contacts/create", body, key=shared_api.key())
    ways = Ways(shared_api)
    ways.both("number=1", shared_api.key())  # the key is known from now on
    return ways


NUMBERS = [
    "%2B4930123456",
    "+4930123456",
    "030123456",
    "030%20123456",
    "123456",
    "0049%2030%20123456",
    "anonymous",
    "%F0%9F%93%9E",
    "%ff%fe",
    "%00",
    "030123456%00",
    "%252B4930123456",
    "4" * 300,
    "-1",
    "number=030123456",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_answer_is_that_of_the_long_way(ways: Ways, number: str) -> None:
    key = ways.api.key()
    assert ways.is_short(f"number={number}", key)
    taken, framework = ways.both(f"number={number}", key)
    assert (taken.status, taken.body) == (framework.status, framework.body)
    assert taken.lasting == framework.lasting
    assert taken.headers.keys() == framework.headers.keys()


@settings(max_examples=200)
@given(text=st.text(max_size=40))
def test_whatever_is_asked_both_ways_answer_alike(ways: Ways, text: str) -> None:
    query = "number=" + quote(text, safe="", errors="replace")
    taken, framework = ways.both(query, ways.api.key())
    assert (taken.status, taken.body) == (framework.status, framework.body) or (
        taken.status.startswith("400") and _sentence(taken) == _sentence(framework)
    )


def _sentence(answer: Answer) -> bytes:
    return re.sub(rb'"requestId":\s*"[^"]*"', b"", answer.body)


LONG = [
    ("number=030123456&x=1", {}),
    ("x=1&number=030123456", {}),
    ("number=", {}),
    ("number=%20", {}),
    ("number", {}),
    ("", {}),
    ("email=anna%40example.com", {}),
    ("number=030123456", {"REQUEST_METHOD": "POST"}),
    ("number=030123456", {"REQUEST_METHOD": "HEAD"}),
    ("number=030123456", {"CONTENT_LENGTH": "5", "wsgi.input": BytesIO(b"12345")}),
    ("number=030123456", {"PATH_INFO": f"{LOOKUP}/"}),
    ("number=030123456", {"PATH_INFO": "/api/3cx/contacts/search"}),
    ("number=030123456", {"HTTP_HOST": "<script>"}),
]


@pytest.mark.parametrize(("query", "others"), LONG)
def test_whatever_is_not_plain_goes_the_long_way(
    ways: Ways, query: str, others: dict[str, Any]
) -> None:
    assert not ways.is_short(query, ways.api.key(), **others)


@pytest.mark.parametrize("key", ["", ADMIN_KEY, "3cx_" + "x" * 43, "x" * (MAX_KEY + 1)])
def test_only_a_known_organization_key_opens_the_short_way(ways: Ways, key: str) -> None:
    assert not ways.is_short("number=030123456", key)


def test_a_key_that_was_never_seen_is_looked_up_on_the_long_way(api: Api) -> None:
    ways = Ways(api)
    key = api.key()
    assert not ways.is_short("number=030123456", key)
    api.get("/contacts/lookup?number=1", key=key)
    assert ways.is_short("number=030123456", key)


def test_a_disabled_integration_is_refused_on_the_long_way(api: Api) -> None:
    key = api.key()
    api.get("/contacts/lookup?number=1", key=key)
    api.call("PATCH", "/setup", {"organizationId": "acme", "enabled": False}, key=ADMIN_KEY)
    assert not Ways(api).is_short("number=030123456", key)
    assert api.get("/contacts/lookup?number=1", key=key, status=403).json["code"] == (
        "integration_disabled"
    )


def test_a_request_id_is_given_back_when_it_is_sane(ways: Ways) -> None:
    for given_id, kept in (("call-17", True), ("a b", False), ("", False)):
        taken, _ = ways.both("number=1", ways.api.key(), HTTP_X_REQUEST_ID=given_id)
        assert (taken.headers["x-request-id"] == given_id) is kept
        assert taken.headers["x-request-id"]


def test_neither_way_leaves_the_number_to_the_servers_log(ways: Ways) -> None:
    taken, framework = ways.both("number=030123456", ways.api.key())
    for name in ("QUERY_STRING", "RAW_URI", "REQUEST_URI"):
        assert taken.environ[name] == framework.environ[name]
        assert "030123456" not in taken.environ[name]


def test_both_ways_log_the_same_line(ways: Ways, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="callhelm_threecx.access"):
        ways.both("number=%2B4930123456", ways.api.key(), HTTP_X_REQUEST_ID="one")
    standard = vars(logging.makeLogRecord({})).keys() | {"message", "ms"}
    lines = [{k: v for k, v in vars(r).items() if k not in standard} for r in caplog.records]
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert lines[0]["number"] == "+49•••••56"


def test_both_ways_write_the_same_event(api: Api) -> None:
    ways = Ways(api)
    ways.both("number=1", api.key())
    ways.both("number=%2B4930123456", api.key())
    services = api.app.services
    services.writer.flush()
    events = services.events.page(EventFilter("acme", number="+4930123456")).events
    assert len(events) == 2
    told = [(e.event_type, e.status, e.phone_number, e.raw_data, e.contact_id) for e in events]
    assert told[0] == told[1]


def test_the_limit_counts_both_ways_together(make_api: Any) -> None:
    api = make_api(rate_limit="4/minute")
    key = api.key()
    remaining = [
        api.get("/contacts/lookup?number=1", key=key).headers["RateLimit-Remaining"]
        for _ in range(4)
    ]
    assert remaining == ["3", "2", "1", "0"]
    refused = api.get("/contacts/lookup?number=1", key=key, status=429)
    assert refused.json["contacts"] == []
    assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("raised", "status"), [(StorageUnavailableError("Away."), 503), (RuntimeError("a bug"), 500)]
)
def test_what_fails_is_answered_on_the_long_way_without_a_second_try(
    api: Api, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    key = api.key()
    api.get("/contacts/lookup?number=1", key=key)
    tries: list[str] = []

    def fail(_organization: object, text: str, **_: object) -> None:
        tries.append(text)
        raise raised

    monkeypatch.setattr(api.app.services.store, "find_by_number", fail)
    answer = api.get("/contacts/lookup?number=030123456", key=key, status=status)
    assert answer.json["contacts"] == []
    assert ("Retry-After" in answer.headers) is (status == 503)
    assert tries == ["030123456"]
