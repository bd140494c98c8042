"""What expressions come to, with the variables of a call."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.pbx.culture import culture
from callhelm_threecx.pbx.dotnet_arguments import MAX_TEXT
from callhelm_threecx.pbx.errors import EvaluationError, StrictError
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.pbx.values import DateTime, TimeSpan, Value

ZONE = timezone(timedelta(hours=2))
START = datetime(2026, 3, 5, 7, 8, 9, 120_000, tzinfo=timezone.utc)

CALL: dict[str, Value] = {
    "Number": "+4930123456",
    "CallType": "Missed",
    "CallDirection": "Inbound",
    "Agent": "101",
    "EntityId": "",
    "Name": "O'Neil, Ann",
    "Blank": "  two  words ",
    "Duration": "00:02:05",
    "DurationTimespan": TimeSpan.of(timedelta(minutes=2, seconds=5)),
    "CallStartTimeUTC": DateTime.utc(START, ZONE),
    "CallStartTimeLocal": DateTime.local(START, ZONE),
    "CallEstablishedTimeUTC": None,
    "CallStartTimeUTCMillis": 1_772_694_489_120,
    "FoundRecordCount": 2,
    "Enabled": "True",
    "Text": "[CallType] call from [Number]",
    "Deep": "[Text]",
    "Contact::Email": "ann@example.com",
    "Quote": 'say "hi"',
    "Transcription": "Ann: [laughs] see [Number",
    "Ratio": 0.5,
    "Yes": True,
}


def evaluate(text: str, passes: int = 1) -> str:
    return Evaluator(CALL).text(text, passes)


TEXTS = [
    # variables and literals
    ("", ""),
    ("plain", "plain"),
    ("[Number]", "+4930123456"),
    ("tel:[Number]!", "tel:+4930123456!"),
    ("[Agent][Agent]", "101101"),
    ("[Contact::Email]", "ann@example.com"),
    ("[EntityId]", ""),
    ("[Nobody]", "[Nobody]"),
    ("a [Nobody] b [Agent]", "a [Nobody] b 101"),
    ("[two words]", "[two words]"),
    ("[ Agent ]", "101"),
    ("[]", "[]"),
    ("]", "]"),
    ("[agent]", "[agent]"),
    ("[FoundRecordCount]", "2"),
    ("[Ratio]", "0.5"),
    ("[Yes]", "True"),
    ("[CallEstablishedTimeUTC]", ""),
    ("[CallStartTimeUTC]", "03/05/2026 07:08:09"),
    ("[CallStartTimeLocal]", "03/05/2026 09:08:09"),
    ("[DurationTimespan]", "00:02:05"),
    ("[CallStartTimeUTCMillis]", "1772694489120"),
    # a second pair of brackets
    ("[[Number]]", "+4930123456"),
    ("[[[Number]]]", "+4930123456"),
    ("[[Nobody]]", "[Nobody]"),
    ("[[Text]]", "[CallType] call from [Number]"),
    ("[Agent].Length", "101.Length"),
    ('[Agent].Replace("1","2")', '101.Replace("1","2")'),
    # methods of text
    ('[[Number].Replace("+","%2B")]', "%2B4930123456"),
    ('[[Number].Replace("+","")]', "4930123456"),
    ('[[Number].Replace("+","00").Replace("49","41")]', "004130123456"),
    ("[[Number].Substring(3)]", "30123456"),
    ("[[Number].Substring(1,2)]", "49"),
    ("[[Number].Length]", "11"),
    ("[[Number].get_Length()]", "11"),
    ('[[Number].StartsWith("+49")]', "True"),
    ('[[Number].EndsWith("7")]', "False"),
    ('[[Number].Contains("301")]', "True"),
    ('[[Number].IndexOf("3")]', "3"),
    ('[[Number].IndexOf("3",4)]', "7"),
    ('[[Number].LastIndexOf("3")]', "7"),
    ('[[Number].IndexOf("x")]', "-1"),
    ("[[Agent].PadLeft(5)]", "  101"),
    ("[[Agent].PadLeft(5,'0')]", "00101"),
    ('[[Agent].PadLeft(5,"0")]', "00101"),
    ("[[Agent].PadLeft(2)]", "101"),
    ('[[Agent].PadRight(5,"x")]', "101xx"),
    ("[[Blank].Trim()]", "two  words"),
    ("[[Blank].TrimStart()]", "two  words "),
    ("[[Blank].TrimEnd()]", "  two  words"),
    ("[[Number].TrimStart('+')]", "4930123456"),
    ('[[Number].Trim("+","6")]', "493012345"),
    ("[[Name].ToUpper()]", "O'NEIL, ANN"),
    ("[[Name].ToLower()]", "o'neil, ann"),
    ("[[Name].ToUpperInvariant()]", "O'NEIL, ANN"),
    ("[[Name].ToLowerInvariant()]", "o'neil, ann"),
    ('[[Agent].Insert(1,"-")]', "1-01"),
    ("[[Number].Remove(3)]", "+49"),
    ("[[Number].Remove(0,3)]", "30123456"),
    ('[[Agent].Equals("101")]', "True"),
    ('[[Agent].CompareTo("102")]', "-1"),
    ("[[Agent].ToString()]", "101"),
    ("[[Agent].Chars(1)]", "0"),
    ('[[Name].Substring([Name].IndexOf(","))]', ", Ann"),
    ("[[[Number].Substring(0,3)].Length]", "3"),
    ('["abc".ToUpper()]', "ABC"),
    ('[[Quote].Replace("hi","ho")]', 'say "ho"'),
    # dates, lengths and numbers
    ('[[CallStartTimeUTC].ToString("yyyy-MM-ddTHH:mm:ssZ")]', "2026-03-05T07:08:09Z"),
    ('[[CallStartTimeUTC].ToString("yyyy-MM-dd HH:mm:ss.fff")]', "2026-03-05 07:08:09.120"),
    ('[[CallStartTimeLocal].ToString("yyyy-MM-ddTHH:mm:ssK")]', "2026-03-05T09:08:09+02:00"),
    ('[[CallStartTimeUTC].ToLocalTime().ToString("HH:mm")]', "09:08"),
    ('[[CallStartTimeLocal].ToUniversalTime().ToString("HH:mm")]', "07:08"),
    ('[[CallStartTimeUTC].AddHours(1.5).ToString("HH:mm")]', "08:38"),
    ('[[CallStartTimeUTC].AddMinutes(-10).ToString("HH:mm")]', "06:58"),
    ('[[CallStartTimeUTC].AddDays(30).ToString("yyyy-MM-dd")]', "2026-04-04"),
    ('[[CallStartTimeUTC].AddSeconds(51).ToString("HH:mm:ss")]', "07:09:00"),
    ('[[CallStartTimeUTC].AddMonths(-1).ToString("yyyy-MM-dd")]', "2026-02-05"),
    ('[[CallStartTimeUTC].AddYears(1).ToString("yyyy-MM-dd")]', "2027-03-05"),
    ('[[CallStartTimeUTC].AddMilliseconds(880).ToString("ss.fff")]', "10.000"),
    ("[[CallStartTimeUTC].Year]", "2026"),
    ("[[CallStartTimeUTC].get_Month()]", "3"),
    ("[[CallStartTimeUTC].DayOfWeek]", "Thursday"),
    ("[[CallStartTimeUTC].DayOfYear]", "64"),
    ("[[CallStartTimeUTC].Kind]", "Utc"),
    ("[[CallStartTimeUTC].Millisecond]", "120"),
    ("[[CallStartTimeUTC].TimeOfDay]", "07:08:09.1200000"),
    ("[[CallStartTimeUTC].Date]", "03/05/2026 00:00:00"),
    ('[[CallStartTimeUTC].Add([DurationTimespan]).ToString("s")]', "2026-03-05T07:10:14"),
    ('[[CallStartTimeUTC].Subtract([DurationTimespan]).ToString("s")]', "2026-03-05T07:06:04"),
    ("[[CallStartTimeUTC].Subtract([CallStartTimeUTC])]", "00:00:00"),
    ("[[DurationTimespan].get_TotalSeconds()]", "125"),
    ('[[[DurationTimespan].get_TotalSeconds()].ToString("F0")]', "125"),
    ('[[[DurationTimespan].get_TotalMinutes()].ToString("F0")]', "2"),
    ('[[[DurationTimespan].get_TotalMinutes()].ToString("0.00")]', "2.08"),
    ("[[DurationTimespan].Minutes]", "2"),
    ("[[DurationTimespan].Seconds]", "5"),
    ("[[DurationTimespan].TotalMilliseconds]", "125000"),
    ('[[DurationTimespan].ToString("mm\\:ss")]', "02:05"),
    ('[[DurationTimespan].ToString("g")]', "0:02:05"),
    ("[[DurationTimespan].Negate()]", "-00:02:05"),
    ("[[DurationTimespan].Add([DurationTimespan])]", "00:04:10"),
    ('[[FoundRecordCount].ToString("D4")]', "0002"),
    ('[[Ratio].ToString("P0")]', "50 %"),
    ("[[Yes].ToString()]", "True"),
    ("[[FoundRecordCount].Equals(2)]", "False"),
    ("[[FoundRecordCount].CompareTo(3)]", "-1"),
    # IIf, comparisons and logic
    ("[IIf([CallType]==Missed,yes,no)]", "yes"),
    ("[IIf([CallType]==missed,yes,no)]", "no"),
    ('[IIf([CallType]=="Missed",yes,no)]', "yes"),
    ("[IIf([CallType]!=Missed,yes,no)]", "no"),
    ("[iif([CallType]==Missed,yes,no)]", "yes"),
    ("[IIf([CallType]==Inbound||[CallType]==Missed,in,out)]", "in"),
    ("[IIf([CallType]==Inbound&&[CallType]==Missed,in,out)]", "out"),
    ("[IIf([CallType]==Inbound||[CallType]==Missed&&[Agent]==9,in,out)]", "out"),
    ("[IIf(([CallType]==Inbound||[CallType]==Missed)&&[Agent]==101,in,out)]", "in"),
    ("[IIf([FoundRecordCount] > 0, True, False)]", "True"),
    ("[IIf([FoundRecordCount]>=3,True,False)]", "False"),
    ("[IIf([FoundRecordCount]<3,few,many)]", "few"),
    ("[IIf([FoundRecordCount]<=2,few,many)]", "few"),
    ("[IIf([FoundRecordCount]==2.0,same,other)]", "same"),
    ("[IIf([Agent]>99,big,small)]", "big"),
    ("[IIf([Agent]>9,big,small)]", "big"),
    ("[IIf([Enabled],on,off)]", "on"),
    ("[IIf([Yes],on,off)]", "on"),
    ("[IIf([EntityId],on,off)]", "off"),
    ("[IIf(True,on,off)]", "on"),
    ('[IIf([EntityId]=="",none,[EntityId])]', "none"),
    ("[IIf([CallType]==Missed,Missed call from [Number],Call)]", "Missed call from +4930123456"),
    ("[IIf([CallType]==Missed,,x)]", ""),
    ("[IIf([CallType]==Missed, spaced out ,x)]", "spaced out"),
    ('[IIf([CallType]==Missed," kept ",x)]', " kept "),
    ("[IIf([CallType]==Missed,a (b, c) d,x)]", "a (b, c) d"),
    ("[IIf([CallType]==Missed,x=1&y=2,z)]", "x=1&y=2"),
    ("[IIf([A]==1,a,IIf([Agent]==101,b,c))]", "b"),
    ("[IIf([A]==1,a,[IIf([Agent]==101,b,c)])]", "b"),
    ("[IIf([CallType]==Missed,a,[[CallEstablishedTimeUTC].Year])]", "a"),
    ("[IIf([CallStartTimeUTC]<[CallStartTimeLocal],before,after)]", "before"),
    ("[[Number]==[Number]]", "True"),
    ("[[Agent]==101&&[Yes]]", "True"),
    # what does not follow the grammar stays as it is
    ("[Number", "[Number"),
    ("a [Agent] [", "a [Agent] ["),
    ("[Agent], [b, c]", "[Agent], [b, c]"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_is_filled_in(text: str, expected: str) -> None:
    assert evaluate(text) == expected


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
