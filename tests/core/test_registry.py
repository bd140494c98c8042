"""The configured contact store is found among the installed ones, or the start ends with a list."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.settings import database_url
from callhelm_threecx.stores import BulkContacts, ContactStore, TransactionalContacts, registry
from callhelm_threecx.stores.base import Organization, StoreOptions
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore

BACKEND = """
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.stores.memory import MemoryContactStore


def good(options):
    return MemoryContactStore()


def nothing(options):
    return None


def fails(options):
    raise RuntimeError("no\\nroute to host")


def refuses(options):
    raise SettingsError("THREECX_CONTACT_STORE_OPTIONS: the backend needs a path.")


number = 7
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages of third parties, as an installer leaves them."""
    (tmp_path / "third_party_stores.py").write_text(BACKEND)
    names = ("good", "nothing", "fails", "refuses", "number", "absent")
    points = [f"{name} = third_party_stores:{name}" for name in names]
    points += ["broken = no_such_module:store", "twin = third_party_stores:good"]
    for package, lines in (("one", points), ("two", ["twin = third_party_stores:nothing"])):
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        text = "\n".join([f"[{registry.GROUP}]", *lines, ""])
        (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def unopened(tmp_path: Path) -> Iterator[Database]:
    """A database that nobody has connected to yet."""
    database = Database(database_url(f"sqlite:///{tmp_path / 'threecx.db'}"))
    yield database
    database.dispose()


def test_our_own_stores_are_installed_the_same_way(unopened: Database) -> None:
    assert {"sql", "memory"} <= set(registry.installed())
    assert isinstance(registry.load("memory", StoreOptions()), MemoryContactStore)
    assert isinstance(registry.load("sql", StoreOptions(database=unopened)), SqlContactStore)


def test_a_third_partys_store_is_found_by_its_name() -> None:
    store = registry.load("good", StoreOptions())
    assert isinstance(store, MemoryContactStore)
    assert store.get(Organization("acme", "DE"), "x") is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unknown", "there is no store 'unknown'"),
        ("", "there is no store ''"),
        ("twin", "third_party_stores:good and third_party_stores:nothing"),
        ("broken", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("absent", "AttributeError"),
        ("number", "'int' object is not callable"),
        ("fails", "RuntimeError: no route to host"),
        ("nothing", "third_party_stores:nothing gives no contact store"),
    ],
)
def test_a_store_that_cannot_be_had_stops_the_start_and_lists_what_is_installed(
    name: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        registry.load(name, StoreOptions())
    message = caught.value.message
    assert message.startswith("THREECX_CONTACT_STORE: ")
    assert said in message
    assert "\n" not in message
    listed = message.partition("Installed: ")[2].rstrip(".").split(", ")
    assert {"sql", "memory", "good", "twin"} <= set(listed)


@pytest.mark.parametrize(
    ("name", "options"), [("refuses", {}), ("sql", {"path": "x"}), ("memory", {"path": "x"})]
)
def test_a_wrong_option_is_said_in_the_backends_own_words(
    name: str, options: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=r"^THREECX_CONTACT_STORE_OPTIONS: "):
        registry.load(name, StoreOptions(options))


def test_optional_abilities_are_told_by_their_protocols(unopened: Database) -> None:
    memory = MemoryContactStore()
    sql = registry.load("sql", StoreOptions(database=unopened))
    assert isinstance(memory, ContactStore)
    assert not isinstance(memory, (BulkContacts, TransactionalContacts))
    assert isinstance(sql, BulkContacts)
    assert isinstance(sql, TransactionalContacts)
