"""What contacts are called on pages about something else, and where their own pages are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from callhelm_threecx import contact_links
from callhelm_threecx.console.desk import Desk, Visit, organization_path
from callhelm_threecx.console.rendering import path_segment
from callhelm_threecx.services.contact_names import ContactNames


@dataclass(frozen=True, slots=True)
class Signpost:
    """A contact on a page: a name (empty when it is not known) and the address of its page."""

    name: str
    href: str


class ContactGuide:
    """Leads to contacts: of the default store, which ``names`` knows, to their pages here; of
    another, to the CRM's page by the pattern that screen pops follow."""

    def __init__(self, desk: Desk, names: ContactNames | None, contact_url: str | None) -> None:
        self._desk = desk
        self._names = names
        self._contact_url = contact_url or contact_links.DEFAULT_PATTERN

    @property
    def are_ours(self) -> bool:
        """Whether the default store keeps the contacts, and calls and chats with them."""
        return self._names is not None

    def names(self, visit: Visit, contact_ids: Iterable[str | None]) -> Mapping[str, str]:
        """The names of contacts by id, as far as they are known here."""
        if self._names is None:
            return {}
        return self._names.of(visit.organization_id or None, contact_ids)

    def to(
        self, visit: Visit, organization_id: str | None, contact_id: str | None, name: str
    ) -> Signpost | None:
        """The way to a contact; None for none."""
        if contact_id is None or organization_id is None:
            return None
        if self._names is not None:
            path = organization_path(organization_id, f"/contacts/{path_segment(contact_id)}")
            return Signpost(name, self._desk.url(visit.req, path))
        own = visit.integration.contact_url if visit.integration else ""
        base_url = self._desk.client.base_url(visit.req)
        return Signpost(name, contact_links.link(own or self._contact_url, contact_id, base_url))
