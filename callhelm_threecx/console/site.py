"""Every page of the console, and where it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import falcon
from limits import RateLimitItem

from callhelm_threecx import routes
from callhelm_threecx.console import calls, contact_import, events
from callhelm_threecx.console.agent_import import ApplyImport, ImportPage
from callhelm_threecx.console.agents import (
    AgentPage,
    AgentParts,
    AgentsFile,
    AgentsPage,
    ApplyProposals,
    DeleteAgent,
)
from callhelm_threecx.console.assets import AssetResource
from callhelm_threecx.console.connection import ConnectionPage
from callhelm_threecx.console.contact_form import EditContactPage, NewContactPage
from callhelm_threecx.console.contact_guide import ContactGuide
from callhelm_threecx.console.contacts import (
    ContactPage,
    ContactParts,
    ContactsFile,
    ContactsPage,
    DeleteContact,
    UndoDeletion,
)
from callhelm_threecx.console.desk import Desk
from callhelm_threecx.console.downloads import Exports
from callhelm_threecx.console.forms import MAX_FORM
from callhelm_threecx.console.organizations import HomePage, OrganizationsPage
from callhelm_threecx.console.overview import OverviewPage
from callhelm_threecx.console.setup import (
    KeyPage,
    SettingsForm,
    SetupPage,
    SetupParts,
    Switch,
    TemplateFile,
)
from callhelm_threecx.console.sign_in import SignInPage, SignOutPage
from callhelm_threecx.console.trial import Ringer
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.limiter import Limiter
from callhelm_threecx.services.contact_names import ContactNames
from callhelm_threecx.services.conversations import Conversations
from callhelm_threecx.services.directory import Directory
from callhelm_threecx.services.events import Event, EventLog
from callhelm_threecx.services.integrations import Integrations
from callhelm_threecx.services.overview import Overview

PATH: Final = routes.CONSOLE
MAX_UPLOAD: Final = contact_import.MAX_UPLOAD + MAX_FORM
"""Largest body that a form may have, in bytes: a file, and what comes with it."""

_ORGANIZATION: Final = "/o/{organization_id}"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages ask."""

    desk: Desk
    integrations: Integrations
    agents: AgentParts
    directory: Directory
    overview: Overview
    events: EventLog
    limiter: Limiter
    failed_auth_limit: RateLimitItem
    admin_key: str | None
    emit: Callable[[Event], None]
    flush: Callable[[float], object]
    conversations: Conversations | None
    """None when the store keeps calls and contacts of its own."""
    contact_names: ContactNames | None
    contacts: ContactParts | None
    """None when the contacts of the store are not edited here."""
    prefix: str
    contact_url: str | None
    has_public_url: bool
    app: Callable[..., Iterable[bytes]]
    """The application that the pages belong to, for a test call inside the process."""


def pages(parts: Parts) -> Sequence[tuple[str, object]]:
    """(path below the console, page), for an app to route."""
    desk = parts.desk
    return [
        ("", HomePage(desk)),
        (
            "/sign-in",
            SignInPage(desk, parts.admin_key, parts.limiter, parts.failed_auth_limit, parts.emit),
        ),
        ("/sign-out", SignOutPage(desk)),
        (
            "/organizations",
            OrganizationsPage(desk, parts.integrations, parts.directory, parts.overview),
        ),
        (_ORGANIZATION, OverviewPage(desk, parts.overview, parts.flush)),
        ("/assets/{name}", AssetResource()),
        *_setup(parts),
        *_log(parts),
        *_conversations(parts),
        *_agents(parts),
        *_contacts(parts),
    ]


def _setup(parts: Parts) -> Sequence[tuple[str, object]]:
    desk = parts.desk
    setup = SetupParts(
        integrations=parts.integrations,
        events=parts.events,
        prefix=parts.prefix,
        contact_url=parts.contact_url,
        has_public_url=parts.has_public_url,
        emit=parts.emit,
    )
    pages = [
        ("", SetupPage(desk, setup)),
        ("/key", KeyPage(desk, setup)),
        ("/template", TemplateFile(desk, setup)),
        ("/settings", SettingsForm(desk, setup)),
        ("/switch", Switch(desk, setup)),
        ("/test", ConnectionPage(desk, setup, Ringer(parts.app))),
    ]
    return [(f"{_ORGANIZATION}/setup{path}", page) for path, page in pages]


