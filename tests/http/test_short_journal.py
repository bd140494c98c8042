"""A plain report takes a short way. Nobody can tell: answer, headers, log and event are those of
the long way."""

import json
import logging
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.services.events import EventFilter
from tests.client import ADMIN_KEY, Api
from tests.http.test_short_lookup import Answer
from tests.http.test_short_lookup import environ as lookup_environ

JOURNAL = "/api/3cx/calls/journal"
SECONDS = count()


def report(**fields: Any) -> dict[str, Any]:
    """A call that was never reported before."""
    second = next(SECONDS)
    started = f"2026-11-{1 + second // 3600 % 28:02}T08:{second // 60 % 60:02}:{second % 60:02}Z"
    return {
        "CallType": "Inbound",
        "Number": "+4930123456",
        "Agent": "101",
        "CallStartTimeUTC": started,
        "Duration": "00:01:40",
        **fields,
    }


def environ(body: bytes, key: str, **others: Any) -> dict[str, Any]:
    asked = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": JOURNAL,
        "RAW_URI": JOURNAL,
        "REQUEST_URI": JOURNAL,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        **others,
    }
    return {**lookup_environ("", key), **asked}


class Ways:
    """The two ways into one application."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def short(self, body: bytes, **others: Any) -> Answer | None:
        """The short way's answer, if it takes the request."""
        taken: list[bool] = []

        def app(asked: dict[str, Any], start: Any) -> Any:
            answer = self.api.app.short_ways[JOURNAL](asked, start)
            taken.append(answer is not None)
            return answer or []

        answer = Answer(app, environ(body, **{"key": self.api.key(), **others}))
        assert bool(answer.status) is taken[0]
        return answer if taken[0] else None

    def together(self, *bodies: bytes) -> list[Answer]:
        """The answers to reports that came at once: as they were recorded together or, where that
        is not for them, the application's."""
        asked = [environ(body, self.api.key()) for body in bodies]
        heads: list[list[Any]] = [[] for _ in bodies]
        starts = [partial(_keep, head) for head in heads]
        way: Any = self.api.app.short_ways[JOURNAL]
        answers = way._together(list(zip(asked, starts, strict=True)))

        def answer(request: dict[str, Any], head: list[Any], body: list[bytes] | None) -> Answer:
            def app(request: dict[str, Any], start: Any) -> Any:
                if body is None:
                    return self.api.app(request, start)
                start(*head)
                return body

            return Answer(app, request)

        return [answer(*one) for one in zip(asked, heads, answers, strict=True)]

    def whole(self, body: bytes, **others: Any) -> Answer:
        """The application's."""
        return Answer(self.api.app, environ(body, **{"key": self.api.key(), **others}))

    def long(self, body: bytes, **others: Any) -> Answer:
        """The framework's alone."""
        app = self.api.app
        ways, app.short_ways = app.short_ways, {}
        try:
            return self.whole(body, **others)
        finally:
            app.short_ways = ways


def _keep(head: list[Any], *given: Any) -> None:
    head.extend(given)


@pytest.fixture(scope="module")
def ways(shared_api: Api) -> Iterator[Ways]:
    key = shared_api.key()
    shared_api.post("/contacts/create", {"FirstName": "Anna", "Number": "030 123456"}, key=key)
    shared_api.get("/contacts/lookup?number=1", key=key)  # the key is known from now on
    return Ways(shared_api)


def told(answer: Answer) -> tuple[str, dict[str, str], dict[str, Any]]:
    """What is the same of two calls."""
    body = json.loads(answer.body)
    return answer.status, answer.lasting, {**body, "callId": "", "requestId": ""}


FIELDS = [
    {},
    {"CallType": "Missed"},
    {"CallType": "outbound", "CallDirection": "Outbound"},
    {"Number": "anonymous"},
    {"Number": 4930123456},
    {"Number": "+4930123456", "EntityId": "nobody"},
    {"Agent": "999", "AgentEmail": "nobody@example.com"},
    {"Name": "Zoë \U0001f4de", "Summary": "[Summary]", "Transcription": "x" * 5000},
    {"Unknown": None, "Other": "y"},
]


@pytest.mark.parametrize("fields", FIELDS)
def test_the_answer_is_that_of_the_long_way(ways: Ways, fields: dict[str, Any]) -> None:
    short = ways.short(json.dumps(report(**fields)).encode())
    assert short is not None
    assert told(short) == told(ways.long(json.dumps(report(**fields)).encode()))
    assert short.status == "201 Created"


