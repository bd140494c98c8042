"""Host applications, each with hooks of its own that must never meet the integration's requests.

A host answers at ``/`` and ``/api/other``, breaks at ``/broken``, and notes each path that its
middleware, its error handler or its hook behind a request sees.
"""

from collections.abc import Callable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Any], Any]


class HostError(Exception):
    """A bug of the host."""


def plain(seen: list[str]) -> WsgiApp:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/broken":
            raise HostError
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return [b"host"]

    return app


def flask(seen: list[str]) -> WsgiApp:
    import flask

    app = flask.Flask("host")

    @app.before_request
    def before() -> None:
        seen.append(flask.request.path)

    @app.after_request
    def after(response: flask.Response) -> flask.Response:
        response.headers["X-Host"] = "flask"
        return response

    @app.errorhandler(404)
    def missing(_error: Exception) -> tuple[str, int]:
        return "host", 404

    @app.errorhandler(HostError)
    def broken(_error: Exception) -> tuple[str, int]:
        return "host broke", 500

    @app.get("/")
    @app.get("/api/other")
    def index() -> str:
        return "host"

    @app.get("/broken")
    def break_() -> str:
        raise HostError

    wsgi: WsgiApp = app.wsgi_app
    return wsgi


def django(seen: list[str]) -> WsgiApp:
    import django
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def index(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("host", content_type="text/plain")

    def break_(_request: HttpRequest) -> HttpResponse:
        raise HostError

    def broken(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("host broke", status=500, content_type="text/plain")

    def noting(get_response: Any) -> Any:
        def middleware(request: HttpRequest) -> HttpResponse:
            DJANGO_SEEN[-1].append(request.path)
            response = get_response(request)
            response["X-Host"] = "django"
            return response

        return middleware

    DJANGO_SEEN.append(seen)
    if not settings.configured:
        import types

        urls: Any = types.ModuleType("host_urls")
        urls.urlpatterns = [path("", index), path("api/other", index), path("broken", break_)]
        urls.handler500 = broken
        globals()["django_middleware"] = noting
        settings.configure(
            ROOT_URLCONF=urls,
            ALLOWED_HOSTS=["*"],
            MIDDLEWARE=[f"{__name__}.django_middleware"],
            LOGGING_CONFIG=None,
            SECRET_KEY="of the tests",
        )
        django.setup()
    return WSGIHandler()


DJANGO_SEEN: list[list[str]] = []
"""Django has one configuration for each process: the list of the newest host is the last one."""


def falcon(seen: list[str]) -> WsgiApp:
    return falcon_app(seen)


def falcon_app(seen: list[str]) -> Any:
    """A Falcon host, for ``mount`` as well."""
    import falcon

    class Noting:
        def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
            seen.append(req.path)

        def process_response(
            self, _req: falcon.Request, resp: falcon.Response, _resource: object, _ok: bool
        ) -> None:
            resp.set_header("X-Host", "falcon")

    class Index:
        def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
            resp.text = "host"

    class Broken:
        def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
            raise HostError

    def broken(_req: Any, resp: falcon.Response, _ex: Exception, _params: Any) -> None:
        resp.status, resp.text = 500, "host broke"

    app = falcon.App(middleware=[Noting()])
    app.add_error_handler(HostError, broken)
    app.add_route("/", Index())
    app.add_route("/api/other", Index())
    app.add_route("/broken", Broken())
    return app


HOSTS = {"plain": plain, "flask": flask, "django": django, "falcon": falcon}
