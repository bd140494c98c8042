"""Whose key a key is, how it rotates, and who answers which extension."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from callhelm_threecx.db import Database
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.keys import KeyRing, UndecipherableError, generate_secret_key
from callhelm_threecx.models import IntegrationRow, utc_now
from callhelm_threecx.services import known_keys
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.integrations import Change, Integrations, KeyState

OLD, NEW = generate_secret_key(), generate_secret_key()
THREADS = 8


def state(integrations: Integrations, key: str) -> KeyState:
    return integrations.authenticate(key)[0]


def test_a_key_opens_its_organization_and_no_other_key_does(integrations: Integrations) -> None:
    key = integrations.set_up("acme", organization_name="Acme")[1]
    other = integrations.set_up("other")[1]
    for _ in range(2):  # read, then cached
        found, integration = integrations.authenticate(key)
        assert found is KeyState.VALID
        assert integration is not None
        assert (integration.organization_id, integration.organization_name) == ("acme", "Acme")
    assert state(integrations, other) is KeyState.VALID
    assert state(integrations, "3cx_" + "a" * 43) is KeyState.UNKNOWN
    for malformed in ("", "x", key[:-1], key + "a", key.upper()):
        assert state(integrations, malformed) is not KeyState.VALID
    assert state(integrations, "x") is KeyState.MALFORMED


def test_a_new_key_replaces_the_old_one_at_once(integrations: Integrations) -> None:
    old = integrations.set_up("acme")[1]
    assert state(integrations, old) is KeyState.VALID
    new = integrations.set_up("acme")[1]
    assert state(integrations, old) is KeyState.UNKNOWN
    assert state(integrations, new) is KeyState.VALID
    assert integrations.clear_key("acme") == new


def test_an_old_key_lives_on_for_the_grace_period_asked_for(
    database: Database, integrations: Integrations
) -> None:
    oldest, old, new = (integrations.set_up("acme", grace_minutes=5)[1] for _ in range(3))
    assert state(integrations, new) is KeyState.VALID
    assert state(integrations, old) is KeyState.VALID
    assert state(integrations, oldest) is KeyState.UNKNOWN
    with database.write("acme") as session:
        row = session.query(IntegrationRow).one()
        row.previous_key_expires_at = utc_now() - timedelta(seconds=1)
    integrations._known.forget("acme")
    assert state(integrations, old) is KeyState.UNKNOWN
    assert state(integrations, new) is KeyState.VALID


def test_another_worker_learns_of_a_change_within_seconds(
    database: Database, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_keys.BELIEVED_S < 5
    monkeypatch.setattr(known_keys, "BELIEVED_S", 0.0)
    here, there = (Integrations(database, ring, "DE") for _ in range(2))
    key = here.set_up("acme")[1]
    assert state(there, key) is KeyState.VALID
    here.change("acme", Change(enabled=False))
    assert state(there, key) is KeyState.DISABLED
    here.change("acme", Change(enabled=True))
    here.set_up("acme")
    assert state(there, key) is KeyState.UNKNOWN


def test_a_change_sets_what_is_given_and_merges_settings(integrations: Integrations) -> None:
    integrations.set_up("acme", organization_name="Acme")
    url = "https://pbx.example.com"
    integrations.change("acme", Change(three_cx_server_url=url, settings={"a": 1}))
    integrations.change(
        "acme", Change(default_region="FR", settings={"auto_create_contacts": True})
    )
    changed = integrations.get("acme")
    assert changed is not None
    assert (changed.three_cx_server_url, changed.region, changed.enabled) == (url, "FR", True)
    assert changed.settings["a"] == 1
    assert changed.allows("auto_create_contacts")
    cleared = integrations.change(
        "acme", Change(three_cx_server_url="", default_region="", organization_name="")
    )
    assert (cleared.three_cx_server_url, cleared.region) == (None, "DE")
    assert cleared.organization_name == ""


def test_before_set_up_there_is_nothing(integrations: Integrations) -> None:
    assert integrations.get("acme") is None
    assert integrations.all() == []
    with pytest.raises(NotFoundError):
        integrations.change("acme", Change(enabled=True))
    with pytest.raises(NotFoundError):
        integrations.clear_key("acme")


def test_setting_up_from_many_threads_leaves_one_integration(integrations: Integrations) -> None:
    barrier = Barrier(THREADS)

    def set_up(_: int) -> str:
        barrier.wait(30)
        return integrations.set_up("acme")[1]

    with ThreadPoolExecutor(THREADS) as pool:
        keys = list(pool.map(set_up, range(THREADS)))
    assert len(integrations.all()) == 1
    assert [key for key in keys if state(integrations, key) is KeyState.VALID] == [
        integrations.clear_key("acme")
    ]


def test_encryption_keys_rotate(database: Database) -> None:
    """The old one may go once every key is re-encrypted with the new one."""
    before = Integrations(database, KeyRing([OLD]), "DE")
    keys = {name: before.set_up(name)[1] for name in ("acme", "other")}
    both = Integrations(database, KeyRing([NEW, OLD]), "DE")
    for name, key in keys.items():
        assert state(both, key) is KeyState.VALID
        assert both.clear_key(name) == key
    assert both.reencrypt() == 2
    assert both.reencrypt() == 0
    after = Integrations(database, KeyRing([NEW]), "DE")
    for name, key in keys.items():
        assert state(after, key) is KeyState.VALID
        assert after.clear_key(name) == key
    forgotten = Integrations(database, KeyRing([OLD]), "DE")
    assert state(forgotten, keys["acme"]) is KeyState.UNKNOWN
    with pytest.raises(UndecipherableError):
        forgotten.clear_key("acme")


def test_agents_are_mapped_listed_and_removed_for_their_organization(database: Database) -> None:
    agents = Agents(database)
    agents.put_all("acme", [NewMapping(extension) for extension in ("1000", "20", "101")])
    assert [row.three_cx_extension for row in agents.all("acme")] == ["20", "101", "1000"]
    first = agents.put("acme", NewMapping("20", "u1", "a@b.org", "A", "B"))
    again = agents.put("acme", NewMapping("20", "u2"))
    assert (again.id, again.agent_id, again.agent_email) == (first.id, "u2", None)
    assert agents.all("other") == []
    for unknown in (str(first.id), "x"):
        with pytest.raises(NotFoundError):
            agents.delete("other", unknown)
    agents.delete("acme", str(first.id))
    assert len(agents.all("acme")) == 2


def test_mapping_one_extension_from_many_threads_leaves_one_mapping(database: Database) -> None:
    agents = Agents(database)
    barrier = Barrier(THREADS)

    def put(number: int) -> None:
        barrier.wait(30)
        agents.put("acme", NewMapping("101", f"u{number}"))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, range(THREADS)))
    assert len(agents.all("acme")) == 1
