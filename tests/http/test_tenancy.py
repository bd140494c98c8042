"""Two organizations that cannot see, change or guess each other's data on any endpoint."""

import json
from typing import Any

import pytest

from tests.client import ADMIN_KEY, Api
from tests.http.wire import CALL, CHAT, ENDPOINTS, ORGANIZATION_ONLY, raw, refused

NUMBER = "+4930123456"
UNKNOWN = "01a20000-0000-7000-8000-000000000000"


class Rich:
    """The organization ``rich`` with one of everything; ``poor`` has a key and nothing else."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.contact = api.create(
            "rich", FirstName="Rita", LastName="Richter", Email="rita@rich.example", Number=NUMBER
        )
        self.call = api.post("/calls/journal", CALL, key=api.key("rich"), status=201).json
        self.chat = api.post("/chats/journal", CHAT, key=api.key("rich"), status=201).json
        mapping = {"organizationId": "rich", "extension": "101", "agentId": "u1"}
        self.mapping = api.post("/agents", mapping, key=ADMIN_KEY).json["mapping"]
        api.lookup(NUMBER, organization="rich")
        page = api.get("/events?limit=1", key=api.key("rich")).json
        self.cursor = page["nextCursor"]
        self.secrets = [
            "Rita",
            "Richter",
            "rich.example",
            self.contact["id"],
            self.call["callId"],
            self.chat["chatId"],
            self.mapping["id"],
            api.key("rich"),
        ]

    def state(self) -> str:
        """Everything of ``rich`` that an administrator sees, but the event log."""
        read = [
            self.api.get(f"{path}?organizationId=rich", key=ADMIN_KEY).json
            for path in ("/setup", "/agents")
        ]
        read.append(self.api.get("/contacts/search?query=ri", key=self.api.key("rich")).json)
        return json.dumps(read, sort_keys=True)


@pytest.fixture
def rich(api: Api) -> Rich:
    api.key("poor")
    return Rich(api)


QUERIES = [
    "",
    "?organizationId=rich",
    "?organizationId=poor&organizationId=rich",
    "?organizationId=rich&organizationId=poor",
    "?organization_id=rich&org=rich",
    "?number=%2B4930123456",
    "?number=123456",
    "?email=rita%40rich.example",
    "?query=ri",
    "?query=30123456",
    "?query=%25%25&limit=100",
    "?agent=101",
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_nothing_is_seen_or_changed_with_the_key_of_another_organization(
    rich: Rich, method: str, path: str
) -> None:
    before = rich.state()
    key = rich.api.key("poor")
    path = path.replace(UNKNOWN, rich.mapping["id"])
    bodies: list[Any] = [
        {"organizationId": "rich", "enabled": False, "extension": "101", "agentId": "thief"},
        {**CALL, "organizationId": "rich", "EntityId": rich.contact["id"]},
        {**CHAT, "organization_id": "rich", "EntityId": rich.contact["id"]},
        {"FirstName": "X", "Number": NUMBER, "id": rich.contact["id"], "organizationId": "rich"},
    ]
    for query in (*QUERIES, f"?cursor={rich.cursor}", f"?id={rich.contact['id']}"):
        for body in bodies if method in {"POST", "PATCH"} else [None]:
            data = json.dumps(body).encode() if body else b""
            headers = {"x-api-key": key, "X-Organization-Id": "rich"}
            answer = raw(rich.api, method, path + query, data, headers=headers)
            assert not [s for s in rich.secrets if s in answer.text and s not in path + query]
    assert rich.state() == before


@pytest.mark.parametrize("path", ["/agents", "/events", "/stats"])
def test_naming_another_organization_is_403_whether_it_exists_or_not(rich: Rich, path: str) -> None:
    key = rich.api.key("poor")
    bodies = []
    for organization in ("rich", "nobody-at-all"):
        answer = rich.api.get(f"{path}?organizationId={organization}", key=key, status="*")
        body = refused(answer, 403, "wrong_organization")
        bodies.append({**body, "requestId": ""})
    assert bodies[0] == bodies[1]


def test_a_cursor_of_another_organization_shows_only_ones_own_events(rich: Rich) -> None:
    key = rich.api.key("poor")
    events = rich.api.get(f"/events?cursor={rich.cursor}&limit=200", key=key).json["events"]
    assert {event["organizationId"] for event in events} <= {"poor"}


def test_another_organizations_contact_is_as_unknown_as_none(rich: Rich) -> None:
    key = rich.api.key("poor")
    answers = []
    for number, entity in enumerate((rich.contact["id"], UNKNOWN)):
        report = {"CallType": "Inbound", "EntityId": entity, "Agent": str(number)}
        answer = rich.api.post("/calls/journal", report, key=key, status=201).json
        answers.append({**answer, "callId": ""})
    assert answers[0] == answers[1]
    assert answers[0]["contactId"] is None


def test_the_same_call_in_two_organizations_is_two_calls(rich: Rich) -> None:
    answer = rich.api.post("/calls/journal", CALL, key=rich.api.key("poor"), status=201).json
    assert answer["callId"] != rich.call["callId"]
    assert answer["contactId"] is None
    chat = rich.api.post("/chats/journal", CHAT, key=rich.api.key("poor"), status=201).json
    assert chat["chatId"] != rich.chat["chatId"]


def test_the_same_contact_in_two_organizations_is_two_contacts(rich: Rich) -> None:
    fields = {"FirstName": "Rita", "LastName": "Richter", "Number": NUMBER}
    made = rich.api.post("/contacts/create", fields, key=rich.api.key("poor"), status=201).json
    assert made["id"] != rich.contact["id"]
    assert [c["id"] for c in rich.api.lookup(NUMBER, organization="rich")] == [rich.contact["id"]]


def test_a_mapping_counts_in_its_own_organization_only(rich: Rich) -> None:
    report = {**CALL, "Agent": "101"}
    answer = rich.api.post("/calls/journal", report, key=rich.api.key("poor"), status=201).json
    assert answer["agentId"] is None


def test_a_mapping_is_not_deleted_in_another_organizations_name(rich: Rich) -> None:
    for mapping in (rich.mapping["id"], UNKNOWN):
        path = f"/agents/{mapping}?organizationId=poor"
        answer = raw(rich.api, "DELETE", path, headers={"x-api-key": ADMIN_KEY})
        refused(answer, 404, "not_found")
    assert rich.api.get("/agents", key=rich.api.key("rich")).json["mappings"] == [rich.mapping]


def test_disabling_or_rekeying_one_organization_leaves_the_other(rich: Rich) -> None:
    key = rich.api.key("rich")
    rich.api.set_up("poor", call_journaling_enabled=False)
    body = {"organizationId": "poor", "enabled": False}
    rich.api.call("PATCH", "/setup", body, key=ADMIN_KEY)
    for method, path in ORGANIZATION_ONLY:
        answer = raw(rich.api, method, path, headers={"x-api-key": key})
        assert answer.status_int in {200, 400, 415}


def test_an_organization_whose_name_begins_another_ones_is_another(api: Api) -> None:
    api.create("acme", LastName="Acme", Number=NUMBER)
    for organization in ("acm", "acme.", "ACME", "acme-2"):
        assert api.lookup(NUMBER, organization=organization) == []
        events = api.get("/events?limit=200", key=api.key(organization)).json["events"]
        assert {event["organizationId"] for event in events} == {organization}
