"""``events tail``, ``events purge`` and ``events retention``."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from callhelm_threecx.app import Services
from callhelm_threecx.models import EventRow, utc_now
from callhelm_threecx.services.events import Event, EventFilter, EventStatus, EventType
from tests.cli.conftest import Cli
from tests.cli.processes import settings

Emit = Callable[..., None]


@pytest.fixture
def emit(services: Services) -> Emit:
    """Writes an event that happened so many days ago."""

    def write(number: str, *, days: float = 0, organization: str | None = "acme") -> None:
        event = Event(
            organization,
            EventType.LOOKUP,
            EventStatus.NO_MATCH,
            phone_number=number,
            created_at=utc_now() - timedelta(days=days),
        )
        services.writer.emit(event)
        assert services.writer.flush()

    return write


def numbers(cli: Cli, *options: str) -> list[str]:
    lines = cli("events", "tail", "--type", "lookup", "--json", *options).stdout.splitlines()
    return [json.loads(line)["phoneNumber"] for line in lines]


def test_tail_shows_the_newest_last(cli: Cli, emit: Emit) -> None:
    for number in ("1001", "1002", "1003"):
        emit(number)
    assert numbers(cli) == ["1001", "1002", "1003"]
    assert numbers(cli, "-n", "2") == ["1002", "1003"]
    assert numbers(cli, "-n", "0") == []


def test_tail_covers_all_organizations_or_one(cli: Cli, emit: Emit) -> None:
    emit("1001")
    emit("2001", organization="beta")
    emit("3001", organization=None)
    assert numbers(cli) == ["1001", "2001", "3001"]
    assert numbers(cli, "--org", "beta") == ["2001"]


def test_a_line_for_people_says_what_happened(cli: Cli, emit: Emit) -> None:
    emit("+4930123456")
    line = cli("events", "tail", "--type", "lookup").stdout.strip()
    assert line.endswith("acme lookup no_match          number=+4930123456")


def test_an_unknown_type_is_a_usage_error(cli: Cli) -> None:
    result = cli("events", "tail", "--type", "dance", status=2)
    assert "lookup, search, create_contact" in result.stderr


def test_follow_goes_on_with_every_new_event_until_it_is_stopped(
    cli: Cli, emit: Emit, database_url: str
) -> None:
    emit("1001")
    command = ["-m", "callhelm_threecx", "events", "tail", "-f", "--type", "lookup", "--json"]
    with subprocess.Popen(
        [sys.executable, *command],
        env=settings(database_url) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        watchdog = threading.Timer(90, process.kill)  # a line that never comes ends the wait
        watchdog.start()
        seen = [json.loads(process.stdout.readline())["phoneNumber"]]
        emit("1002")
        seen.append(json.loads(process.stdout.readline())["phoneNumber"])
        emit("1004")
        emit("1003", days=1 / 86400)  # written late by another worker
        seen += [json.loads(process.stdout.readline())["phoneNumber"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
        watchdog.cancel()
    assert sorted(seen) == ["1001", "1002", "1003", "1004"]
    assert (process.returncode, rest, errors) == (0, "", "")


def test_purge_deletes_what_is_older(cli: Cli, emit: Emit) -> None:
    for number, days in (("1001", 100), ("1002", 91), ("1003", 89), ("1004", 0)):
        emit(number, days=days)
    assert cli("events", "purge", "--older-than", "90d").stdout.startswith("2 events ")
    assert numbers(cli) == ["1003", "1004"]


def test_purge_may_mean_one_organization(cli: Cli, emit: Emit) -> None:
    emit("1001", days=100)
    emit("2001", days=100, organization="beta")
    assert cli.json("events", "purge", "--older-than", "4w", "--org", "beta")["purged"] == 1
    assert numbers(cli) == ["1001"]


def test_purge_goes_by_the_retention_unless_an_age_is_asked_for(
    cli: Cli, emit: Emit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_EVENT_RETENTION", "30d,lookup=90d")
    for number, days in (("1001", 100), ("1002", 50), ("1003", 5)):
        emit(number, days=days)
    would = cli("events", "purge", "--dry-run").stdout
    assert would.startswith("1 events would be deleted:\n  1 lookup from before ")
    assert numbers(cli) == ["1001", "1002", "1003"]
    assert cli.json("events", "purge")["purged"] == 1
    assert cli("events", "purge").stdout == "0 events are deleted.\n"
    assert numbers(cli) == ["1002", "1003"]
    assert cli.json("events", "purge", "--older-than", "30d")["purged"] == 1


def test_an_organizations_own_retention_is_shown_set_and_taken_away(cli: Cli) -> None:
    retention = ("events", "retention")
    assert cli(*retention).stdout == "ORG\tKEPT\n(all others)\t365d,setup=forever\n"
    cli(*retention, "--org", "acme", "--keep", "12w")
    cli(*retention, "--org", "acme", "--keep", "30d", "--type", "lookup")
    assert cli(*retention).stdout.splitlines()[-1] == "acme\t84d,lookup=30d"
    assert cli.json(*retention, "--org", "acme") == [
        {"organizationId": "acme", "everyType": "84d", "types": {"lookup": "30d"}}
    ]
    for kind in ((), ("--type", "lookup")):
        cli(*retention, "--org", "acme", "--keep", "server", *kind)
    assert len(cli(*retention).stdout.splitlines()) == 2


def test_purge_minds_an_organizations_own_retention(cli: Cli, emit: Emit) -> None:
    emit("1001", days=50)
    emit("2001", days=50, organization="beta")
    cli("events", "retention", "--org", "beta", "--keep", "30d")
    (told,) = cli.json("events", "purge")["events"]
    assert (told["organizationId"], told["type"], told["count"]) == ("beta", "lookup", 1)
    assert numbers(cli) == ["1001"]
    assert cli.json("events", "purge", "--org", "acme")["purged"] == 0


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--keep", "90d"), 2, "THREECX_EVENT_RETENTION"),
        (("--org", "acme", "--type", "lookup"), 2, "--keep"),
        (("--org", "acme", "--keep", "90"), 1, "'90' is no age"),
        (("--org", "acme", "--keep", "9d", "--type", "dance"), 1, "none of lookup"),
    ],
)
def test_a_retention_that_cannot_be_read_is_told(
    cli: Cli, options: tuple[str, ...], status: int, said: str
) -> None:
    assert said in cli("events", "retention", *options, status=status).stderr


def test_a_purge_that_is_stopped_says_so_and_goes_on_another_time(
    cli: Cli, services: Services, database_url: str
) -> None:
    """Ctrl-C and SIGTERM end it behind the transaction that is under way."""
    event = {"organization_id": "acme", "event_type": "lookup", "raw_data": {}}
    at = utc_now() - timedelta(days=99)
    with services.database.write_all_organizations() as session:
        rows = [EventRow(**event, created_at=at + timedelta(seconds=n)) for n in range(20_000)]
        session.bulk_save_objects(rows)
    command = ["-m", "callhelm_threecx", "events", "purge", "--older-than", "90d", "--json"]
    with subprocess.Popen(
        [sys.executable, *command], env=settings(database_url), stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = threading.Timer(90, process.kill)
        deadline.start()
        while services.events.page(EventFilter(until=at + timedelta(seconds=300))).events:
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        told = json.loads(process.communicate(timeout=60)[0])
        deadline.cancel()
    assert (process.returncode, told["stopped"]) == (1, True)
    assert 0 < told["purged"] < 20_000
    rest = cli.json("events", "purge", "--older-than", "90d")
    assert told["purged"] + rest["purged"] == 20_000


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1y", "1.5d", "", "999999w"])
def test_an_age_that_is_none_is_a_usage_error(cli: Cli, age: str) -> None:
    assert "--older-than" in cli("events", "purge", f"--older-than={age}", status=2).stderr
