"""A caller of the HTTP interface, as a PBX or an administrator would be."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from webtest import TestApp, TestResponse

from callhelm_threecx import create_app
from callhelm_threecx.app import ThreeCXApp

ADMIN_KEY = "admin-key-of-the-tests"
SECRET_KEY = "c2VjcmV0IGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU="
PREFIX = "/api/3cx"


@dataclass
class Api:
    """The application under test. Paths are below the prefix; keys are given by name."""

    app: ThreeCXApp
    prefix: str = PREFIX
    org_keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def build(cls, **settings: Any) -> "Api":
        defaults = {
            "admin_key": ADMIN_KEY,
            "secret_keys": SECRET_KEY,
            "default_region": "DE",
            "rate_limit": "100000/minute",
            "failed_auth_limit": "100000/minute",
        }
        app = create_app(**{**defaults, **settings})
        return cls(app, prefix=app.services.settings.prefix)

    def close(self) -> None:
        self.app.services.close()

    def set_up(self, organization: str = "acme", **settings: Any) -> str:
        """Set an organization up and return its key; ``settings`` as ``PATCH /setup`` has them."""
        answer = self.post("/setup", {"organizationId": organization}, key=ADMIN_KEY)
        self.org_keys[organization] = answer.json["apiKey"]
        if settings:
            body = {"organizationId": organization, "settings": settings}
            self.call("PATCH", "/setup", body, key=ADMIN_KEY)
        return self.org_keys[organization]

    def key(self, organization: str = "acme") -> str:
        """The organization's key; it is set up when it is first asked for."""
        return self.org_keys.get(organization) or self.set_up(organization)

    def get(self, path: str, *, key: str | None = None, status: Any = 200) -> TestResponse:
        return self.call("GET", path, key=key, status=status)

    def post(
        self, path: str, body: Any, *, key: str | None = None, status: Any = None
    ) -> TestResponse:
        return self.call("POST", path, body, key=key, status=status)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        status: Any = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """One request. Without a key it carries the key of ``acme``; ``key=""`` means none."""
        sent = dict(headers or {})
        shown = self.key() if key is None else key
        if shown:
            sent["x-api-key"] = shown
        client = TestApp(self.app, lint=True)
        if body is None:
            return client.request(self.prefix + path, method=method, headers=sent, status=status)
        send = getattr(client, f"{method.lower()}_json")
        response: TestResponse = send(self.prefix + path, body, headers=sent, status=status)
        return response

    def lookup(self, number: str, *, organization: str = "acme") -> list[dict[str, str]]:
        """The contacts that a lookup by number answers with."""
        path = f"/contacts/lookup?number={quote(number, safe='')}"
        contacts: list[dict[str, str]] = self.get(path, key=self.key(organization)).json["contacts"]
        return contacts

    def create(self, organization: str = "acme", **fields: str) -> dict[str, str]:
        """Create a contact from 3CX's fields."""
        answer = self.post("/contacts/create", fields, key=self.key(organization))
        contact: dict[str, str] = answer.json
        return contact

    def events(self, query: str = "", *, key: str | None = None) -> list[dict[str, Any]]:
        """The newest events."""
        events: list[dict[str, Any]] = self.get(f"/events?{query}", key=key).json["events"]
        return events
