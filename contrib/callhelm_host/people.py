"""Invented people: two organizations, their members, their contacts and some calls.

The contacts stand in ``contacts.csv``: the number as somebody typed it, and in ``rings_as`` what
the telephone network shows when they call. Numbers lie in ranges that are reserved for films and
examples, addresses end in ``.example``, which belongs to nobody (RFC 2606).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

CONTACTS: Final = Path(__file__).with_name("contacts.csv")
PASSWORD: Final = "ring-the-bell"
"""Everybody's password in this example."""

_IDS: Final = UUID("2f5c7c1e-6d0b-4a53-9d5e-8f1f6f2f4c11")  # ids are the same on every machine


@dataclass(frozen=True)
class Organization:
    """A company that has Call-Helm; numbers without a country are read in its region."""

    slug: str
    name: str
    region: str

    @cached_property
    def id(self) -> UUID:
        """The primary key."""
        return uuid5(_IDS, self.slug)


@dataclass(frozen=True)
class User:
    """Somebody who may sign in."""

    email: str
    name: str
    is_system_admin: bool = False

    @cached_property
    def id(self) -> UUID:
        """The primary key."""
        return uuid5(_IDS, self.email)


@dataclass(frozen=True)
class Member:
    """A user's place in an organization.

    ``extension`` is the desk phone of the staff list, ``three_cx_extension`` the one that was
    entered for the PBX; either may be missing.
    """

    organization: Organization
    user: User
    role: str
    extension: str | None = None
    three_cx_extension: str | None = None
    is_active: bool = True

    @cached_property
    def id(self) -> UUID:
        """The primary key."""
        return uuid5(_IDS, f"{self.organization.slug}/{self.user.email}")


@dataclass(frozen=True)
class Contact:
    """A contact as the host keeps it; ``rings_as`` is E.164, or empty for who has no number."""

    organization: Organization
    first_name: str
    last_name: str
    company: str
    email: str
    phone_number: str
    rings_as: str
    status: str
    tags: tuple[str, ...]

    @cached_property
    def id(self) -> UUID:
        """The primary key."""
        return uuid5(_IDS, f"{self.organization.slug}/{self.email}")

    @property
    def name(self) -> str:
        """What a list shows: the name, else the company."""
        return f"{self.first_name} {self.last_name}".strip() or self.company


BIKES: Final = Organization("golden-gate-bikes", "Golden Gate Bikes", "US")
SOLAR: Final = Organization("elbtal-solar", "Elbtal Solar GmbH", "DE")
ORGANIZATIONS: Final = (BIKES, SOLAR)

SUPPORT: Final = User("sam@call-helm.example", "Sam Keller", is_system_admin=True)
"""Call-Helm's own support: a member of nothing, admitted everywhere."""

_GRACE: Final = User("grace@goldengate.example", "Grace Holloway")

MEMBERS: Final = (
    Member(BIKES, _GRACE, "super_admin", "100", "100"),
    Member(BIKES, User("marcus@goldengate.example", "Marcus Reed"), "org_admin", "101", "101"),
    Member(BIKES, User("priya@goldengate.example", "Priya Natarajan"), "team_lead", "102", "802"),
    Member(BIKES, User("tyler@goldengate.example", "Tyler Brooks"), "agent", "103"),
    Member(BIKES, User("nina@goldengate.example", "Nina Alvarez"), "agent"),
    Member(BIKES, User("ruth@goldengate.example", "Ruth Feldman"), "billing_admin"),
    Member(BIKES, User("owen@goldengate.example", "Owen Castle"), "agent", "104", is_active=False),
    Member(SOLAR, User("henrike@elbtal.example", "Henrike Claasen"), "super_admin", "200", "200"),
    Member(SOLAR, User("jannis@elbtal.example", "Jannis Petersen"), "org_admin", "201", "201"),
    Member(SOLAR, User("svea@elbtal.example", "Svea Lorenz"), "team_lead", "202", "812"),
    Member(SOLAR, User("emre@elbtal.example", "Emre Yilmaz"), "agent", "203"),
    Member(SOLAR, User("lotte@elbtal.example", "Lotte Brinkmann"), "agent"),
    Member(SOLAR, User("karl@elbtal.example", "Karl Wendt"), "billing_admin"),
    Member(SOLAR, User("uwe@elbtal.example", "Uwe Harms"), "agent", "204", is_active=False),
    Member(SOLAR, _GRACE, "billing_admin"),
)


def users() -> list[User]:
    """Everybody who has a password, each once."""
    return list(dict.fromkeys([SUPPORT, *(member.user for member in MEMBERS)]))


def contacts() -> Iterator[Contact]:
    """Every contact of both organizations."""
    organizations = {organization.slug: organization for organization in ORGANIZATIONS}
    with CONTACTS.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            organization = organizations[row.pop("organization")]
            tags = tuple(row.pop("tags").split())
            yield Contact(organization, tags=tags, **row)


def contacts_of(organization: Organization) -> list[Contact]:
    """The contacts of one organization."""
    return [contact for contact in contacts() if contact.organization == organization]