def _log(parts: Parts) -> Sequence[tuple[str, object]]:
    desk = parts.desk
    guide = ContactGuide(desk, parts.contact_names, parts.contact_url)
    sources = events.EventSources(parts.events, guide, parts.flush)
    pages = [
        ("", events.EventsPage(desk, sources)),
        ("/new", events.NewEvents(desk, sources)),
        (".csv", events.EventsTable(desk, sources, Exports(parts.emit))),
        ("/{event_id}", events.EventDetailPage(desk, sources)),
        ("/{event_id}/report.json", events.EventReport(desk, sources)),
    ]
    everywhere = ("", _ORGANIZATION)  # of all organizations, and of one
    return [(f"{start}/events{path}", page) for start in everywhere for path, page in pages]


def _conversations(parts: Parts) -> Sequence[tuple[str, object]]:
    if parts.conversations is None:
        return []
    desk = parts.desk
    guide = ContactGuide(desk, parts.contact_names, parts.contact_url)
    asked = (desk, parts.conversations, guide)
    pages = [
        ("/calls", calls.CallsPage(*asked)),
        ("/calls/{call_id}", calls.CallPage(*asked)),
        ("/calls/{call_id}/{part}.txt", calls.TextFile(*asked)),
        ("/chats", calls.ChatsPage(*asked)),
        ("/chats/{chat_id}", calls.ChatPage(*asked)),
        ("/chats/{chat_id}/{part}.txt", calls.TextFile(*asked)),
    ]
    return [(_ORGANIZATION + path, page) for path, page in pages]


def _agents(parts: Parts) -> Sequence[tuple[str, object]]:
    desk, agents = parts.desk, parts.agents
    pages = [
        ("", AgentsPage(desk, agents)),
        ("/export", AgentsFile(desk, agents, Exports(parts.emit))),
        ("/import", ImportPage(desk, agents)),
        ("/import/apply", ApplyImport(desk, agents)),
        ("/proposals", ApplyProposals(desk, agents)),
        ("/{mapping_id}", AgentPage(desk, agents)),
        ("/{mapping_id}/delete", DeleteAgent(desk, agents)),
    ]
    return [(f"{_ORGANIZATION}/agents{path}", page) for path, page in pages]


def _contacts(parts: Parts) -> Sequence[tuple[str, object]]:
    desk, contacts = parts.desk, parts.contacts
    if contacts is None or parts.conversations is None:
        return []
    pages = [
        ("", ContactsPage(desk, contacts)),
        (".csv", ContactsFile(desk, contacts, Exports(parts.emit))),
        ("/new", NewContactPage(desk, contacts)),
        ("/undo", UndoDeletion(desk, contacts)),
        ("/imports", contact_import.ImportsPage(desk, contacts)),
        ("/imports/{import_id}", contact_import.ImportPage(desk, contacts)),
        ("/imports/{import_id}/refused.csv", contact_import.RefusedFile(desk, contacts)),
        ("/imports/{import_id}/{act}", contact_import.ImportAct(desk, contacts)),
        ("/{contact_id}", ContactPage(desk, contacts, parts.conversations)),
        ("/{contact_id}/edit", EditContactPage(desk, contacts)),
        ("/{contact_id}/delete", DeleteContact(desk, contacts)),
    ]
    return [(f"{_ORGANIZATION}/contacts{path}", page) for path, page in pages]


def sections(*, with_contacts: bool) -> tuple[tuple[str, str], ...]:
    """The tabs of an organization: (path below it, label). Calls and contacts are the default
    store's; a host shows its own."""
    always = (("", "Overview"), ("/setup", "Set-up"), ("/agents", "Agents"), ("/events", "Events"))
    kept = (("/calls", "Calls and chats"), ("/contacts", "Contacts"))
    return (*always, *kept) if with_contacts else always


def show_error(
    desk: Desk,
    req: falcon.Request,
    resp: falcon.Response,
    sentence: str,
    errors: Sequence[object] = (),
) -> None:
    """An error as a page; its status is set already.

    A request of whose address not even a link can be made gets the sentence alone.
    """
    status = resp.status_code
    context: dict[str, Any] = {
        "heading": _HEADINGS.get(status, "That did not work"),
        "sentence": _SENTENCES.get(status, sentence) + _ADVICE.get(status, ""),
        "errors": errors,
        "request_id": getattr(req.context, "request_id", ""),
    }
    try:
        desk.render(req, resp, "message.html", **context)
    except BadInputError:
        resp.content_type, resp.text = falcon.MEDIA_TEXT, context["sentence"]


_HEADINGS: Final = {
    403: "Not allowed",
    404: "Not here",
    405: "Not like this",
    413: "Too large",
    415: "Not like this",
    429: "Too often",
    500: "Our fault",
    503: "Not now",
}
_SENTENCES: Final = {
    405: "This page does not take what was sent to it. Go back, and use its links and buttons.",
}
_ADVICE: Final = {429: " Wait a minute.", 503: " Try again in a minute."}
