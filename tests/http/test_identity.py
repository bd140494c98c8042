"""What a user who is signed in to the host may read and change."""

import json
from collections.abc import Callable

import pytest

from callhelm_threecx.keys import generate_api_key
from tests.client import ADMIN_KEY, Api
from tests.http.identities import FROM_OWN_PAGE, SignIn, as_user
from tests.http.wire import ADMIN_ONLY, ORGANIZATION_ONLY, faulty_fields, raw, refused

READS = ["/setup", "/agents", "/events", "/stats"]
MEMBERS = ["super", "admin", "lead", "agent", "billing", "two", "system"]
ADMINISTRATORS = ["super", "admin", "system"]
BODIES = {
    ("POST", "/setup"): {},
    ("PATCH", "/setup"): {"enabled": True},
    ("POST", "/agents"): {"extension": "101", "agentId": "u1"},
}


@pytest.fixture
def hook() -> SignIn:
    return SignIn()


@pytest.fixture
def api(make_api: Callable[..., Api], hook: SignIn) -> Api:
    api = make_api(identity=hook)
    for organization in ("acme", "other"):
        api.key(organization)
        mapping = {"organizationId": organization, "extension": "100"}
        api.post("/agents", mapping, key=ADMIN_KEY)
    return api


def changes(api: Api, organization: str = "acme") -> list[tuple[str, str, bytes]]:
    """Every change that an administrator can make to an organization."""
    made = [
        (method, path, json.dumps({"organizationId": organization, **body}).encode())
        for (method, path), body in BODIES.items()
    ]
    path = f"/agents?organizationId={organization}"
    [mapping] = api.get(path, key=ADMIN_KEY).json["mappings"]
    return [*made, ("DELETE", f"/agents/{mapping['id']}?organizationId={organization}", b"")]


@pytest.mark.parametrize("user", MEMBERS)
def test_every_member_reads_the_organization(api: Api, user: str) -> None:
    for path in READS:
        answer = as_user(api, user, "GET", f"{path}?organizationId=acme")
        assert answer.status_int == 200, answer.body
    events = as_user(api, user, "GET", "/events?organizationId=acme&limit=200").json["events"]
    assert {event["organizationId"] for event in events} == {"acme"}


@pytest.mark.parametrize("user", ADMINISTRATORS)
def test_an_administrator_changes_the_organization(api: Api, user: str) -> None:
    for method, path, body in changes(api):
        answer = as_user(api, user, method, path, body)
        assert answer.status_int == 200, answer.body


@pytest.mark.parametrize("user", sorted(set(MEMBERS) - set(ADMINISTRATORS)))
def test_another_role_changes_nothing(api: Api, user: str) -> None:
    for method, path, body in changes(api):
        refused(as_user(api, user, method, path, body), 403, "role_not_allowed")
    assert raw(api, "GET", "/events", headers={"x-api-key": api.key()}).status_int == 200


def test_a_role_counts_in_its_own_organization_only(api: Api) -> None:
    for method, path, body in changes(api, "other"):
        assert as_user(api, "two", method, path, body).status_int == 200
    for method, path, body in changes(api, "acme"):
        refused(as_user(api, "two", method, path, body), 403, "role_not_allowed")


def test_an_administrator_sets_up_an_organization_that_was_not(
    make_api: Callable[..., Api], hook: SignIn
) -> None:
    api = make_api(identity=hook)
    state = as_user(api, "admin", "GET", "/setup?organizationId=acme")
    assert state.json == {"enabled": False, "configured": False}
    made = as_user(api, "admin", "POST", "/setup", b'{"organizationId": "acme"}')
    lookup = "/contacts/lookup?number=1"
    assert raw(api, "GET", lookup, headers={"x-api-key": made.json["apiKey"]}).status_int == 200


@pytest.mark.parametrize("path", READS)
def test_the_only_organization_of_a_user_needs_no_naming(api: Api, path: str) -> None:
    named = as_user(api, "agent", "GET", f"{path}?organizationId=acme")
    assert as_user(api, "agent", "GET", path).json == named.json


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("user", ["two", "nobody"])
def test_a_user_of_several_organizations_or_none_has_to_name_one(
    api: Api, user: str, path: str
) -> None:
    assert faulty_fields(as_user(api, user, "GET", path)) == ["organizationId"]


