"""Many calls at once, and an account that adds up."""

from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from callhelm_threecx.pbx import ParameterError, Pbx
from callhelm_threecx.pbx.storm import Plan, Storm, plan_calls, read_numbers
from callhelm_threecx.pbx.tally import Latency, Tally
from tests.pbx.crm import Asked, Crm, Reply, lookup, person, report, template, values

KNOWN = tuple(f"+1415555{number:04d}" for number in range(100, 120))
TEXT = template(
    lookup() + report(values("Number", "Agent", "CallType", "CallStartTimeUTCMillis")),
    head='<Connection MaxConcurrentRequests="8"/>',
)


class Office:
    """Knows the known numbers; journals each call once."""

    def __init__(self) -> None:
        self.journal: dict[str, str] = {}
        self.reports = 0
        self.gate = Lock()
        self.crm = Crm(self.answer)

    def answer(self, asked: Asked) -> Any:
        if asked.path == "/log":
            return self.log(asked.body)
        number = asked.query.removeprefix("n=")
        return {"people": [person(phone=number)] if number in KNOWN else []}

    def log(self, body: str) -> Reply:
        with self.gate:
            self.reports += 1
            known = body in self.journal
            call_id = self.journal.setdefault(body, f"c{len(self.journal)}")
        status = "200 OK" if known else "201 Created"
        return Reply({"callId": call_id, "duplicate": known}, status)


def test_every_call_of_a_storm_is_journaled_exactly_once() -> None:
    office = Office()
    plan = Plan(calls=300, concurrency=20, duration=0.5, known=KNOWN, repeats=0.1)
    seen: list[int] = []
    storm = Storm(Pbx(TEXT, app=office.crm), plan)
    tally = storm.run(lambda now: seen.append(now.calls), every=0.05)
    assert tally.adds_up
    assert tally.exactly_once
    assert tally.ok
    assert len(office.journal) == 300
    again = sum(call.repeated for call in plan_calls(plan))
    assert again
    assert office.reports == 300 + again
    assert tally.repeats == {"duplicate": again}
    assert tally.journals == {"new": 300}
    assert sum(tally.lookups.values()) == sum(tally.call_types.values()) == 300
    assert set(tally.lookups) == {"known, found", "unknown, not found"}
    assert set(tally.call_types) == {"Inbound", "Missed", "Outbound", "Notanswered"}
    assert tally.most_up <= 20
    assert seen
    assert seen == sorted(seen)


def test_the_account_is_told_as_data() -> None:
    office = Office()
    storm = Storm(Pbx(TEXT, app=office.crm), Plan(calls=10, concurrency=2, duration=0, known=KNOWN))
    data = storm.run().to_dict()
    assert data["calls"]["planned"] == data["calls"]["made"] == 10
    assert data["addsUp"] is data["exactlyOnce"] is True
    assert data["distinctCallIds"] == 10
    assert set(data["scenarios"]) == {"ReportCall", "lookup by number"}
    row = data["scenarios"]["lookup by number"]
    assert row["requests"] == 10
    assert row["p50"] <= row["p90"] <= row["p99"] <= row["max"]


def test_a_server_that_journals_twice_is_found_out() -> None:
    storm = Storm(
        Pbx(TEXT, app=Crm(lambda _asked: Reply({"people": [], "callId": "x"}, "201 Created"))),
        Plan(calls=10, concurrency=2, duration=0, repeats=1),
    )
    tally = storm.run()
    assert tally.adds_up
    assert not tally.exactly_once
    assert not tally.ok
    assert tally.repeats == {"new": 10}


def test_a_server_that_does_not_say_counts_as_accepting() -> None:
    tally = Storm(
        Pbx(TEXT, app=Crm(lambda _asked: {"people": []})), Plan(calls=5, concurrency=1, duration=0)
    ).run()
    assert tally.journals == {"accepted": 5}
    assert tally.ok
    assert not tally.exactly_once


def test_failures_and_dropped_results_are_counted_by_reason() -> None:
    def answer(asked: Asked) -> Any:
        if asked.path == "/log":
            return Reply({}, "500 Oops")
        return {"people": [person(phone="+1999")]}

    tally = Storm(
        Pbx(TEXT, app=Crm(answer)), Plan(calls=6, concurrency=3, duration=0, repeats=0)
    ).run()
    assert tally.dropped == {"No phone output contains the number.": 6}
    assert tally.failures == {"ReportCall: The server answered 500.": 6}
    assert tally.journals == {"failed": 6}
    assert tally.adds_up
    assert not tally.ok


def test_a_report_that_the_template_skips_is_told_apart() -> None:
    text = TEXT.replace('Url="http://crm/log"', 'SkipIf="True" Url="http://crm/log"')
    tally = Storm(
        Pbx(text, app=Crm(lambda _asked: {"people": []})), Plan(calls=2, concurrency=1, duration=0)
    ).run()
    assert tally.journals == {"skipped": 2}


def test_calls_that_cannot_be_carried_through_are_counted() -> None:
    tally = Storm(
        Pbx(template(lookup()), app=Office().crm), Plan(calls=3, concurrency=1, duration=0)
    ).run()
    assert tally.journals == {"failed": 3}
    assert tally.adds_up


def test_a_stopped_storm_does_not_add_up() -> None:
    storm = Storm(Pbx(TEXT, app=Office().crm), Plan(calls=50, concurrency=2, duration=60))
    storm.stop.set()
    tally = storm.run()
    assert tally.calls == 0
    assert not tally.adds_up


def test_the_same_plan_draws_the_same_calls() -> None:
    plan = Plan(calls=400, concurrency=10, duration=30, known=KNOWN, unknown=("+1900",), seed=7)
    calls = plan_calls(plan)
    assert calls == plan_calls(plan)
    assert [call.arrives for call in calls] == sorted(call.arrives for call in calls)
    assert all(0 <= call.arrives <= 30 for call in calls)
    strangers = sum(not call.known for call in calls)
    assert 0.1 < strangers / 400 < 0.3
    assert {call.number for call in calls if not call.known} == {"+1900"}
    assert sum(call.hold for call in calls) / 30 < 10


@pytest.mark.parametrize("wrong", [{"calls": 0}, {"concurrency": 0}, {"duration": -1.0}])
def test_a_storm_without_calls_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Plan(**wrong)


@pytest.mark.parametrize(
    ("content", "known", "unknown"),
    [
        ("+1415\n+1416\n", ("+1415", "+1416"), ()),
        ("Number,Known\n+1415,yes\n+1416,no\n+1417,\n", ("+1415", "+1417"), ("+1416",)),
        ("\ufeffName,PhoneMobile,PhoneHome\nAnn,+1,\nBo,,+2\n", ("+1", "+2"), ()),
        ("number\n\n+1415\n", ("+1415",), ()),
    ],
)
def test_numbers_come_from_a_csv(
    tmp_path: Path, content: str, known: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text(content, encoding="utf-8")
    assert read_numbers(path) == (known, unknown)


@pytest.mark.parametrize("content", [None, b"", b"Number\n", b"\xff\xfe"])
def test_a_file_without_numbers_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "numbers.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError):
        read_numbers(path)


def test_percentiles_are_times_that_occurred() -> None:
    latency = Latency([each / 10 for each in range(1, 11)])
    assert [latency.at(percent) for percent in (50, 90, 95, 100)] == [0.5, 0.9, 1.0, 1.0]
    assert Latency().at(50) == Latency().longest == 0.0
    assert Tally().adds_up
