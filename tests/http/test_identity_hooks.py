"""Where the identity hook comes from, what it is given, and what becomes of its failures."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import falcon
import pytest
from webtest import TestApp

from callhelm_threecx import ThreeCXMiddleware, create_app, mount
from callhelm_threecx.errors import ForbiddenError, SettingsError, StorageUnavailableError
from callhelm_threecx.identity import Identity, Role
from callhelm_threecx.logs import JsonFormatter
from callhelm_threecx.settings import Settings
from tests.client import ADMIN_KEY, SECRET_KEY, Api
from tests.http.identities import FROM_OWN_PAGE, PEOPLE, SignIn, as_user
from tests.http.wire import raw, refused

HOST = """
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.identity import Identity, Role


def good(settings):
    def hook(environ):
        roles = {settings.default_region: Role.AGENT}
        return Identity(user_id="from the entry point", roles=roles)

    return hook


def nothing(settings):
    return None


def fails(settings):
    raise RuntimeError("no\\nroute to the sign-in")


def refuses(settings):
    raise SettingsError("CRM_SESSION_KEY: is not set.")
"""


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks of a host, as an installer leaves them."""
    (tmp_path / "some_crm.py").write_text(HOST)
    info = tmp_path / "some_crm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some_crm\nVersion: 1.0\n")
    names = ("good", "nothing", "fails", "refuses", "absent")
    points = [f"{name} = some_crm:{name}" for name in names]
    points += ["broken = no_such_module:hook", "twin = some_crm:good", "twin = some_crm:fails"]
    text = "\n".join(["[callhelm_threecx.identity]", *points, ""])
    (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)


def may_read(api: Api, organization: str) -> bool:
    return raw(api, "GET", f"/agents?organizationId={organization}").status_int == 200


