"""The contacts of the default store: looked for as a PBX does, browsed, looked at, taken along."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from callhelm_threecx.console import contact_words as words
from callhelm_threecx.console import event_words
from callhelm_threecx.console.contact_words import Hit
from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.downloads import Exports, send_table
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import Action, Gated, Page
from callhelm_threecx.console.queries import CURSOR, Query
from callhelm_threecx.errors import BadInputError
from callhelm_threecx.models import CallRow, ChatRow
from callhelm_threecx.services import contact_tables
from callhelm_threecx.services.contact_book import ContactBook
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.conversations import ConversationFilter, Conversations
from callhelm_threecx.services.events import Event
from callhelm_threecx.stores.base import Contact, ContactStore, Organization
from callhelm_threecx.stores.editing import ContactChangedError, DuplicateContactError, edition_of

SECTION: Final = "/contacts"
PAGE: Final = 40
MOST_FOUND: Final = 30
RECENT: Final = 5
"""So many calls and chats stand on the page of their contact."""

MAX_UNDO: Final = 2500
"""Longest text, in characters, that a cookie can bring to the next page for an undo."""

_DELETED: Final = "deleted contact"
_IN_NUMBERS: Final = frozenset("+-()./*#,;:_ \N{NO-BREAK SPACE}")


@dataclass(frozen=True, slots=True)
class ContactParts:
    """What the pages of contacts ask."""

    book: ContactBook
    imports: ContactImports

    @classmethod
    def of(
        cls, store: ContactStore, imports: ContactImports, emit: Callable[[Event], None]
    ) -> "ContactParts | None":
        """The parts for a store; None for one whose contacts are not edited here."""
        book = ContactBook(store, emit)
        return cls(book, imports) if book.is_editable else None


@dataclass(frozen=True, slots=True)
class Group:
    """Contacts that were found in one way."""

    key: str
    heading: str
    hint: str
    hits: Sequence[Hit]


class ContactGate(Gated):
    """What the pages of contacts have in common."""

    section: ClassVar[str | None] = SECTION

    def __init__(self, desk: Desk, parts: ContactParts) -> None:
        super().__init__(desk)
        self.book = parts.book
        self.imports = parts.imports

    @staticmethod
    def organization(visit: Visit) -> Organization:
        """The organization as its store knows it."""
        if visit.integration is None:  # who has none was sent to the set-up
            raise AssertionError("a page of contacts without an integration")
        return visit.integration.organization

    def path_of(self, contact_id: str) -> str:
        """The path of a contact's page, below the organization's."""
        return f"{SECTION}/{contact_id}"


class ContactsPage(ContactGate, Page):
    """All contacts, or those that a search finds."""

    def show(self, visit: Visit, **_: str) -> None:
        """A page of all of them, the most recently active first, or what is found."""
        query = Query(visit.req, ("query",))
        if query.is_filtered:
            self._search(visit, query.form)
            return
        page = self.book.browse(self.organization(visit), limit=PAGE, cursor=query.cursor)
        here = self.desk.url(visit.req, visit.path(SECTION))
        self.render(
            visit,
            "contacts.html",
            form=query.form,
            words=words,
            contacts=page.contacts,
            groups=None,
            first=here if query.cursor else "",
            older=query.address(here, **{CURSOR: page.next_cursor}) if page.next_cursor else "",
        )

    def _search(self, visit: Visit, form: Form) -> None:
        groups: Sequence[Group] = ()
        try:
            groups = find(self.book, self.organization(visit), form.value("query"))
        except BadInputError as ex:
            visit.resp.status = 400
            form = form.refused(ex)
        self.render(
            visit,
            "contacts.html",
            form=form,
            words=words,
            contacts=(),
            groups=groups,
            most=MOST_FOUND,
            first="",
            older="",
        )


class ContactPage(ContactGate, Page):
    """One contact, with the latest that was said with it."""

    def __init__(self, desk: Desk, parts: ContactParts, conversations: Conversations) -> None:
        super().__init__(desk, parts)
        self._conversations = conversations

    def show(self, visit: Visit, contact_id: str = "", **_: str) -> None:
        """The contact. Raises `NotFoundError`."""
        contact = self.book.get(self.organization(visit), contact_id)
        calls, chats = self._recent(visit, contact)
        self.render(
            visit,
            "contact.html",
            contact=contact,
            name=words.name_of(contact),
            labels=words.TEXT_LABELS,
            texts=words.texts_of(contact),
            phones=[words.shown_phone(item) for item in contact.phones],
            left_out=contact_tables.left_out(contact),
            edition=edition_of(contact),
            calls=[
                (
                    row,
                    event_words.direction_of(row.direction),
                    event_words.call_type_of(row.call_type),
                )
                for row in calls
            ],
            chats=chats,
        )

    def _recent(
        self, visit: Visit, contact: Contact
    ) -> tuple[Sequence[CallRow], Sequence[ChatRow]]:
        wanted = ConversationFilter(visit.organization_id, contact_id=contact.id)
        calls = self._conversations.calls(wanted, limit=RECENT).rows
        return calls, self._conversations.chats(wanted, limit=RECENT).rows


class DeleteContact(ContactGate, Action):
    """Deletes a contact, and offers to bring it back."""

    def submit(self, visit: Visit, form: Form, contact_id: str = "", **_: str) -> None:
        """Delete what the form showed. Raises `NotFoundError`."""
        try:
            deleted = self.book.delete(
                self.organization(visit),
                contact_id,
                edition=form.value("edition") or None,
                by=visit.actor,
            )
        except ContactChangedError:
            notice = "Somebody else has changed this contact meanwhile. Look, then delete it again."
            self.go(visit, self.path_of(contact_id), notice, level="warn")
            return
        kept = self.desk.seal(visit, deleted, _DELETED)
        if len(kept) <= MAX_UNDO:
            undo = {"action": f"{SECTION}/undo", "fields": {"deleted": kept}}
            self.go(visit, SECTION, "The contact was deleted.", undo=undo)
        else:
            self.render(visit, "contact-deleted.html", deleted=kept)


class UndoDeletion(ContactGate, Action):
    """Brings a deleted contact back."""

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Bring it back under its id, for whoever deleted it."""
        deleted = self.desk.unseal(visit, form.value("deleted"), _DELETED)
        if deleted is None:
            self.go(visit, SECTION, "This is too old to be undone.", level="bad")
            return
        try:
            contact = self.book.undo(self.organization(visit), deleted, by=visit.actor)
        except DuplicateContactError as ex:
            path = self.path_of(ex.other_id) if ex.other_id else SECTION
            notice = "Another contact has taken its place meanwhile, so it was not brought back."
            self.go(visit, path, notice, level="bad")
            return
        self.go(visit, self.path_of(contact.id), "The contact is back.")


