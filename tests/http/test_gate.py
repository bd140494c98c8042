"""What stands in front of every resource: keys, methods, bodies, ids."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestResponse

from callhelm_threecx.keys import generate_api_key
from tests.client import ADMIN_KEY, Api
from tests.http.wire import (
    ADMIN_ONLY,
    CALL,
    ENDPOINTS,
    ORGANIZATION_ONLY,
    raw,
    refused,
    setup,
)

WRONG_KEYS = [
    "",
    " ",
    "wrong",
    "3cx_",
    "3cx_" + "A" * 43,
    "3cx_" + "A" * 43 + "\u00e9",
    "3cx_" + "A" * 100_000,
    "' OR ''='",
    "null",
]


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


def shown(answer: TestResponse) -> tuple[object, ...]:
    """Everything that a caller could tell answers apart by, but the request's id."""
    body = {**answer.json, "requestId": ""}
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "x-request-id"}
    return answer.status_int, body, headers


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_without_a_right_key_every_endpoint_gives_one_and_the_same_401(
    api: Api, method: str, path: str
) -> None:
    body = b"{}" if method in {"POST", "PATCH"} else b""
    answers = [
        raw(api, method, path, body, headers={"x-api-key": key})
        for key in (*WRONG_KEYS, api.key()[:-1], api.key() + "x", api.key().lower(), ADMIN_KEY[1:])
    ]
    answers.append(raw(api, method, path, body))
    answers.append(raw(api, method, path, body, headers={"Authorization": "Basic YTpi"}))
    answers.append(raw(api, method, path, body, headers={"Authorization": f"Token {api.key()}"}))
    for answer in answers:
        refused(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert shown(answer) == shown(answers[0])


@pytest.mark.parametrize("header", ["x-api-key", "X-API-KEY", "Authorization", "authorization"])
def test_a_key_travels_in_either_header(api: Api, header: str) -> None:
    for word in ("Bearer ", "bearer ", "BEARER   ") if "uth" in header else ("", " "):
        path = "/contacts/lookup?number=1"
        answer = raw(api, "GET", path, headers={header: f"{word}{api.key()}"})
        assert answer.status_int == 200


@pytest.mark.parametrize(("method", "path"), ORGANIZATION_ONLY)
def test_the_admin_key_does_not_open_what_is_a_pbxs(api: Api, method: str, path: str) -> None:
    body = b"{}" if method == "POST" else b""
    answer = raw(api, method, path, body, headers={"x-api-key": ADMIN_KEY})
    refused(answer, 403, "wrong_key_kind")


@pytest.mark.parametrize(("method", "path"), ADMIN_ONLY)
def test_an_organization_key_does_not_open_what_is_the_administrators(
    api: Api, method: str, path: str
) -> None:
    body = b'{"organizationId": "acme"}' if method in {"POST", "PATCH"} else b""
    answer = raw(api, method, path, body, headers={"x-api-key": api.key()})
    refused(answer, 403, "wrong_key_kind")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_without_an_admin_key_in_the_settings_none_is_right(
    make_api, method: str, path: str
) -> None:
    api = make_api(admin_key=None)
    for key in ("", "None", "null", ADMIN_KEY):
        refused(raw(api, method, path, headers={"x-api-key": key}), 401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), [e for e in ENDPOINTS if e not in ADMIN_ONLY])
def test_a_right_key_of_a_disabled_integration_is_403(api: Api, method: str, path: str) -> None:
    setup(api, enabled=False)
    body = b"{}" if method == "POST" else b""
    answer = raw(api, method, path, body, headers={"x-api-key": api.key()})
    refused(answer, 403, "integration_disabled")
    setup(api, enabled=True)
    answer = raw(api, method, path, body, headers={"x-api-key": api.key()})
    assert answer.status_int in {200, 400}


@pytest.mark.parametrize(
    "path", ["", "/", "/contacts", "/nothing", "/contacts/lookup/x", "/agents/a/b", "/%2e%2e"]
)
def test_an_unknown_path_is_404(api: Api, path: str) -> None:
    refused(raw(api, "GET", path), 404, "not_found")
    refused(raw(api, "GET", path, headers={"x-api-key": api.key()}), 404, "not_found")


METHODS = {
    "/contacts/lookup": "GET",
    "/contacts/search": "GET",
    "/contacts/create": "POST",
    "/calls/journal": "POST",
    "/chats/journal": "POST",
    "/template": "GET",
    "/setup": "GET, PATCH, POST",
    "/agents": "GET, POST",
    "/agents/x": "DELETE",
    "/events": "GET",
    "/stats": "GET",
    "/healthz": "GET, HEAD",
    "/readyz": "GET, HEAD",
}


@pytest.mark.parametrize(("path", "allowed"), METHODS.items())
def test_another_method_is_405_and_names_those_that_are_allowed(
    api: Api, path: str, allowed: str
) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
        answer = raw(api, method, path, headers={"x-api-key": api.key()})
        assert answer.status_int == 405
        assert answer.headers["Allow"] == f"{allowed}, OPTIONS"
        assert answer.headers["X-Request-Id"]
        if method != "HEAD":
            refused(answer, 405, "method_not_allowed")


