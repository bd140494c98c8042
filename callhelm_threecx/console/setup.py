"""Set-up: the key, the template, how the integration behaves, and whether it works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from callhelm_threecx import contact_links
from callhelm_threecx.console import regions
from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import Action, FormPage, Gated, Page
from callhelm_threecx.errors import BadInputError, ForbiddenError
from callhelm_threecx.models import utc_now
from callhelm_threecx.services.changes import read_change
from callhelm_threecx.services.events import Event, EventFilter, EventLog, EventStatus, EventType
from callhelm_threecx.services.integrations import (
    CONTACT_URL,
    DEFAULT_SETTINGS,
    MAX_GRACE_MINUTES,
    Change,
    Integration,
    Integrations,
)
from callhelm_threecx.services.organizations import checked_organization_id
from callhelm_threecx.services.templates import template_of

SECTION: Final = "/setup"
FILE_NAME: Final = "call-helm-3cx.xml"
EXAMPLE_ID: Final = "4711"
"""The contact's id in the preview of a link."""

GRACE_CHOICES: Final = (
    ("1440", "for 1 day"),
    ("60", "for 1 hour"),
    (str(MAX_GRACE_MINUTES), "for 7 days"),
    ("0", "not at all: it stops now"),
)
_PATTERN_FIELD: Final = f"settings.{CONTACT_URL}"


@dataclass(frozen=True, slots=True)
class SetupParts:
    """What the pages of the set-up ask.

    ``prefix`` is the path below which the server answers, ``contact_url`` its own pattern for
    contact links.
    """

    integrations: Integrations
    events: EventLog
    prefix: str
    contact_url: str | None
    has_public_url: bool
    emit: Callable[[Event], None]


class SetupGate(Gated):
    """What the pages of the set-up have in common."""

    section: ClassVar[str | None] = SECTION
    needs_integration: ClassVar[bool] = False

    def __init__(self, desk: Desk, parts: SetupParts) -> None:
        super().__init__(desk)
        self.parts = parts

    def base_url(self, visit: Visit) -> str:
        """What the PBX calls, without the prefix."""
        return self.desk.client.base_url(visit.req)

    def template(self, visit: Visit) -> str:
        """The file as the PBX gets it. Raises `BadInputError` before there is a key."""
        parts = self.parts
        integration = required(visit)
        api_key = parts.integrations.clear_key(integration.organization_id)
        return template_of(integration, api_key, self.base_url(visit), parts.prefix)

    def show_setup(self, visit: Visit, form: Form | None = None, at: str = "") -> None:
        """Answer with the whole page; ``form`` is one that was refused, ``at`` whose it is."""
        integration = visit.integration
        settings = form if at == "settings" and form else settings_form(integration)
        pattern = self._pattern(settings.value(_PATTERN_FIELD))
        self.render(
            visit,
            "setup.html",
            integration=integration,
            base_url=self.base_url(visit),
            has_public_url=self.parts.has_public_url,
            key_form=form if at == "key" and form else Form({"grace": GRACE_CHOICES[0][0]}),
            settings=settings,
            refused=at if form and form.message else "",
            regions=regions.choices(),
            region_label=regions.label(integration.region) if integration else "",
            grace_choices=GRACE_CHOICES,
            grace_end=_running_grace(integration),
            server_pattern=self._pattern(""),
            example_id=EXAMPLE_ID,
            downloaded=self._last(visit, EventType.TEMPLATE),
            looked_up=self._last(visit, EventType.LOOKUP),
            preview=contact_links.link(pattern, EXAMPLE_ID, self.base_url(visit)),
            file_name=FILE_NAME,
            replaces=key_mark(integration),
        )

    def _last(self, visit: Visit, kind: EventType) -> datetime | None:
        """When something of a kind last went well, as far as the event log goes back."""
        if visit.integration is None:
            return None
        wanted = EventFilter(visit.organization_id, type=kind)
        ended = (EventStatus.OK.value, EventStatus.NO_MATCH.value)
        page = self.parts.events.page(wanted, limit=5)
        return next((row.created_at for row in page.events if row.status in ended), None)

    def _pattern(self, own: str) -> str:
        """The pattern that counts: the organization's own, else the server's."""
        if contact_links.is_pattern(own):
            return own
        return self.parts.contact_url or contact_links.DEFAULT_PATTERN


class SetupPage(SetupGate, Page):
    """The steps from nothing to a PBX that knows who calls."""

    def show(self, visit: Visit, **_: str) -> None:
        """Where each step stands."""
        checked_organization_id(visit.organization_id, "organization")
        self.show_setup(visit)