class ContactsFile(ContactGate, Page):
    """All contacts as CSV, as an import takes them."""

    def __init__(self, desk: Desk, parts: ContactParts, exports: Exports) -> None:
        super().__init__(desk, parts)
        self.exports = exports

    def show(self, visit: Visit, **_: str) -> None:
        """The table, written while it is read."""
        rows = self.book.table(self.organization(visit))
        send_table(visit.resp, "contacts.csv", contact_tables.COLUMNS, rows)
        self.exports.note(visit, "export_contacts")


def find(book: ContactBook, organization: Organization, text: str) -> Sequence[Group]:
    """What a call or a chat would show, where the text is a number or an address; then what a
    search in the 3CX client finds besides. Raises `BadInputError`."""
    groups: list[Group] = []
    if is_number(text):
        found = book.lookup(organization, text)
        heading = "A call from this number shows"
        hint = "The best match comes first; agents see that one."
        groups.append(Group("call", heading, hint, [words.hit(each) for each in found]))
    elif "@" in text:
        found = book.lookup_email(organization, text)
        heading = "A chat from this address shows"
        hint = "The most recently active comes first; agents see that one."
        groups.append(Group("chat", heading, hint, [words.hit(each) for each in found]))
    known = {each.contact.id for group in groups for each in group.hits}
    besides = [
        words.hit(each)
        for each in book.search(organization, text, limit=MOST_FOUND)
        if each.contact.id not in known
    ]
    heading = "A search finds besides" if groups else "A search finds"
    hint = "Every word must occur in a name, a company, an address or a number, as in 3CX itself."
    groups.append(Group("search", heading, hint, besides))
    return groups


def is_number(text: str) -> bool:
    """Whether a text is written as a number is: digits, and what people put between them."""
    digits = [char for char in text if char.isdecimal()]
    return bool(digits) and all(char in _IN_NUMBERS or char in digits for char in text)
