"""Which user answers which extension."""

import threading
from datetime import datetime
from typing import Any

import pytest

from tests.client import ADMIN_KEY, Api
from tests.http.wire import faulty_fields, raw, refused

MAPPING = {
    "id",
    "organizationId",
    "extension",
    "agentId",
    "agentEmail",
    "agentFirstName",
    "agentLastName",
    "createdAt",
    "updatedAt",
}


def put(api: Api, extension: object = "101", **fields: Any) -> Any:
    body = {"organizationId": "acme", "extension": extension, **fields}
    return api.post("/agents", body, key=ADMIN_KEY, status="*")


def mappings(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/agents?organizationId=acme", key=ADMIN_KEY).json[
        "mappings"
    ]
    return found


def test_a_mapping_is_kept_and_answered_whole(api: Api) -> None:
    fields = {
        "agentId": "u1",
        "agentEmail": "a@example.com",
        "agentFirstName": "Ann",
        "agentLastName": "Ö",
    }
    answer = put(api, **fields)
    assert answer.status_int == 200
    assert set(answer.json) == {"success", "mapping"}
    mapping = answer.json["mapping"]
    assert set(mapping) == MAPPING
    assert {name: mapping[name] for name in fields} == fields
    assert datetime.fromisoformat(mapping["createdAt"]).utcoffset() is not None
    assert mappings(api) == [mapping]


def test_the_same_extension_again_is_the_same_mapping_with_new_fields(api: Api) -> None:
    first = put(api, agentId="u1", agentEmail="a@example.com").json["mapping"]
    again = put(api, agentId="u2").json["mapping"]
    assert again["id"] == first["id"]
    assert again["createdAt"] == first["createdAt"]
    assert again["updatedAt"] > first["updatedAt"]
    assert (again["agentId"], again["agentEmail"]) == ("u2", None)
    assert mappings(api) == [again]


def test_mappings_come_in_the_order_of_their_extensions(api: Api) -> None:
    for extension in ("1000", "20", "101", "9"):
        put(api, extension)
    assert [mapping["extension"] for mapping in mappings(api)] == ["9", "20", "101", "1000"]


@pytest.mark.parametrize("extension", ["", " ", None, "[Agent]", "1" * 21, ["101"], {}])
def test_a_mapping_needs_an_extension(api: Api, extension: object) -> None:
    assert faulty_fields(put(api, extension)) == ["extension"]
    assert mappings(api) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agentId", "x" * 65),
        ("agentEmail", "x" * 321),
        ("agentFirstName", []),
        ("agentLastName", {}),
    ],
)
def test_a_mapping_with_a_bad_field_names_it(api: Api, field: str, value: object) -> None:
    assert faulty_fields(put(api, **{field: value})) == [field]


def test_a_deleted_mapping_is_gone_and_deleting_it_again_is_404(api: Api) -> None:
    mapping = put(api).json["mapping"]
    path = f"/agents/{mapping['id']}?organizationId=acme"
    answer = raw(api, "DELETE", path, headers={"x-api-key": ADMIN_KEY})
    assert (answer.status_int, answer.json) == (200, {"success": True})
    assert mappings(api) == []
    refused(raw(api, "DELETE", path, headers={"x-api-key": ADMIN_KEY}), 404, "not_found")


@pytest.mark.parametrize(
    "mapping_id", ["1", "x" * 1000, "%00", "01a20000-0000-7000-8000-000000000000", "%ff"]
)
def test_an_unknown_mapping_is_404(api: Api, mapping_id: str) -> None:
    path = f"/agents/{mapping_id}?organizationId=acme"
    refused(raw(api, "DELETE", path, headers={"x-api-key": ADMIN_KEY}), 404, "not_found")


def test_deleting_needs_the_organization(api: Api) -> None:
    mapping = put(api).json["mapping"]
    answer = raw(api, "DELETE", f"/agents/{mapping['id']}", headers={"x-api-key": ADMIN_KEY})
    assert faulty_fields(answer) == ["organizationId"]
    assert mappings(api) == [mapping]


def test_an_organization_key_reads_its_own_mappings_and_changes_none(api: Api) -> None:
    mapping = put(api).json["mapping"]
    assert api.get("/agents").json["mappings"] == [mapping]
    assert api.get("/agents?organizationId=acme").json["mappings"] == [mapping]
    body = {"organizationId": "acme", "extension": "1"}
    refused(api.post("/agents", body, status="*"), 403, "wrong_key_kind")


def test_the_same_new_extension_from_four_clients_at_once_is_one_mapping(api: Api) -> None:
    api.key()
    start = threading.Barrier(4)
    statuses: list[int] = []

    def send() -> None:
        start.wait()
        statuses.extend([put(api, f"{number}").status_int for number in range(10)])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
    assert len(mappings(api)) == 10
