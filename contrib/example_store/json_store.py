"""Contacts in one JSON file: a small contact store, complete, to start your own from."""

import fcntl
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from callhelm_threecx import phone
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.stores import (
    Contact,
    InvalidContactError,
    Match,
    NewContact,
    Organization,
    Phone,
    PhoneType,
    StoreOptions,
    StoreUnavailableError,
    folding,
)


class JsonContactStore:
    """Contacts of every organization, each list with the most recently active one last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def from_options(cls, options: StoreOptions) -> "JsonContactStore":
        """What the entry point names: the configured options in, a store out."""
        if options.keys() != {"path"}:
            raise SettingsError('THREECX_CONTACT_STORE_OPTIONS: the json store takes {"path": …}.')
        return cls(Path(options["path"]))

    def find_by_number(
        self, organization: Organization, text: str, *, limit: int = 10
    ) -> Sequence[Match]:
        """`phone.candidates` says what the text may mean, and ranks a stored number's digits."""
        wanted = phone.candidates(text, organization.region)
        if wanted is None:
            return []
        ranked: list[tuple[int, Contact]] = []
        for contact in self._contacts(organization):
            ranks = [wanted.rank(item.number.lstrip("+")) for item in contact.phones]
            matching = [rank for rank in ranks if rank is not None]
            if matching:
                ranked.append((min(matching), contact))
        ranked.sort(key=lambda pair: pair[0])  # stable: among equals activity decides
        return [Match(contact, exact=rank < len(wanted.exact)) for rank, contact in ranked[:limit]]

    def find_by_email(
        self, organization: Organization, email: str, *, limit: int = 10
    ) -> Sequence[Contact]:
        """Addresses are compared without their case; nobody owns a blank one."""
        address = email.strip().casefold()
        contacts = self._contacts(organization) if address else []
        return [one for one in contacts if one.email.casefold() == address][:limit]

    def search(
        self, organization: Organization, query: str, *, limit: int = 20
    ) -> Sequence[Contact]:
        """`folding` takes accents, case and the punctuation of numbers away on both sides."""
        terms = folding.search_terms(query)
        contacts = self._contacts(organization) if terms else []
        found = [one for one in contacts if _contains(one, terms, organization.region)]
        return found[:limit]

    def get(self, organization: Organization, contact_id: str) -> Contact | None:
        """Only the organization's own contacts are looked through."""
        return next((c for c in self._contacts(organization) if c.id == contact_id), None)

    def create(self, organization: Organization, contact: NewContact) -> tuple[Contact, bool]:
        """Look and write under one lock: also other processes then create a contact only once."""
        if not contact.is_named:
            raise InvalidContactError("A contact needs a first name, a last name or a company.")
        numbers = folding.parsed_phones(contact, organization.region)
        wanted = set(folding.identities(contact, numbers))
        with self._locked():
            for known in self._contacts(organization):
                if wanted & _identities(known, organization.region):
                    return known, False
            new = Contact(
                id=uuid.uuid4().hex,
                first_name=contact.first_name,
                last_name=contact.last_name,
                company=contact.company,
                email=contact.email,
                phones=tuple(Phone(n.canonical, kind, n.extension) for kind, n in numbers),
                external_id=contact.external_id,
            )
            everything = self._read()
            everything.setdefault(organization.id, []).append(asdict(new))
            self._write(everything)
        return new, True

    def health(self) -> None:
        """A file that cannot be read or understood raises `StoreUnavailableError`."""
        self._read()

    def _contacts(self, organization: Organization) -> list[Contact]:
        records = self._read().get(organization.id, [])
        return [_contact(record) for record in reversed(records)]

    def _read(self) -> dict[str, list[dict[str, Any]]]:
        try:
            everything: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as ex:
            raise StoreUnavailableError("The contact file cannot be read.") from ex
        return everything

    def _write(self, everything: dict[str, list[dict[str, Any]]]) -> None:
        text = json.dumps(everything, ensure_ascii=False, indent=1)
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._path)  # readers see the old file or the new one, whole
        except OSError as ex:
            raise StoreUnavailableError("The contact file cannot be written.") from ex

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            file = self._path.with_suffix(".lock").open("w")
        except OSError as ex:
            raise StoreUnavailableError("The contact file cannot be locked.") from ex
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _contact(record: dict[str, Any]) -> Contact:
    phones = tuple(
        Phone(item["number"], PhoneType(item["type"]), item["extension"])
        for item in record["phones"]
    )
    return Contact(**{**record, "phones": phones})


def _as_new(contact: Contact) -> NewContact:
    texts = contact.first_name, contact.last_name, contact.company, contact.email
    return NewContact(*texts, phones=contact.phones)


def _contains(contact: Contact, terms: Sequence[str], region: str) -> bool:
    numbers = folding.parsed_phones(_as_new(contact), region)
    text = folding.search_text(_as_new(contact), numbers)
    return all(term in text for term in terms)


def _identities(contact: Contact, region: str) -> set[str]:
    numbers = folding.parsed_phones(_as_new(contact), region)
    return set(folding.identities(_as_new(contact), numbers))
