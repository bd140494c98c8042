"""What the tests of the pages about imports share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from webtest import TestResponse, Upload

from callhelm_threecx.services.import_jobs import ImportState, Job
from callhelm_threecx.stores.base import Organization
from tests.console.conftest import Browser

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
