"""What every page is: shown to visitors, and, where it changes something, to those who may."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

import falcon

from callhelm_threecx import routes
from callhelm_threecx.console.desk import Desk, Visit, organization_path
from callhelm_threecx.console.forms import Form, read_form
from callhelm_threecx.console.rendering import path_segment
from callhelm_threecx.errors import ForbiddenError
from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.services.organizations import canonical_organization_id


class Gated:
    """What is behind the gate: visitors come in with a `Visit`, others go to the sign-in."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {
        "GET": (KeyKind.NONE,),
        "POST": (KeyKind.NONE,),
    }
    section: ClassVar[str | None] = None
    """Which tab is lit."""
    needs_integration: ClassVar[bool] = True
    """Whether an organization without one is sent to its set-up instead."""
    max_file: ClassVar[int] = 0
    """Largest file that a form here may bring, in bytes."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def let_in(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        params: dict[str, str],
        welcome: Callable[[Visit], None],
    ) -> None:
        """Welcome a visitor, or send them where they must go first."""
        organization_id = canonical_organization_id(params.pop("organization_id", ""))
        visit = self.desk.visit(req, resp, organization_id)
        if visit is None:
            wanted = req.path.partition(routes.CONSOLE)[2] if req.method == "GET" else ""
            query = f"?next={path_segment(wanted)}" if wanted.strip("/") else ""
            self.desk.go(req, resp, f"/sign-in{query}")
        elif organization_id and self.needs_integration and visit.integration is None:
            self.desk.go(req, resp, organization_path(organization_id, "/setup"))
        else:
            welcome(visit)

    def take_form(self, visit: Visit) -> Form:
        """The form of a request, once it is shown to be ours and the visitor's to send.

        Raises `ForbiddenError`, `BadInputError`, `TooLargeError`, `UnsupportedMediaError`.
        """
        form = read_form(visit.req, max_file=self.max_file)
        self.desk.check_form(visit.req, form, visit.subject)
        if not visit.may_set_up:
            message = "Your role may look at this, but not change it."
            raise ForbiddenError(message, code="role_not_allowed")
        return form

    def render(self, visit: Visit, template: str, **context: Any) -> None:
        """Answer with a template."""
        context = {"section": self.section, "form": Form(), **context}
        self.desk.render(visit.req, visit.resp, template, visit, **context)

    def go(
        self,
        visit: Visit,
        path: str,
        notice: str = "",
        *,
        level: str = "good",
        undo: Mapping[str, Any] | None = None,
    ) -> None:
        """Send the browser to a page about the visit's organization; see `Desk.go`. The action of
        ``undo`` is such a path as well."""
        if undo is not None:
            undo = {**undo, "action": visit.path(undo["action"])}
        self.desk.go(visit.req, visit.resp, visit.path(path), notice, level=level, undo=undo)


class Page(Gated, ABC):
    """A page that is looked at."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        """Show the page."""
        self.let_in(req, resp, params, lambda visit: self.show(visit, **params))

    @abstractmethod
    def show(self, visit: Visit, **params: str) -> None:
        """Answer with the page."""


class Action(Gated, ABC):
    """What a form does."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        """Take a form of ours from somebody who may send it. Raises `ForbiddenError`."""
        self.let_in(
            req, resp, params, lambda visit: self.submit(visit, self.take_form(visit), **params)
        )

    @abstractmethod
    def submit(self, visit: Visit, form: Form, **params: str) -> None:
        """Do what a form asks for."""


class FormPage(Page, Action):
    """A page with a form that it takes itself."""