@pytest.mark.parametrize(("path", "allowed"), METHODS.items())
def test_options_tells_the_methods_and_nothing_else(api: Api, path: str, allowed: str) -> None:
    answer = raw(api, "OPTIONS", path)
    assert (answer.status_int, answer.body) == (200, b"")
    assert answer.headers["Allow"] == allowed
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_trailing_slash_changes_nothing(api: Api, method: str, path: str) -> None:
    body = b"[]" if method in {"POST", "PATCH"} else b""
    key = ADMIN_KEY if (method, path) in ADMIN_ONLY else api.key()
    plain = raw(api, method, path, body, headers={"x-api-key": key})
    slash = raw(api, method, path + "/", body, headers={"x-api-key": key})
    assert (plain.status_int, plain.content_type) == (slash.status_int, slash.content_type)


TAKES_A_BODY = [e for e in ENDPOINTS if e[0] in {"POST", "PATCH"}]


def right_key(api: Api, method: str, path: str) -> dict[str, str]:
    return {"x-api-key": ADMIN_KEY if (method, path) in ADMIN_ONLY else api.key()}


@pytest.mark.parametrize(("method", "path"), TAKES_A_BODY)
@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "json",
        "application/jsonx",
        "text/json",
        "*/*",
        ";",
        "application/json, text/plain",
    ],
)
def test_a_body_of_another_type_is_415(api: Api, method: str, path: str, kind: str) -> None:
    headers = {**right_key(api, method, path), "Content-Type": kind}
    answer = raw(api, method, path, b"{}", headers=headers)
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.x+json",
        "application/json;charset=UTF-8;x=y",
    ],
)
def test_every_spelling_of_json_is_taken(api: Api, kind: str) -> None:
    headers = {"x-api-key": api.key(), "Content-Type": kind}
    body = json.dumps(CALL).encode()
    assert raw(api, "POST", "/calls/journal", body, headers=headers).status_int in {200, 201}


NOT_OBJECTS = [
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b"{} {}",
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": "\xff\xfe"}',
    b"\x00",
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"a": ' + b"9" * 10_000 + b"}",
    b"<xml/>",
]


@pytest.mark.parametrize(("method", "path"), TAKES_A_BODY)
def test_a_body_that_is_no_json_object_is_400(api: Api, method: str, path: str) -> None:
    for body in NOT_OBJECTS:
        answer = raw(api, method, path, body, headers=right_key(api, method, path))
        refused(answer, 400, "bad_json")
    headers = {**right_key(api, method, path), "Content-Type": "application/json"}
    refused(raw(api, method, path, headers=headers), 400, "bad_json")


@pytest.mark.parametrize(("method", "path"), TAKES_A_BODY)
def test_a_body_over_the_limit_is_413(make_api, method: str, path: str) -> None:
    api = make_api(max_body=2048)
    headers = right_key(api, method, path)
    exact = b'{"a":"' + b"x" * (2048 - 8) + b'"}'
    assert raw(api, method, path, exact, headers=headers).status_int in {200, 201, 400}
    refused(raw(api, method, path, exact + b" ", headers=headers), 413, "body_too_large")


def test_the_limit_is_one_mebibyte_unless_it_is_set(api: Api) -> None:
    for size, status in ((1024 * 1024, 201), (1024 * 1024 + 1, 413)):
        start = json.dumps({**CALL, "CallStartTimeUTC": "", "Transcription": ""})[:-2].encode()
        body = start + b"x" * (size - len(start) - 2) + b'"}'
        assert len(body) == size
        answer = raw(api, "POST", "/calls/journal", body, headers={"x-api-key": api.key()})
        assert answer.status_int == status


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_large_body_is_refused_where_none_is_expected(api: Api, method: str) -> None:
    answer = raw(api, method, "/healthz", b"x" * (1024 * 1024 + 1))
    refused(answer, 413, "body_too_large")


@pytest.mark.parametrize("given", ["1", "a" * 128, "ABC-123_4.5:6/7+8=9@x", "00-4bf92f35-01"])
def test_a_sane_request_id_is_echoed(api: Api, given: str) -> None:
    for path in ("/healthz", "/nothing", "/contacts/lookup"):
        answer = raw(api, "GET", path, headers={"X-Request-Id": given})
        assert answer.headers["X-Request-Id"] == given
        assert answer.json.get("requestId", given) == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "a" * 129, "<script>", 'a"b', "é", "a;b", "{}", "%0d%0a"]
)
def test_another_request_id_is_replaced(api: Api, given: str) -> None:
    seen = {
        raw(api, "GET", "/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]
        for _ in range(3)
    }
    assert len(seen) == 3
    assert given not in seen
    for request_id in seen:
        assert set(request_id) <= set(string.hexdigits)


def test_every_answer_is_json_that_nobody_may_cache_or_guess_at(api: Api) -> None:
    for path in ("/healthz", "/readyz", "/nothing", "/contacts/lookup?number=1", "/events"):
        answer = raw(api, "GET", path, headers={"x-api-key": api.key()})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.body.decode("utf-8")


def test_the_key_in_a_query_opens_the_template_only(api: Api) -> None:
    for path in ("/contacts/lookup?number=1&", "/events?", "/stats?", "/agents?"):
        for name in ("apiKey", "api_key", "x-api-key", "key"):
            refused(raw(api, "GET", f"{path}{name}={api.key()}"), 401, "unauthorized")


@given(key=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_no_made_up_key_opens_anything(shared_api: Api, key: str) -> None:
    for header in ({"x-api-key": key}, {"Authorization": f"Bearer {key}"}):
        answer = raw(shared_api, "GET", "/contacts/lookup?number=1", headers=header)
        refused(answer, 401, "unauthorized")


def test_a_key_of_the_right_shape_opens_nothing_by_itself(api: Api) -> None:
    for _ in range(20):
        headers = {"x-api-key": generate_api_key()}
        refused(raw(api, "GET", "/events", headers=headers), 401, "unauthorized")
