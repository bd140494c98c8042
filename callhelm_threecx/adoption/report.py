"""What an adoption does, or would do, for people and for scripts."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """Counts and names; never a key.

    ``keys`` stood in clear and were encrypted, ``kept_keys`` were encrypted already (by an adoption
    before a downgrade), ``new_keys`` were made for rows without one. ``copies`` counts rows in
    which a key stood a second time, such as the URL of a download in an event.
    """

    keys: int = 0
    kept_keys: int = 0
    new_keys: int = 0
    mappings: int = 0
    events: int = 0
    copies: int = 0
    tables_created: tuple[str, ...] = ()
    columns_added: tuple[str, ...] = ()
    columns_changed: tuple[str, ...] = ()
    constraints_dropped: tuple[str, ...] = ()
    constraints_added: tuple[str, ...] = ()
    row_level_security: bool = False
    notes: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report with the names that our JSON has."""
        return {_camel(name): value for name, value in asdict(self).items()}

    def lines(self) -> Iterator[str]:
        """The report for people, a fact a line."""
        yield f"keys in clear, encrypted: {self.keys}"
        if self.kept_keys:
            yield f"keys that were encrypted already: {self.kept_keys}"
        if self.new_keys:
            yield f"organizations without a key, given a new one: {self.new_keys}"
        yield f"rows with a copy of a key, replaced by its last characters: {self.copies}"
        yield f"agent mappings kept: {self.mappings}"
        yield f"events kept: {self.events}"
        for title, names in (
            ("tables created", self.tables_created),
            ("columns added", self.columns_added),
            ("columns changed", self.columns_changed),
            ("constraints dropped", self.constraints_dropped),
            ("constraints and indexes added", self.constraints_added),
        ):
            if names:
                yield f"{title}: {', '.join(names)}"
        if self.row_level_security:
            yield "row-level security: on for the new tables too"
        yield from self.notes


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
