"""``callhelm-threecx callhelm prepare``: the indexes that an administrator may add to a host."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from callhelm_threecx.stores.callhelm.prepare import PREFIX
from tests.callhelm.hosts import Host, new_host
from tests.cli import processes
from tests.servers import PostgresSource

PURPOSES = {"number", "letters", "more_numbers", "external_id", "recent", "email", "words"}


@pytest.fixture
def host(host_databases: PostgresSource, tmp_path: Path) -> Iterator[Host]:
    with new_host(host_databases, tmp_path) as made:
        yield made


def run(host: Host, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "callhelm_threecx", "callhelm", "prepare", *arguments],
        env=processes.settings(host.url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def indexes(host: Host) -> dict[str, bool]:
    """Our indexes on the host's contacts, by what they are for, and whether each is valid."""
    rows = host.own.execute(
        "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid"
        " WHERE indrelid = 'contacts'::regclass AND starts_with(relname, %s)",
        (PREFIX,),
    )
    start = len(f"{PREFIX}contacts_")
    return {name[start:].rpartition("_")[0]: valid for name, valid in rows}


def test_it_prints_what_it_would_do_and_does_nothing(host: Host) -> None:
    script = run(host).stdout
    assert script.count("CREATE INDEX CONCURRENTLY IF NOT EXISTS") == len(PURPOSES)
    assert script.isascii(), "no terminal and no editor can spoil it"
    assert indexes(host) == {}


def test_what_it_prints_can_be_run_by_hand(host: Host) -> None:
    for statement in run(host).stdout.split(";\n"):
        host.own.execute(statement.encode())
    assert indexes(host) == dict.fromkeys(PURPOSES, True)
    assert run(host).stdout == "-- Nothing to do.\n"


def test_it_builds_them_when_told_to_and_only_once(host: Host) -> None:
    first = run(host, "--apply")
    assert indexes(host) == dict.fromkeys(PURPOSES, True)
    assert first.stdout == ""
    assert "CREATE INDEX CONCURRENTLY" in first.stderr, "people see how far it is"
    assert run(host, "--apply").stderr == "Nothing to do.\n"


def test_scripts_read_json(host: Host) -> None:
    before: dict[str, Any] = json.loads(run(host, "--json").stdout)
    assert {index["state"] for index in before["indexes"]} == {"missing"}
    after = json.loads(run(host, "--apply", "--json").stdout)
    assert {index["state"] for index in after["indexes"]} == {"there"}
    assert after["applied"]


def test_an_interrupted_build_is_repaired(host: Host) -> None:
    names = [index["name"] for index in json.loads(run(host, "--json").stdout)["indexes"]]
    organization = host.organization()
    host.contact(organization, "1")
    host.contact(organization, "1")
    with pytest.raises(psycopg.errors.UniqueViolation):  # as an interruption does, this leaves it
        host.own.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {names[0]} ON contacts (phone_number)")
    assert list(indexes(host).values()) == [False]
    run(host, "--apply")
    assert indexes(host) == dict.fromkeys(PURPOSES, True)


def test_an_index_of_another_version_is_replaced(host: Host) -> None:
    old = f"{PREFIX}contacts_number_00000000"
    host.own.execute(f"CREATE INDEX {old} ON contacts (phone_number)".encode())
    assert f"DROP INDEX CONCURRENTLY IF EXISTS {old}" in run(host).stdout
    run(host, "--apply")
    names = host.own.execute("SELECT relname FROM pg_class WHERE relname = %s", (old,)).fetchall()
    assert names == []


def test_everything_is_undone_by_drop(host: Host) -> None:
    before = host.own.execute("SELECT indexname FROM pg_indexes ORDER BY 1").fetchall()
    run(host, "--apply")
    assert run(host, "--drop").stdout.count("DROP INDEX CONCURRENTLY IF EXISTS") == len(PURPOSES)
    assert set(indexes(host)) == PURPOSES, "it only says what it would do"
    run(host, "--drop", "--apply")
    assert host.own.execute("SELECT indexname FROM pg_indexes ORDER BY 1").fetchall() == before


