"""A host with a sign-in of its own, and the people who may be signed in to it."""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

from webtest import TestResponse

from callhelm_threecx.identity import Identity, Role
from tests.client import Api
from tests.http.wire import raw

OWN_ORIGIN = "http://localhost"
FROM_OWN_PAGE = {"Origin": OWN_ORIGIN, "Sec-Fetch-Site": "same-origin"}

PEOPLE = {
    person.user_id: person
    for person in (
        Identity("super", "Sue Super", {"acme": Role.SUPER_ADMIN}),
        Identity("admin", "Ada Admin", {"acme": Role.ORG_ADMIN}),
        Identity("lead", "Lee Lead", {"acme": Role.TEAM_LEAD}),
        Identity("agent", "Ann Agent", {"acme": Role.AGENT}),
        Identity("billing", "Bo Billing", {"acme": Role.BILLING_ADMIN}),
        Identity("two", "Tom Two", {"acme": Role.AGENT, "other": Role.ORG_ADMIN}),
        Identity("nobody", "Ned Nobody"),
        Identity("stranger", "Stan Stranger", {"other": Role.SUPER_ADMIN}),
        Identity("system", "Sy System", is_system_admin=True),
        Identity("home", "Hal Home", {"other": Role.AGENT}, is_system_admin=True),
    )
}


class SignIn:
    """The host's identity hook: a cookie names the user. It notes each environ that it is given."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    def __call__(self, environ: Mapping[str, Any]) -> Identity | None:
        self.asked.append(environ)
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get("user")
        return PEOPLE.get(cookie.value) if cookie is not None else None


def as_user(
    api: Api,
    user: str,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, str] = FROM_OWN_PAGE,
    **environ: Any,
) -> TestResponse:
    """A request with the user's cookie; it comes from a page of the host unless headers differ."""
    sent = {"Cookie": f"theme=dark; user={user}", **headers}
    return raw(api, method, path, body, headers=sent, **environ)