def test_of_several_at_once_each_is_answered_as_on_the_long_way(ways: Ways) -> None:
    sent = [json.dumps(report(**fields)).encode() for fields in FIELDS]
    again = [json.dumps(report(**fields)).encode() for fields in FIELDS]
    mixed = [body for pair in zip(sent, REFUSED, strict=False) for body in pair]
    answers = ways.together(*mixed)
    expected = [body for pair in zip(again, REFUSED, strict=False) for body in pair]
    assert [told(answer) for answer in answers] == [told(ways.long(body)) for body in expected]
    assert [answer.status[:3] for answer in answers] == ["201", "400"] * len(FIELDS)


def test_of_several_at_once_a_repeated_one_is_the_same_call(ways: Ways) -> None:
    known, new = json.dumps(report()).encode(), json.dumps(report()).encode()
    first = ways.whole(known)
    answers = ways.together(new, known, new)
    assert sorted(answer.status[:3] for answer in answers) == ["200", "200", "201"]
    calls = [json.loads(answer.body)["callId"] for answer in answers]
    assert calls[0] == calls[2]
    assert calls[1] == json.loads(first.body)["callId"]


def test_of_several_at_once_each_counts_once(make_api: Any) -> None:
    api = make_api(rate_limit="9/minute")
    api.get("/contacts/lookup?number=1", key=api.key())
    ways = Ways(api)
    same = json.dumps(report()).encode()
    bodies = [same, b"{}", json.dumps(report()).encode(), same]
    assert [a.status[:3] for a in ways.together(*bodies)] == ["201", "400", "201", "200"]
    assert [a.status[:3] for a in ways.together(*[same] * 5)] == ["200"] * 4 + ["429"]


def test_of_several_at_once_none_is_lost_when_one_cannot_be_admitted(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    way: Any = ways.api.app.short_ways[JOURNAL]
    take = way._take
    fails_for: dict[str, Any] = environ(json.dumps(report()).encode(), ways.api.key())

    def failing(asked: dict[str, Any]) -> Any:
        if asked is fails_for:
            raise RuntimeError("a bug")
        return take(asked)

    first = environ(json.dumps(report()).encode(), ways.api.key())
    with monkeypatch.context() as patch:
        patch.setattr(way, "_take", failing)
        with pytest.raises(RuntimeError):
            way._together([(first, None), (fails_for, None)])
    alone = [Answer(ways.api.app, asked) for asked in (first, fails_for)]
    assert [answer.status for answer in alone] == ["201 Created"] * 2


def test_the_same_report_is_the_same_call_on_either_way(ways: Ways) -> None:
    body = json.dumps(report()).encode()
    first, again, long = ways.short(body), ways.short(body), ways.long(body)
    assert first
    assert again
    assert (first.status, again.status, long.status) == ("201 Created", "200 OK", "200 OK")
    assert again.body == long.body
    assert json.loads(first.body)["callId"] == json.loads(long.body)["callId"]


REFUSED = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"{}",
    b'{"CallType": NaN}',
    b'{"CallType": "Sideways", "Number": "1"}',
    b'{"CallType": "Missed"}',
    b'{"CallType": "Missed", "Number": {"a": 1}}',
    b'{"CallType": "Missed", "Number": "1", "Duration": "soon"}',
    b"\xff\xfe",
    b'{"CallType": "Missed", "Number": "' + b"1" * 400 + b'"}',
]


@pytest.mark.parametrize("body", REFUSED)
def test_what_cannot_be_read_is_refused_as_on_the_long_way(ways: Ways, body: bytes) -> None:
    taken, framework = ways.whole(body), ways.long(body)
    assert told(taken) == told(framework)
    assert taken.status.startswith("400")


@settings(max_examples=100)
@given(
    fields=st.dictionaries(
        st.sampled_from(["CallType", "Number", "Duration", "EntityId", "CallEndTimeUTC", "Name"]),
        st.one_of(st.none(), st.text(max_size=20), st.integers(), st.booleans()),
        max_size=4,
    )
)
def test_whatever_is_reported_both_ways_answer_alike(ways: Ways, fields: dict[str, Any]) -> None:
    bodies = [json.dumps({**report(), **fields}).encode() for _ in range(2)]
    taken, framework = ways.whole(bodies[0]), ways.long(bodies[1])
    assert told(taken) == told(framework)