@pytest.mark.usefixtures("_installed")
def test_a_setting_names_an_installed_hook_which_is_made_from_the_settings(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_IDENTITY", "good")
    api = make_api(default_region="FR")
    assert may_read(api, "FR")
    assert not may_read(api, "DE")


@pytest.mark.usefixtures("_installed")
def test_an_argument_may_be_the_name_too(make_api: Callable[..., Api]) -> None:
    assert may_read(make_api(identity="good", default_region="FR"), "FR")


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("configured", ["good", "fails", "unknown"])
def test_a_hook_that_is_an_argument_wins(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, configured: str
) -> None:
    monkeypatch.setenv("THREECX_IDENTITY", configured)
    api = make_api(identity=SignIn())
    assert not may_read(api, "DE")
    assert as_user(api, "agent", "GET", "/agents").status_int == 200


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unknown", "there is no identity hook 'unknown'"),
        ("twin", "some_crm:fails and some_crm:good"),
        ("broken", "No module named 'no_such_module'"),
        ("absent", "AttributeError"),
        ("fails", "RuntimeError: no route to the sign-in"),
        ("nothing", "some_crm:nothing gives no identity hook"),
    ],
)
def test_a_hook_that_cannot_be_had_stops_the_start_with_one_line(
    database_url: str, name: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        create_app(database_url=database_url, secret_keys=SECRET_KEY, identity=name)
    message = caught.value.message
    assert message.startswith("THREECX_IDENTITY: ")
    assert said in message
    assert "\n" not in message
    assert "good" in message.partition("Installed: ")[2]


@pytest.mark.usefixtures("_installed")
def test_a_hook_says_in_its_own_words_what_it_lacks(make_api: Callable[..., Api]) -> None:
    with pytest.raises(SettingsError, match=r"^CRM_SESSION_KEY: is not set\.$"):
        make_api(identity="refuses")


def test_what_cannot_be_called_is_no_hook(make_api: Callable[..., Api]) -> None:
    with pytest.raises(SettingsError, match=r"^THREECX_IDENTITY: the argument is no identity hook"):
        make_api(identity=7)


def test_settings_that_are_given_whole_take_a_hook_beside_them(database_url: str) -> None:
    settings = Settings.load(database_url=database_url, secret_keys=SECRET_KEY)
    app = create_app(settings, identity=SignIn())
    assert as_user(Api(app), "agent", "GET", "/agents").status_int == 200
    app.services.close()


OPTIONS = {"secret_keys": SECRET_KEY, "admin_key": ADMIN_KEY}


@pytest.mark.parametrize("way", ["middleware", "mount"])
def test_both_ways_into_a_host_take_the_hook(database_url: str, way: str) -> None:
    hook, options = SignIn(), {**OPTIONS, "database_url": database_url}
    host: Any = falcon.App()
    if way == "mount":
        inner = mount(host, identity=hook, **options)
    else:
        host = ThreeCXMiddleware(host, identity=hook, **options)
        inner = host.threecx
    client = TestApp(host, lint=True)
    headers = {"Cookie": "user=admin", **FROM_OWN_PAGE}
    client.post_json("/api/3cx/setup", {"organizationId": "acme"}, headers=headers, status=200)
    assert hook.asked[0]["PATH_INFO"] == "/api/3cx/setup"
    inner.services.close()


def test_the_hook_sees_the_request_as_the_host_would(make_api: Callable[..., Api]) -> None:
    hook = SignIn()
    api = make_api(identity=hook)
    query = "organizationId=acme&tab=a%20b"
    given = {"SCRIPT_NAME": "/crm", "host.session": object(), "REMOTE_USER": "anna"}
    uri = f"/crm/api/3cx/events?{query}"
    as_user(api, "agent", "GET", f"/events?{query}", **given, RAW_URI=uri, REQUEST_URI=uri)
    [environ] = hook.asked
    for name, value in given.items():
        assert environ[name] is value
    assert environ["PATH_INFO"] == "/api/3cx/events"
    assert environ["QUERY_STRING"] == query
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == uri
    assert environ["HTTP_COOKIE"] == "theme=dark; user=agent"


def test_a_hook_that_reads_the_body_or_writes_the_environ_takes_nothing_from_us(
    make_api: Callable[..., Api],
) -> None:
    read: list[bytes] = []

    def hook(environ: Mapping[str, Any]) -> Identity:
        read.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        assert isinstance(environ, dict)
        environ["PATH_INFO"] = environ["REQUEST_METHOD"] = environ["HTTP_ORIGIN"] = "/"
        return PEOPLE["admin"]

    api = make_api(identity=hook)
    body = b'{"organizationId": "acme", "organizationName": "Acme"}'
    assert as_user(api, "admin", "POST", "/setup", body).status_int == 200
    state = raw(api, "GET", "/setup?organizationId=acme").json
    assert state["organizationName"] == "Acme"
    assert read == [b"", b""]


def errors(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    return [line for line in lines if line["level"] == "ERROR"]


def raising(error: BaseException) -> Callable[[Mapping[str, Any]], Identity]:
    def hook(_environ: Mapping[str, Any]) -> Identity:
        raise error

    return hook


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("SELECT secret FROM sessions"),
        KeyError("secret"),
        falcon.HTTPForbidden(title="secret"),
        falcon.HTTPFound("/secret-sign-in"),
        ForbiddenError("secret"),
        SettingsError("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_hook_that_raises_is_a_500_whose_request_id_finds_the_log_line(
    make_api: Callable[..., Api], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    api = make_api(identity=raising(error))
    answer = raw(api, "GET", "/events?organizationId=acme")
    body = refused(answer, 500, "internal_error")
    assert "secret" not in answer.text + str(answer.headers)
    [line] = errors(caplog)
    assert line["request_id"] == body["requestId"]
    assert type(error).__name__ in line["exception"]


def test_a_hook_whose_storage_is_away_is_503(make_api: Callable[..., Api]) -> None:
    api = make_api(identity=raising(StorageUnavailableError()))
    answer = raw(api, "GET", "/events")
    refused(answer, 503, "storage_unavailable")
    assert answer.headers["Retry-After"]


def test_a_key_opens_whatever_state_the_sign_in_is_in(make_api: Callable[..., Api]) -> None:
    api = make_api(identity=raising(RuntimeError()))
    for key in (api.key(), ADMIN_KEY):
        assert raw(api, "GET", "/events", headers={"x-api-key": key}).status_int == 200


NO_IDENTITIES: list[tuple[Any, str]] = [
    ("anna", "not str"),
    (True, "not bool"),
    ({"user_id": "anna"}, "not dict"),
    (Identity(""), "user_id"),
    (Identity(" "), "user_id"),
    (Identity("x" * 257), "user_id"),
    (Identity(None), "user_id"),  # type: ignore[arg-type]
    (Identity("anna", is_system_admin="false"), "is_system_admin"),  # type: ignore[arg-type]
    (Identity("anna", roles=["acme"]), "roles must map"),  # type: ignore[arg-type]
    (Identity("anna", roles={"acme": "owner"}), "'owner'"),  # type: ignore[dict-item]
    (Identity("anna", roles={"acme": None}), "None"),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("given", "said"), NO_IDENTITIES, ids=[said for _, said in NO_IDENTITIES])
def test_what_is_no_identity_opens_nothing_and_the_log_says_what_is_wrong_with_it(
    make_api: Callable[..., Api], caplog: pytest.LogCaptureFixture, given: Any, said: str
) -> None:
    api = make_api(identity=lambda _environ: given)
    refused(raw(api, "GET", "/events?organizationId=acme"), 500, "internal_error")
    [line] = errors(caplog)
    assert said in line["exception"]


def test_ids_and_roles_may_come_as_a_database_has_them(
    make_api: Callable[..., Api], caplog: pytest.LogCaptureFixture
) -> None:
    user, organization = UUID(int=1), UUID(int=2)
    roles: Any = {organization: "org_admin", UUID(int=3): Role.AGENT}
    identity = Identity(user, None, roles)  # type: ignore[arg-type]
    api = make_api(identity=lambda _environ: identity)
    with caplog.at_level(logging.INFO, "callhelm_threecx.access"):
        body = json.dumps({"organizationId": str(organization)}).encode()
        assert as_user(api, "", "POST", "/setup", body).status_int == 200
    assert caplog.records[-1].__dict__["user"] == str(user)
