"""Thousands of requests that nobody would send on purpose: never a 5xx, always the one shape."""

import json
import re
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.client import ADMIN_KEY, Api

REQUESTS = 5_000
PATHS = [
    "/contacts/lookup",
    "/contacts/search",
    "/contacts/create",
    "/calls/journal",
    "/chats/journal",
    "/template",
    "/setup",
    "/agents",
    "/agents/01a20000-0000-7000-8000-000000000000",
    "/events",
    "/stats",
    "/healthz",
    "/readyz",
    "/nothing",
    "/",
    "",
]
METHODS = (
    ["GET"] * 6 + ["POST"] * 6 + ["PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "BREW"]
)
QUERY_NAMES = [
    "number",
    "email",
    "query",
    "limit",
    "apiKey",
    "organizationId",
    "cursor",
    "type",
    "status",
    "agent",
    "since",
    "until",
    "days",
    "%00",
    "",
]
BODY_NAMES = [
    "FirstName", "LastName", "Number", "Email", "Company", "CallType", "CallDirection", "Name",
    "EntityId", "EntityType", "Agent", "AgentEmail", "AgentFirstName", "AgentLastName", "Duration",
    "CallStartTimeUTC", "CallEndTimeUTC", "QueueExtension", "Subject", "RecordingUrl",
    "Transcription", "Summary", "Sentiment", "ChatMessages", "ChatStartTimeUTC", "ChatEndTimeUTC",
    "organizationId", "graceMinutes", "organizationName", "enabled", "threeCxServerUrl",
    "defaultRegion", "settings", "extension", "agentId", "agentEmail", "\x00", "\ud800",
]  # fmt: skip
TELLING = [
    "acme",
    "Inbound",
    "Missed",
    "+4930123456",
    " 4930123456",
    "030 123456 x12",
    "1-800-FLOWERS",
    "anonymous",
    "00:03:25",
    "99999999.23:59:59",
    "2026-11-22T08:35:00Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "/Date(-62135596800000)/",
    "99999999999999",
    "11/22/2026 8:35 PM",
    "[Number]",
    "[[Number]]",
    "a@example.com",
    "%",
    "_",
    "\\",
    "'",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff",
    "\ufffe",
    "\U0010ffff",
    "1" * 400,
    "\u0663" * 50,
    "x" * 5000,
    "nan",
    "-1",
    "0",
    "1e999",
    "200",
    "lookup",
    "DE",
    "https://[::1",
    "https://a:99999999",
    "tel:;phone-context=+49",
    "\u202e+49",
    "\r\nX: y",
    "",
    "MjAyNi0xMS0yMlQwODozNTowMCswMDowMCAwMWEyMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA",
    "MDAwMS0wMS0wMVQwMDowMDowMCswMDowMCAwMWEyMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA",
]

texts = st.sampled_from(TELLING) | st.text(max_size=40)
scalars = (
    texts
    | st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 2**64, 1e308, -0.0])
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
bodies = (
    st.dictionaries(st.sampled_from(BODY_NAMES), scalars, max_size=8)
    | st.dictionaries(st.sampled_from(BODY_NAMES) | texts, values, max_size=6)
    | values
).map(lambda value: json.dumps(value).encode())
broken_bodies = st.binary(max_size=60) | st.sampled_from(
    [
        b"",
        b"{",
        b"[" * 5000,
        b'{"a":' * 3000,
        b'{"settings":{"x":1e999},"organizationId":"acme"}',
        b'{"Number":"\xed\xa0\x80","CallType":"Inbound"}',
        b"\xef\xbb\xbf{}",
        '{"LastName": "x"}'.encode("utf-16"),
        b'{"CallType":"Inbound","Number":"1","Number":"2"}',
        b'{"CallType":"Missed","Number":' + b"9" * 4000 + b"}",
    ]
)
escapes = st.sampled_from(
    ["%00", "%ff", "%ed%a0%80", "%", "%zz", "%u0041", "+", "%2B49", "&&", ";"]
)
query_values = (
    texts.map(lambda text: quote(text.encode("utf-8", "replace"))) | escapes | st.just("acme")
)
queries = st.lists(st.tuples(st.sampled_from(QUERY_NAMES), query_values), max_size=5).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
latin = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=30)
headers = st.dictionaries(
    st.sampled_from(
        [
            "HTTP_X_REQUEST_ID", "HTTP_AUTHORIZATION", "HTTP_HOST", "HTTP_X_FORWARDED_FOR",
            "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_ACCEPT", "HTTP_RANGE",
            "HTTP_IF_MATCH", "HTTP_COOKIE", "HTTP_EXPECT", "HTTP_ORIGIN", "HTTP_IF_MODIFIED_SINCE",
            "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_X_HTTP_METHOD_OVERRIDE",
        ]
    ),
    latin | st.sampled_from(["a:b", "[::1]:1", "Bearer ", "*/*;q=x", "bytes=0-0"]),
    max_size=3,
)  # fmt: skip
content_types = st.sampled_from(["application/json"] * 8 + ["text/plain", "", "a/b; c", "\xff"])
lengths = st.none() | st.sampled_from(["", "-1", "x", "0", "1", "99999999999", "1.5", "\u00b3"])
requests = st.tuples(
    st.sampled_from(METHODS),
    st.sampled_from(PATHS) | latin.map(lambda text: f"/{text}"),
    queries,
    st.just(b"") | bodies | bodies | broken_bodies,
    st.sampled_from(["org", "org", "org", "admin", "admin", "none", "wrong"]),
    headers,
    content_types,
    lengths,
)
Request = tuple[str, str, str, bytes, str, dict[str, str], str, str | None]


