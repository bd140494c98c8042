"""``events tail`` and ``events purge``."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from callhelm_threecx.app import Services
from callhelm_threecx.models import utc_now
from callhelm_threecx.services.events import Event, EventStatus, EventType
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


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1y", "1.5d", "", "999999w"])
def test_an_age_that_is_none_is_a_usage_error(cli: Cli, age: str) -> None:
    assert "--older-than" in cli("events", "purge", f"--older-than={age}", status=2).stderr
