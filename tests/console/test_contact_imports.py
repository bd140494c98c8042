"""Tables of contacts through the browser: taken, looked at, brought in, told of."""

import csv
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from webtest import TestApp, TestResponse, Upload

from callhelm_threecx.console import contact_import, site
from callhelm_threecx.services.contact_imports import MAX_BYTES
from callhelm_threecx.services.import_batches import BATCH
from callhelm_threecx.services.import_jobs import ImportState, Job
from callhelm_threecx.stores.base import NewContact, Organization, Phone
from tests.console.conftest import Browser
from tests.core.statements import recorded

ACME = Organization("acme", "DE")
IMPORTS = "/o/acme/contacts/imports"
HEADER = "FirstName,LastName,Company,PhoneBusiness,ExternalId,Shoe\n"


def upload(
    browser: Browser, text: str | bytes, *, status: Any = 200, **fields: str
) -> TestResponse:
    """Choose a file and send it; the page that follows."""
    data = text.encode() if isinstance(text, str) else text
    form = browser.form(browser.open(IMPORTS), IMPORTS)
    form["file"] = Upload("people.csv", data)
    for name, value in fields.items():
        form[name] = value
    answer = form.submit(headers={"Origin": browser.origin}, status="*")
    while answer.status_int == 303:
        answer = answer.follow()
    assert answer.status_int == status, answer.text[:2000]
    return answer


def path_of(page: TestResponse) -> str:
    path: str = page.request.path.partition("/console")[2]
    return path


def figures(page: TestResponse) -> dict[str, int]:
    cells = page.html.select(".tiles > div")
    return {cell.dt.text: int("".join(c for c in cell.dd.text if c.isdigit())) for cell in cells}


def lines(page: TestResponse, caption: str) -> list[str]:
    """The rows of a table, each as one text."""
    for table in page.html.find_all("table"):
        if table.caption.text.startswith(caption):
            return [" ".join(row.get_text(" ").split()) for row in table.select("tbody tr")]
    return []


def start(browser: Browser, page: TestResponse) -> TestResponse:
    path = path_of(page)
    browser.send(page, f"{path}/start")
    browser.api.app.services.contact_imports.wait(30)
    return browser.open(path)


def people(count: int, start: int = 0) -> str:
    rows = (f",Nr {n},,030 9{n:06},,\n" for n in range(start, start + count))
    return HEADER + "".join(rows)


def number_of_contacts(browser: Browser) -> int:
    store: Any = browser.api.app.services.store
    return sum(1 for _ in store.export(ACME))


@contextmanager
def held(browser: Browser, before: int = 0) -> Iterator[threading.Event]:
    """The import that is started in the block gets to a batch, which is told by the event, and no
    farther while the block lasts."""
    jobs = browser.api.app.services.contact_imports._jobs
    real, reached, going = jobs.rows, threading.Event(), threading.Event()

    def waiting(job: Job, position: int) -> str:
        if position == before and job.state is ImportState.RUNNING:
            reached.set()
            assert going.wait(30)
        return real(job, position)

    jobs.rows = waiting  # type: ignore[method-assign]
    try:
        yield reached
    finally:
        going.set()
        jobs.rows = real  # type: ignore[method-assign]


# -- the look before


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


# -- how much may come

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


# -- bringing it in


def test_an_import_ends_with_a_report_and_the_rows_that_were_refused(admin: Browser) -> None:
    page = start(admin, upload(admin, people(120) + ",,,030 1,,\n=x,Broken,,none,,\n"))
    assert figures(page) == {"new": 120, "changed": 0, "unchanged": 0, "refused": 2}
    assert lines(page, "Refused rows") == [
        "122 has neither a name nor a company",
        "123 PhoneBusiness 'none' has no digit",
    ]
    assert "data-refresh" not in page.text
    assert page.html.progress["value"] == page.html.progress["max"] == "122"
    file = page.click("Download the refused rows")
    rows = list(csv.reader(io.StringIO(file.body.decode("utf-8-sig"))))
    assert rows[0] == ["Line", "Reason", *HEADER.strip().split(",")]
    assert rows[2][2:4] == ["'=x", "Broken"]
    again = upload(admin, file.body.replace(b"none", b"030 4567890"))
    assert figures(again) == {"new": 1, "changed": 0, "unchanged": 0, "refused": 1}


def test_importing_again_changes_nothing(admin: Browser) -> None:
    start(admin, upload(admin, people(3)))
    page = start(admin, upload(admin, people(3)))
    assert figures(page) == {"new": 0, "changed": 0, "unchanged": 3, "refused": 0}