@pytest.mark.parametrize("user", ["admin", "two", "system"])
def test_a_change_names_its_organization(api: Api, user: str) -> None:
    for (method, path), body in BODIES.items():
        answer = as_user(api, user, method, path, json.dumps(body).encode())
        assert faulty_fields(answer) == ["organizationId"]
    assert faulty_fields(as_user(api, user, "DELETE", "/agents/x")) == ["organizationId"]


@pytest.mark.parametrize("user", ["system", "home"])
def test_a_system_administrator_sees_the_log_of_all_organizations(api: Api, user: str) -> None:
    events = as_user(api, user, "GET", "/events?limit=200").json["events"]
    assert {event["organizationId"] for event in events} == {"acme", "other"}
    assert as_user(api, user, "GET", "/stats").json["total_events"] == len(events)
    for path in ("/setup", "/agents"):
        assert faulty_fields(as_user(api, user, "GET", path)) == ["organizationId"]


def test_nobody_signed_in_is_401_as_without_a_hook(api: Api, make_api: Callable[..., Api]) -> None:
    without = make_api()
    for method, path in [*ADMIN_ONLY, ("GET", "/events")]:
        bodies = []
        for each in (api, without):
            answer = as_user(each, "unknown", method, path, b"{}" if method != "GET" else b"")
            bodies.append({**refused(answer, 401, "unauthorized"), "requestId": ""})
        assert bodies[0] == bodies[1]


@pytest.mark.parametrize(("method", "path"), ORGANIZATION_ONLY)
def test_a_sign_in_opens_nothing_of_a_pbxs(api: Api, hook: SignIn, method: str, path: str) -> None:
    body = b"{}" if method == "POST" else b""
    refused(as_user(api, "system", method, path, body), 401, "unauthorized")
    assert hook.asked == []


@pytest.mark.parametrize("header", ["x-api-key", "Authorization"])
def test_a_key_that_is_shown_decides_alone(api: Api, hook: SignIn, header: str) -> None:
    scheme = "Bearer " if header == "Authorization" else ""

    def shows(key: str, path: str = "/setup?organizationId=acme") -> int:
        sent = {header: scheme + key}
        return as_user(api, "system", "GET", path, headers=sent).status_int

    assert shows(ADMIN_KEY) == 200
    assert shows(api.key()) == 403
    assert shows(api.key(), "/events?organizationId=other") == 403
    for wrong in ("wrong", generate_api_key(), ADMIN_KEY + "x"):
        assert shows(wrong) == 401
    assert hook.asked == []


@pytest.mark.parametrize("headers", [{}, {"x-api-key": " "}, {"Authorization": "Basic dXNlcjp4"}])
def test_the_host_is_asked_once_when_no_key_is_shown(
    api: Api, hook: SignIn, headers: dict[str, str]
) -> None:
    answer = as_user(api, "agent", "GET", "/events", headers=headers)
    assert answer.status_int == 200
    assert len(hook.asked) == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/nothing"])
def test_the_host_is_not_asked_where_no_key_is_taken(api: Api, hook: SignIn, path: str) -> None:
    as_user(api, "agent", "GET", path)
    as_user(api, "agent", "OPTIONS", "/setup")
    as_user(api, "agent", "HEAD", "/setup")
    as_user(api, "agent", "PUT", "/setup")
    assert hook.asked == []


def test_a_sign_in_works_without_any_admin_key(make_api: Callable[..., Api], hook: SignIn) -> None:
    api = make_api(identity=hook, admin_key=None)
    body = b'{"organizationId": "acme"}'
    assert as_user(api, "admin", "POST", "/setup", body).status_int == 200
    refused(raw(api, "POST", "/setup", body, headers=FROM_OWN_PAGE), 401, "unauthorized")


def test_a_disabled_integration_is_still_its_administrators(api: Api) -> None:
    for enabled in (b"false", b"true"):
        body = b'{"organizationId": "acme", "enabled": ' + enabled + b"}"
        assert as_user(api, "admin", "PATCH", "/setup", body).json["enabled"] is (
            enabled == b"true"
        )
        assert as_user(api, "agent", "GET", "/events").status_int == 200
