"""The pages: thin resources that ask the database and fill a template."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

import falcon
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callhelm_threecx.limiter import Limiter, limit_of

from . import passwords
from .database import HostDatabase
from .gate import local_path
from .sessions import Sessions

_FOLDER: Final = Path(__file__).parent
ATTEMPTS: Final = "10/minute"
"""Wrong passwords for one address before it has to wait."""


class Pages:
    """Fills templates; every value in them is escaped."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, req: falcon.Request, resp: falcon.Response, name: str, **values: Any) -> None:
        """Answer with a page; it knows the signed-in person and the token for forms."""
        person = getattr(req.context, "person", None)
        session = getattr(req.context, "session", None)
        token = session.form_token if session else ""
        template = self._templates.get_template(f"{name}.html")
        resp.content_type = falcon.MEDIA_HTML
        resp.text = template.render(person=person, form_token=token, path=req.path, **values)


class SignIn:
    """``/sign-in``: by e-mail address and password."""

    public = True

    def __init__(self, pages: Pages, database: HostDatabase, sessions: Sessions) -> None:
        self._pages = pages
        self._database = database
        self._sessions = sessions
        self._limiter = Limiter("memory://")
        self._limit = limit_of(ATTEMPTS)
        self._nobodys_password = passwords.seal("")

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The form; who is signed in already goes on."""
        back = local_path(req.get_param("next", default=""))
        if req.context.person is not None:
            raise falcon.HTTPSeeOther(back)
        self._form(req, resp, back)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Sign in, or say in the same words for every reason that it did not work."""
        form = req.context.form
        back, email = local_path(form.get("next", "")), form.get("email", "").strip()
        attempts = ("sign-in", email.casefold())
        if not self._limiter.peek(self._limit, *attempts).allowed:
            resp.status = falcon.HTTP_429
            self._form(req, resp, back, "Too many attempts. Wait a minute, please.", email)
            return
        user_id = self._user(email, form.get("password", ""))
        if user_id is None:
            self._limiter.hit(self._limit, *attempts)
            resp.status = falcon.HTTP_403
            self._form(req, resp, back, "E-mail address or password is wrong.", email)
            return
        self._sessions.begin(resp, user_id)
        resp.status, resp.location = falcon.HTTP_303, back

    def _user(self, email: str, password: str) -> str | None:
        """Whose password this is. An address of nobody takes the time of any other."""
        found = self._database.credentials(email.replace("\0", ""))
        user_id, sealed = found or ("", self._nobodys_password)
        if not passwords.is_right(password, sealed) or not user_id:
            return None
        return user_id if self._database.person(user_id) else None

    def _form(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        back: str,
        problem: str = "",
        email: str = "",
    ) -> None:
        if req.context.session is None:
            req.context.session = self._sessions.begin(resp)
        self._pages.show(req, resp, "sign_in", back=back, problem=problem, email=email)


class SignOut:
    """``/sign-out``."""

    public = True

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def on_post(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Forget who was signed in."""
        self._sessions.end(resp)
        resp.status, resp.location = falcon.HTTP_303, "/sign-in"


class Contacts:
    """``/contacts``, and ``/contacts/{id}``, which a screen pop opens."""

    def __init__(self, pages: Pages, database: HostDatabase) -> None:
        self._pages = pages
        self._database = database

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The contacts of one's organizations."""
        query = req.get_param("q", default="").replace("\0", "").strip()
        rows = self._database.contacts(req.context.person, query)
        self._pages.show(req, resp, "contacts", contacts=rows, query=query)

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, contact_id: UUID) -> None:
        """A contact and the calls with it; another organization's is not there."""
        contact = self._database.contact(req.context.person, contact_id)
        if contact is None:
            raise falcon.HTTPNotFound(description="There is no such contact.")
        calls = self._database.calls(req.context.person, contact_id)
        self._pages.show(req, resp, "contact", contact=contact, calls=calls)


class Calls:
    """``/calls``."""

    def __init__(self, pages: Pages, database: HostDatabase) -> None:
        self._pages = pages
        self._database = database

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The calls of one's organizations, the newest first."""
        self._pages.show(req, resp, "calls", calls=self._database.calls(req.context.person))


class ThreeCX:
    """``/3cx``: the integration as a signed-in person sees it.

    The page itself asks the integration, with the person's cookie; the host passes nothing on.
    """

    def __init__(self, pages: Pages, prefix: str) -> None:
        self._pages = pages
        self._prefix = prefix

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """What is set up, and what may be done about it."""
        self._pages.show(req, resp, "threecx", prefix=self._prefix)


class Home:
    """``/``."""

    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        """There is nothing to see but contacts."""
        raise falcon.HTTPSeeOther("/contacts")
