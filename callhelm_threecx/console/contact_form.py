"""Adding and changing a contact: a form with any number of phones, which works without script."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callhelm_threecx import phone
from callhelm_threecx.console import contact_words as words
from callhelm_threecx.console.contacts import SECTION, ContactGate
from callhelm_threecx.console.desk import Visit
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import FormPage
from callhelm_threecx.errors import BadInputError, FieldError
from callhelm_threecx.services.contact_book import MAX_PHONES, PhoneEntry, read_form
from callhelm_threecx.stores.base import Contact, NewContact, Phone, PhoneType
from callhelm_threecx.stores.editing import ContactChangedError, DuplicateContactError, edition_of

SPARE: Final = 3
"""So many empty lines for phones a form begins with, and gets when more are asked for."""

_NUMBER: Final = re.compile(r"phones\.(\d{1,3})\.number", re.ASCII)
_OF_PHONE: Final = re.compile(r"phones\.(\d+)", re.ASCII)
_NOT_SAVED: Final = "The contact was not saved. Please look at the fields that are marked."


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else changed meanwhile, and what this form has in it."""

    label: str
    theirs: str
    yours: str


class ContactFormPage(ContactGate, FormPage):
    """What the pages with the form have in common."""

    def ask(
        self,
        visit: Visit,
        form: Form,
        *,
        lines: int,
        contact_id: str = "",
        name: str = "",
        other_id: str = "",
        differences: Sequence[Difference] = (),
        added: bool = False,
    ) -> None:
        """Show the form. ``contact_id`` is empty for a new contact; ``other_id`` is one that is
        the same; ``added`` says that empty lines were asked for."""
        self.render(
            visit,
            "contact-form.html",
            form=form,
            lines=min(lines, MAX_PHONES),
            first_added=lines - SPARE if added else -1,
            most=MAX_PHONES,
            contact_id=contact_id,
            name=name,
            other_id=other_id,
            differences=differences,
            types=words.PHONE_TYPES,
        )

    def read(self, visit: Visit, form: Form) -> NewContact:
        """The contact in a form. Raises `BadInputError`."""
        return read_form(form.fields, entries(form), self.organization(visit).region)

    def refuse(
        self, visit: Visit, form: Form, ex: BadInputError, contact_id: str = "", name: str = ""
    ) -> None:
        """Show the form again with what is wrong with it."""
        visit.resp.status = ex.status
        other_id = ex.other_id if isinstance(ex, DuplicateContactError) else ""
        form = marked(form, ex, of_store=isinstance(ex, DuplicateContactError))
        lines = max(line_count(form), 1)
        self.ask(visit, form, lines=lines, contact_id=contact_id, name=name, other_id=other_id)


