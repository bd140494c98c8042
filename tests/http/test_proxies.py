"""Who a caller is and what it called us, with proxies, false proxies and false hosts between."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import ADMIN_KEY, Api
from tests.http.wire import faulty_fields, raw

FORWARDED = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "crm.example.com",
    "X-Forwarded-Prefix": "/pbx/",
}


def base_url(api: Api, headers: dict[str, str] | None = None, **environ: Any) -> str:
    path = "/setup?organizationId=acme"
    sent = {"x-api-key": ADMIN_KEY, **(headers or {})}
    answer = raw(api, "GET", path, headers=sent, **environ)
    assert answer.status_int == 200, answer.body
    return str(answer.json["crmUrl"])


def client_address(api: Api, headers: dict[str, str], **environ: Any) -> str:
    raw(api, "GET", "/template", headers={"x-api-key": api.key(), **headers}, **environ)
    return str(api.events("type=template&limit=1")[0]["rawData"]["client"])


def test_forwarded_headers_of_a_trusted_proxy_are_believed(make_api: Callable[..., Api]) -> None:
    api = make_api(trusted_proxies="10.0.0.0/8,::1")
    api.key()
    for peer in ("10.1.2.3", "::1", "::ffff:10.1.2.3"):
        assert base_url(api, FORWARDED, REMOTE_ADDR=peer) == "https://crm.example.com/pbx"
        assert client_address(api, FORWARDED, REMOTE_ADDR=peer) == "198.51.100.7"


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8"])
@pytest.mark.parametrize("peer", ["203.0.113.9", "192.168.0.1", "11.0.0.1", "2001:db8::1", ""])
def test_forwarded_headers_of_anybody_else_are_not(
    make_api: Callable[..., Api], trusted: str, peer: str
) -> None:
    api = make_api(trusted_proxies=trusted)
    api.key()
    assert base_url(api, FORWARDED, REMOTE_ADDR=peer) == "http://localhost:80"
    assert client_address(api, FORWARDED, REMOTE_ADDR=peer) == (peer or "unknown")


CHAINS = [
    ("198.51.100.7", "198.51.100.7"),
    ("6.6.6.6, 198.51.100.7", "198.51.100.7"),  # what the client itself claimed comes first
    ("6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
    ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("198.51.100.7:51234", "198.51.100.7"),
    ("[2001:db8::7]:443", "2001:db8::7"),
    ("2001:db8::7", "2001:db8::7"),
    ("::ffff:198.51.100.7", "198.51.100.7"),
    ("198.51.100.7, nonsense", "10.0.0.1"),
    ("unknown", "10.0.0.1"),
    ("", "10.0.0.1"),
    (",,,", "10.0.0.1"),
    ("x" * 5000, "10.0.0.1"),
    ("198.51.100.7, 10.0.0.2:99", "198.51.100.7"),
]


@pytest.mark.parametrize(("chain", "client"), CHAINS)
def test_the_client_is_the_last_hop_that_no_trusted_proxy_is(
    make_api: Callable[..., Api], chain: str, client: str
) -> None:
    api = make_api(trusted_proxies="10.0.0.0/8")
    api.key()
    assert client_address(api, {"X-Forwarded-For": chain}, REMOTE_ADDR="10.0.0.1") == client


def test_a_made_up_chain_does_not_escape_the_throttle(make_api: Callable[..., Api]) -> None:
    api = make_api(failed_auth_limit="2/minute", trusted_proxies="10.0.0.0/8")
    statuses = [
        raw(
            api,
            "GET",
            "/events",
            headers={"X-Forwarded-For": f"6.6.6.{number}, 198.51.100.7:{number}"},
            REMOTE_ADDR="10.0.0.1",
        ).status_int
        for number in range(4)
    ]
    assert statuses == [401, 401, 429, 429]


HOSTS = [
    "a b",
    "a/b",
    "evil.example/@crm",
    "a\\b",
    "<script>",
    "a@b",
    "a?b",
    "a#b",
    "",
    "a:b",
    "é",
    "a:123456",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_is_400_and_never_in_an_answer(api: Api, host: str) -> None:
    for path in ("/contacts/lookup?number=1", "/template"):
        answer = raw(api, "GET", path, headers={"x-api-key": api.key()}, HTTP_HOST=host)
        if host:
            assert faulty_fields(answer) == ["Host"]
            assert host not in answer.text or len(host) < 3
        else:
            assert answer.status_int in {200, 400}


def test_with_a_public_url_no_header_changes_a_link(make_api: Callable[..., Api]) -> None:
    api = make_api(public_url="https://crm.example.com", trusted_proxies="10.0.0.0/8")
    contact = api.create(LastName="M", Number="+4930123456")
    answer = raw(
        api,
        "GET",
        "/contacts/lookup?number=%2B4930123456",
        headers={"x-api-key": api.key(), **FORWARDED, "X-Forwarded-Host": "evil.example"},
        HTTP_HOST="evil.example",
        REMOTE_ADDR="10.0.0.1",
    )
    [found] = answer.json["contacts"]
    assert found["contactUrl"] == f"https://crm.example.com/contacts/{contact['id']}"


@pytest.mark.parametrize("scheme", ["javascript", "ftp", "", "https, http", "HTTPS"])
def test_a_forwarded_scheme_other_than_http_and_https_makes_no_link(
    make_api: Callable[..., Api], scheme: str
) -> None:
    api = make_api(trusted_proxies="10.0.0.0/8")
    answer = raw(
        api,
        "GET",
        "/contacts/lookup?number=1",
        headers={"x-api-key": api.key(), "X-Forwarded-Proto": scheme},
        REMOTE_ADDR="10.0.0.1",
    )
    assert answer.status_int == (200 if scheme in {"", "https, http", "HTTPS"} else 400)


MOUNTS = [
    ("/crm", "http://localhost:80/crm"),
    ("/my crm", "http://localhost:80/my%20crm"),
    ('/"><script>', "http://localhost:80/%22%3E%3Cscript%3E"),
    ("/m\u00c3\u00bcller", "http://localhost:80/m%C3%BCller"),  # UTF-8 as WSGI carries it
]


@pytest.mark.parametrize(("script_name", "expected"), MOUNTS)
def test_links_lie_below_the_mount(api: Api, script_name: str, expected: str) -> None:
    api.key()
    assert base_url(api, SCRIPT_NAME=script_name) == expected
