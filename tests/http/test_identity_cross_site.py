"""A page of another site cannot make a signed-in user's browser change anything."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.middleware.same_origin import origin_of
from tests.client import ADMIN_KEY, Api
from tests.http.identities import OWN_ORIGIN, SignIn, as_user
from tests.http.wire import raw, refused

OWN = "https://crm.example.com"
PUBLIC = f"{OWN}/base"
BODY = b'{"organizationId": "acme"}'

ACCEPTED = [
    {"Origin": OWN},
    {"Origin": f"{OWN}:443"},
    {"Origin": "HTTPS://CRM.Example.COM"},
    {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
    {"Origin": OWN, "Referer": "https://evil.example/"},  # what Origin says counts
    {"Referer": f"{OWN}/"},
    {"Referer": OWN},
    {"Referer": f"{OWN}/base/settings?tab=3cx"},
    {"Referer": f"{OWN}/page", "Sec-Fetch-Site": "same-origin"},
]

FOREIGN = [
    "https://evil.example",
    "https://crm.example.com.evil.example",
    "https://crm.example.comevil.example",
    "https://evilcrm.example.com",
    "https://app.crm.example.com",
    "https://example.com",
    "https://crm.example.com.",
    "https://crm.example.com:8443",
    "https://crm.example.com:4430",
    "https://crm.example.com:80",
    "http://crm.example.com",
    "http://crm.example.com:443",
    "ftp://crm.example.com",
    "//crm.example.com",
    "crm.example.com",
    "https://crm.example.com@evil.example",
    "https://evil.example@crm.example.com",
    "https://crm.example.com\\@evil.example",
    "https://evil.example\\.crm.example.com",
    "https://evil.example#crm.example.com",
    "https://evil.example?https://crm.example.com",
    "https://evil.example/https://crm.example.com",
    "https://crm.exam\tple.com",
    "https://[::1]",
    OWN_ORIGIN,  # where the request went, but not what the public URL says
]

REFUSED = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "null", "Referer": f"{OWN}/"},
    {"Origin": "", "Referer": f"{OWN}/"},
    {"Origin": f"{OWN}, https://evil.example"},
    {"Origin": f"https://evil.example {OWN}"},
    {"Origin": f"{OWN}/"},
    {"Origin": f"{OWN}/base"},
    {"Origin": "https://evil.example", "Referer": f"{OWN}/"},
    {"Referer": ""},
    {"Referer": "about:blank"},
    *({"Origin": OWN, "Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "none", "")),
    {"Origin": OWN, "Sec-Fetch-Site": "same-origin, cross-site"},
    {"Referer": f"{OWN}/", "Sec-Fetch-Site": "cross-site"},
    *({"Origin": origin} for origin in FOREIGN),
    *({"Origin": origin, "Sec-Fetch-Site": "same-origin"} for origin in FOREIGN),
    *({"Referer": f"{origin}/page"} for origin in FOREIGN),
]


@pytest.fixture
def api(shared_identity_api: Api) -> Api:
    """An application whose public URL is ``PUBLIC``."""
    return shared_identity_api


def changes(api: Api) -> list[tuple[str, str, bytes]]:
    return [
        ("POST", "/setup", BODY),
        ("PATCH", "/setup", BODY),
        ("POST", "/agents", BODY),
        ("DELETE", "/agents/x?organizationId=acme", b""),
    ]


def test_a_page_of_the_public_url_may_change(api: Api) -> None:
    for headers in ACCEPTED:
        answer = as_user(api, "admin", "POST", "/setup", BODY, headers=headers)
        assert answer.status_int == 200, headers


def test_a_request_that_does_not_show_that_it_comes_from_there_may_not(api: Api) -> None:
    for headers in REFUSED:
        for method, path, body in changes(api):
            answer = as_user(api, "admin", method, path, body, headers=headers)
            refused(answer, 403, "cross_site")


def test_a_refused_change_changes_nothing(api: Api) -> None:
    before = api.get("/setup?organizationId=acme", key=ADMIN_KEY).json
    for headers in ({}, {"Origin": "https://evil.example"}):
        as_user(api, "admin", "POST", "/setup", BODY, headers=headers)
    assert api.get("/setup?organizationId=acme", key=ADMIN_KEY).json == before


def test_a_request_that_needs_no_preflight_is_refused_all_the_same(api: Api) -> None:
    for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
        headers = {"Origin": "https://evil.example", **({"Content-Type": kind} if kind else {})}
        environ = {} if kind else {"CONTENT_TYPE": ""}
        answer = as_user(api, "admin", "POST", "/setup", BODY, headers=headers, **environ)
        refused(answer, 403, "cross_site")


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_reading_needs_no_such_proof_because_no_other_page_sees_the_answer(
    api: Api, headers: dict[str, str]
) -> None:
    for site in ("cross-site", "none", "same-origin"):
        sent = {**headers, "Sec-Fetch-Site": site}
        answer = as_user(api, "agent", "GET", "/events", headers=sent)
        assert answer.status_int == 200
        assert "access-control" not in str(answer.headers).lower()


@pytest.mark.parametrize("path", ["/setup", "/agents", "/agents/x", "/events", "/stats"])
def test_no_preflight_is_answered(api: Api, path: str) -> None:
    sent = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = as_user(api, "admin", "OPTIONS", path, headers=sent)
    assert "access-control" not in str(answer.headers).lower()
    assert as_user(api, "admin", "HEAD", path, headers=sent).status_int == 405


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}]
)
def test_keys_are_unaffected(api: Api, headers: dict[str, str]) -> None:
    sent = {"x-api-key": ADMIN_KEY, "Cookie": "user=agent", **headers}
    assert raw(api, "POST", "/setup", BODY, headers=sent).status_int == 200


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "crm.example.com"}


@pytest.mark.parametrize(
    ("host", "peer", "sent", "status"),
    [
        ("localhost:80", "10.0.0.1", {"Origin": "http://localhost"}, 200),
        ("localhost:8080", "10.0.0.1", {"Origin": "http://localhost:8080"}, 200),
        ("localhost:8080", "10.0.0.1", {"Origin": "http://localhost"}, 403),
        ("localhost:80", "10.0.0.1", {"Origin": "https://localhost"}, 403),
        ("[::1]:8080", "10.0.0.1", {"Origin": "http://[::1]:8080"}, 200),
        ("CRM.local", "10.0.0.1", {"Origin": "http://crm.local"}, 200),
        ("localhost", "10.0.0.1", {"Origin": OWN, **FORWARDED}, 200),
        ("localhost", "10.0.0.1", {"Origin": "http://localhost", **FORWARDED}, 403),
        ("localhost", "203.0.113.9", {"Origin": OWN, **FORWARDED}, 403),
        ("localhost", "203.0.113.9", {"Origin": "http://localhost", **FORWARDED}, 200),
    ],
)
def test_without_a_public_url_the_request_itself_says_where_it_went(
    make_api: Callable[..., Api], host: str, peer: str, sent: dict[str, str], status: int
) -> None:
    api = make_api(identity=SignIn(), trusted_proxies="10.0.0.0/8")
    environ = {"HTTP_HOST": host, "REMOTE_ADDR": peer}
    answer = as_user(api, "admin", "POST", "/setup", BODY, headers=sent, **environ)
    assert answer.status_int == status


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[2001:db8::1]:8443/crm", "https://[2001:db8::1]:8443"),
        ("https://müller.example", "https://xn--mller-kva.example"),
        ("https://crm.example.com:443", "https://crm.example.com"),
        ("http://crm.example.com", "http://crm.example.com:80"),
    ],
)
def test_a_public_url_of_every_shape_has_an_origin(
    make_api: Callable[..., Api], public_url: str, origin: str
) -> None:
    api = make_api(identity=SignIn(), public_url=public_url)
    answer = as_user(api, "admin", "POST", "/setup", BODY, headers={"Origin": origin})
    assert answer.status_int == 200


HOSTS = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,30}", fullmatch=True)


@given(scheme=st.sampled_from(["http", "https"]), host=HOSTS, port=st.integers(1, 65535))
def test_an_origin_is_read_in_full(scheme: str, host: str, port: int) -> None:
    assert origin_of(f"{scheme}://{host}:{port}") == (scheme, host, port)
    assert origin_of(f"{scheme.upper()}://{host.upper()}:{port}") == (scheme, host, port)
    default = 443 if scheme == "https" else 80
    assert origin_of(f"{scheme}://{host}") == (scheme, host, default)


NOT_BLANK = st.text(min_size=1).filter(lambda text: text.strip(" ") != "")


@given(text=NOT_BLANK)
def test_what_has_anything_around_our_origin_is_not_our_origin(text: str) -> None:
    assert origin_of(text + OWN) != origin_of(OWN)
    if not text.startswith(":"):  # a port may follow
        assert origin_of(OWN + text) != origin_of(OWN)


@given(st.text())
def test_every_text_is_an_origin_or_none(text: str) -> None:
    found = origin_of(text)
    assert found is None or found[0] in {"http", "https"}
