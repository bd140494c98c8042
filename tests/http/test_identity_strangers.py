"""No route lets a signed-in user near an organization that is not theirs.

The routes come from the application itself: one that is added later is tried as well.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon import inspect

from callhelm_threecx.middleware.auth import KeyKind
from tests.client import ADMIN_KEY, Api
from tests.http.identities import SignIn, as_user
from tests.http.wire import CALL, refused

NUMBER = "+4930123456"
PARAMETER = re.compile(r"\{[^}]*\}")


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """``acme`` has one of everything."""
    api = make_api(identity=SignIn())
    api.create(FirstName="Anna", LastName="Acme", Number=NUMBER)
    api.post("/calls/journal", CALL)
    body = {"organizationId": "acme", "extension": "101", "agentFirstName": "Olga"}
    api.post("/agents", body, key=ADMIN_KEY)
    return api


def routes(api: Api) -> Iterator[tuple[str, str, bool]]:
    """(method, path below the prefix, whether the admin key opens it) of each responder."""
    for route in inspect.inspect_routes(api.app):
        resource = api.app._router.find(PARAMETER.sub("x", route.path))[0]
        for method in route.methods:
            if not method.internal:
                wanted = resource.keys[method.method]
                path = route.path.removeprefix(api.prefix)
                yield method.method, path, KeyKind.ADMIN in wanted


def state(api: Api) -> str:
    """What an administrator sees of ``acme``."""
    read = [
        api.get(f"{path}?organizationId=acme", key=ADMIN_KEY).json
        for path in ("/setup", "/agents", "/events", "/stats")
    ]
    return json.dumps(read, sort_keys=True)


def attempts(api: Api, user: str, organization: str) -> Iterator[tuple[bool, Any]]:
    """Every route and method in the name of an organization: (admin's, answer)."""
    [mapping] = api.get("/agents?organizationId=acme", key=ADMIN_KEY).json["mappings"]
    for method, path, for_admin in routes(api):
        target = PARAMETER.sub(mapping["id"], path)
        body = {"organizationId": organization, "extension": "101", "enabled": False, **CALL}
        data = json.dumps(body).encode() if method in {"POST", "PATCH", "PUT"} else b""
        query = f"{target}?organizationId={organization}&number={NUMBER[1:]}"
        yield for_admin, as_user(api, user, method, query, data)


def test_the_routes_are_those_of_the_interface(api: Api) -> None:
    found = list(routes(api))
    assert len([path for _, path, for_admin in found if for_admin]) == 8
    assert ("DELETE", "/agents/{mapping_id}", True) in found


@pytest.mark.parametrize("user", ["stranger", "nobody"])
def test_a_stranger_gets_403_on_every_route_and_sees_and_changes_nothing(
    api: Api, user: str
) -> None:
    before = state(api)
    for for_admin, answer in attempts(api, user, "acme"):
        if for_admin:
            refused(answer, 403, "not_your_organization")
        for private in ("Anna", "Olga", "3cx_"):
            assert private not in answer.text
    assert state(api) == before


def test_whether_an_organization_exists_is_not_told(api: Api) -> None:
    def shown(organization: str) -> list[object]:
        return [
            (answer.status_int, {**answer.json, "requestId": ""}, sorted(answer.headers))
            for for_admin, answer in attempts(api, "stranger", organization)
            if for_admin
        ]

    assert shown("acme") == shown("nobody-at-all")


@pytest.mark.parametrize(
    "query",
    [
        "organizationId=other&organizationId=acme",
        "organizationId=acme&organizationId=other",
        "organizationId=other,acme",
        "organizationId=acme%00",
        "organizationId=other%2Facme",
    ],
)
def test_an_organization_in_disguise_is_400(api: Api, query: str) -> None:
    for path in ("/setup", "/agents", "/events", "/stats"):
        assert as_user(api, "stranger", "GET", f"{path}?{query}").status_int == 400
    answer = as_user(api, "stranger", "DELETE", f"/agents/x?{query}")
    assert answer.status_int == 400


def test_the_organization_of_a_change_is_the_one_in_its_body(api: Api) -> None:
    before = state(api)
    body = b'{"organizationId": "acme", "enabled": false}'
    answer = as_user(api, "stranger", "PATCH", "/setup?organizationId=other", body)
    refused(answer, 403, "not_your_organization")
    assert state(api) == before


def test_a_mapping_of_another_organization_is_not_deleted_in_ones_own_name(api: Api) -> None:
    [mapping] = api.get("/agents?organizationId=acme", key=ADMIN_KEY).json["mappings"]
    path = f"/agents/{mapping['id']}?organizationId=other"
    refused(as_user(api, "stranger", "DELETE", path), 404, "not_found")
    assert api.get("/agents?organizationId=acme", key=ADMIN_KEY).json["mappings"] == [mapping]


def test_a_cursor_of_another_organization_shows_only_ones_own_events(api: Api) -> None:
    page = api.get("/events?organizationId=acme&limit=1", key=ADMIN_KEY).json
    answer = as_user(api, "stranger", "GET", f"/events?cursor={page['nextCursor']}")
    assert answer.json["events"] == []
