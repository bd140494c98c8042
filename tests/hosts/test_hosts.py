"""In front of WSGI hosts, and below a prefix of a Falcon app: neither side notices the other."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn
from xml.etree import ElementTree as ET

import falcon
import falcon.asgi
import pytest
from webtest import TestApp

from callhelm_threecx import ThreeCXMiddleware, mount
from callhelm_threecx.app import ThreeCXApp
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.stores.memory import MemoryContactStore
from tests.client import ADMIN_KEY, SECRET_KEY
from tests.hosts.hosts import HOSTS, HostError, falcon_app

SETTINGS = {"admin_key": ADMIN_KEY, "secret_keys": SECRET_KEY, "default_region": "DE"}


class Hosted:
    """A host with the integration in it, as a server would call it."""

    def __init__(self, wsgi: Any, inner: ThreeCXApp, seen: list[str]) -> None:
        self.inner = inner
        self.seen = seen
        self.wsgi = wsgi
        self.client = TestApp(wsgi, lint=True)
        self.key = ""

    def set_up(self, prefix: str = "/api/3cx") -> str:
        body = {"organizationId": "acme"}
        headers = {"x-api-key": ADMIN_KEY}
        answer = self.client.post_json(f"{prefix}/setup", body, headers=headers)
        self.key = answer.json["apiKey"]
        return self.key


@pytest.fixture
def make_hosted(database_url: str) -> Iterator[Callable[..., Hosted]]:
    made: list[Hosted] = []

    def make(host: str, **more: Any) -> Hosted:
        seen: list[str] = []
        options = {**SETTINGS, "database_url": database_url, **more}
        if host == "mounted":
            app = falcon_app(seen)
            made.append(Hosted(app, mount(app, **options), seen))
        else:
            wsgi = ThreeCXMiddleware(HOSTS[host](seen), **options)
            made.append(Hosted(wsgi, wsgi.threecx, seen))
        return made[-1]

    yield make
    for hosted in made:
        hosted.inner.services.close()


EVERY_HOST = [*HOSTS, "mounted"]


@pytest.fixture(params=EVERY_HOST)
def hosted(request: pytest.FixtureRequest, make_hosted: Callable[..., Hosted]) -> Hosted:
    return make_hosted(request.param)


def test_the_hosts_own_routes_are_untouched(hosted: Hosted) -> None:
    for path in ("/", "/api/other"):
        answer = hosted.client.get(path)
        assert answer.text == "host"
        assert "X-Request-Id" not in answer.headers
    assert hosted.seen == ["/", "/api/other"]


NEIGHBOURS = [
    "/api/3cx2",
    "/api/3cx.xml",
    "/api/3cxx/healthz",
    "/api",
    "/API/3CX/healthz",
    "/x/api/3cx",
]


@pytest.mark.parametrize("path", NEIGHBOURS)
def test_what_only_looks_like_the_prefix_is_the_hosts(hosted: Hosted, path: str) -> None:
    answer = hosted.client.get(path, status="*")
    assert hosted.seen == [path]
    assert "X-Request-Id" not in answer.headers


def test_the_hosts_hooks_never_see_the_integrations_requests(hosted: Hosted) -> None:
    key = hosted.set_up()
    headers = {"x-api-key": key}
    answers = [
        hosted.client.get("/api/3cx/healthz"),
        hosted.client.get("/api/3cx/contacts/lookup?number=1", headers=headers),
        hosted.client.get("/api/3cx/contacts/lookup", headers=headers, status=400),
        hosted.client.get("/api/3cx/nothing", status=404),
        hosted.client.get("/api/3cx", status=404),
        hosted.client.get("/api/3cx/events", status=401),
        hosted.client.delete("/api/3cx/stats", status=405),
    ]
    assert hosted.seen == []
    for answer in answers:
        assert answer.content_type == "application/json"
        assert "X-Host" not in answer.headers
        assert answer.headers["X-Request-Id"]


def test_a_bug_of_the_host_stays_with_the_host(hosted: Hosted) -> None:
    try:
        answer = hosted.client.get("/broken", status="*")
    except HostError:
        return  # a plain WSGI host leaves that to its server, and so do we
    assert (answer.status_int, answer.text) == (500, "host broke")
    assert "X-Request-Id" not in answer.headers


class BrokenStore(MemoryContactStore):
    """A store with a bug."""

    def find_by_number(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise HostError("even the host's own kind of error")


@pytest.mark.parametrize("host", EVERY_HOST)
def test_a_bug_of_ours_stays_with_us(make_hosted: Callable[..., Hosted], host: str) -> None:
    hosted = make_hosted(host, store=BrokenStore())
    headers = {"x-api-key": hosted.set_up()}
    answer = hosted.client.get("/api/3cx/contacts/lookup?number=1", headers=headers, status=500)
    assert answer.json["code"] == "internal_error"
    assert hosted.seen == []
    assert hosted.client.get("/").text == "host"


def test_links_and_template_respect_the_mount_of_the_host(hosted: Hosted) -> None:
    key = hosted.set_up()
    below = TestApp(lambda environ, start: hosted.wsgi({**environ, "SCRIPT_NAME": "/crm"}, start))
    body = {"LastName": "M", "Number": "+4930123456"}
    headers = {"x-api-key": key}
    contact = below.post_json("/api/3cx/contacts/create", body, headers=headers).json
    assert contact["contactUrl"] == f"http://localhost:80/crm/contacts/{contact['id']}"
    root = ET.fromstring(below.get("/api/3cx/template", headers=headers).body)  # noqa: S314
    defaults = {p.attrib["Name"]: p.attrib.get("Default") for p in root.iter("Parameter")}
    assert defaults["BaseUrl"] == "http://localhost:80/crm"


PREFIXES = [("/api/3cx/", "/api/3cx"), ("/3cx", "/3cx"), ("/a/b/c.d/e_f-g~h", "/a/b/c.d/e_f-g~h")]


@pytest.mark.parametrize("host", ["plain", "mounted"])
@pytest.mark.parametrize(("prefix", "path"), PREFIXES)
def test_the_prefix_is_the_hosts_choice(
    make_hosted: Callable[..., Hosted], host: str, prefix: str, path: str
) -> None:
    hosted = make_hosted(host, prefix=prefix)
    key = hosted.set_up(path)
    assert hosted.client.get(f"{path}/healthz").json["status"] == "ok"
    answer = hosted.client.get(f"{path}/contacts/lookup", headers={"x-api-key": key}, status=400)
    assert answer.json["contacts"] == []
    template = hosted.client.get(f"{path}/template?apiKey={key}").text
    assert f"[BaseUrl]{path}/contacts/lookup" in template
    if path != "/api/3cx":
        hosted.client.get("/api/3cx/healthz", status="*")
        assert hosted.seen == ["/api/3cx/healthz"]


@pytest.mark.parametrize(
    "prefix", ["", "/", "//", "api/3cx", "/a b", "/a//b", "/{x}", "/ä", "/a?b", "/a%20"]
)
def test_a_prefix_that_could_not_work_is_refused(database_url: str, prefix: str) -> None:
    options = {**SETTINGS, "database_url": database_url, "prefix": prefix}
    with pytest.raises(SettingsError, match="THREECX_PREFIX"):
        ThreeCXMiddleware(HOSTS["plain"]([]), **options)
    with pytest.raises(SettingsError, match="THREECX_PREFIX"):
        mount(falcon.App(), **options)


@pytest.mark.parametrize("host", [falcon.asgi.App(), object(), lambda _e, _s: [], None])
def test_mount_takes_falcon_wsgi_apps_only(database_url: str, host: Any) -> None:
    with pytest.raises(TypeError, match="ThreeCXMiddleware"):
        mount(host, **{**SETTINGS, "database_url": database_url})


def test_a_mounted_app_is_still_the_hosts_own_app(make_hosted: Callable[..., Hosted]) -> None:
    hosted = make_hosted("mounted")
    app = hosted.wsgi
    assert isinstance(app, falcon.App)
    assert type(app).__name__ == "App"
    later: list[str] = []

    class Late:
        def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
            later.append(req.path)

    app.add_middleware(Late())
    hosted.client.get("/")
    hosted.client.get("/api/3cx/healthz")
    assert later == ["/"]


def test_two_integrations_live_in_one_host(
    make_hosted: Callable[..., Hosted], database_url: str
) -> None:
    first = make_hosted("mounted", prefix="/one")
    second = mount(first.wsgi, **{**SETTINGS, "database_url": database_url, "prefix": "/two"})
    for prefix in ("/one", "/two"):
        assert first.client.get(f"{prefix}/healthz").json["status"] == "ok"
    assert first.client.get("/").text == "host"
    second.services.close()


def test_the_body_of_the_hosts_request_is_the_hosts(make_hosted: Callable[..., Hosted]) -> None:
    received: list[bytes] = []

    def host(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["QUERY_STRING"].encode()]

    hosted = make_hosted("plain")
    hosted.wsgi.wsgi_app = host
    answer = hosted.client.post("/upload?apiKey=hosts-own", b"x" * 3_000_000)
    assert received == [b"x" * 3_000_000]
    assert answer.text == "apiKey=hosts-own"
