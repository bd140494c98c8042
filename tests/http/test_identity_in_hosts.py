"""The hook that the documentation shows, in a host with a real session cookie."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from webtest import TestApp, TestResponse

from tests.client import ADMIN_KEY, SECRET_KEY

PAGE = Path(__file__).parents[2] / "docs" / "mounting.md"
SAMPLE = re.compile(r"```python\n((?:(?!```).)*def signed_in.*?)```", re.DOTALL)
ORIGIN = {"Origin": "http://localhost"}


@dataclass
class User:
    id: int
    name: str
    memberships: list[SimpleNamespace] = field(default_factory=list)
    is_active: bool = True
    is_system_admin: bool = False


def member(role: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(organization_id="acme", role=role)]


USERS = {
    1: User(1, "Ada", member("org_admin")),
    2: User(2, "Ann", member("agent")),
    3: User(3, "Ina", member("org_admin"), is_active=False),
    4: User(4, "Rob", member("ghost")),
}


def host_with_the_sample(database_url: str) -> flask.Flask:
    app = flask.Flask("crm")
    app.secret_key = "of the host"

    @app.post("/sign-in/<int:user_id>")
    def sign_in(user_id: int) -> str:
        flask.session["user_id"] = user_id
        return ""

    @app.post("/sign-out")
    def sign_out() -> str:
        flask.session.clear()
        return ""

    found = SAMPLE.search(PAGE.read_text("utf-8"))
    assert found is not None
    settings = {"database_url": database_url, "secret_keys": SECRET_KEY, "admin_key": ADMIN_KEY}
    names = {"app": app, "load_user": USERS.get, "settings": settings}
    exec(compile(found[1], PAGE.name, "exec"), names)  # noqa: S102
    return app


@pytest.fixture
def client(database_url: str) -> Iterator[TestApp]:
    app = host_with_the_sample(database_url)
    yield TestApp(app)
    plugin: Any = app.wsgi_app
    plugin.threecx.services.close()


def set_up(client: TestApp) -> TestResponse:
    body = {"organizationId": "acme"}
    return client.post_json("/api/3cx/setup", body, headers=ORIGIN, status="*")


def test_whoever_administers_the_organization_sets_it_up(client: TestApp) -> None:
    client.post("/sign-in/1")
    key = set_up(client).json["apiKey"]
    answer = client.get("/api/3cx/contacts/lookup?number=1", headers={"x-api-key": key})
    assert answer.json["contacts"] == []
    [event] = client.get("/api/3cx/events?type=setup").json["events"]
    assert (event["rawData"]["userId"], event["rawData"]["userName"]) == ("1", "Ada")


def test_another_member_reads(client: TestApp) -> None:
    client.post("/sign-in/2")
    assert client.get("/api/3cx/setup").json["configured"] is False
    assert set_up(client).json["code"] == "role_not_allowed"


@pytest.mark.parametrize("user", [3, 99])
def test_whoever_is_not_active_or_not_there_is_signed_out(client: TestApp, user: int) -> None:
    client.post(f"/sign-in/{user}")
    assert set_up(client).status_int == 401


def test_signing_out_ends_it_with_the_next_request(client: TestApp) -> None:
    client.post("/sign-in/1")
    assert set_up(client).status_int == 200
    client.post("/sign-out")
    assert set_up(client).status_int == 401


def test_a_cookie_that_was_tampered_with_is_nobodys(client: TestApp) -> None:
    client.post("/sign-in/1")
    [cookie] = [cookie for cookie in client.cookiejar if cookie.name == "session"]
    value = str(cookie.value)
    for sent, status in ((value, 200), (value[:-4] + "AAAA", 401), (value[1:], 401)):
        headers = {"Cookie": f"session={sent}"}
        answer = TestApp(client.app).get("/api/3cx/setup", headers=headers, status="*")
        assert answer.status_int == status


def test_a_role_that_we_do_not_know_opens_nothing(client: TestApp) -> None:
    client.post("/sign-in/4")
    assert client.get("/api/3cx/setup", status="*").status_int == 500