def test_a_column_that_comes_later_changes_what_is_wanted(
    host_databases: PostgresSource, tmp_path: Path
) -> None:
    with new_host(host_databases, tmp_path, "ALTER TABLE contacts DROP metadata;") as host:
        run(host, "--apply")
        assert set(indexes(host)) == PURPOSES - {"more_numbers", "external_id"}
        host.own.execute("ALTER TABLE contacts ADD metadata jsonb")
        run(host, "--apply")
        assert indexes(host) == dict.fromkeys(PURPOSES, True)


def test_without_trigrams_everything_else_is_built(host: Host) -> None:
    host.own.execute("DROP EXTENSION pg_trgm CASCADE")
    assert "pg_trgm is not installed" in run(host, "--apply").stderr
    assert set(indexes(host)) == PURPOSES - {"words"}


def test_a_host_without_its_tables_is_told_so(
    host_databases: PostgresSource, tmp_path: Path
) -> None:
    with new_host(host_databases, tmp_path, "DROP TABLE calls;") as host:
        done = run(host, status=1)
    assert done.stderr == (
        "THREECX_CONTACT_STORE: the callhelm store needs the table calls, which is not there.\n"
    )


def test_a_role_that_may_not_is_told_so(host: Host) -> None:
    role = f"guest_{host.url.rpartition('threecx_test_')[2][:12]}"
    host.own.execute(f"CREATE ROLE {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    host.own.execute(f"ALTER DATABASE {host.own.info.dbname} SET role TO {role}")
    try:
        assert "run what is printed without --apply" in run(host, "--apply", status=1).stderr
    finally:
        host.own.execute(f"ALTER DATABASE {host.own.info.dbname} RESET role")
        host.own.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_one_at_a_time(host: Host) -> None:
    host.own.execute("SELECT pg_advisory_lock(hashtext('callhelm-threecx prepare'))")
    assert run(host, "--apply", status=1).stderr == (
        "Another prepare is at work on this database.\n"
    )


# What the operator is told elsewhere


def doctor(host: Host) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "callhelm_threecx", "doctor", "--json"],
        env=processes.settings(host.url, contact_store="callhelm"),
        capture_output=True,
        text=True,
        check=False,
    )
    return {check["check"]: check for check in json.loads(done.stdout)["checks"]}


def test_doctor_says_what_the_missing_indexes_cost(host: Host) -> None:
    host.own.execute("ANALYZE contacts")
    found = doctor(host)
    assert found["contact store"]["verdict"] == "ok"
    assert found["host tables"]["verdict"] == "ok"
    assert found["host indexes"]["verdict"] == "warn"
    assert "read every contact of the organization" in found["host indexes"]["message"]
    assert "callhelm-threecx callhelm prepare" in found["host indexes"]["todo"]
    run(host, "--apply")
    assert doctor(host)["host indexes"]["verdict"] == "ok"


def test_doctor_sees_rows_that_our_role_does_not_see(host: Host) -> None:
    host.own.execute("ALTER TABLE contacts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    role = f"guest_{host.url.rpartition('threecx_test_')[2][:12]}"
    host.own.execute(f"CREATE ROLE {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    host.own.execute(f"ALTER DATABASE {host.own.info.dbname} SET role TO {role}")
    try:
        found = doctor(host)["host tables"]
    finally:
        host.own.execute(f"ALTER DATABASE {host.own.info.dbname} RESET role")
        host.own.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert found["verdict"] == "fail"
    assert "hides rows of contacts" in found["message"]


def test_a_server_does_not_start_without_a_column_that_it_needs(host: Host) -> None:
    host.own.execute("ALTER TABLE contacts DROP phone_number")
    done = subprocess.run(
        [sys.executable, "-m", "callhelm_threecx", "serve", "--port", "1"],
        env=processes.settings(host.url, contact_store="callhelm"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "THREECX_CONTACT_STORE: the callhelm store needs contacts.phone_number, which is not there."
    )
