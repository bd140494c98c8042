"""Tables of contacts through the browser: what is taken, and how it is looked at first."""

from collections.abc import Callable

import pytest
from webtest import TestApp, Upload

from callhelm_threecx.console import contact_import, site
from callhelm_threecx.services.contact_imports import MAX_BYTES
from callhelm_threecx.services.import_batches import BATCH
from callhelm_threecx.stores.base import NewContact, Phone
from tests.console.conftest import Browser
from tests.console.import_pages import (
    ACME,
    HEADER,
    IMPORTS,
    figures,
    lines,
    number_of_contacts,
    people,
    upload,
)


def test_a_preview_tells_what_would_happen_and_changes_nothing(admin: Browser) -> None:
    known = NewContact(
        last_name="Known", company="Old", external_id="1", phones=(Phone("030 1234567"),)
    )
    admin.api.app.services.store.create(ACME, known)
    page = upload(
        admin,
        HEADER
        + ",Known,New,030 1234567,1,42\n"
        + ",Fresh,,030 7654321,,\n"
        + ",,,030 1111111,,\n"
        + ",Broken,,none,,\n",
    )
    assert figures(page) == {"new": 1, "changed": 1, "unchanged": 0, "refused": 2}
    assert lines(page, "The first rows") == [
        "2 Known changed Company Old New",
        "3 Fresh new",
        "4 030 1111111 refused has neither a name nor a company",
        "5 Broken none refused PhoneBusiness 'none' has no digit",
    ]
    assert "Shoe" in page.html.find(class_="warn").text
    assert number_of_contacts(admin) == 1


def test_refused_rows_are_told_wherever_they_stand(admin: Browser) -> None:
    page = upload(admin, people(150) + ",,,030 1,,\n")
    assert figures(page)["refused"] == 1
    assert lines(page, "Refused further down") == [
        "152 030 1 refused has neither a name nor a company"
    ]


def test_a_long_file_is_looked_at_for_a_while_and_longer_on_demand(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_import, "LOOK_S", 0.0)
    page = upload(admin, people(2 * BATCH + 1))
    assert f"to the first {BATCH} rows" in page.text
    whole = page.click("Look at more of it")
    assert figures(whole)["new"] == 2 * BATCH + 1
    assert "only its beginning" not in whole.text


UNREADABLE = [
    (b"", "Choose a file first."),
    (b"\n\n", "is empty"),
    (b"Colour,Size\nred,1\n", "names none of"),
    (b"LastName\n", "has no row below its header"),
    ("LastName\nMüller\n".encode("cp1252"), "line 2: not UTF-8"),
    (b'LastName\nA\n"B\n', "a quote is not closed"),
]


@pytest.mark.parametrize(("data", "message"), UNREADABLE)
def test_what_is_no_table_is_told_at_the_field(admin: Browser, data: bytes, message: str) -> None:
    form = admin.form(admin.open(IMPORTS), IMPORTS)
    form["file"] = Upload("people.csv", data) if data else ""
    page = form.submit(headers={"Origin": admin.origin}, status=400)
    assert message in page.html.find(id="e-file").text
    assert lines(admin.open(IMPORTS), "Imports") == []


def test_an_encoding_can_be_named(admin: Browser) -> None:
    page = upload(admin, "LastName\nMüller\n".encode("cp1252"), encoding="cp1252")
    assert lines(page, "The first rows") == ["2 Müller new"]


def test_an_encoding_that_is_not_offered_is_refused(admin: Browser) -> None:
    form = admin.form(admin.open(IMPORTS), IMPORTS)
    form["file"] = Upload("people.csv", b"LastName\nA\n")
    form["encoding"].force_value("zip")
    page = form.submit(headers={"Origin": admin.origin}, status=400)
    assert "none of the choices" in page.html.find(id="e-file").text


def test_the_name_of_a_file_is_text(admin: Browser) -> None:
    form = admin.form(admin.open(IMPORTS), IMPORTS)
    form["file"] = Upload("<img src=x>.csv", b"LastName\nA\n")
    form.submit(headers={"Origin": admin.origin}, status=303)
    page = admin.open(IMPORTS)
    assert "<img src=x>.csv" in lines(page, "Imports")[0]
    assert len(page.html.find_all("img")) == 1  # our own


BIG = b"LastName\n" + b"A" * 319 + b"\n"


def test_a_file_larger_than_other_bodies_may_be_is_taken(browse: Callable[..., Browser]) -> None:
    browser = browse(max_body=2048).sign_in()
    browser.api.set_up()
    page = upload(browser, people(200))
    assert figures(page)["new"] == 200


def test_a_file_that_is_too_large_to_import_is_told_at_the_field(admin: Browser) -> None:
    page = upload(admin, BIG * (MAX_BYTES // len(BIG) + 1), status=413)
    assert page.html.find(id="e-file").text == "The file is larger than 20 MiB."


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/contacts/create", 1024 * 1024 + 1, 413),
        ("/console/o/acme/contacts/imports", site.MAX_UPLOAD + 1, 413),
        ("/console/o/acme/contacts/imports", site.MAX_UPLOAD, 303),  # to the sign-in, unread
        ("/consolexx", 1024 * 1024 + 1, 413),
    ],
)
def test_only_the_console_takes_files_and_there_is_a_limit(
    admin: Browser, path: str, size: int, status: int
) -> None:
    app = TestApp(admin.api.app)
    answer = app.post(
        admin.api.prefix + path, b"", headers={"Content-Length": str(size)}, status="*"
    )
    assert answer.status_int == status
