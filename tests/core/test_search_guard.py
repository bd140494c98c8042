"""When the latest contacts are looked at first: where a walk through all could be far too long."""

import time

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.planner_statistics import Statistics
from callhelm_threecx.stores.postgres_search import FARTHER, PostgresSearch

pytestmark = pytest.mark.only("postgres")

LARGE, SMALL = Organization("large", "DE"), Organization("small", "DE")
CONTACTS, OF_THE_LARGE, TEXTS = 1_000_000, 800_000, 100


def risky(database: Database, organization: Organization, texts_with_it: int) -> bool:
    """The guard's word on a term that so many of a hundred sampled texts have."""
    places = {"abc": (1 << texts_with_it) - 1}
    known = Statistics(CONTACTS, {LARGE.id: OF_THE_LARGE}, places, TEXTS)
    search = PostgresSearch(database)
    search._statistics._latest = (time.monotonic(), known)
    return search._is_walk_risky(organization, ["abc"])


@pytest.mark.parametrize(
    ("texts_with_it", "expected"),
    [(0, False), (1, True), (19, True), (20, False), (21, False), (100, False)],
)
def test_a_walk_is_risky_where_the_trigrams_find_far_less_than_it_may_pass(
    database: Database, texts_with_it: int, expected: bool
) -> None:
    found = texts_with_it * CONTACTS / TEXTS
    assert expected is (0 < found < OF_THE_LARGE / FARTHER)
    assert risky(database, LARGE, texts_with_it) is expected


def test_a_small_organization_is_walked_at_any_time(database: Database) -> None:
    assert not risky(database, SMALL, 1)
