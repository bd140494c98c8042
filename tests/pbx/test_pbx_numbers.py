"""Numbers as a template sees them, and parameters as an administrator fills them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.pbx import ParameterError, Pbx
from callhelm_threecx.pbx.numbers import digits_of, render_number, same_number
from tests.pbx.crm import Crm, lookup, template

RENDERED = [
    ("+493012", "AsIs", None, "+493012"),
    ("00493012", "AsIs", None, "00493012"),
    ("+493012", "Off", None, "493012"),
    ("00493012", "Off", None, "493012"),
    ("+493012", "Plus", None, "+493012"),
    ("00493012", "Plus", None, "+493012"),
    ("+493012", "Zeros", None, "00493012"),
    ("00493012", "Zeros", None, "00493012"),
    ("03012", "Plus", None, "03012"),
    ("03012", "Zeros", None, "03012"),
    ("anonymous", "Off", None, "anonymous"),
    ("+ 49 30", "Off", None, "49 30"),
    ("", "Plus", None, ""),
    ("+493012", None, None, "+493012"),
    ("+123456789", "AsIs", 6, "456789"),
    ("+123456789", "Plus", 6, "456789"),
    ("+123456789", "AsIs", 9, "+123456789"),
    ("+123456789", "AsIs", 20, "+123456789"),
    ("+123456789", "AsIs", 0, "+123456789"),
    ("+123456789", "AsIs", -1, "+123456789"),
    ("+123456789", "Zeros", 9, "00123456789"),
    ("+123456789", "Zeros", 8, "23456789"),
    ("00123456789", "AsIs", 9, "00123456789"),
    ("00123456789", "AsIs", 8, "23456789"),
    ("(415) 555-0100", "AsIs", 7, "5550100"),
]


@pytest.mark.parametrize(("number", "prefix", "length", "expected"), RENDERED)
def test_a_number_is_rendered(
    number: str, prefix: str | None, length: int | None, expected: str
) -> None:
    assert render_number(number, prefix, length) == expected


def test_a_prefix_that_3cx_does_not_know_is_refused() -> None:
    with pytest.raises(ParameterError, match="AsIs, Off, Plus, Zeros"):
        render_number("+49", "plus")


@given(st.from_regex(r"(\+|00)?[1-9][0-9]{3,14}", fullmatch=True), st.integers(4, 20))
def test_a_cut_number_is_the_end_of_the_whole_one(number: str, length: int) -> None:
    cut = render_number(number, "AsIs", length)
    whole = digits_of(number.removeprefix("00"))
    assert cut == (number if len(whole) <= length else whole[-length:])


@pytest.mark.parametrize(
    ("searched", "output", "verbatim", "same"),
    [
        ("+14155550100", "+14155550100", True, True),
        ("5550100", "+14155550100", True, True),
        ("+14155550100", "+1 (415) 555-0100", True, False),
        ("+14155550100", "+1 (415) 555-0100", False, True),
        ("0014155550100", "+14155550100", False, True),
        ("33199001110", "+33 1 99 00 11 10", False, True),
        ("+14155550100", "4155550100", False, False),
        ("+14155550100", "", False, False),
        ("anonymous", "+14155550100", False, False),
        ("", "+14155550100", False, False),
    ],
)
def test_an_output_holds_the_number_or_not(
    searched: str, output: str, verbatim: bool, same: bool
) -> None:
    assert same_number(searched, output, verbatim=verbatim) is same


PARAMETERS = """
<Parameter Name="Key" Type="Password" Default="none"/>
<Parameter Name="On" Type="Boolean" Default="True"/>
<Parameter Name="Count" Type="Integer"/>
<Parameter Name="Share" Type="Double" Default="0.5"/>
<Parameter Name="Note" Type="String" Default="a[LineBreak]b"/>"""
ECHO = (
    '<Request Url="http://crm/" RequestType="Post" RequestEncoding="Json"><PostValues>'
    '<Value Key="v">[Key]|[On]|[Count]|[Share]|[Note]</Value></PostValues></Request>'
)


def sent_with(**parameters: object) -> str:
    crm = Crm(lambda _asked: {"people": []})
    Pbx(template(lookup(ECHO), parameters=PARAMETERS), parameters, app=crm).ring("+1")
    return str(crm.asked[0].json["v"])


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        ({}, "none|True||0.5|a\nb"),
        ({"Key": "k", "Note": "x"}, "k|True||0.5|x"),
        ({"On": False}, "none|False||0.5|a\nb"),
        ({"On": "true"}, "none|True||0.5|a\nb"),
        ({"On": "no", "Count": 5, "Share": "1.25"}, "none|False|5|1.25|a\nb"),
        ({"Key": None}, "|True||0.5|a\nb"),
    ],
)
def test_parameters_are_the_defaults_and_what_is_given(
    given_values: dict[str, object], expected: str
) -> None:
    assert sent_with(**given_values) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("Nokey", "x"), ("On", "maybe"), ("Count", "many"), ("Share", "half")]
)
def test_wrong_parameters_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ParameterError, match=name):
        sent_with(**{name: value})


@pytest.mark.parametrize(
    ("head", "setting", "expected"),
    [
        ('<Number Prefix="Plus" MaxLength="4"/>', "", "0100"),
        ('<Number Prefix="Plus" MaxLength=""/>', "", "+14155550100"),
        ('<Number MaxLength="[MaxLength]"/>', "7", "5550100"),
        ('<Number MaxLength="[IIf([MaxLength]>5,5,3)]"/>', "7", "50100"),
        ("", "7", "+14155550100"),
    ],
)
def test_the_length_may_be_an_expression(head: str, setting: str, expected: str) -> None:
    pbx = Pbx(template(lookup(), head=head), max_length=setting)
    assert pbx.engine.render("+14155550100") == expected


def test_a_length_that_is_no_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="MaxLength"):
        Pbx(template(lookup(), head='<Number MaxLength="all"/>')).engine.render("+1415")


def test_a_concurrency_that_is_no_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="MaxConcurrentRequests"):
        Pbx(template(lookup(), head='<Connection MaxConcurrentRequests="many"/>'))
