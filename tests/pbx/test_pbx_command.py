"""The command line: what it prints, and its exit status."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from typer.testing import CliRunner, Result

from callhelm_threecx.cli.pbx import app
from callhelm_threecx.template.builder import render_template
from tests.pbx.crm import Asked, Crm, Reply, lookup, person, report, template, values

NUMBER = "+14155550100"
PARAMETERS = '<Parameter Name="Key" Type="Password" Default="none"/>'
KEYED = (
    '<Request Url="http://crm/find?n=[Number]" RequestType="Get">'
    '<Headers><Value Key="x-api-key">[Key]</Value></Headers></Request>'
)


def renamed(name: str, request: str) -> str:
    return lookup(request).replace("<Scenario ", f'<Scenario Id="{name}" ')


TEXT = template(
    lookup(KEYED)
    + renamed("LookupByEmail", '<Request Url="http://crm/find?e=[Email]"/>')
    + renamed("SearchContacts", '<Request Url="http://crm/find?s=[SearchText]"/>')
    + renamed("CreateContactRecordFromClient", '<Request Url="http://crm/find?c=[FirstName]"/>')
    + report(values("CallType", "Duration", "Summary"))
    + report(values("ChatMessages", "Email"), "ReportChat")
    + '<Scenario Id="LookupFromCFD_Contacts_LookupID"><Request Url="http://crm/find?i=[ID]"/>'
    '<Rules><Rule Type="Any">people.id</Rule></Rules></Scenario>',
    parameters=PARAMETERS,
    head='<Connection MaxConcurrentRequests="4"/>',
)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass


class Served:
    """A small CRM on a loopback port, and the command line against it."""

    def __init__(self, folder: Path) -> None:
        self.crm = Crm(self.answer)
        self.file = folder / "crm.xml"
        self.file.write_text(TEXT)
        self.server: WSGIServer = make_server("127.0.0.1", 0, self.crm, handler_class=Quiet)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, asked: Asked) -> Any:
        if asked.path == "/log":
            return Reply({"callId": f"c{len(self.crm.asked)}", "duplicate": False}, "201 Created")
        if "missing" in asked.query or "999" in asked.query:
            return {"people": []}
        if "broken" in asked.query:
            return Reply({}, "500 Oops")
        return {"people": [person(phone=NUMBER)]}

    def run(self, command: str, *action: str, options: tuple[str, ...] = ()) -> Result:
        arguments = [command, str(self.file), "--base", self.base, *options, *action]
        return CliRunner().invoke(app, arguments)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path)
    yield running
    running.close()


def test_ring_shows_the_caller(served: Served) -> None:
    result = served.run("run", "ring", NUMBER, options=("--set", "Key=secret-1"))
    assert result.exit_code == 0
    assert result.output == (
        f"Inbound {NUMBER}, looked up as {NUMBER}\n"
        "Ann\n"
        "  FirstName: Ann\n"
        f"  PhoneMobile: {NUMBER}\n"
        "  ContactUrl: http://crm/1\n"
        "  EntityId: 1\n"
        "Screen pop: http://crm/1\n"
    )
    assert served.crm.asked[0].headers["x-api-key"] == "secret-1"


ACTIONS = [
    (("ring", NUMBER), 0, "Screen pop"),
    (("dial", NUMBER), 0, "Outbound"),
    (("ring", "+1999"), 1, "No contact."),
    (("ring", "+1777"), 1, "Dropped: No phone output contains +1777"),
    (("search", "ann"), 0, "Ann"),
    (("search", "missing"), 1, "No contact."),
    (("search", "broken"), 1, "Failed: SearchContacts: The server answered 500."),
    (("email", "ann@example.com"), 0, "Ann"),
    (("email", "missing@example.com"), 1, "No contact."),
    (("create", "--first-name", "Ann"), 0, "ContactUrl: http://crm/1"),
    (("cfd", "id", "1"), 0, '"people"'),
    (("cfd", "id", "missing"), 1, "No contact."),
    (("cfd", "query", "x"), 2, "no scenario"),
    (("cfd", "colour", "x"), 2, "number, id, query"),
    (("journal", NUMBER, "--talk", "61"), 0, "Inbound: journaled\n  callId: c2"),
    (("journal", NUMBER, "--missed"), 0, "Missed: journaled"),
    (("journal", NUMBER, "--outbound"), 0, "Outbound: journaled"),
    (("journal", NUMBER, "--outbound", "--missed"), 0, "Notanswered: journaled"),
    (("chat", "hello", "bye", "--email", "ann@example.com"), 0, "Chat: journaled"),
]


@pytest.mark.parametrize(("action", "status", "said"), ACTIONS)
def test_each_action_says_what_came_of_it(
    served: Served, action: tuple[str, ...], status: int, said: str
) -> None:
    result = served.run("run", *action)
    assert (result.exit_code, said in result.output) == (status, True), result.output


@pytest.mark.parametrize("action", [("ring", NUMBER), ("search", "ann"), ("journal", NUMBER)])
def test_json_is_for_scripts(served: Served, action: tuple[str, ...]) -> None:
    result = served.run("run", *action, options=("--json", "--set", "Key=secret-1"))
    assert result.exit_code == 0
    data = json.loads(result.output)
    assert data["exchanges"][-1]["status"] in (200, 201)
    assert "secret-1" not in result.output


def test_trace_shows_every_request_with_its_answer(served: Served) -> None:
    result = served.run("trace", "journal", NUMBER, options=("--set", "Key=secret-1"))
    assert result.exit_code == 0
    assert "# lookup by number\nGET http://crm/find?n=+14155550100\nx-api-key: •••" in result.output
    assert "# ReportCall\nPOST http://crm/log" in result.output
    assert '{"CallType":"Inbound","Duration":"00:01:00","Summary":""}' in result.output
    assert "secret-1" not in result.output


def test_options_may_stand_before_or_behind_the_file(served: Served) -> None:
    behind = [str(served.file), "--set=Key=a", "--base", served.base, "ring", NUMBER]
    before = ["--set", "Key=a", "--base", served.base, str(served.file), "ring", NUMBER]
    for arguments in (behind, before):
        assert CliRunner().invoke(app, ["run", *arguments]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "Key"), "NAME=VALUE"),
        (("--set", "Nokey=1"), "no parameter"),
        (("--culture", "xx"), "Culture"),
        (("--nonsense",), "o such option"),
    ],
)
def test_wrong_options_end_with_status_2(
    served: Served, options: tuple[str, ...], said: str
) -> None:
    result = served.run("run", "ring", NUMBER, options=options)
    assert (result.exit_code, said in result.output) == (2, True), result.output


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("<Crm", "line 1")])
def test_a_template_that_cannot_be_read_ends_with_status_2(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "crm.xml"
    if content:
        file.write_text(content)
    result = CliRunner().invoke(app, ["run", str(file), "ring", "1"])
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_strict_mode_fails_where_a_pbx_is_silent(served: Served) -> None:
    result = served.run("run", "ring", "+1777", options=("--strict",))
    assert result.exit_code == 1
    assert "A PBX drops this result" in result.output


STORM = ("--calls", "30", "--concurrency", "4", "--duration", "0.2", "--repeats", "0")


def test_a_storm_ends_with_an_account(served: Served, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.csv"
    numbers.write_text(f"Number,Known\n{NUMBER},yes\n+1999,no\n")
    result = served.run("storm", options=(*STORM, "--numbers", str(numbers)))
    assert result.exit_code == 0, result.output
    for line in ("lookup by number", "ReportCall", "30 of 30", "30 new (30 call ids)"):
        assert line in result.output
    assert "Exactly once  yes" in result.output


def test_a_storm_tells_scripts_in_json(served: Served) -> None:
    result = served.run("storm", options=(*STORM, "--json"))
    data = json.loads(result.output)
    assert data["journals"] == {"new": 30}
    # Strangers are answered with somebody else's number, and that is dropped.
    assert data["dropped"] == {"No phone output contains the number.": 30}
    assert result.exit_code == 1


def test_a_storm_says_what_was_dropped_and_what_failed(served: Served) -> None:
    served.crm.answer = lambda asked: (
        Reply({}, "500 Oops") if asked.path == "/log" else {"people": [person(phone="+1999")]}
    )
    result = served.run("storm", options=STORM)
    assert result.exit_code == 1
    assert "Dropped 30 times: No phone output contains the number." in result.output
    assert "Failed 30 times: ReportCall: The server answered 500." in result.output


def test_a_storm_that_is_interrupted_ends_in_order(served: Served) -> None:
    signalled = Event()

    def answer(asked: Asked) -> Any:
        if not signalled.is_set():
            signalled.set()
            os.kill(os.getpid(), signal.SIGINT)
        return served.answer(asked)

    served.crm.answer = answer
    result = served.run("storm", options=("--calls", "500", "--duration", "60"))
    assert result.exit_code == 1
    assert "of 500 in" in result.output
    assert "Adds up       NO" in result.output


@pytest.mark.parametrize("change", ["numbers", "report"])
def test_a_storm_needs_numbers_and_a_report(served: Served, change: str) -> None:
    options: tuple[str, ...] = ("--calls", "1")
    if change == "numbers":
        options = (*options, "--numbers", str(served.file.parent / "gone.csv"))
    else:
        served.file.write_text(template(lookup()))
    result = served.run("storm", options=options)
    assert result.exit_code == 2


FAULTY = template(lookup().replace('RequestType="Get"', 'RequestType="GET"'))


@pytest.mark.parametrize(("form", "start"), [("text", ""), ("json", "{"), ("sarif", "{")])
def test_lint_reports_in_three_forms(tmp_path: Path, form: str, start: str) -> None:
    file = tmp_path / "crm.xml"
    file.write_text(FAULTY)
    result = CliRunner().invoke(app, ["lint", str(file), "--format", form])
    assert result.exit_code == 1
    assert result.output.startswith(start)
    assert "GET" in result.output


def test_lint_reads_standard_input_and_says_when_nothing_is_wrong() -> None:
    runner = CliRunner()
    clean = render_template(base_url="https://crm.example.com", api_key="3cx_key")
    fine = runner.invoke(app, ["lint", "-"], input=clean)
    assert (fine.exit_code, fine.output) == (
        0,
        "1 file: 0 errors, 0 warnings, 0 for information.\n",
    )
    assert runner.invoke(app, ["lint", "-"], input=FAULTY).exit_code == 1


def test_lint_fails_from_the_severity_that_is_asked_for() -> None:
    runner = CliRunner()
    twice = template(lookup(outputs='<Output Type="FirstName" Value="[First]"/>'))
    for severity, status in (("error", 0), ("warning", 0), ("info", 1)):
        arguments = ["lint", "-", "--fail-on", severity]
        assert runner.invoke(app, arguments, input=twice).exit_code == status


def test_lint_of_a_file_that_is_not_there_ends_with_status_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["lint", str(tmp_path / "gone.xml")])
    assert result.exit_code == 2
    assert "No such file" in result.output
