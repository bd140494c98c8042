"""Who comes in, and what every page is given: the one gate of the console.

A visitor is the host's signed-in user, or somebody who showed the admin key. What changes anything
must come from a page of ours: its origin is checked, and the token that every form carries.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import falcon

from callhelm_threecx.console import rendering
from callhelm_threecx.console.forms import TOKEN_FIELD, Form
from callhelm_threecx.errors import ForbiddenError
from callhelm_threecx.identity import Identity
from callhelm_threecx.keys import KeyRing
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.middleware.same_origin import from_own_page
from callhelm_threecx.middleware.sign_in import SignIn
from callhelm_threecx.services.audit import ADMIN_KEY, Actor
from callhelm_threecx.services.console_sessions import ConsoleSession, ConsoleSessions
from callhelm_threecx.services.integrations import Integration, Integrations

SESSION_COOKIE: Final = "threecx_console"
NOTICE_COOKIE: Final = "threecx_notice"
NOTICE_S: Final = 60
TOKEN_S: Final = 12 * 60 * 60
ADMIN: Final = Identity("admin-key", "Admin key", is_system_admin=True)
"""Whoever showed the admin key."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who may be here, and its answer.

    ``subject`` is what the tokens of their forms are bound to. ``organization_id`` is the one that
    the page is about, empty for none; ``integration`` is None before its set-up.
    """

    req: falcon.Request
    resp: falcon.Response
    identity: Identity
    subject: str
    session: ConsoleSession | None = None
    organization_id: str = ""
    integration: Integration | None = None
    sections: tuple[tuple[str, str], ...] = ()

    @property
    def has_others(self) -> bool:
        """Whether there are other organizations to go to."""
        return self.identity.is_system_admin or len(self.identity.roles) > 1

    @property
    def may_set_up(self) -> bool:
        """Whether the visitor may change what the page is about."""
        if not self.organization_id:
            return self.identity.is_system_admin
        return self.identity.may_set_up(self.organization_id)

    @property
    def actor(self) -> Actor:
        """Who acts, for the event log."""
        client: str = self.req.context.client_address
        if self.session is not None:
            return Actor(ADMIN_KEY, client)
        return Actor.of_user(self.identity, client)

    def path(self, path: str = "") -> str:
        """The path of a page about the organization, below the console."""
        return organization_path(self.organization_id, path) if self.organization_id else path

    @property
    def organization_name(self) -> str:
        """What the organization is called."""
        named = self.integration.organization_name if self.integration else ""
        return named or self.organization_id


class Desk:
    """Lets visitors in, and renders their pages."""

    def __init__(
        self,
        *,
        base: str,
        client: Client,
        ring: KeyRing,
        sessions: ConsoleSessions,
        integrations: Integrations,
        sign_in: SignIn,
        sections: tuple[tuple[str, str], ...],
    ) -> None:
        self.sessions = sessions
        self.client = client
        self._base = base
        self._ring = ring
        self._integrations = integrations
        self._sign_in = sign_in
        self._sections = sections

    def visit(
        self, req: falcon.Request, resp: falcon.Response, organization_id: str = ""
    ) -> Visit | None:
        """Who is here, about which organization; None when nobody is signed in.

        Raises `ForbiddenError` for an organization that is none of theirs.
        """
        session = self.sessions.find(self._cookie(req, SESSION_COOKIE))
        identity = ADMIN if session else self._sign_in.identity(req)
        if identity is None:
            return None
        if organization_id and not identity.may_read(organization_id):
            raise ForbiddenError("This organization is not yours.", code="not_your_organization")
        return Visit(
            req=req,
            resp=resp,
            identity=identity,
            subject=f"session {session.id}" if session else f"user {identity.user_id}",
            session=session,
            organization_id=organization_id,
            integration=self._integrations.get(organization_id) if organization_id else None,
            sections=self._sections if organization_id else (),
        )

    def check_form(self, req: falcon.Request, form: Form, subject: str) -> None:
        """Raise `ForbiddenError` unless a form is one of ours, given to this visitor."""
        if not from_own_page(req, self.client):
            raise ForbiddenError("This form came from another site.", code="cross_site")
        found = self._ring.unseal(form.value(TOKEN_FIELD), "console form", ttl_s=TOKEN_S)
        if found != subject:
            raise ForbiddenError(
                "This form is too old, or is not yours. Go back, load the page anew and try again.",
                code="bad_form_token",
            )

    def render(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        template: str,
        visit: Visit | None = None,
        **context: Any,
    ) -> None:
        """Answer with a page. Templates get ``url``, ``here``, ``at``, ``asset`` and ``token``."""
        if visit is not None and visit.session is not None and visit.session.needs_renewal:
            self.set_session(req, resp, visit.session)
        subject = visit.subject if visit else _NOBODY
        rendering.answer(
            resp,
            template,
            {
                "visit": visit,
                "section": None,
                "notice": self._take_notice(req, resp),
                **self._addresses(req, visit),
                "asset": lambda name: (
                    f"{self.url(req, '/assets/' + name)}?v={rendering.asset_version(name)}"
                ),
                "token": _TokenField(self._ring.seal(subject, "console form")),
                **context,
            },
        )

    def render_piece(self, visit: Visit, template: str, **context: Any) -> None:
        """Answer a script with a piece of a page. It takes no notice away, and being asked for
        over and over it keeps no session open."""
        context = {**self._addresses(visit.req, visit), "visit": visit, **context}
        rendering.answer(visit.resp, template, context)

    def _addresses(self, req: falcon.Request, visit: Visit | None) -> dict[str, Any]:
        here = visit.path if visit else str
        return {
            "url": lambda path="": self.url(req, path),
            "here": lambda path="": self.url(req, here(path)),
            "at": lambda organization, path="": self.url(
                req, organization_path(organization, path)
            ),
        }

    def url(self, req: falcon.Request, path: str = "") -> str:
        """The path of a page as the browser must ask for it."""
        base: str | None = getattr(req.context, "console_base", None)
        if base is None:  # a page asks for a hundred of them
            base = urlsplit(self.client.base_url(req)).path.rstrip("/") + self._base
            req.context.console_base = base
        return base + path

    def go(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        path: str,
        notice: str = "",
        *,
        level: str = "good",
        undo: Mapping[str, Any] | None = None,
    ) -> None:
        """Send the browser to a page, with a notice that is shown there once.

        ``undo`` is ``{"action": path, "fields": {name: text}}``: what a button beside it sends.
        """
        resp.status = falcon.HTTP_303
        resp.location = self.url(req, path)
        resp.set_header("Cache-Control", "no-store")
        if notice:
            if undo is not None:
                undo = {**undo, "action": self.url(req, undo["action"])}
            text = json.dumps({"text": notice, "level": level, "undo": undo})
            sealed = self._ring.seal(text, "console notice")
            self._set_cookie(req, resp, NOTICE_COOKIE, sealed, max_age=NOTICE_S)

    def seal(self, visit: Visit, text: str, purpose: str) -> str:
        """A text that a form brings back as it is: from this visitor, about this organization."""
        return self._ring.seal(text, _kept_purpose(visit, purpose))

    def unseal(self, visit: Visit, token: str, purpose: str) -> str | None:
        """The text again; None for any other."""
        return self._ring.unseal(token, _kept_purpose(visit, purpose), ttl_s=TOKEN_S)

    def set_session(
        self, req: falcon.Request, resp: falcon.Response, session: ConsoleSession
    ) -> None:
        """Give the browser what lets it in."""
        self._set_cookie(req, resp, SESSION_COOKIE, self.sessions.token(session), max_age=None)

    def forget_session(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take from the browser what let it in."""
        self._set_cookie(req, resp, SESSION_COOKIE, "", max_age=0)

    def _take_notice(self, req: falcon.Request, resp: falcon.Response) -> Any:
        sealed = self._cookie(req, NOTICE_COOKIE)
        if not sealed:
            return None
        self._set_cookie(req, resp, NOTICE_COOKIE, "", max_age=0)
        text = self._ring.unseal(sealed, "console notice", ttl_s=NOTICE_S)
        return json.loads(text) if text else None

    @staticmethod
    def _cookie(req: falcon.Request, name: str) -> str:
        values = req.get_cookie_values(name)
        return values[0] if values else ""

    def _set_cookie(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        name: str,
        value: str,
        *,
        max_age: int | None,
    ) -> None:
        resp.set_cookie(
            name,
            value,
            max_age=max_age,
            path=self.url(req),
            secure=self.client.base_url(req).startswith("https:"),
            http_only=True,
            same_site="Strict",
        )


class _TokenField:
    """``token()`` in a template: the hidden field that makes a form ours."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self) -> Any:
        from markupsafe import Markup

        return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN_FIELD, self._value)


def _kept_purpose(visit: Visit, purpose: str) -> str:
    return f"console {purpose} {visit.organization_id} {visit.subject}"


_NOBODY: Final = "nobody"


def organization_path(organization_id: str, path: str = "") -> str:
    """The path of a page about an organization, below the console."""
    return f"/o/{rendering.path_segment(organization_id)}{path}"
