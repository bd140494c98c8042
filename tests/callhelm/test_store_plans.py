"""What a question costs in a large host: the plans of the statements as the store sends them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.callhelm.prepare import PREFIX, survey
from tests.callhelm.hosts import Host, new_host
from tests.servers import PostgresSource

MILLION = 1_000_000
THOUSANDS = 30_000  # the index on words takes a minute or two to build for a million
FILL = """
INSERT INTO contacts
    (organization_id, first_name, last_name, phone_number, email, company, updated_at)
SELECT
    %(organization)s, 'F\u00edrst' || i %% 997, 'Last' || i,
    CASE i %% 5
        WHEN 0 THEN '+1' || n
        WHEN 1 THEN n
        WHEN 2 THEN '(' || left(n, 3) || ') ' || substr(n, 4, 3) || '-' || right(n, 4)
        WHEN 3 THEN '1-' || left(n, 3) || '-' || substr(n, 4, 3) || '-' || right(n, 4)
        ELSE left(n, 3) || '.' || substr(n, 4, 3) || '.' || right(n, 4) || ' x12'
    END,
    'Person' || i || '@Example.com', 'Company ' || i %% 89, now() - i * interval '1 second'
FROM (
    SELECT i, (2010000000 + (i::bigint * 7919) %% 7900000000)::text AS n
    FROM generate_series(1, %(contacts)s) i
) AS people
"""


@dataclass
class Node:
    """A step of a plan."""

    kind: str
    index: str
    rows: float


@dataclass
class Plan:
    """What a statement did."""

    nodes: list[Node]
    buffers: int

    @property
    def kinds(self) -> set[str]:
        return {node.kind for node in self.nodes}

    @property
    def indexes(self) -> list[str]:
        """The indexes by their purpose, in the order of the plan."""
        names = [node.index.removeprefix(f"{PREFIX}contacts_") for node in self.nodes if node.index]
        return [name.rpartition("_")[0] for name in names]


class Big:
    """A host with one large organization among others, and the statements sent to it."""

    def __init__(self, host: Host, contacts: int, *, without: str) -> None:
        self.host = host
        self.organization = host.organization("US")
        host.own.execute("DROP INDEX idx_contacts_phone, idx_contacts_email")
        host.own.execute("SET session_replication_role = replica")  # no look at each reference
        for organization, number in ((self.organization, contacts), (host.organization(), 9000)):
            values = {"organization": organization.id, "contacts": number}
            host.own.execute(FILL.encode(), values)
        for index in survey(host.database, host.store.schema).lacking:
            if not index.name.startswith(f"{PREFIX}contacts_{without}"):
                host.own.execute(index.create.replace("CONCURRENTLY ", "").encode())
        host.own.execute("VACUUM ANALYZE contacts")

    def plans(
        self, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Organization], Any]
    ) -> list[Plan]:
        """How the statements of a question are answered."""
        sent: list[tuple[str, Any]] = []
        database = self.host.database
        fetch = database.fetch

        def watch(organization_id: str, read: Any, parameters: dict[str, Any]) -> Any:
            statement = read.compiled(database.reader.dialect)
            sent.append((statement.sql, statement.bind(organization_id, parameters)))
            return fetch(organization_id, read, parameters)

        with monkeypatch.context() as patch:
            patch.setattr(database, "fetch", watch)
            assert ask(self.organization)
        return [self._explain(*statement) for statement in sent]

    def _explain(self, sql: str, parameters: Any) -> Plan:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}".encode()
        row = self.host.own.execute(explain, parameters).fetchone()
        assert row is not None
        top = row[0][0]["Plan"]
        nodes = [
            Node(node["Node Type"], node.get("Index Name", ""), node["Actual Rows"])
            for node in _all(top)
        ]
        return Plan(nodes, top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _all(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _all(below)


@pytest.fixture(scope="module")
def large(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Big]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        host.own.execute("DROP INDEX idx_contacts_full_name")
        yield Big(host, MILLION, without="words")


@pytest.fixture(scope="module")
def wordy(
    host_databases: PostgresSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Big]:
    with new_host(host_databases, tmp_path_factory.mktemp("host")) as host:
        yield Big(host, THOUSANDS, without="none")


# The contacts 1 to 5 of the large organization, one for each style of writing.
@pytest.mark.parametrize("searched", ["+12010007919", "2010015838", "010023757", "12010031676"])
def test_a_lookup_in_a_million_contacts_is_one_index_probe(
    large: Big, monkeypatch: pytest.MonkeyPatch, searched: str
) -> None:
    (plan,) = large.plans(monkeypatch, lambda one: large.host.store.find_by_number(one, searched))
    assert plan.indexes == ["number", "letters", "more_numbers"], "the others are all but empty"
    assert "Seq Scan" not in plan.kinds
    assert plan.buffers <= 40
    assert max(node.rows for node in plan.nodes) <= 5


def test_a_lookup_by_address_in_a_million_contacts_is_one_index_probe(
    large: Big, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "person77@example.com"
    (plan,) = large.plans(monkeypatch, lambda one: large.host.store.find_by_email(one, address))
    assert plan.indexes == ["email"]
    assert plan.buffers <= 10


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("last777 company", "words"),
        ("l\u00e1st777", "words"),
        ("person777@example.com", "words"),
        ("2010007919", "words"),
        ("company", "recent"),
    ],
)
def test_a_search_is_answered_by_an_index(
    wordy: Big, monkeypatch: pytest.MonkeyPatch, query: str, index: str
) -> None:
    """Rare words by the trigrams in them; a word of everybody by walking from the latest back."""
    plans = wordy.plans(monkeypatch, lambda one: wordy.host.store.search(one, query))
    assert set(plans[-1].indexes) == {index}
    assert all("Seq Scan" not in plan.kinds for plan in plans)


def test_a_name_is_found_by_the_index_that_the_host_has(
    wordy: Big, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = wordy.host
    for number in range(20):
        host.contact(wordy.organization, "", first_name="Zebedee", last_name=str(number))
    plans = wordy.plans(monkeypatch, lambda one: host.store.search(one, "zebedee"))
    (plan,) = plans
    assert [node.index for node in plan.nodes if node.index] == ["idx_contacts_full_name"]
