"""How expressions are read, before anything is evaluated."""

import gc
import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.template.expressions import (
    MAX_LENGTH,
    Bracket,
    Comparison,
    Condition,
    ExpressionError,
    Logic,
    Member,
    Template,
    Text,
    Variable,
    parse,
    parse_condition,
    unescape,
    variables,
    walk,
)

VARIABLES = [
    ("", set()),
    ("plain text", set()),
    ("[Number]", {"Number"}),
    ("a[Number]b[Agent]c", {"Number", "Agent"}),
    ("[Contact::Email]", {"Contact::Email"}),
    ("[[Number]]", {"Number"}),
    ('[[Number].Replace("+","%2B")]', {"Number"}),
    ('[[[DurationTimespan].get_TotalSeconds()].ToString("F0")]', {"DurationTimespan"}),
    ("[IIf([CallType]==Inbound||[CallType]==Missed,in,out)]", {"CallType"}),
    ("[IIf([A]==1,[B],[C])]", {"A", "B", "C"}),
    ("[IIf([A]==1,IIf([B]==2,x,[D]),[C])]", {"A", "B", "C", "D"}),
    ('[IIf([A]!=True||[B]=="",True,[IIf([C]!=Inbound,True,False)])]', {"A", "B", "C"}),
    ("[IIf([A]>0,from [B] (via [C], late),none)]", {"A", "B", "C"}),
    ("[]", set()),
    ("]", set()),
    ("a ] b", set()),
    ("[two words]", {"two words"}),
    ("[ Number ]", {"Number"}),
    ("[Caller's name]", {"Caller's name"}),
    ("[x.y]", {"x.y"}),
    ("[a (b, c)]", {"a (b, c)"}),
    ('[[A].Replace("[B]","x")]', {"A"}),
    ("[[A].PadLeft(10,'0')]", {"A"}),
    ("[[A].Insert(0,[B])]", {"A", "B"}),
    ("https://crm/#a=[A]&b=[B]", {"A", "B"}),
    ("[Namé]", {"Namé"}),
    ("[[A].Trim().ToUpper().Substring(0,3)]", {"A"}),
    ("[([A]==1)&&([B]==2)]", {"A", "B"}),
]


@pytest.mark.parametrize(("text", "expected"), VARIABLES)
def test_variables_of_a_text_are_named(text: str, expected: set[str]) -> None:
    assert variables(parse(text)) == expected


CONDITIONS = [
    ("", set()),
    ("   ", set()),
    ("True", set()),
    ("[A]", {"A"}),
    ("[A]!=True", {"A"}),
    ('[EntityId]==""', {"EntityId"}),
    ('"" == [EntityId]', {"EntityId"}),
    ("[A] > 0", {"A"}),
    ("[A]<=[B]", {"A", "B"}),
    ("[A]==x||[B]==y&&[C]==z", {"A", "B", "C"}),
    ("([A]==x||[B]==y)&&[C]==z", {"A", "B", "C"}),
    ("[IIf([FoundRecordCount] > 0, True, False)]", {"FoundRecordCount"}),
    ("[A].Length>3", {"A"}),
    ('[[A].Contains("x")]', {"A"}),
    ("[A]==two words", {"A"}),
    ("([A]==1)", {"A"}),
    ("[A]==call (late)", {"A"}),
]


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_variables_of_a_condition_are_named(text: str, expected: set[str]) -> None:
    assert variables(parse_condition(text)) == expected


BROKEN = [
    ("[", 0, "never closed"),
    ("a[Number", 1, "never closed"),
    ("[[Number]", 0, "never closed"),
    ("[A==]", 4, "value is missing"),
    ("[==A]", 1, "value is missing"),
    ('[[A].Replace("x]', 13, "never closed"),
    ("[[A].Trim(]", 10, '")" is expected'),
    ("[IIf([A]==1,a,b]", 15, '")" is expected'),
    ("[a,b]", 2, '"]" is expected'),
    ("[[A]||]", 6, "value is missing"),
    ("[([A]]", 5, '")" is expected'),
    ("[" * 41 + "A" + "]" * 41, 41, "levels deep"),
    ("[[A]" + ".Trim()" * 41 + "]", None, "levels deep"),
]


@pytest.mark.parametrize(("text", "position", "message"), BROKEN)
def test_broken_texts_say_where_and_why(text: str, position: int | None, message: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(message)) as caught:
        parse(text)
    assert position is None or caught.value.position == position
    assert caught.value.message in str(caught.value)


