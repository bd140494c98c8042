"""Tables of contacts through the browser: brought in, told of, and by whom."""

import csv
import io
import threading
from collections.abc import Callable

import pytest
from webtest import TestResponse

from callhelm_threecx.services.import_batches import BATCH
from tests.console.conftest import Browser
from tests.console.import_pages import (
    HEADER,
    IMPORTS,
    figures,
    held,
    lines,
    number_of_contacts,
    path_of,
    people,
    start,
    upload,
)
from tests.core.statements import recorded


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
