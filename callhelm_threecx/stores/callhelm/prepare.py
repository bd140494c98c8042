"""The indexes that make a host's contacts quick to find: offered, built when told to, and undone.

Building one takes no lock that would stop the host: it is done ``CONCURRENTLY``. A build that is
interrupted leaves an invalid index behind, which is dropped and built again. An index's name ends
in a fingerprint of what it is on, so one that no longer fits the statements (of another version of
the package, or from before the host got another column) is known for what it is.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy.dialects import postgresql

from callhelm_threecx.db import Database
from callhelm_threecx.stores.callhelm import catalog, numbers, queries, words
from callhelm_threecx.stores.callhelm.schema import HostSchema, HostTable

PREFIX: Final = "ix_three_cx_host_"

_NO_TIME_LIMIT: Final = "SET statement_timeout = 0"
_TIME_LIMIT: Final = "RESET statement_timeout"


class State(str, Enum):
    """How an index is found."""

    THERE = "there"
    MISSING = "missing"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class HostIndex:
    """An index on the host's contacts, what it is for, and how it is made and undone."""

    name: str
    purpose: str
    state: State
    create: str
    drop: str

    @property
    def statements(self) -> tuple[str, ...]:
        """What brings it about."""
        if self.state is State.THERE:
            return ()
        return (self.drop, self.create) if self.state is State.INVALID else (self.create,)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What there is and what there should be. ``outdated`` are indexes of ours that no statement
    uses any more, as statements that drop them; ``analyze`` makes the planner acquainted with the
    new ones. ``has_trigrams`` tells whether the extension pg_trgm is installed."""

    indexes: tuple[HostIndex, ...]
    outdated: tuple[str, ...]
    analyze: str
    has_trigrams: bool
    contacts: int | None

    @property
    def lacking(self) -> list[HostIndex]:
        """The indexes that are not there, or are not usable."""
        return [index for index in self.indexes if index.state is not State.THERE]

    @property
    def building(self) -> list[str]:
        """The statements that bring about what is lacking."""
        built = [statement for index in self.lacking for statement in index.statements]
        if not (built or self.outdated):
            return []
        return [_NO_TIME_LIMIT, *built, *self.outdated, self.analyze, _TIME_LIMIT]

    @property
    def dropping(self) -> list[str]:
        """The statements that undo everything."""
        there = [index.drop for index in self.indexes if index.state is not State.MISSING]
        return [*there, *self.outdated]


def survey(database: Database, schema: HostSchema) -> Preparation:
    """Look at what there is. Raises `SettingsError` when the host's tables are not there, and
    `StorageUnavailableError`."""
    tables = schema.tables()
    contacts = tables.contacts
    found = catalog.read_indexes(database, contacts.name, tables.schema, PREFIX)
    trigrams = catalog.read_trigram_schema(database)
    place = f"{_quoted(tables.schema)}." if tables.schema else ""
    indexes = tuple(
        _index(definition, contacts, place, found)
        for definition in _definitions(contacts, trigrams)
    )
    wanted = {index.name for index in indexes}
    return Preparation(
        indexes=indexes,
        outdated=tuple(_drop(place, name) for name in sorted(found) if name not in wanted),
        analyze=f"ANALYZE {place}{contacts.name}",
        has_trigrams=trigrams is not None,
        contacts=catalog.read_estimate(database, contacts.name, tables.schema),
    )


def run(database: Database, statements: Sequence[str]) -> Iterator[str]:
    """Run the statements one by one, each in its own transaction; gives each when it is done.

    Raises `callhelm_threecx.errors.ForbiddenError` when our role may not, or when somebody else is
    at it, and `StorageUnavailableError`.
    """
    return catalog.run(database, statements)


@dataclass(frozen=True, slots=True)
class _Definition:
    """``method`` is what follows the name of the table."""

    name: str
    purpose: str
    method: str


def _definitions(contacts: HostTable, trigrams: str | None) -> Iterator[_Definition]:
    number = contacts.row.phone_number
    yield _Definition(
        "number",
        "finds a caller by the last digits of the number",
        f"(organization_id, ({_sql(numbers.number_key(number))}))",
    )
    dialled, is_lettered = _sql(numbers.dialled_key(number)), _sql(numbers.has_letters(number))
    yield _Definition(
        "letters",
        "finds numbers that are written with letters, such as 1-800-FLOWERS",
        f"(organization_id, ({dialled})) WHERE {is_lettered}",
    )
    if contacts.has("metadata"):
        further = _sql(queries.further_keys(contacts))
        yield _Definition(
            "more_numbers",
            "finds a caller by a second number of a contact that came from 3CX or an import",
            f"USING gin (({further})) WHERE ({further}) IS NOT NULL",
        )
        known = _sql(queries.external_id(contacts))
        yield _Definition(
            "external_id",
            "finds what was imported before",
            f"(organization_id, ({known})) WHERE ({known}) IS NOT NULL",
        )
    if contacts.has("updated_at"):
        yield _Definition(
            "recent",
            "gives the latest first when a search means very many",
            "(organization_id, updated_at DESC NULLS LAST, id DESC)",
        )
    if contacts.has("email"):
        address = _sql(queries.lower_email(contacts))
        yield _Definition(
            "email", "finds contacts by e-mail address", f"(organization_id, {address})"
        )
    if trigrams is not None:
        content = _sql(words.searched_text(contacts))
        yield _Definition(
            "words",
            "finds contacts by words, without accents, and by parts of a number",
            f"USING gin (({content}) {_quoted(trigrams)}.gin_trgm_ops)",
        )


def _index(
    definition: _Definition, contacts: HostTable, place: str, found: dict[str, bool]
) -> HostIndex:
    fingerprint = hashlib.sha256(definition.method.encode()).hexdigest()[:8]
    name = f"{PREFIX}contacts_{definition.name}_{fingerprint}"
    state = State.MISSING
    if name in found:
        state = State.THERE if found[name] else State.INVALID
    create = (
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name}"
        f" ON {place}{contacts.name} {definition.method}"
    )
    return HostIndex(name, definition.purpose, state, create, _drop(place, name))


def _drop(place: str, name: str) -> str:
    return f"DROP INDEX CONCURRENTLY IF EXISTS {place}{_quoted(name)}"


def _quoted(name: str) -> str:
    return postgresql.dialect().identifier_preparer.quote(name)  # type: ignore[no-untyped-call]


def _sql(expression: Any) -> str:
    """An expression as it stands in the definition of an index."""
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    options = {"literal_binds": True, "include_table": False}
    return str(expression.compile(dialect=dialect, compile_kwargs=options))
