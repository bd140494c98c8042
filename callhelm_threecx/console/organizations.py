"""The list of organizations, for whoever may see more than one."""

from typing import Final

from callhelm_threecx.console.desk import Desk, Visit, organization_path
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import FormPage, Page
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.services.integrations import Change, Integration, Integrations
from callhelm_threecx.services.organizations import checked_organization_id

MAX_NAME: Final = 320


class HomePage(Page):
    """Where the console begins: at the visitor's organization, or at the list of them."""

    def show(self, visit: Visit, **_: str) -> None:
        """Send the visitor on."""
        only = "" if visit.has_others else next(iter(visit.identity.roles), "")
        self.go(visit, organization_path(only) if only else "/organizations")


class OrganizationsPage(FormPage):
    """Lists, creates and switches organizations on and off."""

    def __init__(self, desk: Desk, integrations: Integrations) -> None:
        super().__init__(desk)
        self._integrations = integrations

    def show(self, visit: Visit, **_: str) -> None:
        """Those that the visitor may see."""
        self._show(visit, Form())

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Create an organization, or switch one on or off."""
        action = form.value("action")
        try:
            organization_id = checked_organization_id(form.value("organization"), "organization")
            if action == "create":
                self._create(visit, form, organization_id)
            elif action in {"enable", "disable"}:
                self._switch(visit, organization_id, on=action == "enable")
            else:
                raise BadInputError.of_field("action", "is unknown")
        except BadInputError as ex:
            visit.resp.status = 400
            self._show(visit, form.refused(ex))

    def _create(self, visit: Visit, form: Form, organization_id: str) -> None:
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

    def _switch(self, visit: Visit, organization_id: str, *, on: bool) -> None:
        changed = self._integrations.change(organization_id, Change(enabled=on), by=visit.actor)
        what = "answers its PBX again" if on else "is switched off; its PBX is refused from now on"
        name = changed.organization_name or organization_id
        self.go(visit, "/organizations", f"{name} {what}.")

    def _show(self, visit: Visit, form: Form) -> None:
        self.render(
            visit,
            "organizations.html",
            form=form,
            organizations=self._visible(visit),
            may_change=visit.identity.is_system_admin,
        )

    def _visible(self, visit: Visit) -> list[Integration]:
        if visit.identity.is_system_admin:
            return self._integrations.all()
        own = (self._integrations.get(one) for one in sorted(visit.identity.roles))
        return [integration for integration in own if integration is not None]
