"""A host's organization is the same one however its UUID is written."""

from collections.abc import Iterator

import pytest

from callhelm_threecx.stores.base import Organization
from tests.callhelm.hosts import Host, new_host
from tests.client import ADMIN_KEY, Api
from tests.servers import PostgresSource


@pytest.fixture(scope="module")
def host(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def api(host: Host) -> Iterator[Api]:
    api = Api.build(database_url=host.url, contact_store="callhelm")
    yield api
    api.close()


@pytest.fixture
def acme(host: Host) -> Organization:
    return host.organization()


def test_a_key_made_for_capitals_opens_and_fills_a_template(api: Api, acme: Organization) -> None:
    key = api.set_up(acme.id.upper())
    assert api.get(f"/setup?organizationId={acme.id}", key=ADMIN_KEY).json["configured"]
    assert key in api.get("/template", key=key).text


def test_an_organization_is_not_set_up_twice(api: Api, acme: Organization) -> None:
    api.set_up(acme.id)
    api.set_up(acme.id.upper())
    known = [one.organization_id for one in api.app.services.integrations.all()]
    assert known.count(acme.id) == 1
    assert acme.id.upper() not in known


def test_an_agent_is_mapped_under_either_spelling(api: Api, acme: Organization) -> None:
    api.set_up(acme.id)
    body = {"organizationId": acme.id.upper(), "extension": "101"}
    mapping = api.post("/agents", body, key=ADMIN_KEY).json["mapping"]
    assert mapping["organizationId"] == acme.id
