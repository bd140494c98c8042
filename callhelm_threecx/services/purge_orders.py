"""What a purge is to delete, and what it did."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callhelm_threecx.retention import Retention


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """Who is purged, and of what age.

    ``everyone`` is for whoever is not in ``own``, nobody's events included; None leaves them alone.
    ``is_exact`` tells that an age was asked for just now: a month is not waited for.
    """

    everyone: Retention | None
    own: Mapping[str, Retention] = field(default_factory=dict)
    is_exact: bool = False

    @classmethod
    def older_than(cls, age: timedelta, organization_id: str | None = None) -> "PurgeOrder":
        """Every event of that age, of one organization or of all, whatever retentions say."""
        all_types = Retention(age)
        if organization_id is None:
            return cls(all_types, is_exact=True)
        return cls(None, {organization_id: all_types}, is_exact=True)

    @property
    def organization_id(self) -> str | None:
        """The one organization that this is about; None when it is about all."""
        return next(iter(self.own), None) if self.everyone is None else None

    @property
    def retentions(self) -> Iterable[Retention]:
        """Every retention that counts."""
        return (*([] if self.everyone is None else [self.everyone]), *self.own.values())

    @property
    def longest(self) -> timedelta | None:
        """The longest age that ends; None when nothing ends."""
        ages = {
            age
            for retention in {*self.retentions}
            for age in (retention.rest, *dict(retention.types).values())
            if age is not None
        }
        return max(ages, default=None)

    def kept_forever(self) -> str:
        """The events that never go, as a condition in PostgreSQL's SQL; empty when there are none.

        The column is compared as text: in a host's database it may be ``uuid``.
        """
        conditions = list(self._kept_of_own())
        if self.everyone is not None and (types := _forever_types(self.everyone)):
            others = f"organization_id::text <> ALL ({_array(self.own)})" if self.own else "true"
            conditions.append(f"{types} AND (organization_id IS NULL OR {others})")
        return " OR ".join(f"({condition})" for condition in conditions)

    def _kept_of_own(self) -> Iterator[str]:
        alike: dict[Retention, list[str]] = {}
        for organization_id, retention in self.own.items():
            alike.setdefault(retention, []).append(organization_id)
        for retention, organizations in alike.items():
            if types := _forever_types(retention):
                yield f"{types} AND organization_id::text = ANY ({_array(organizations)})"


def _forever_types(retention: Retention) -> str:
    """The types that a retention keeps for ever, as a condition."""
    ending = [name for name, age in retention.types if age is not None]
    kept = [name for name, age in retention.types if age is None]
    if retention.rest is None:
        return f"event_type <> ALL ({_array(ending)})"
    return f"event_type = ANY ({_array(kept)})" if kept else ""


def _array(texts: Iterable[str]) -> str:
    quoted = ("'" + text.replace("'", "''") + "'" for text in texts)
    return f"ARRAY[{', '.join(quoted)}]::text[]"


@dataclass(frozen=True, slots=True)
class Purged:
    """So many events of a type, all from before an instant. ``organization_id`` is None for all
    who have no retention of their own."""

    organization_id: str | None
    event_type: str
    before: datetime
    count: int


@dataclass(slots=True)
class PurgeReport:
    """What went, or would go: events row by row, and whole months with what was in them."""

    purged: list[Purged] = field(default_factory=list)
    months: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """So many events in all."""
        return sum(one.count for one in self.purged) + sum(self.months.values())
