"""Living inside another application: under a prefix of a Falcon app, or in front of any WSGI host.

The plugin answers what lies below its prefix with an app of its own; everything else goes to the
host untouched. Neither side's middleware or error handlers ever see the other side's requests.
"""

from collections.abc import Iterable
from typing import Any

import falcon
import falcon.asgi

from callhelm_threecx import routes
from callhelm_threecx.app import ThreeCXApp, create_app
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.identity import IdentityHook
from callhelm_threecx.settings import Settings


class ThreeCXMiddleware:
    """A WSGI application that serves the integration below a prefix and a host elsewhere.

    ``ThreeCXMiddleware(host, prefix="/api/3cx", database_url=…)`` takes the settings that
    `create_app` takes, and ``identity``, which tells who is signed in to the host. The app behind
    it is at ``threecx``.
    """

    def __init__(
        self,
        wsgi_app: Any,
        prefix: str = routes.DEFAULT_PREFIX,
        settings: Settings | None = None,
        *,
        identity: IdentityHook | str | None = None,
        **overrides: Any,
    ) -> None:
        self.wsgi_app = wsgi_app
        self.threecx = _mounted_app(prefix, settings, identity, overrides)
        self._prefix = self.threecx.services.settings.prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer, or let the host answer."""
        app = self.threecx if _is_below(self._prefix, environ) else self.wsgi_app
        answer: Iterable[bytes] = app(environ, start_response)
        return answer


def mount(
    app: "falcon.App[Any, Any]",
    prefix: str = routes.DEFAULT_PREFIX,
    settings: Settings | None = None,
    *,
    identity: IdentityHook | str | None = None,
    **overrides: Any,
) -> ThreeCXApp:
    """Serve the integration below a prefix of an existing Falcon app; returns the app behind it.

    A route or a sink would run the host's middleware, such as its sign-in check, around every
    answer to a PBX. So the host's app is given a class of its own, derived from the one it has,
    that hands what lies below the prefix over before the host sees it. ``identity`` tells who is
    signed in to the host, whose own check does not run for us. Raises `TypeError` for what is not
    a Falcon WSGI app.
    """
    if not isinstance(app, falcon.App) or isinstance(app, falcon.asgi.App):
        raise TypeError("mount() takes a falcon.App; for other WSGI hosts use ThreeCXMiddleware.")
    inner = _mounted_app(prefix, settings, identity, overrides)
    below = inner.services.settings.prefix
    host_class: Any = type(app)

    class MountedApp(host_class):  # type: ignore[misc]
        """The host's app with the integration below a prefix."""

        __slots__ = ()

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if _is_below(below, environ):
                return inner(environ, start_response)
            answer: Iterable[bytes] = super().__call__(environ, start_response)
            return answer

    MountedApp.__name__, MountedApp.__qualname__ = host_class.__name__, host_class.__qualname__
    app.__class__ = MountedApp
    return inner


def _mounted_app(
    prefix: str,
    settings: Settings | None,
    identity: IdentityHook | str | None,
    overrides: dict[str, Any],
) -> ThreeCXApp:
    if not prefix.strip("/"):
        raise SettingsError("THREECX_PREFIX: is empty; a host would never be reached.")
    return create_app(settings, identity=identity, **{**overrides, "prefix": prefix})


def _is_below(prefix: str, environ: dict[str, Any]) -> bool:
    path = environ.get("PATH_INFO", "")
    return bool(path == prefix or path.startswith(prefix + "/"))