LONG: list[dict[str, Any]] = [
    {"REQUEST_METHOD": "PUT"},
    {"QUERY_STRING": "x=1"},
    {"CONTENT_LENGTH": ""},
    {"CONTENT_LENGTH": "-1"},
    {"CONTENT_LENGTH": "+5"},
    {"CONTENT_LENGTH": "\u0665"},
    {"CONTENT_LENGTH": "9" * 12},
    {"HTTP_TRANSFER_ENCODING": "chunked"},
    {"HTTP_HOST": "<script>"},
    {"key": ""},
    {"key": ADMIN_KEY},
    {"key": "3cx_" + "x" * 43},
]


@pytest.mark.parametrize("others", LONG)
def test_whatever_is_not_plain_goes_the_long_way(ways: Ways, others: dict[str, Any]) -> None:
    assert ways.short(json.dumps(report()).encode(), **others) is None


def test_a_body_of_another_type_is_refused_as_on_the_long_way(ways: Ways) -> None:
    body = json.dumps(report()).encode()
    taken = ways.whole(body, CONTENT_TYPE="text/plain")
    assert told(taken) == told(ways.long(body, CONTENT_TYPE="text/plain"))
    assert taken.status.startswith("415")


def test_a_feature_that_is_off_is_refused_on_the_long_way(api: Api) -> None:
    key = api.key()
    off = {"organizationId": "acme", "settings": {"call_journaling_enabled": False}}
    api.call("PATCH", "/setup", off, key=ADMIN_KEY)
    api.get("/contacts/lookup?number=1", key=key)
    assert Ways(api).short(json.dumps(report()).encode()) is None
    assert api.post("/calls/journal", report(), key=key, status=403).json["code"] == (
        "feature_disabled"
    )


def test_both_ways_log_the_same_line(ways: Ways, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="callhelm_threecx.access"):
        ways.short(json.dumps(report()).encode(), HTTP_X_REQUEST_ID="one")
        ways.long(json.dumps(report()).encode(), HTTP_X_REQUEST_ID="one")
    standard = vars(logging.makeLogRecord({})).keys() | {"message", "ms"}
    lines = [{k: v for k, v in vars(r).items() if k not in standard} for r in caplog.records]
    assert len(lines) == 2
    assert lines[0] == lines[1]


def test_both_ways_write_the_same_event(api: Api) -> None:
    ways = Ways(api)
    api.get("/contacts/lookup?number=1", key=api.key())
    sent = [report(), report()]
    assert ways.short(json.dumps(sent[0]).encode())
    ways.long(json.dumps(sent[1]).encode())
    page = api.app.services.events.page(EventFilter("acme", number="+4930123456"))
    started = "CallStartTimeUTC"
    events = [
        (e.event_type, e.status, e.phone_number, e.call_type, {**e.raw_data, started: ""})
        for e in page.events
    ]
    assert len(events) == 2
    assert events[0] == events[1]


def test_a_report_counts_once_whatever_becomes_of_it(make_api: Any) -> None:
    api = make_api(rate_limit="5/minute")
    key = api.key()
    remaining = [api.get("/contacts/lookup?number=1", key=key).headers["RateLimit-Remaining"]]
    for body, status in ((report(), 201), ({"CallType": "Sideways"}, 400), (report(), 201)):
        answer = api.post("/calls/journal", body, key=key, status=status)
        remaining.append(answer.headers["RateLimit-Remaining"])
    remaining.append(api.get("/contacts/lookup?number=1", key=key).headers["RateLimit-Remaining"])
    assert remaining == ["4", "3", "2", "1", "0"]
    refused = api.post("/calls/journal", report(), key=key, status=429)
    assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("raised", "status"), [(StorageUnavailableError("Away."), 503), (RuntimeError("a bug"), 500)]
)
def test_what_fails_is_answered_on_the_long_way_without_a_second_try(
    api: Api, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    key = api.key()
    api.get("/contacts/lookup?number=1", key=key)
    tries: list[object] = []

    def fail(_organization: object, body: object) -> None:
        tries.append(body)
        raise raised

    monkeypatch.setattr(api.app.services.journal, "record_call", fail)
    monkeypatch.setattr(api.app.services.journal, "record_calls", lambda asked: [None] * len(asked))
    several = Ways(api).together(*[json.dumps(report()).encode()] * 2)
    assert [answer.status[:3] for answer in several] == [str(status)] * 2
    assert len(tries) == 2
    tries.clear()
    answer = api.post("/calls/journal", report(), key=key, status=status)
    assert ("Retry-After" in answer.headers) is (status == 503)
    assert len(tries) == 1