def answer_of(api: Api, request: Request) -> tuple[int, dict[str, str], bytes]:
    """Call the application as a server would, without any client's own checks."""
    import io

    method, path, query, body, key, more, content_type, length = request
    shown = {"org": api.key(), "admin": ADMIN_KEY, "none": "", "wrong": "3cx_wrong"}[key]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": api.prefix + path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "HTTP_X_API_KEY": shown,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }
    told: list[Any] = []
    content = b"".join(api.app(environ, lambda status, names: told.extend((status, names))))
    assert environ["wsgi.errors"].getvalue() == ""
    names = {name.lower(): value for name, value in told[1]}
    assert len(names) == len(told[1])
    return int(told[0].split()[0]), names, content


def check(request: Request, answer: tuple[int, dict[str, str], bytes]) -> None:
    """What holds for the answer to any request at all."""
    status, names, content = answer
    assert status < 500
    assert re.fullmatch(r"[A-Za-z0-9._:/+=@-]{1,128}", names["x-request-id"])
    assert all(text.isprintable() and text.isascii() for text in names.values())
    if request[0] == "HEAD" or (request[0] == "OPTIONS" and status == 200):
        assert content == b""
    elif status == 200 and names["content-type"].startswith("application/xml"):
        assert content.startswith(b"<?xml")
    else:
        assert names["content-type"] == "application/json"
        check_body(request, status, json.loads(content.decode("utf-8"), parse_constant=refuse))


def check_body(request: Request, status: int, body: Any) -> None:
    assert isinstance(body, dict)
    path = request[1].rstrip("/")
    if status >= 400:
        assert body["success"] is False
        assert {"error", "code", "requestId"} <= set(body)
        assert set(body) <= {"success", "error", "code", "requestId", "errors", "contacts"}
        if path in {"/contacts/lookup", "/contacts/search"}:
            assert body["contacts"] == []
    elif "contacts" in body:
        for contact in body["contacts"]:
            assert all(isinstance(value, str) for value in contact.values())


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@settings(
    max_examples=REQUESTS,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(sent=requests)
def test_no_request_makes_a_5xx_or_another_shape(shared_api: Api, sent: Request) -> None:
    check(sent, answer_of(shared_api, sent))
