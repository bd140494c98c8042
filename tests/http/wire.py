"""What every answer has in common, and requests that no polite client would send."""

from typing import Any

from webtest import TestApp, TestResponse

from tests.client import ADMIN_KEY, Api

CONTACT_FIELDS = {
    "id",
    "firstName",
    "lastName",
    "company",
    "email",
    "phoneBusiness",
    "phoneBusiness2",
    "phoneMobile",
    "phoneMobile2",
    "phoneHome",
    "phoneOther",
    "faxBusiness",
    "contactUrl",
    "entityType",
}
PHONE_FIELDS = {name for name in CONTACT_FIELDS if name.startswith(("phone", "fax"))}
ENDPOINTS = [
    ("GET", "/contacts/lookup"),
    ("GET", "/contacts/search"),
    ("POST", "/contacts/create"),
    ("POST", "/calls/journal"),
    ("POST", "/chats/journal"),
    ("GET", "/template"),
    ("POST", "/setup"),
    ("GET", "/setup"),
    ("PATCH", "/setup"),
    ("GET", "/agents"),
    ("POST", "/agents"),
    ("DELETE", "/agents/01a20000-0000-7000-8000-000000000000"),
    ("GET", "/events"),
    ("GET", "/stats"),
]
ORGANIZATION_ONLY = ENDPOINTS[:6]
ADMIN_ONLY = [ENDPOINTS[index] for index in (6, 7, 8, 10, 11)]
CALL = {"CallType": "Inbound", "Number": "+4930123456", "CallStartTimeUTC": "2026-11-22T08:35:00Z"}
CHAT = {
    "ChatMessages": "Hello",
    "Number": "+4930123456",
    "ChatStartTimeUTC": "2026-11-22T08:35:00Z",
}


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is an error as the interface promises it; returns its body."""
    assert answer.status_int == status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = answer.json
    assert set(body) - {"errors", "contacts"} == {"success", "error", "code", "requestId"}
    assert body["success"] is False
    assert body["code"] == code
    assert body["error"] == " ".join(body["error"].split())
    assert body["requestId"] == answer.headers["X-Request-Id"]
    for fault in body.get("errors", []):
        assert set(fault) == {"field", "message"}
        assert fault["message"]
    return body


def faulty_fields(answer: TestResponse) -> list[str]:
    """The fields that a 400 names."""
    return [fault["field"] for fault in refused(answer, 400, "bad_input").get("errors", [])]


def setup(api: Api, organization: str = "acme", **change: Any) -> TestResponse:
    """Change an organization that is set up."""
    api.key(organization)
    body = {"organizationId": organization, **change}
    return api.call("PATCH", "/setup", body, key=ADMIN_KEY, status="*")


def raw(
    api: Api,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    **environ: Any,
) -> TestResponse:
    """A request of given bytes, without any key but what the headers hold."""

    def app(given: dict[str, Any], start_response: Any) -> Any:
        return api.app({**given, **environ}, start_response)

    client = TestApp(app, lint=True)
    sent = {"Content-Type": "application/json", **(headers or {})} if body else headers or {}
    return client.request(api.prefix + path, method=method, body=body, headers=sent, status="*")
