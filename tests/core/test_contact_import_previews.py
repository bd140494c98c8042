"""What an import would change, told before anything is."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callhelm_threecx.db import Database
from callhelm_threecx.models import utc_now
from callhelm_threecx.services import contact_imports, import_batches
from callhelm_threecx.services.contact_imports import ContactImports
from callhelm_threecx.services.csv_tables import written_rows
from callhelm_threecx.services.import_jobs import ImportState
from callhelm_threecx.stores.base import NewContact, Organization, Phone
from callhelm_threecx.stores.importing import Outcome
from callhelm_threecx.stores.sql import SqlContactStore
from tests.core.contact_imports import ACME, counts, many, names, upload


def test_a_preview_counts_the_whole_file_and_shows_the_first_rows(
    imports: ContactImports, store: SqlContactStore
) -> None:
    store.import_batch(ACME, [NewContact("Anna", "Weiß", external_id="1")])
    preview = imports.preview(ACME, upload(imports).id, first=3)
    assert counts(preview) == (1, 2, 1, 2)
    assert [(row.line, row.outcome) for row in preview.first_rows] == [
        (2, Outcome.UPDATED),
        (3, Outcome.CREATED),
        (4, Outcome.REFUSED),
    ]
    anna, bert, ben = preview.first_rows
    assert anna.before is not None
    assert anna.after is not None
    assert (anna.before.last_name, anna.after.last_name) == ("Weiß", "Müller")
    assert anna.after.phones == (Phone("+4930123456"),)
    assert bert.after is not None
    assert bert.after.id == ""
    assert ben.reason == "PhoneBusiness 'none' has no digit"
    assert names(store) == ["Anna"]


def test_the_rows_of_a_preview_stand_beside_their_own_lines_in_every_batch(
    imports: ContactImports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (import_batches, contact_imports):
        monkeypatch.setattr(module, "BATCH", 2)
    shown = imports.preview(ACME, upload(imports).id).first_rows
    assert [(row.line, row.outcome.value) for row in shown] == [
        (2, "created"),
        (3, "created"),
        (4, "refused"),
        (5, "refused"),
        (6, "updated"),
        (7, "unchanged"),
    ]


def test_a_preview_of_a_long_file_ends_in_time(imports: ContactImports) -> None:
    job = upload(imports, many(250))
    assert imports.preview(ACME, job.id).looked_at == 250
    assert imports.preview(ACME, job.id, seconds=0).looked_at == 100


WORD = st.sampled_from(["", "Anna", "ANNA", "Bert", "Ä"])


NUMBER = st.sampled_from(["", "030 123456", "+49 30 123456", "030 999999", "112", "x"])


ROW = st.tuples(WORD, WORD, NUMBER, NUMBER, st.sampled_from(["", "", "1", "2"]))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(ROW, max_size=6), rows=st.lists(ROW.filter(any), min_size=1, max_size=14))
def test_what_a_preview_says_is_what_happens(
    before: list[Sequence[str]], rows: list[Sequence[str]], database: Database
) -> None:
    """Whatever is there already, and however the rows and batches depend on each other."""
    organization = Organization(f"o{utc_now().timestamp()}".replace(".", "-"), "DE")
    store = SqlContactStore(database)
    imports = ContactImports(database, store)
    columns = ("FirstName", "Company", "PhoneBusiness", "PhoneHome", "ExternalId")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("import_batches", "contact_imports", "import_jobs"):
            patch.setattr(f"callhelm_threecx.services.{module}.BATCH", 4)
        for table in filter(None, (before, rows)):
            text = "".join(written_rows(columns, table)).encode()
            if not any(any(row) for row in table):
                continue
            job = imports.upload(organization, "x.csv", text)
            preview = imports.preview(organization, job.id)
            imports.start(organization, job.id)
            imports.wait(60)
            done = imports.progress(organization.id, job.id)
            assert done.state is ImportState.DONE, done.error
            assert counts(done) == counts(preview)
