"""Passes, conditions, messages, and what happens when a text is wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.pbx.culture import culture
from callhelm_threecx.pbx.dotnet_arguments import MAX_TEXT
from callhelm_threecx.pbx.errors import EvaluationError, StrictError
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.pbx.values import Value
from tests.pbx.variables import CALL


def evaluate(text: str, passes: int = 1) -> str:
    return Evaluator(CALL).text(text, passes)


PASSES = [
    ("[Agent]", 0, "101"),
    ("[Agent]", 1, "101"),
    ("[Text]", 0, "[CallType] call from [Number]"),
    ("[Text]", 1, "[CallType] call from [Number]"),
    ("[Text]", 2, "Missed call from +4930123456"),
    ("[[Text]]", 1, "[CallType] call from [Number]"),
    ("[[Text]]", 2, "Missed call from +4930123456"),
    ("[Deep]", 2, "[CallType] call from [Number]"),
    ("[Deep]", 3, "Missed call from +4930123456"),
    ("[Deep]", 4, "Missed call from +4930123456"),
    ("[Nobody]", 4, "[Nobody]"),
    ("[Transcription]", 1, "Ann: [laughs] see [Number"),
    ("[Transcription]", 2, "Ann: [laughs] see [Number"),
]


@pytest.mark.parametrize(("text", "passes", "expected"), PASSES)
def test_a_text_is_evaluated_as_often_as_it_asks(text: str, passes: int, expected: str) -> None:
    assert evaluate(text, passes) == expected


CONDITIONS = [
    ("", False),
    ("True", True),
    ("true", True),
    ("False", False),
    ("something", False),
    ("[Enabled]", True),
    ("[Enabled]!=True", False),
    ("[Enabled]==True", True),
    ('[Enabled]=="True"', True),
    ('[EntityId]==""', True),
    ('[Agent]==""', False),
    ("[CallType]==Missed", True),
    ("[CallType]!=Missed", False),
    ("[FoundRecordCount] > 0", True),
    ("[FoundRecordCount]>2", False),
    ("[IIf([FoundRecordCount] > 0, True, False)]", True),
    ('[EntityId]==""&&[Agent]==101', True),
    ('[EntityId]!=""||[Agent]==101', True),
    ("([Agent]==1||[Agent]==101)&&[Yes]", True),
    ("[Nobody]==x", False),
    ('[Nobody]==""', False),
    ("[Number].Length>10", True),
    ('[[Number].StartsWith("+")]', True),
    ("[Agent]==", False),
    ("[Name]==O'Neil", False),
    ("a<b", True),
    ('[CallEstablishedTimeUTC]==""', True),
]


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_a_condition_is_decided(text: str, expected: bool) -> None:
    assert Evaluator(CALL).condition(text) is expected


MESSAGES = [
    ('{ "n": ^^[Number]^^ }', '{ "n": "+4930123456" }'),
    ("{{ [Agent] }}", "[ 101 ]"),
    ("{{[Agent]}}", "[101]"),
    ('^^[[CallStartTimeUTC].ToString("yyyy")]^^', '"2026"'),
    ("^^[[CallStartTimeUTC].ToString(^^yyyy^^)]^^", '"2026"'),
    ("[Quote]", 'say "hi"'),
]


@pytest.mark.parametrize(("text", "expected"), MESSAGES)
def test_a_message_has_its_own_escapes(text: str, expected: str) -> None:
    assert Evaluator(CALL).text(text, message=True) == expected


def test_escapes_are_turned_after_the_last_pass() -> None:
    assert Evaluator(CALL).text("{{Agent}} [Text]", 2, message=True) == (
        "[Agent] Missed call from +4930123456"
    )


def test_escapes_mean_nothing_outside_a_message() -> None:
    assert evaluate("{{a}} ^^") == "{{a}} ^^"


THROWS = [
    '[[CallEstablishedTimeUTC].ToString("s")]',
    "[[CallEstablishedTimeUTC].Year]",
    "[[Number].Nonsense()]",
    "[[Number].Nonsense]",
    "[[Number].Substring(50)]",
    "[[Number].Substring(1,50)]",
    "[[Number].Substring(x)]",
    "[[Number].Substring()]",
    "[[Number].Substring(1,2,3)]",
    "[[Number].Substring(-1)]",
    "[[Number].Remove(50)]",
    '[[Number].Insert(50,"x")]',
    '[[Number].Replace("","x")]',
    "[[Number].PadLeft(-1)]",
    "[[Number].PadLeft(2000000)]",
    "[[Number].PadLeft(99999999999)]",
    '[[Number].PadLeft(5,"ab")]',
    "[[Number].Chars(99)]",
    '[[Number].IndexOf("1",99)]',
    "[[Number].Contains([CallStartTimeUTC])]",
    "[[CallStartTimeUTC].AddHours(x)]",
    "[[CallStartTimeUTC].AddYears(9000)]",
    "[[CallStartTimeUTC].AddMonths(-99999)]",
    "[[CallStartTimeUTC].AddMonths(999999)]",
    "[[CallStartTimeUTC].AddDays(99999999)]",
    "[[CallStartTimeUTC].Add(5)]",
    "[[CallStartTimeUTC].CompareTo(5)]",
    '[[CallStartTimeUTC].ToString("Q")]',
    '[[DurationTimespan].ToString("hh:mm")]',
    '[[FoundRecordCount].ToString("Y2")]',
    '[[Ratio].ToString("D2")]',
    "[[Yes].Substring(1)]",
    "[[Number].Substring([Yes])]",
    "[[CallStartTimeUTC].Add([Number])]",
    "[[Yes].PadLeft([Yes])]",
    "[Unknown(1)]",
    "[IIf(True,a)]",
    "[IIf(True)]",
    '[Number.Replace("+","")]',
    "[[FoundRecordCount].CompareTo(x)]",
]


@pytest.mark.parametrize("strict", [False, True], ids=["faithful", "strict"])
@pytest.mark.parametrize("text", THROWS)
def test_what_throws_on_a_pbx_raises_in_both_modes(text: str, strict: bool) -> None:
    with pytest.raises(EvaluationError):
        Evaluator(CALL, strict=strict).text(text)


SWALLOWED = ["[Nobody]", "[Number", "[IIf([Name],a,b)]", "[IIf([Name]>5,a,b)]", "[a, b]"]


@pytest.mark.parametrize("text", SWALLOWED)
def test_what_a_pbx_swallows_raises_in_strict_mode_only(text: str) -> None:
    notes: list[str] = []
    Evaluator(CALL, notes=notes).text(text)
    assert notes
    with pytest.raises(StrictError):
        Evaluator(CALL, strict=True).text(text)


@pytest.mark.parametrize("text", ["[Nobody]==x", "[Agent]==", "something", "[Name]<5"])
def test_conditions_are_strict_too(text: str) -> None:
    with pytest.raises(StrictError):
        Evaluator(CALL, strict=True).condition(text)


def test_too_many_passes_are_cut() -> None:
    notes: list[str] = []
    assert Evaluator(CALL, notes=notes).text("[Agent]", 99) == "101"
    assert notes == ["99 passes were asked for, 10 are made."]


def test_a_culture_prints_bare_dates_and_numbers() -> None:
    german = Evaluator(CALL, culture=culture("de-DE"))
    assert german.text("[CallStartTimeUTC] [Ratio]") == "05.03.2026 07:08:09 0,5"


def test_a_value_keeps_its_type() -> None:
    evaluator = Evaluator(CALL)
    assert evaluator.value("[DurationTimespan]") == CALL["DurationTimespan"]
    assert evaluator.value("[Agent]-[Agent]") == "101-101"
    assert evaluator.value("[Agent") == "[Agent"


def test_a_result_that_grows_without_bounds_is_refused() -> None:
    greedy: dict[str, Value] = {"A": "[A][A]" * 2_000, "B": "b" * 400_000}
    with pytest.raises(EvaluationError, match="longer than"):
        Evaluator(greedy).text("[A]", 10)
    with pytest.raises(EvaluationError, match="longer than"):
        Evaluator(greedy).text("[B][B][B]")
    with pytest.raises(EvaluationError, match="longer than"):
        Evaluator(greedy).text('[[B].Replace("b","bbbb")]')
    with pytest.raises(EvaluationError, match="longer than"):
        Evaluator({"B": "b" * MAX_TEXT}).text('[[B].Insert(0,"x")]')


PIECES = st.sampled_from(
    [
        "[Number]",
        "[[Number].",
        "Replace(",
        "Substring(",
        "ToString(",
        '"F0"',
        '"yyyy"',
        "[IIf(",
        "[CallType]==Missed",
        "||",
        "&&",
        ",",
        ")",
        "]",
        "[",
        "(",
        "1",
        "[DurationTimespan]",
        "[CallStartTimeUTC]",
        "[CallEstablishedTimeUTC]",
        ".get_TotalSeconds()",
        ".AddDays(",
        "[Text]",
        "[Nobody]",
        " ",
        "x",
        "{{",
        "^^",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join), st.integers(-1, 12), st.booleans())
def test_evaluation_ends_with_a_text_or_its_own_error(
    text: str, passes: int, message: bool
) -> None:
    evaluator = Evaluator(CALL)
    with suppress(EvaluationError):
        assert isinstance(evaluator.text(text, passes, message=message), str)
        assert isinstance(evaluator.condition(text), bool)


@given(st.text(max_size=200))
def test_a_value_is_inserted_as_it_is(value: str) -> None:
    assert Evaluator({"V": value}).text("<[V]>") == f"<{value}>"


@given(st.text(max_size=50), st.text(min_size=1, max_size=5), st.text(max_size=5))
def test_replace_agrees_with_python(value: str, old: str, new: str) -> None:
    evaluator = Evaluator({"V": value, "Old": old, "New": new})
    assert evaluator.text("[[V].Replace([Old],[New])]") == value.replace(old, new)
