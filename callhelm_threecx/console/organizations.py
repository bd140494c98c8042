"""The list of organizations, for whoever may see more than one."""

from typing import Final
from urllib.parse import urlencode

from callhelm_threecx.console.desk import Desk, Visit, organization_path
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import FormPage, Page
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services.changes import MAX_NAME
from callhelm_threecx.services.directory import MAX_SEARCH, Directory, DirectoryPage
from callhelm_threecx.services.integrations import Change, Integrations
from callhelm_threecx.services.organizations import checked_organization_id
from callhelm_threecx.services.overview import Overview
from callhelm_threecx.services.values import clean

PATH: Final = "/organizations"
PAGE: Final = 50


class HomePage(Page):
    """Where the console begins: at the visitor's organization, or at the list of them."""

    def show(self, visit: Visit, **_: str) -> None:
        """Send the visitor on."""
        only = "" if visit.has_others else next(iter(visit.identity.roles), "")
        self.go(visit, organization_path(only) if only else PATH)


class OrganizationsPage(FormPage):
    """Lists, finds and creates organizations, and switches them on and off."""

    def __init__(
        self, desk: Desk, integrations: Integrations, directory: Directory, overview: Overview
    ) -> None:
        super().__init__(desk)
        self._integrations = integrations
        self._directory = directory
        self._overview = overview

    def show(self, visit: Visit, **_: str) -> None:
        """A page of those that the visitor may see."""
        self._show(visit, Form(), _asked(visit))

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Create an organization, or switch one on or off: the button says which."""
        try:
            if form.value("enable"):
                self._switch(visit, form, "enable")
            elif form.value("disable"):
                self._switch(visit, form, "disable")
            else:
                self._create(visit, form)
        except BadInputError as ex:
            visit.resp.status = 400
            self._show(visit, form.refused(ex), {"search": "", "after": ""})

    def _create(self, visit: Visit, form: Form) -> None:
        organization_id = checked_organization_id(form.value("organization"), "organization")
        name = form.value("name")
        if len(name) > MAX_NAME:
            raise BadInputError.of_field("name", f"is longer than {MAX_NAME} characters")
        if self._integrations.get(organization_id) is not None:
            raise BadInputError.of_field("organization", "is there already")
        self._integrations.set_up(organization_id, organization_name=name or None, by=visit.actor)
        self.go(
            visit,
            organization_path(organization_id, "/setup"),
            f"{name or organization_id} was created. Download its template next.",
        )

    def _switch(self, visit: Visit, form: Form, action: str) -> None:
        organization_id = checked_organization_id(form.value(action), "organization")
        on = action == "enable"
        changed = self._integrations.change(organization_id, Change(enabled=on), by=visit.actor)
        what = "answers its PBX again" if on else "is switched off; its PBX is refused from now on"
        back = {name: form.value(name) for name in ("search", "after")}
        opposite = "disable" if on else "enable"
        self.go(
            visit,
            PATH + _query(**back),
            f"{changed.organization_name or organization_id} {what}.",
            undo={"action": PATH, "fields": {opposite: organization_id, **back}},
        )

    def _show(self, visit: Visit, form: Form, asked: dict[str, str]) -> None:
        sees_all = visit.identity.is_system_admin
        page = self._page(visit, asked)
        self.render(
            visit,
            "organizations.html",
            form=form,
            asked=asked,
            entries=page.entries,
            first=PATH + _query(search=asked["search"]) if asked["after"] else "",
            more=PATH + _query(**{**asked, "after": page.next_after}) if page.next_after else "",
            may_change=sees_all,
            count=self._directory.count() if sees_all else None,
            last_day=self._overview.last_day(None) if sees_all else None,
        )

    def _page(self, visit: Visit, asked: dict[str, str]) -> DirectoryPage:
        if visit.identity.is_system_admin:
            return self._directory.page(limit=PAGE, **asked)
        return self._directory.own(visit.identity.roles, limit=PAGE, **asked)


def _asked(visit: Visit) -> dict[str, str]:
    """What the address asks for: ``search``, and behind which id the page begins."""
    search = clean((visit.req.get_param("search") or "")[:MAX_SEARCH])
    after = visit.req.get_param("after") or ""
    return {"search": search, "after": checked_organization_id(after, "after") if after else ""}


def _query(**asked: str) -> str:
    """The same as the end of an address; empty when nothing is asked for."""
    given = {name: text for name, text in asked.items() if text}
    return f"?{urlencode(given)}" if given else ""
