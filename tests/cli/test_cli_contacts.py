"""``contacts import`` and ``contacts export``."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from callhelm_threecx.app import Services
from callhelm_threecx.cli import importing
from callhelm_threecx.demo.people import contacts
from callhelm_threecx.services.contact_tables import COLUMNS
from callhelm_threecx.stores.base import Organization
from callhelm_threecx.stores.sql import SqlContactStore
from tests.cli.conftest import Cli

Phonebook = Callable[..., dict[str, tuple[str, ...]]]

PEOPLE = """\
FirstName,LastName,Company,Email,PhoneBusiness,PhoneMobile,FaxBusiness,ExternalId
Anna,Müller,,anna@example.com,030 123456,+49 171 1234567,,1
,,Acme Ltd,,+44 20 7946 0000,,020 79460001,2
Ben,Ohne,,,,,,
"""


def import_(cli: Cli, text: str, *options: str, status: int | None = 0, org: str = "acme") -> str:
    path = cli.write("people.csv", text)
    return cli("contacts", "import", path, "--org", org, *options, status=status).stdout.strip()


def test_an_import_reads_numbers_in_the_organizations_region(
    cli: Cli, phonebook: Phonebook
) -> None:
    assert import_(cli, PEOPLE) == "3 created, 0 updated, 0 unchanged, 0 refused."
    assert phonebook() == {
        "Anna Müller": ("business +4930123456", "mobile +491711234567"),
        "Acme Ltd": ("business +442079460000", "fax +492079460001"),
        "Ben Ohne": (),
    }


def test_importing_again_changes_nothing(cli: Cli, phonebook: Phonebook) -> None:
    import_(cli, PEOPLE)
    before = phonebook()
    assert import_(cli, PEOPLE) == "0 created, 0 updated, 3 unchanged, 0 refused."
    assert phonebook() == before


def test_a_known_external_id_is_updated(cli: Cli, phonebook: Phonebook) -> None:
    import_(cli, PEOPLE)
    change = "ExternalId,FirstName,LastName,PhoneHome\n1,Anna,Schmidt,030 999999\n"
    assert import_(cli, change) == "0 created, 1 updated, 0 unchanged, 0 refused."
    book = phonebook()
    assert book["Anna Schmidt"] == ("home +4930999999",)
    assert "Anna Müller" not in book


def test_without_external_id_the_same_number_and_name_is_updated(
    cli: Cli, phonebook: Phonebook
) -> None:
    import_(cli, "FirstName,PhoneMobile,Company\nJo,+491711234567,Old\n")
    text = "FirstName,PhoneMobile,Company\njo,0171/1234567,New\nEva,+491711234567,New\n"
    assert import_(cli, text) == "1 created, 1 updated, 0 unchanged, 0 refused."
    assert set(phonebook()) == {"jo New", "Eva New"}


def test_a_space_before_a_number_is_no_lost_plus(cli: Cli, phonebook: Phonebook) -> None:
    import_(cli, "FirstName,PhoneHome\nJo,  030 123456 \n")
    assert phonebook() == {"Jo": ("home +4930123456",)}


def test_refused_rows_are_told_and_the_others_go_in(cli: Cli, phonebook: Phonebook) -> None:
    text = (
        "FirstName,LastName,PhoneMobile\n"
        "Good,One,0171 1234567\n"
        "Bad,Number,n/a\n"
        ",,0171 7654321\n"
        f"{'x' * 400},Long,\n"
        "Too,Many,0171 1,more\n"
        "Good,Two,\n"
    )
    path = cli.write("people.csv", text)
    result = cli("contacts", "import", path, "--org", "acme", status=1)
    assert result.stdout.strip() == "2 created, 0 updated, 0 unchanged, 4 refused."
    assert result.stderr.splitlines() == [
        "Line 3: PhoneMobile 'n/a' has no digit",
        "Line 4: has neither a name nor a company",
        "Line 5: FirstName is longer than 320 characters",
        "Line 6: has 4 cells, the header 3",
    ]
    assert set(phonebook()) == {"Good One", "Good Two"}


def test_rejects_can_be_mended_and_imported(cli: Cli, phonebook: Phonebook) -> None:
    text = "LastName;PhoneMobile;Shoe\n=Eve;none;44\n"
    import_(cli, text, "--rejects", cli.path("rejects.csv"), status=1)
    rejects = (cli.folder / "rejects.csv").read_text()
    line, reason, name, *_ = next(csv.reader(rejects.splitlines()[1:]))
    assert (line, reason, name) == ("2", "PhoneMobile 'none' has no digit", "'=Eve")
    mended = rejects.replace(",none,", ",0171 1234567,")
    assert import_(cli, mended) == "1 created, 0 updated, 0 unchanged, 0 refused."
    assert phonebook() == {"=Eve": ("mobile +491711234567",)}


def test_many_refusals_do_not_flood_the_screen(cli: Cli) -> None:
    path = cli.write("people.csv", "FirstName,PhoneHome\n" + "Jo,none\n" * 50)
    result = cli("contacts", "import", path, "--org", "acme", status=1)
    assert len(result.stderr.splitlines()) == importing.MOST_SHOWN + 1


def test_unknown_columns_are_named(cli: Cli) -> None:
    path = cli.write("people.csv", "FirstName,Shoe size,Hat\nJo,44,7\n")
    result = cli("contacts", "import", path, "--org", "acme")
    assert result.stderr == "Columns that are left out: Shoe size, Hat.\n"


def test_counts_and_refusals_as_json(cli: Cli) -> None:
    path = cli.write("people.csv", "FirstName,PhoneHome\nJo,none\nAl,\n")
    assert cli.json("contacts", "import", path, "--org", "acme", status=1) == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "refused": 1,
        "refusedRows": [{"line": 2, "reason": "PhoneHome 'none' has no digit"}],
    }


def test_standard_input_is_a_table_too(cli: Cli, phonebook: Phonebook) -> None:
    cli("contacts", "import", "-", "--org", "acme", stdin="FirstName\nJo\n".encode("utf-16"))
    assert phonebook() == {"Jo": ()}


def test_a_file_that_is_broken_at_its_end_changes_nothing(cli: Cli, phonebook: Phonebook) -> None:
    text = "FirstName\n" + "".join(f"Jo{n}\n" for n in range(1200)) + '"never closed\n'
    path = cli.write("people.csv", text)
    result = cli("contacts", "import", path, "--org", "acme", status=1)
    assert result.stderr == f"{path}, line 1202: a quote is not closed.\n"
    assert phonebook() == {}


def test_an_interrupted_import_is_run_again_without_doubles(
    cli: Cli, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "FirstName,PhoneHome\n" + "".join(f"Jo{n},030 {200000 + n}\n" for n in range(1200))
    whole = SqlContactStore.import_batch
    batches: list[int] = []

    def interrupted(
        store: SqlContactStore, organization: Organization, batch: list[object]
    ) -> object:
        batches.append(len(batch))
        if len(batches) == 3:
            raise KeyboardInterrupt
        return whole(store, organization, batch)

    monkeypatch.setattr(SqlContactStore, "import_batch", interrupted)
    import_(cli, text, status=None)
    assert batches == [500, 500, 200]
    monkeypatch.setattr(SqlContactStore, "import_batch", whole)
    assert import_(cli, text) == "200 created, 0 updated, 1000 unchanged, 0 refused."
    assert len(phonebook()) == 1200


def test_a_file_that_is_not_there_is_told(cli: Cli) -> None:
    result = cli("contacts", "import", cli.path("none.csv"), "--org", "acme", status=1)
    assert result.stderr == f"{cli.path('none.csv')}: No such file or directory.\n"


def test_an_import_needs_its_organization(cli: Cli) -> None:
    import_(cli, PEOPLE, org="nobody", status=1)


def test_an_import_stays_in_its_organization(cli: Cli, phonebook: Phonebook) -> None:
    cli("org", "create", "beta")
    import_(cli, PEOPLE)
    assert phonebook("beta") == {}


def test_export_and_import_give_another_organization_the_same_contacts(
    cli: Cli, services: Services
) -> None:
    cli("org", "create", "beta", "--region", "US")
    acme, beta = Organization("acme", "DE"), Organization("beta", "US")
    store = services.store
    assert isinstance(store, SqlContactStore)
    store.import_batch(acme, list(contacts()))
    odd = 'FirstName,Company,PhoneBusiness,PhoneOther\n\'-Jo,"=Two\nlines; Ltd",030 1234 x56,112\n'
    import_(cli, odd)
    cli("contacts", "export", cli.path("all.csv"), "--org", "acme")
    assert cli("contacts", "import", cli.path("all.csv"), "--org", "beta").stdout.startswith("209 ")

    def comparable(organization: Organization) -> list[object]:
        found = store.export(organization)
        return sorted(
            (
                c.first_name,
                c.last_name,
                c.company,
                c.email,
                c.external_id,
                sorted(map(repr, c.phones)),
            )
            for c in found
        )

    assert comparable(acme) == comparable(beta)


def test_an_export_is_closed_to_others_and_ready_for_excel(cli: Cli) -> None:
    import_(cli, PEOPLE)
    cli("contacts", "export", cli.path("all.csv"), "--org", "acme", "--bom")
    path = cli.folder / "all.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbfFirstName,")
    assert path.stat().st_mode & 0o077 == 0


def test_an_export_to_standard_output_is_a_table(cli: Cli) -> None:
    import_(cli, PEOPLE)
    result = cli("contacts", "export", "-", "--org", "acme")
    header, *rows = csv.reader(result.stdout.splitlines())
    assert tuple(header) == COLUMNS
    assert len(rows) == 3
    assert result.stderr == "3 contacts.\n"


def test_a_failed_export_leaves_the_file_that_was_there(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_(cli, PEOPLE)
    path = Path(cli.write("all.csv", "yesterday's"))

    def broken(_store: object, _organization: object) -> object:
        yield from ()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SqlContactStore, "export", broken)
    result = cli("contacts", "export", str(path), "--org", "acme", status=1)
    assert result.stderr == f"{path}: No space left on device.\n"
    assert path.read_text() == "yesterday's"
    assert [each.name for each in cli.folder.glob(".all.csv*")] == []


def test_a_store_that_gives_nothing_in_bulk_is_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_CONTACT_STORE", "memory")
    result = cli("contacts", "export", "-", "--org", "acme", status=1)
    assert "memory takes and gives no contacts in bulk" in result.stderr