class KeyPage(SetupGate, FormPage):
    """Makes a key and shows it, in this one answer only."""

    def show(self, visit: Visit, **_: str) -> None:
        """Whoever comes by the address is sent to the set-up: a key is not shown twice."""
        self.go(visit, SECTION)

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Make the key, unless the form was filled in before another key."""
        if form.value("replaces") != key_mark(visit.integration):
            notice = "This key was made already. It is shown once; make a new one if it is lost."
            self.go(visit, SECTION, notice, level="warn")
            return
        try:
            organization_id = checked_organization_id(visit.organization_id, "organization")
            grace = _grace(form.value("grace")) if visit.integration else 0
            name = read_change({"organizationName": form.value("organizationName")})
        except BadInputError as ex:
            visit.resp.status = 400
            self.show_setup(visit, form.refused(ex), "key")
            return
        made, key = self.parts.integrations.set_up(
            organization_id,
            grace_minutes=grace,
            organization_name=None if visit.integration else name.organization_name,
            by=visit.actor,
        )
        self.render(
            visit,
            "setup-key.html",
            key=key,
            made=made,
            is_first=visit.integration is None,
            grace_end=_running_grace(made),
            file_name=FILE_NAME,
        )


class TemplateFile(SetupGate, Action):
    """The template as a download."""

    def submit(self, visit: Visit, form: Form, **_: str) -> None:  # noqa: ARG002
        """The file, never to be cached: the key is in it."""
        visit.resp.text = self.template(visit)
        visit.resp.content_type = "application/xml; charset=utf-8"
        visit.resp.set_header("Content-Disposition", f'attachment; filename="{FILE_NAME}"')
        visit.resp.set_header("Cache-Control", "no-store")
        detail = {"client": visit.req.context.client_address, **visit.actor.detail()}
        self.parts.emit(Event(visit.organization_id, EventType.TEMPLATE, raw_data=detail))


class SettingsForm(SetupGate, FormPage):
    """Changes how the integration behaves."""

    def show(self, visit: Visit, **_: str) -> None:
        """The form is on the page of the set-up."""
        self.go(visit, SECTION)

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Keep what is different from what is there; or only show where links would lead."""
        integration = required(visit)
        try:
            change = _difference(integration, read_change(_body(form)))
        except BadInputError as ex:
            visit.resp.status = 400
            self.show_setup(visit, form.refused(ex), "settings")
            return
        if form.value("action") == "preview":
            self.show_setup(visit, form, "settings")
        elif change == Change():
            self.go(visit, SECTION, "Nothing was changed.", level="warn")
        else:
            self.parts.integrations.change(visit.organization_id, change, by=visit.actor)
            self.go(visit, SECTION, _saved(change))


class Switch(SetupGate, FormPage):
    """Switches the integration on and off."""

    def show(self, visit: Visit, **_: str) -> None:
        """The switch is on the page of the set-up."""
        self.go(visit, SECTION)

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """On or off, with a way back."""
        required(visit)
        state = form.value("state")
        if state not in {"on", "off"}:
            raise BadInputError.of_field("state", "must be on or off")
        is_on = state == "on"
        change = Change(enabled=is_on)
        self.parts.integrations.change(visit.organization_id, change, by=visit.actor)
        notice = (
            "The integration is switched on. Your PBX is answered again within 5 seconds."
            if is_on
            else "The integration is switched off. Your PBX is refused within 5 seconds."
        )
        back = {"action": "/setup/switch", "fields": {"state": "off" if is_on else "on"}}
        self.go(visit, SECTION, notice, undo=back)


def required(visit: Visit) -> Integration:
    """The integration that a step builds on. Raises `ForbiddenError` before the first step."""
    if visit.integration is None:
        raise ForbiddenError("Make a key first: there is no integration yet.", code="not_set_up")
    return visit.integration


def key_mark(integration: Integration | None) -> str:
    """What tells one key of an organization from the next, without telling the key."""
    return integration.key_created_at.isoformat() if integration else ""


def settings_form(integration: Integration | None) -> Form:
    """The settings as a form that nobody changed yet."""
    if integration is None:
        return Form()
    on = {f"settings.{name}": "on" for name in DEFAULT_SETTINGS if integration.allows(name)}
    return Form(
        {
            **on,
            "organizationName": integration.organization_name,
            "threeCxServerUrl": integration.three_cx_server_url or "",
            "defaultRegion": integration.region,
            _PATTERN_FIELD: integration.contact_url,
        }
    )


def _grace(text: str) -> int:
    """Minutes for which an old key goes on. Raises `BadInputError` for what is not offered."""
    if text not in dict(GRACE_CHOICES):
        raise BadInputError.of_field("grace", "is none of the periods")
    return int(text)


def _running_grace(integration: Integration | None) -> datetime | None:
    """Until when the previous key goes on; None when there is none that does."""
    end = integration.previous_key_expires_at if integration else None
    return end if end is not None and end > utc_now() else None


def _body(form: Form) -> Mapping[str, Any]:
    """The form in the shape of ``PATCH /setup``, which has the same fields."""
    return {
        **{
            name: form.value(name)
            for name in ("organizationName", "threeCxServerUrl", "defaultRegion")
        },
        "settings": {
            **{name: form.is_on(f"settings.{name}") for name in DEFAULT_SETTINGS},
            CONTACT_URL: form.value(_PATTERN_FIELD),
        },
    }


def _difference(now: Integration, wanted: Change) -> Change:
    """What really changes, so that the event log tells just that, and a region that is the server's
    goes on following the server's."""
    url, region, name = (
        wanted.three_cx_server_url,
        wanted.default_region,
        wanted.organization_name,
    )
    kept = {**now.settings, CONTACT_URL: now.contact_url}
    return Change(
        three_cx_server_url=url if url != (now.three_cx_server_url or "") else None,
        default_region=region if region and region != now.region else None,
        organization_name=name if name != now.organization_name else None,
        settings={k: v for k, v in wanted.settings.items() if v != kept.get(k)},
    )


def _saved(change: Change) -> str:
    """What is said of a change; the template's own switches reach a PBX only by a new upload."""
    in_template = {"call_journaling_enabled", "chat_journaling_enabled", "contact_creation_enabled"}
    if change.organization_name is not None or in_template & set(change.settings):
        return (
            "The settings are saved and count at once. Download and upload the template again if"
            " the form in 3CX should show them too."
        )
    return "The settings are saved. They count within 5 seconds."
