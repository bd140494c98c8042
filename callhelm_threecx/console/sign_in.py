"""Signing in with the admin key, and out; for a host's users the host's own sign-in does that."""

from collections.abc import Callable
from typing import Final

import falcon
from limits import RateLimitItem

from callhelm_threecx import keys
from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.forms import Form, read_form
from callhelm_threecx.console.page import FormPage, Gated
from callhelm_threecx.errors import BadInputError, FieldError
from callhelm_threecx.limiter import Limiter
from callhelm_threecx.middleware.client import neighbourhood
from callhelm_threecx.services.events import Event, EventStatus, EventType
from callhelm_threecx.settings import MAX_KEY

NOBODY: Final = "nobody"


class SignInPage(Gated):
    """The one page for visitors whom nobody knows yet.

    Wrong keys are counted for each client address, together with those that are shown to the API;
    over the limit not even the right one opens, since an admin key may be weak.
    """

    def __init__(
        self,
        desk: Desk,
        admin_key: str | None,
        limiter: Limiter,
        limit: RateLimitItem,
        emit: Callable[[Event], None],
    ) -> None:
        super().__init__(desk)
        self._admin_key = admin_key
        self._limiter = limiter
        self._limit = limit
        self._emit = emit

    def on_get(self, req: falcon.Request, resp: falcon.Response, **_params: str) -> None:
        """The form; whoever is in already goes on."""
        wanted = req.get_param("next") or ""
        if self.desk.visit(req, resp) is not None:
            self.desk.go(req, resp, _own_path(wanted))
        else:
            self._show_form(req, resp, Form({"next": wanted[:512]}))

    def on_post(self, req: falcon.Request, resp: falcon.Response, **_params: str) -> None:
        """Open a session, always a new one: an id that was there before the sign-in is not used."""
        form = read_form(req)
        self.desk.check_form(req, form, NOBODY)
        try:
            self._check(req, form.value("key"))
        except BadInputError as ex:
            resp.status = 403
            self._show_form(req, resp, form.refused(ex))
            return
        client = req.context.client_address
        session = self.desk.sessions.open(client)
        detail = {"action": "sign_in", "by": "admin key", "origin": client}
        self._emit(Event(None, EventType.SETUP, raw_data=detail))
        self.desk.go(req, resp, _own_path(form.value("next")))
        self.desk.set_session(req, resp, session)

    def _check(self, req: falcon.Request, shown: str) -> None:
        """Raise `BadInputError` for a key that does not open, and after too many of them."""
        client = req.context.client_address
        counted = ("failed-auth", neighbourhood(client))
        is_right = self._admin_key is not None and keys.same(shown[:MAX_KEY], self._admin_key)
        if not self._limiter.peek(self._limit, *counted).allowed:
            raise BadInputError("Too many wrong keys from your address. Try again in a minute.")
        if is_right:
            return
        self._limiter.hit(self._limit, *counted)
        detail = {"reason": "wrong_admin_key", "client": client, "path": req.path}
        self._emit(Event(None, EventType.REFUSED, EventStatus.REFUSED, raw_data=detail))
        message = "is not the admin key"
        raise BadInputError("That did not open.", errors=[FieldError("key", message)])

    def _show_form(self, req: falcon.Request, resp: falcon.Response, form: Form) -> None:
        has_key = self._admin_key is not None
        self.desk.render(req, resp, "sign-in.html", form=form, has_key=has_key)


class SignOutPage(FormPage):
    """Ends the session, or every session of the admin key."""

    def show(self, visit: Visit, **_: str) -> None:
        """Whoever comes by a link is asked first."""
        self.render(visit, "sign-out.html")

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Sign out, here or everywhere."""
        if form.is_on("everywhere"):
            self.desk.sessions.close_all()
        elif visit.session is not None:
            self.desk.sessions.close(visit.session)
        self.go(visit, "/sign-in", "You are signed out.")
        self.desk.forget_session(visit.req, visit.resp)


def _own_path(wanted: str) -> str:
    """A path of the console to go on to: never another site's."""
    is_own = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    )
    return wanted if is_own and len(wanted) <= 512 else "/"
