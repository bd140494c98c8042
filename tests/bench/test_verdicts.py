"""The benchmark can say no."""

import json
import math
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

NAN, INFINITE = math.nan, math.inf


@pytest.mark.parametrize(
    ("target", "measured", "in_full", "in_quick"),
    [
        (("at_least", 0.85), 0.85, True, True),
        (("at_least", 0.85), 2.0, True, True),
        (("at_least", 0.85), 0.849, False, True),
        (("at_least", 0.85), 0.425, False, True),
        (("at_least", 0.85), 0.424, False, False),
        (("at_least", 6), 2.9, False, False),
        (("at_least", 6), 0.0, False, False),
        (("at_most", 1.15), 1.15, True, True),
        (("at_most", 1.15), 0.3, True, True),
        (("at_most", 1.15), 1.16, False, True),
        (("at_most", 1.15), 2.3, False, True),
        (("at_most", 1.15), 2.31, False, False),
        (("at_most", 10), -0.5, True, True),
        (("at_least", 0.85), NAN, False, False),
        (("at_most", 1.15), NAN, False, False),
        (("at_most", 1.15), INFINITE, False, False),
        (("at_least", 0.85), INFINITE, False, False),
    ],
)
def test_a_figure_holds_up_to_its_target_and_in_quick_up_to_half_of_it(
    report: ModuleType,
    target: tuple[str, float],
    measured: float,
    in_full: bool,
    in_quick: bool,
) -> None:
    sense, value = target
    row = report.Row("what", getattr(report, sense)(value), measured)

    assert (row.holds(), row.holds(2.0)) == (in_full, in_quick)


@pytest.mark.parametrize(
    ("measured", "slack", "verdict"),
    [(0.9, 1.0, "holds"), (0.8, 1.0, "FAILS"), (0.8, 2.0, "near"), (0.1, 2.0, "FAILS")],
)
def test_a_verdict_tells_what_is_near_from_what_fails(
    report: ModuleType, measured: float, slack: float, verdict: str
) -> None:
    assert report.Row("what", report.at_least(0.85), measured).verdict(slack) == verdict


def test_one_row_that_fails_fails_the_table(report: ModuleType) -> None:
    good = report.Row("good", report.at_least(1), 2.0)
    bad = report.Row("bad", report.at_most(1), 2.0)

    assert report.Report([good], {}).holds
    assert not report.Report([good, bad], {}).holds
    assert "1 of 2 rows are beyond its target." in report.Report([good, bad], {}).text()


def test_what_could_not_be_measured_fails_the_table(report: ModuleType) -> None:
    found = report.Report([report.not_measured("lookup", "wrk failed")], {}, slack=2.0)

    assert not found.holds
    assert "NOT MEASURED" in found.text()
    assert json.loads(found.json())["rows"][0]["measured"] is None


def test_a_table_without_rows_does_not_hold(report: ModuleType) -> None:
    assert not report.Report([], {}).holds


def test_a_row_without_a_target_is_told_and_not_judged(report: ModuleType) -> None:
    told = report.Row("told", None, 0.1)

    assert told.holds()
    assert told.verdict() == "-"


def test_programs_read_target_figure_and_verdict_of_every_row(report: ModuleType) -> None:
    rows = [report.Row("lookup", report.at_least(6), 3.0, figures={"cpu_ratio": 1.2})]
    found = json.loads(report.Report(rows, {"workers": 2}).json())

    assert found["holds"] is False
    assert found["options"] == {"workers": 2}
    assert found["rows"] == [
        {
            "what": "lookup",
            "target": "≥ 6",
            "measured": 3.0,
            "unit": "x",
            "verdict": "FAILS",
            "holds": False,
            "error": "",
            "figures": {"cpu_ratio": 1.2},
        }
    ]


def test_a_ratio_is_the_median_of_the_rounds_so_that_a_slow_round_slows_both(
    duel: ModuleType,
) -> None:
    def turns(*per_second: float) -> list[object]:
        return [duel.Turn(value, 1, 1, 1, 1) for value in per_second]

    sides = {"product": turns(900, 90, 1000), "limit": turns(1000, 100, 4000)}

    assert duel.ratio(sides, "product", "limit", duel.throughput) == 0.9


@pytest.mark.parametrize(
    ("found", "refusals"),
    [
        ({"refused": 1}, False),
        ({"broken": 1}, False),
        ({"broken": 1}, True),
        ({"requests": 0}, True),
    ],
)
def test_answers_that_are_errors_are_no_throughput(
    wrk: ModuleType, found: dict[str, int], refusals: bool
) -> None:
    with pytest.raises(wrk.LoadError):
        wrk.outcome(_finished(found), refusals=refusals)


def test_refusals_count_where_they_are_asked_for(wrk: ModuleType) -> None:
    assert wrk.outcome(_finished({"refused": 9}), refusals=True).requests == 100


def test_a_load_that_did_not_run_is_no_figure(wrk: ModuleType) -> None:
    with pytest.raises(wrk.LoadError, match="unable to connect"):
        wrk.outcome(subprocess.CompletedProcess([], 1, "", "unable to connect"), refusals=True)


def _finished(found: dict[str, int]) -> "subprocess.CompletedProcess[str]":
    figures = {"requests": 100, "microseconds": 10**6, "p50": 1, "p95": 2, "p99": 3}
    whole = {**figures, "refused": 0, "broken": 0, **found}
    return subprocess.CompletedProcess([], 0, f"Running 1s test\n{json.dumps(whole)}\n", "")


def test_a_document_gets_the_table_between_its_marks(report: ModuleType, tmp_path: Path) -> None:
    document = tmp_path / "scaling.md"
    document.write_text("above\n<!-- bench -->\nold\n<!-- /bench -->\nbelow\n", "utf-8")

    report.put_into(document, "bench", "| new |")

    expected = "above\n<!-- bench -->\n| new |\n<!-- /bench -->\nbelow\n"
    assert document.read_text("utf-8") == expected


def test_a_document_without_the_marks_is_refused(report: ModuleType, tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    document.write_text("above\n", "utf-8")

    with pytest.raises(ValueError, match="no place for bench"):
        report.put_into(document, "bench", "| new |")
