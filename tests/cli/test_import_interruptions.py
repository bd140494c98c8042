"""``contacts import`` as a process that is ended in the middle of its work, and run again."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import func, select

from callhelm_threecx.app import Services
from callhelm_threecx.cli import importing
from callhelm_threecx.models import ContactPhoneRow, ContactRow
from tests.cli.conftest import Cli
from tests.cli.processes import settings

ROWS = 6000
TABLE = "FirstName,PhoneMobile,PhoneHome,ExternalId\n" + "".join(
    f"Jo{n},0171 {2000000 + n},030 {2000000 + n},{n if n % 2 else ''}\n" for n in range(ROWS)
)
INTERRUPTED = rf"Interrupted behind (\d+) of {ROWS} rows; run it again to go on\.\n"
REPORT = re.compile(r"(\d+) created, 0 updated, (\d+) unchanged, 0 refused\.")


def kept(services: Services) -> tuple[int, int]:
    """How many contacts and numbers are there."""
    with services.database.read("acme") as session:
        contacts = session.execute(select(func.count(ContactRow.id))).scalar_one()  # type: ignore[arg-type]
        phones = session.execute(select(func.count(ContactPhoneRow.id))).scalar_one()  # type: ignore[arg-type]
    return contacts, phones


@contextmanager
def importing_process(
    cli: Cli, database_url: str, **streams: int
) -> Iterator["subprocess.Popen[str]"]:
    """An import of the table, gone at the end."""
    path = cli.write("people.csv", TABLE)
    command = [sys.executable, "-m", "callhelm_threecx", "contacts", "import", path]
    process = subprocess.Popen(
        [*command, "--org", "acme"],
        env=settings(database_url),
        cwd=cli.folder,
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_a_batch(services: Services, process: "subprocess.Popen[str]") -> None:
    pause = threading.Event()
    while kept(services)[0] == 0:
        assert process.poll() is None
        pause.wait(0.01)


def interrupt(process: "subprocess.Popen[str]", _database_url: str) -> None:
    process.send_signal(signal.SIGINT)


def kill(process: "subprocess.Popen[str]", _database_url: str) -> None:
    process.kill()


def terminate_backend(_process: "subprocess.Popen[str]", database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


ENDS: dict[str, dict[str, Callable[["subprocess.Popen[str]", str], None]]] = {
    "sqlite": {"interrupted": interrupt, "killed": kill},
    "postgres": {"interrupted": interrupt, "killed": kill, "cut off": terminate_backend},
}


@pytest.mark.parametrize("how", ["interrupted", "killed", "cut off"])
def test_an_import_that_was_ended_is_run_again_without_doubles(
    cli: Cli, services: Services, database_url: str, backend: str, how: str
) -> None:
    end = ENDS[backend].get(how, kill)  # between us and SQLite there is nothing to cut
    with importing_process(cli, database_url) as process:
        wait_for_a_batch(services, process)
        end(process, database_url)
        process.wait(60)
    services.database.dispose()
    there, numbers = kept(services)
    assert 0 < there < ROWS
    assert (there % importing.BATCH, numbers) == (0, 2 * there)  # each batch is whole
    path = cli.write("people.csv", TABLE)
    told = cli("contacts", "import", path, "--org", "acme").stdout
    report = REPORT.fullmatch(told.strip())
    assert report is not None, told
    assert (int(report[1]), int(report[2])) == (ROWS - there, there)
    assert kept(services) == (ROWS, 2 * ROWS)


def test_an_interrupted_import_says_how_far_it_came(
    cli: Cli, services: Services, database_url: str
) -> None:
    with importing_process(cli, database_url) as process:
        wait_for_a_batch(services, process)
        interrupt(process, database_url)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    told = re.fullmatch(
        rf"Interrupted behind (\d+) of {ROWS} rows; run it again to go on.\n", errors
    )
    assert told is not None, errors
    assert kept(services)[0] - int(told[1]) in {0, importing.BATCH}  # one may just have been kept


def test_a_terminal_shows_how_far_an_import_is(cli: Cli, database_url: str) -> None:
    ours, theirs = os.openpty()
    with importing_process(cli, database_url, stderr=theirs) as process:
        os.close(theirs)
        shown = read_all(ours)
        assert process.wait(60) == 0
    assert "Contacts" in shown
    assert f"{ROWS}/{ROWS}" in shown


def read_all(terminal: int) -> str:
    """What is written to a pseudo terminal until its last writer is gone."""
    pieces = []
    try:
        while piece := os.read(terminal, 4096):
            pieces.append(piece)
    except OSError:  # so Linux tells that nobody writes any more
        pass
    finally:
        os.close(terminal)
    return b"".join(pieces).decode()
