"""What stands before every page: sign-in, the token of the host's own forms, and safe headers."""

import hmac
from typing import Any, Final
from urllib.parse import urlencode

import falcon

from .database import HostDatabase
from .sessions import Sessions

SIGN_IN: Final = "/sign-in"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_FORM: Final = 16 * 1024
"""Longest form, in bytes."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Gate:
    """Falcon middleware. A resource is for signed-in people unless it says ``public = True``.

    Sets on the context: ``session`` and ``person`` (or None), and for a form its fields, ``form``.
    """

    def __init__(self, database: HostDatabase, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    def process_resource(
        self, req: falcon.Request, _resp: falcon.Response, resource: Any, _params: dict[str, Any]
    ) -> None:
        """Send who is not signed in to the sign-in page; refuse a form that is not ours."""
        session = self._sessions.read(req.env)
        user_id = session.user_id if session else ""
        req.context.session = session
        req.context.person = self._database.person(user_id) if user_id else None
        if req.context.person is None and not getattr(resource, "public", False):
            raise falcon.HTTPSeeOther(_sign_in_and_back(req))
        if req.method not in SAFE_METHODS:
            req.context.form = self._form(req)

    def process_response(
        self, _req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        """Nothing is kept by a browser, framed, or taken from elsewhere."""
        for name, value in HEADERS.items():
            resp.set_header(name, value)

    @staticmethod
    def _form(req: falcon.Request) -> dict[str, str]:
        """The fields of a form, of which each comes once."""
        if (req.content_length or 0) > MAX_FORM:
            raise falcon.HTTPContentTooLarge(description="A form is not that long.")
        if (req.content_type or "").partition(";")[0] != falcon.MEDIA_URLENCODED:
            raise falcon.HTTPUnsupportedMediaType(description="A form is expected.")
        fields = req.get_media(default_when_empty={})
        form = {name: value for name, value in fields.items() if isinstance(value, str)}
        session, given = req.context.session, form.pop("form_token", "")
        if session is None or not hmac.compare_digest(
            session.form_token.encode(), given.encode("utf-8", "surrogatepass")
        ):
            raise falcon.HTTPForbidden(description="This form is not from here, or it is too old.")
        return form


def _sign_in_and_back(req: falcon.Request) -> str:
    """The sign-in page, which leads back here: a screen pop opens pages in browsers that may not be
    signed in yet."""
    if req.method != "GET":
        return SIGN_IN
    return f"{SIGN_IN}?{urlencode({'next': req.relative_uri})}"


def local_path(text: str) -> str:
    """Where to go after signing in: a path of this host and nothing else (``//elsewhere.example``
    and ``/\\elsewhere.example`` are other hosts to a browser)."""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_path and text.isprintable() and text.isascii() else "/contacts"
