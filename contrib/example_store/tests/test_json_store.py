"""The store keeps the contract, is found by its name, and says when its file is broken."""

from pathlib import Path

import pytest
from json_store import JsonContactStore

from callhelm_threecx.errors import SettingsError
from callhelm_threecx.stores import StoreOptions, StoreUnavailableError, registry
from callhelm_threecx.testing import ContactStoreContract


class TestContract(ContactStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> JsonContactStore:
        return JsonContactStore(tmp_path / "contacts.json")


def test_it_is_installed_under_its_name(tmp_path: Path) -> None:
    store = registry.load("json", StoreOptions({"path": str(tmp_path / "contacts.json")}))
    assert isinstance(store, JsonContactStore)


@pytest.mark.parametrize("options", [{}, {"path": "a.json", "colour": "red"}])
def test_missing_and_unknown_options_stop_the_start(options: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="THREECX_CONTACT_STORE_OPTIONS"):
        registry.load("json", StoreOptions(options))


def test_a_broken_file_is_an_unavailable_store(tmp_path: Path) -> None:
    path = tmp_path / "contacts.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(StoreUnavailableError):
        JsonContactStore(path).health()