def test_a_running_import_shows_itself_and_refreshes(admin: Browser) -> None:
    page = upload(admin, people(5))
    path = path_of(page)
    with held(admin):
        running = admin.send(page, f"{path}/start")
        section = running.html.find(id="progress")
        assert section["data-refresh"].endswith(path)
        assert section.noscript.a["href"].endswith(path)
        assert "running" in section.text
    admin.api.app.services.contact_imports.wait(30)
    assert "done" in admin.open(path).html.find(id="progress").text


def test_a_running_import_can_be_ended_and_keeps_what_came_in(admin: Browser) -> None:
    page = upload(admin, people(3 * BATCH))
    path = path_of(page)
    with held(admin, before=1) as reached:
        page = admin.send(page, f"{path}/start")
        assert reached.wait(30)
        page = admin.send(page, f"{path}/cancel")
        assert "What was brought in stays" in page.text
    admin.api.app.services.contact_imports.wait(30)
    assert number_of_contacts(admin) == BATCH
    assert "cancelled" in admin.open(path).html.find(id="progress").text


def test_an_import_of_a_server_that_stopped_is_resumed_by_another(
    admin: Browser, browse: Callable[..., Browser]
) -> None:
    page = upload(admin, people(3 * BATCH))
    path = path_of(page)
    imports = admin.api.app.services.contact_imports
    with held(admin, before=1) as reached:
        admin.send(page, f"{path}/start")
        assert reached.wait(30)
        closing = threading.Thread(target=imports.close)
        closing.start()
        assert imports._stopping.wait(30)
    closing.join()
    other = browse().sign_in()
    page = other.open(path)
    assert "stands still" in page.text
    assert figures(page)["new"] == 2 * BATCH
    other.send(page, f"{path}/resume")
    other.api.app.services.contact_imports.wait(30)
    assert number_of_contacts(other) == 3 * BATCH


def test_what_is_not_imported_leaves_nothing(admin: Browser) -> None:
    page = upload(admin, people(3))
    path = path_of(page)
    page = admin.send(page, f"{path}/cancel")
    assert "Nothing was brought in." in page.text
    assert "cancelled" in page.html.find(id="progress").text
    assert number_of_contacts(admin) == 0


def test_an_import_begins_once(admin: Browser) -> None:
    page = upload(admin, people(3))
    start(admin, page)
    again = admin.send(page, f"{path_of(page)}/start")
    assert "has moved on meanwhile" in again.text


def test_earlier_imports_are_listed_with_who_brought_them(admin: Browser) -> None:
    start(admin, upload(admin, people(3)))
    upload(admin, people(1))
    first, second = lines(admin.open(IMPORTS), "Imports")
    assert "Admin key not started 1 0 0 0" in first
    assert "Admin key done 3 3 0 0" in second


@pytest.mark.parametrize("what", ["", "/refused.csv"])
@pytest.mark.parametrize("key", ["x", "00000000-0000-4000-8000-000000000000"])
def test_an_import_that_is_none_is_not_here(admin: Browser, key: str, what: str) -> None:
    admin.open(f"{IMPORTS}/{key}{what}", status=404)


# -- who may


def test_whoever_may_only_read_sees_no_controls(member: Browser) -> None:
    page = upload(member.be("admin"), people(1))
    path = path_of(page)
    member.be("agent")
    assert not member.open(IMPORTS).forms
    assert not member.open(path).forms
    token = member.api.app.services.ring.seal("user agent", "console form")
    for what in ("start", "cancel", "resume"):
        member.post(f"{path}/{what}", {"_token": token}, status=403)
    files = [("file", "a.csv", b"LastName\nA\n")]
    base = f"{member.base}{IMPORTS}"
    sent = {"Origin": member.origin}
    member._app.post(base, {"_token": token}, upload_files=files, headers=sent, status=403)
    assert len(lines(member.open(IMPORTS), "Imports")) == 1


def test_another_organization_s_imports_are_not_here(member: Browser) -> None:
    path = path_of(upload(member.be("admin"), people(1)))
    member.api.key("other")
    other = path.replace("/acme/", "/other/")
    member.be("stranger").open(other, status=404)
    member.open(path, status=403)


# -- what it costs


def test_the_pages_are_few_statements_and_small(admin: Browser) -> None:
    wide = "".join(f"{'&' * 300},{'<' * 300},{'&' * 300},0301{n:06},,\n" for n in range(60))
    page = upload(admin, HEADER + wide + ",,,none,,\n" * 30)
    path = path_of(page)
    asks: list[Callable[[], TestResponse]] = [lambda: admin.open(path), lambda: admin.open(IMPORTS)]
    for ask in asks:
        assert_cheap(admin, ask)
    start(admin, page)
    for ask in asks:
        assert_cheap(admin, ask)


def assert_cheap(browser: Browser, ask: Callable[[], TestResponse]) -> None:
    with recorded(browser.api.app.services.database) as statements:
        page = ask()
    selects = [one for one in statements if one.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert len(selects) <= 8, selects
    assert len(page.body) < 100_000
