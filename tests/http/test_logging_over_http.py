"""What a request leaves in the log, and what it does not."""

import json
import logging
from collections.abc import Callable
from typing import Any, NoReturn
from uuid import UUID

import pytest
from webtest import TestApp

from callhelm_threecx.keys import generate_api_key
from callhelm_threecx.logs import JsonFormatter, TextFormatter
from callhelm_threecx.stores.base import Contact
from callhelm_threecx.stores.memory import MemoryContactStore
from tests.client import ADMIN_KEY, Api
from tests.http.wire import CALL, CHAT, raw, refused

NUMBER = "+4930123456"
PRIVATE = [NUMBER, "30123456", "030 123456", "Anna", "Müllerová", "anna@example.com"]


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What a JSON handler would have written."""
    return [json.loads(JsonFormatter().format(record)) for record in caplog.records]


def do_everything(api: Api) -> str:
    """Every endpoint, with people's data in it; returns the key that travelled."""
    fields = {"FirstName": "Anna", "LastName": "Müllerová", "Email": "anna@example.com"}
    api.create(**fields, Number="030 123456")
    api.lookup(NUMBER)
    api.lookup("030 123456")
    api.get("/contacts/lookup?email=anna%40example.com")
    api.get("/contacts/search?query=Anna%20M%C3%BCllerov%C3%A1")
    api.post("/calls/journal", {**CALL, "Number": NUMBER, "Name": "Anna Müllerová"})
    api.post("/chats/journal", {**CHAT, "ChatMessages": "Anna: hi"})
    api.events("number=%2B4930123456")
    raw(api, "GET", f"/template?apiKey={api.key()}")
    mapping = {"organizationId": "acme", "extension": "1", "agentEmail": "anna@example.com"}
    api.post("/agents", mapping, key=ADMIN_KEY)
    api.post("/contacts/create", {"LastName": "Anna", "Number": "x"}, status=400)
    raw(api, "GET", f"/contacts/lookup?number={NUMBER}", headers={"x-api-key": "3cx_wrong"})
    return api.key()


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_no_key_number_name_or_address_is_in_a_log_line(
    api: Api, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    with caplog.at_level(level):
        key = do_everything(api)
    text = "\n".join(TextFormatter().format(record) for record in caplog.records) + caplog.text
    for private in (*PRIVATE, key, key[4:], ADMIN_KEY, "3cx_wrong"):
        assert private not in text
    if level == logging.INFO:
        assert "+49•••••56" in text


def test_debug_shows_whole_numbers_and_still_no_key(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "callhelm_threecx"):
        key = do_everything(api)
    text = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert NUMBER in text
    assert key not in text
    assert ADMIN_KEY not in text


def test_each_request_is_one_structured_line(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.key()
    with caplog.at_level(logging.INFO, "callhelm_threecx.access"):
        sent = {"x-api-key": api.key(), "X-Request-Id": "abc"}
        raw(api, "GET", "/contacts/lookup?number=anonymous", headers=sent, REMOTE_ADDR="192.0.2.1")
    [line] = lines(caplog)
    assert line.pop("ms") > 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "callhelm_threecx.access",
        "message": "request",
        "request_id": "abc",
        "method": "GET",
        "path": "/api/3cx/contacts/lookup",
        "status": 200,
        "client": "192.0.2.1",
        "organization": "acme",
        "number": "•••",
    }


def test_refused_keys_are_told_apart_in_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "callhelm_threecx"):
        for key in ("", "nonsense", generate_api_key()):
            raw(api, "GET", "/events", headers={"x-api-key": key})
    assert [line["reason"] for line in lines(caplog)] == ["missing", "malformed", "unknown"]


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_line_break_in_a_path_or_number_makes_no_second_line(
    api: Api, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    with caplog.at_level(logging.DEBUG, "callhelm_threecx.access"):
        raw(api, "GET", "/x%0aFAKE%20%1b[31m%e2%80%a8y", headers={"x-api-key": api.key()})
        api.get("/contacts/lookup?number=1%0d%0aFAKE")
    for record in caplog.records:
        text = formatter.format(record)
        assert len(text.splitlines()) <= 1 or isinstance(formatter, JsonFormatter)
        assert "\n" not in text
        assert "\x1b" not in text


class BrokenStore(MemoryContactStore):
    """A store with a bug, whose message holds what nobody should see."""

    def find_by_number(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise RuntimeError("SELECT secret FROM contacts -- /srv/crm/store.py")


def test_a_bug_is_a_500_with_a_request_id_that_finds_the_log_line(
    make_api: Callable[..., Api], caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api(store=BrokenStore())
    answer = api.get("/contacts/lookup?number=1", status="*")
    body = refused(answer, 500, "internal_error")
    assert body["contacts"] == []
    for secret in ("SELECT", "secret", "/srv", "store.py", "RuntimeError", "Traceback", "line "):
        assert secret not in answer.text
    [line] = [line for line in lines(caplog) if line["level"] == "ERROR"]
    assert line["request_id"] == body["requestId"]
    assert line["path"] == "/api/3cx/contacts/lookup"
    assert "RuntimeError: SELECT secret" in line["exception"]


class OddStore(MemoryContactStore):
    """A store that hands out what JSON and UTF-8 do not know."""

    def search(self, *_args: object, **_kwargs: object) -> list[Contact]:
        return [Contact(id=str(UUID(int=1)), last_name="\ud800", company=UUID(int=2))]  # type: ignore[arg-type]


def test_what_json_does_not_know_costs_no_answer(make_api: Callable[..., Api]) -> None:
    api = make_api(store=OddStore())
    [contact] = api.get("/contacts/search?query=xx").json["contacts"]
    assert contact["lastName"] == "?"
    assert contact["company"] == "00000000-0000-0000-0000-000000000002"


def test_the_query_is_hidden_from_the_server_and_middleware_around(api: Api) -> None:
    seen: dict[str, Any] = {}

    def around(environ: dict[str, Any], start_response: Any) -> Any:
        environ["RAW_URI"] = environ["REQUEST_URI"] = "/api/3cx/template?apiKey=secret&x=1"
        answer = api.app(environ, start_response)
        seen.update(environ)
        return answer

    path = f"{api.prefix}/template?apiKey={api.key()}&number=%2B4930123456&=x&a%0ab=c&3cx_abc"
    TestApp(around).get(path)
    assert seen["QUERY_STRING"] == "apiKey=***&number=***&=***&a_0ab=***&***"
    assert seen["RAW_URI"] == seen["REQUEST_URI"] == f"/api/3cx/template?{seen['QUERY_STRING']}"
