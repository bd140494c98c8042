"""The host: a WSGI application that knows nothing of telephones."""

from pathlib import Path
from typing import Any, Final

import falcon
from sqlalchemy.exc import OperationalError

from callhelm_threecx import routes

from . import pages
from .database import HostDatabase
from .gate import Gate
from .sessions import Sessions

STATIC: Final = Path(__file__).parent / "static"


def create_host(
    database: HostDatabase, sessions: Sessions, prefix: str = routes.DEFAULT_PREFIX
) -> "falcon.App[Any, Any]":
    """Build the host. ``prefix`` is where the integration will be mounted; one page links there."""
    app = falcon.App(middleware=[Gate(database, sessions)])
    shown = pages.Pages()
    contacts = pages.Contacts(shown, database)
    app.add_route("/", pages.Home())
    app.add_route("/sign-in", pages.SignIn(shown, database, sessions))
    app.add_route("/sign-out", pages.SignOut(sessions))
    app.add_route("/contacts", contacts)
    app.add_route("/contacts/{contact_id:uuid}", contacts, suffix="one")
    app.add_route("/calls", pages.Calls(shown, database))
    app.add_route("/3cx", pages.ThreeCX(shown, prefix))
    app.add_static_route("/static", str(STATIC.resolve()))

    def show_problem(
        req: falcon.Request, resp: falcon.Response, ex: falcon.HTTPError, _params: dict[str, Any]
    ) -> None:
        """What went wrong, as a page."""
        resp.status = ex.status
        resp.set_headers(ex.headers or {})  # such as which methods a page takes
        title = str(ex.title or ex.status).lstrip("0123456789 ")
        shown.show(req, resp, "problem", title=title, description=ex.description or "")

    def show_pause(
        req: falcon.Request, resp: falcon.Response, _ex: OperationalError, params: dict[str, Any]
    ) -> None:
        """The database is away: a page that says so, not a fault of the host."""
        away = falcon.HTTPServiceUnavailable(
            description="The database does not answer.", retry_after=5
        )
        show_problem(req, resp, away, params)

    app.add_error_handler(falcon.HTTPError, show_problem)
    app.add_error_handler(OperationalError, show_pause)
    return app
