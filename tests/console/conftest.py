"""A browser without a screen: it keeps cookies, fills in forms, and says where they come from."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from webtest import Form, TestApp, TestResponse

from tests.client import ADMIN_KEY, Api
from tests.http.identities import SignIn

ORIGIN = "http://localhost:80"


class Browser:
    """Somebody at the console. Paths are below it; links and forms of a page are as they stand."""

    def __init__(self, api: Api, **environ: Any) -> None:
        self.api = api
        self.origin = ORIGIN
        self.base = f"{api.prefix}/console"
        self._app = TestApp(api.app, extra_environ=environ, lint=True)

    def open(self, path: str = "", *, status: Any = 200) -> TestResponse:
        """A page. Redirects are followed where a page is expected."""
        url = path if path.startswith(self.base) else self.base + path
        answer = self._app.get(url, status=status if status != 200 else "*")
        return self._settled(answer, status)

    def sign_in(self, key: str = ADMIN_KEY) -> "Browser":
        """Sign in with the admin key."""
        self.send(self.open("/sign-in"), "/sign-in", key=key)
        return self

    def be(self, user: str) -> "Browser":
        """Be signed in to the host as one of `tests.http.identities.PEOPLE`."""
        self._app.set_cookie("user", user)
        return self

    def form(self, page: TestResponse, action: str, names: Iterable[str] = ()) -> Form:
        """The form of a page that goes to a path of the console and has these fields; one that
        changes something goes before one that asks."""
        found = [
            form
            for form in page.forms.values()
            if form.action == self.base + action and {*names} <= {*form.fields}
        ]
        assert found, f"no form to {action}"
        found.sort(key=lambda form: form.method.upper() != "POST")
        form: Form = found[0]
        return form

    def send(
        self,
        page: TestResponse,
        action: str,
        *,
        button: tuple[str, str] | None = None,
        status: Any = 200,
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> TestResponse:
        """Fill a form of a page in and send it as a browser does; a redirect is followed.

        ``button`` is the (name, value) of the button that is pressed.
        """
        form = self.form(page, action, [*fields, *(button or ())[:1]])
        for name, value in fields.items():
            form[name] = value
        pressed = {"name": button[0], "submit_value": button[1]} if button else {}
        return self.post(action, form.submit_fields(**pressed), status=status, headers=headers)

    def post(
        self,
        action: str,
        fields: Any,
        *,
        status: Any = 200,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Send fields from a page of ours, whatever a page offers."""
        sent = {"Origin": self.origin} if headers is None else headers
        answer = self._app.post(self.base + action, fields, headers=sent, status="*")
        return self._settled(answer, status)

    def _settled(self, answer: TestResponse, status: Any) -> TestResponse:
        if status == 200:
            while answer.status_int in {302, 303}:
                answer = answer.follow()
        if status != "*":
            assert answer.status_int == status, answer.text[:2000]
        return answer


@pytest.fixture
def browse(make_api: Callable[..., Api]) -> Callable[..., Browser]:
    """Opens a browser at an application of its own, made from settings."""

    def open_one(environ: dict[str, Any] | None = None, **settings: Any) -> Browser:
        return Browser(make_api(**settings), **(environ or {}))

    return open_one


@pytest.fixture
def admin(browse: Callable[..., Browser]) -> Browser:
    """A browser that is signed in with the admin key; the organization ``acme`` is set up."""
    browser = browse().sign_in()
    browser.api.key()
    return browser


@pytest.fixture
def member(browse: Callable[..., Browser]) -> Browser:
    """A browser at a host with a sign-in (see `Browser.be`); ``acme`` is set up."""
    browser = browse(identity=SignIn())
    browser.api.key()
    return browser
