"""One walk through the product, on each database: the shortest proof that it is one product."""

from tests.client import ADMIN_KEY, Api


def test_a_caller_is_created_found_and_journaled_once(api: Api) -> None:
    created = api.create(FirstName="Anna", LastName="Müller", Number="030 123456")
    found = api.lookup("+4930123456")
    assert [contact["id"] for contact in found] == [created["id"]]
    report = {
        "CallType": "Inbound",
        "Number": "+4930123456",
        "Agent": "101",
        "Duration": "00:01:02",
        "CallStartTimeUTC": "2026-11-22T08:00:00Z",
    }
    first = api.post("/calls/journal", report, status=201).json
    again = api.post("/calls/journal", report, status=200).json
    assert first["duplicate"] is False
    assert first["contactId"] == created["id"]
    assert again["duplicate"] is True
    assert again["callId"] == first["callId"]
    statistics = api.get("/stats?organizationId=acme", key=ADMIN_KEY).json
    assert (statistics["journals"], statistics["lookups"], statistics["duplicates"]) == (1, 1, 1)