class NewContactPage(ContactFormPage):
    """Adds a contact."""

    def show(self, visit: Visit, **_: str) -> None:
        """An empty form; a number may come with the address."""
        if not visit.may_set_up:
            self.go(visit, SECTION)
            return
        number = (visit.req.get_param("number") or "")[:64]
        self.ask(visit, Form({"phones.0.number": number}), lines=SPARE)

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Keep it, or give it more lines for phones."""
        if form.value("action") == "more":
            self.ask(visit, form, lines=line_count(form) + SPARE, added=True)
            return
        try:
            contact = self.read(visit, form)
            kept = self.book.add(self.organization(visit), contact, by=visit.actor)
        except BadInputError as ex:
            self.refuse(visit, form, ex)
            return
        self.go(visit, self.path_of(kept.id), "The contact was added.")


class EditContactPage(ContactFormPage):
    """Changes a contact."""

    def show(self, visit: Visit, contact_id: str = "", **_: str) -> None:
        """The form with what is kept. Raises `NotFoundError`."""
        if not visit.may_set_up:
            self.go(visit, self.path_of(contact_id))
            return
        contact = self.book.get(self.organization(visit), contact_id)
        lines = len(contact.phones) + SPARE
        self.ask(
            visit,
            form_of(contact),
            lines=lines,
            contact_id=contact_id,
            name=words.name_of(contact),
        )

    def submit(self, visit: Visit, form: Form, contact_id: str = "", **_: str) -> None:
        """Keep what the form says, or give it more lines for phones. Raises `NotFoundError`."""
        name = form.value("name")
        if form.value("action") == "more":
            lines = line_count(form) + SPARE
            self.ask(visit, form, lines=lines, contact_id=contact_id, name=name, added=True)
            return
        try:
            contact = self.read(visit, form)
            self._change(visit, form, contact_id, contact)
        except ContactChangedError as ex:
            self._tell_of_change(visit, form, contact, ex)
        except BadInputError as ex:
            self.refuse(visit, form, ex, contact_id, name)
        else:
            self.go(visit, self.path_of(contact_id), "The contact was saved.")

    def _change(self, visit: Visit, form: Form, contact_id: str, contact: NewContact) -> None:
        self.book.change(
            self.organization(visit),
            contact_id,
            contact,
            edition=form.value("edition") or None,
            by=visit.actor,
        )

    def _tell_of_change(
        self, visit: Visit, form: Form, contact: NewContact, ex: ContactChangedError
    ) -> None:
        """What was typed stays; sent once more, it takes the place of what is there now."""
        visit.resp.status = ex.status
        form.fields = {**form.fields, "edition": edition_of(ex.current)}
        self.ask(
            visit,
            form,
            lines=max(line_count(form), 1),
            contact_id=ex.current.id,
            name=words.name_of(ex.current),
            differences=differences(ex.current, contact, self.organization(visit).region),
        )


def form_of(contact: Contact) -> Form:
    """A contact as the fields of the form."""
    fields = {
        **words.texts_of(contact),
        "edition": edition_of(contact),
        "name": words.name_of(contact),
    }
    for place, item in enumerate(contact.phones):
        fields[f"phones.{place}.number"] = phone.display(item.number)
        fields[f"phones.{place}.type"] = item.type.value
        fields[f"phones.{place}.extension"] = item.extension
    return Form(fields)


def line_count(form: Form) -> int:
    """How many lines for phones a form has."""
    places = [int(found[1]) for found in map(_NUMBER.fullmatch, form.fields) if found]
    return min(max(places, default=-1) + 1, MAX_PHONES + SPARE)


def entries(form: Form) -> list[PhoneEntry]:
    """The phones of a form, blank lines and all, so that they keep their places."""
    return [
        PhoneEntry(
            form.value(f"phones.{place}.number"),
            form.value(f"phones.{place}.type") or PhoneType.BUSINESS.value,
            form.value(f"phones.{place}.extension"),
        )
        for place in range(line_count(form))
    ]


def marked(form: Form, ex: BadInputError, *, of_store: bool) -> Form:
    """The form with its faults at its fields. A store counts the phones that it was given, and
    names them as a whole."""
    form.message = _NOT_SAVED if ex.errors else ex.message
    form.errors = [_placed(form, error, of_store=of_store) for error in ex.errors]
    return form


def _placed(form: Form, error: FieldError, *, of_store: bool) -> FieldError:
    found = _OF_PHONE.fullmatch(error.field)
    if not of_store or found is None:
        return error
    filled = [place for place, entry in enumerate(entries(form)) if entry.number]
    place = int(found[1])
    line = filled[place] if place < len(filled) else 0
    return FieldError(f"phones.{line}.number", error.message)


def differences(theirs: Contact, yours: NewContact, region: str) -> list[Difference]:
    """In which fields a form differs from what is there now."""
    texts: list[tuple[str, str, str]] = []
    own: Mapping[str, str] = words.texts_of(yours)
    for field, text in words.texts_of(theirs).items():
        texts.append((words.TEXT_LABELS[field], text, own[field]))
    texts.append(("Phones", _told(theirs.phones, region), _told(yours.phones, region)))
    return [Difference(*each) for each in texts if each[1] != each[2]]


def _told(phones: Sequence[Phone], region: str) -> str:
    labels = dict(words.PHONE_TYPES)
    return "; ".join(
        f"{labels[item.type.value]} {_number(item, region)}"
        + (f" ext. {item.extension}" if item.extension else "")
        for item in phones
    )


def _number(item: Phone, region: str) -> str:
    parsed = phone.parse(item.number, region)
    return phone.display(parsed.canonical if parsed else item.number)
