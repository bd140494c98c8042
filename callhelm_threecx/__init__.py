"""Make any CRM answer a 3CX phone system.

`create_app` builds the WSGI application; `mount` puts it below a prefix of a Falcon app, and
`ThreeCXMiddleware` in front of any WSGI host.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callhelm_threecx.app import create_app
    from callhelm_threecx.mounting import ThreeCXMiddleware, mount
    from callhelm_threecx.settings import Settings

__all__ = ["Settings", "ThreeCXMiddleware", "create_app", "mount"]

_HOMES = {
    "Settings": "settings",
    "ThreeCXMiddleware": "mounting",
    "create_app": "app",
    "mount": "mounting",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: the engine alone needs neither web nor database."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