BROKEN_CONDITIONS = [
    ("[A]==", 5),
    ("==x", 0),
    ("[A]==1 ||", 9),
    ("[A]==1)", 6),
    ("([A]==1", 7),
    ('[A]=="', 5),
    ("[A]==1==2", 6),
    ("[A", 0),
    ("[A]==1,2", 6),
]


@pytest.mark.parametrize(("text", "position"), BROKEN_CONDITIONS)
def test_broken_conditions_say_where(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition(text)
    assert caught.value.position == position


def test_and_binds_closer_than_or() -> None:
    condition = parse_condition("[A]==1||[B]==2&&[C]==3")
    assert isinstance(condition.expression, Logic)
    assert condition.expression.operator == "||"
    assert [type(each) for each in condition.expression.operands] == [Comparison, Logic]


def test_a_method_outside_brackets_is_plain_text() -> None:
    parsed = parse('[Number].Replace("+","")')
    assert parsed.parts == (
        Bracket(0, 8, Variable(1, "Number")),
        Text(8, '.Replace("+","")'),
    )


def test_a_second_pair_of_brackets_makes_it_a_method() -> None:
    (bracket,) = parse('[[Number].Replace("+","")]').parts
    assert isinstance(bracket, Bracket)
    assert isinstance(bracket.expression, Member)
    assert bracket.expression.name == "Replace"


def test_operators_in_a_value_are_plain_text() -> None:
    (bracket,) = parse("[IIf([A]==1,x=1&&y==2,a<b)]").parts
    texts = [node.value for node in walk(bracket) if isinstance(node, Text)]
    assert texts == ["1", "x=1&&y==2", "a<b"]


def test_the_sources_are_kept() -> None:
    assert parse("[A] b").source == "[A] b"
    assert isinstance(parse_condition("[A]"), Condition)
    assert parse_condition("[A]").source == "[A]"


def test_message_escapes_are_brackets_and_quotes() -> None:
    assert unescape('{{ ^^a^^ }} "') == '[ "a" ] "'


def test_message_quotes_open_strings_inside_brackets() -> None:
    assert variables(parse("[[A].Replace(^^]^^,^^x^^)]", message=True)) == {"A"}


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ExpressionError, match="longer than"):
        parse("x" * (MAX_LENGTH + 1))


ALPHABET = st.text(alphabet="[](),.\"'^{}|&=!<> aIf1xé\n", max_size=120)


@given(ALPHABET)
def test_any_text_parses_or_raises_its_own_error(text: str) -> None:
    positions = _positions(parse, text) + _positions(parse_condition, text)
    assert all(0 <= position <= len(text) for position in positions)


def _positions(read: Callable[[str], Template | Condition], text: str) -> list[int]:
    try:
        tree = read(text)
    except ExpressionError as error:
        return [error.position]
    return [node.position for node in walk(tree)]


@given(st.text(alphabet=st.characters(exclude_characters="["), max_size=200))
def test_a_text_without_a_bracket_is_one_literal(text: str) -> None:
    expected = (Text(0, text),) if text else ()
    assert parse(text) == Template(0, text, expected)


HOSTILE = [
    ("", "[", ""),
    ("", "[a", ""),
    ("", "[IIf(", ""),
    ("[[A]", ".x", ""),
    ("[", "(", ""),
    ("[A", "||[A]", "]"),
    ("[", "'", "]"),
    ("[", ",'", "]"),
    ("", "[x,", ""),
    ("", "]", ""),
    ("[", '"a"', "]"),
    ("", "[]", ""),
    ("[", " ", ""),
]


@pytest.mark.parametrize(("head", "again", "tail"), HOSTILE)
def test_hostile_texts_are_read_in_linear_time(head: str, again: str, tail: str) -> None:
    small, large = (_reading_time(head + again * count + tail) for count in (2_000, 32_000))
    # Sixteen times the text may take sixteen times as long; quadratic would be 256 times.
    assert large < 64 * small + 0.2


def _reading_time(text: str) -> float:
    """Of this thread alone, and without the collector, which would look through all of the tests'
    process."""
    gc.disable()
    began = time.thread_time()
    with suppress(ExpressionError):
        variables(parse(text))
    gc.enable()
    return time.thread_time() - began
