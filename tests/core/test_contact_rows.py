"""Importing contacts, folding them for searches, and laying their numbers out."""

import json
import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx import logs, migrate
from callhelm_threecx.columns import UtcInstant
from callhelm_threecx.db import Database
from callhelm_threecx.errors import StorageUnavailableError
from callhelm_threecx.models import new_id
from callhelm_threecx.services.readiness import Readiness
from callhelm_threecx.settings import database_url as parse_url
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import NewContact, Organization, Phone, PhoneType, slots
from callhelm_threecx.stores.memory import MemoryContactStore
from callhelm_threecx.stores.sql import SqlContactStore

ACME = Organization("acme", "DE")
B, M, O, F = PhoneType.BUSINESS, PhoneType.MOBILE, PhoneType.OTHER, PhoneType.FAX  # noqa: E741


def new(name: str, *numbers: str, **fields: Any) -> NewContact:
    return NewContact(name, phones=tuple(Phone(number) for number in numbers), **fields)


def test_an_import_creates_updates_and_leaves_alone(store: SqlContactStore) -> None:
    batch = [
        new("Anna", "030 123456", external_id="1"),
        new("Berta", "030 999999"),
        new("", "030 777777"),
        new("Berta", "+49 30 999999", company="Acme"),
        new("Carla", email="c@b.org"),
    ]
    first = store.import_batch(ACME, batch)
    assert (first.created, first.updated, first.unchanged) == (3, 1, 0)
    assert first.refused == [(2, "has neither a name nor a company")]
    again = store.import_batch(ACME, [batch[0], batch[3], batch[4]])
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    renamed = new("Annette", "030 123456", "0171 2345678", external_id="1")
    assert store.import_batch(ACME, [renamed]).updated == 1
    names = {contact.first_name: contact for contact in store.export(ACME)}
    assert set(names) == {"Annette", "Berta", "Carla"}
    assert len(names["Annette"].phones) == 2
    assert names["Berta"].company == "Acme"
    assert store.find_by_number(ACME, "0171 2345678")[0].contact.id == names["Annette"].id


def test_an_export_gives_every_contact_once_over_many_pages(
    store: SqlContactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callhelm_threecx.stores.sql.EXPORT_PAGE", 3)
    store.import_batch(ACME, [new(f"Name {n}", f"030 10000{n}") for n in range(8)])
    store.import_batch(Organization("other", "DE"), [new("Stranger")])
    names = [contact.first_name for contact in store.export(ACME)]
    assert sorted(names) == [f"Name {n}" for n in range(8)]


@pytest.mark.parametrize(
    ("phones", "fields"),
    [
        ([], {}),
        ([("1", B)], {"phoneBusiness": "1"}),
        ([("1", B), ("2", B)], {"phoneBusiness": "1", "phoneBusiness2": "2"}),
        (
            [("1", B), ("2", B), ("3", B)],
            {"phoneBusiness": "1", "phoneBusiness2": "2", "phoneOther": "3"},
        ),
        ([("1", M), ("2", M)], {"phoneMobile": "1", "phoneMobile2": "2"}),
        ([("1", F), ("2", F)], {"faxBusiness": "1", "phoneOther": "2"}),
        ([("1", O), ("2", O)], {"phoneOther": "1", "phoneHome": "2"}),
        (
            [(str(n), O) for n in range(9)],
            {"phoneOther": "0", "phoneHome": "1", "phoneMobile2": "2", "phoneBusiness2": "3"},
        ),
    ],
)
def test_any_number_of_phones_is_laid_out_on_seven_fields(
    phones: list[tuple[str, PhoneType]], fields: dict[str, str]
) -> None:
    laid_out = slots(Phone(number, kind) for number, kind in phones)
    assert set(laid_out) == {kind.value for kind in PhoneType}
    assert {name: number for name, number in laid_out.items() if number} == fields


@given(st.text(), st.text(max_size=5))
def test_a_word_of_a_folded_text_is_found_in_it(text: str, more: str) -> None:
    contact = NewContact(text, company=more)
    content = folding.search_text(contact, [])
    for word in folding.fold(text).split():
        assert all(term in content for term in folding.search_terms(word))
    assert folding.fold(folding.fold(text)) == folding.fold(text)


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    """Also of those that were made within the same millisecond, by whichever thread."""
    with ThreadPoolExecutor(4) as threads:
        several = list(threads.map(lambda _: [new_id() for _ in range(5_000)], range(4)))
    made = several[0]
    for ids in several:
        assert ids == sorted(ids)
    assert len({key for ids in several for key in ids}) == 20_000
    assert {key.version for key in made} == {7}
    assert {key.variant for key in made} == {uuid.RFC_4122}
    now = time.time() * 1000
    assert all(now - 60_000 < key.int >> 80 <= now + 10 for key in made)


def test_an_instant_without_a_zone_is_refused_and_others_are_kept_in_utc() -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    kind = UtcInstant()
    utc = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
    local = utc.astimezone(timezone(timedelta(hours=5)))
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        with pytest.raises(ValueError, match="time zone"):
            kind.process_bind_param(utc.replace(tzinfo=None), dialect)
        bind = kind.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
        with pytest.raises(ValueError, match="time zone"):
            bind(utc.replace(tzinfo=None))
        bound = kind.process_bind_param(local, dialect)
        assert kind.process_result_value(bound, dialect) == utc
        assert kind.process_bind_param(None, dialect) is None
        assert bind(None) is None
        assert str(bind(local)).startswith("2026-11-22 08:00:00")
        assert kind.process_result_value(None, dialect) is None


def test_readiness_names_an_outdated_schema_and_an_absent_database(
    database: Database, tmp_path: Path
) -> None:
    store = MemoryContactStore()
    ready = Readiness(database, store)
    ready.check()
    ready.check()
    empty = Database(parse_url(f"sqlite:///{tmp_path / 'new.db'}"))
    with pytest.raises(StorageUnavailableError, match="run db upgrade"):
        Readiness(empty, store).check()
    migrate.upgrade(empty)
    Readiness(empty, store).check()
    empty.dispose()
    with pytest.raises(StorageUnavailableError):
        Readiness(Database(parse_url("sqlite:////nowhere/x.db")), store).check()


def test_a_log_line_is_one_object_or_one_readable_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("callhelm_threecx.test")
    root = logging.getLogger().handlers[:]
    logs.configure("INFO", "json")
    log.debug("hidden")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        log.exception("said %s", "so", extra={"number": 7})
    line = json.loads(capsys.readouterr().err)
    assert (line["message"], line["level"], line["number"]) == ("said so", "ERROR", 7)
    assert line["logger"] == "callhelm_threecx.test"
    assert "ZeroDivisionError" in line["exception"]
    logs.configure("DEBUG", "text")
    log.debug("said", extra={"number": 7})
    text = capsys.readouterr().err
    assert "said number=7" in text
    assert logging.getLogger().handlers == root
