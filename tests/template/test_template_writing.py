"""Writing templates: nothing is lost, and what XML cannot hold is refused."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callhelm_threecx.template import Crm, TemplateError, parse, serialize
from callhelm_threecx.template import model as m
from callhelm_threecx.template.elements import Extra, RawNode, Section

Tree = tuple[str, tuple[tuple[str, str], ...], str, tuple[Any, ...]]

CHAINED = """<?xml version="1.0"?>
<Crm xmlns:xsd="http://www.w3.org/2001/XMLSchema" Country="DE" Name="Chained" Version="3">
  <Number Prefix="Zeros" MaxLength="" />
  <Connection MaxConcurrentRequests="2" />
  <Parameters>
    <Parameter Name="Server" Type="String" Parent="" Title="Server &amp; port" />
    <Parameter Name="Token" Type="OAuth" RequestUrl="[Server]/auth" ResponseScenario="Exchange"
               RequestUrlParameters="a=1&amp;b=[State]" />
  </Parameters>
  <Authentication Type="Scenario"><Value>SignIn</Value></Authentication>
  <Scenarios>
    <Scenario Id="SignIn" Type="REST">
      <Request Url="[Server]/login" MessagePasses="0" RequestEncoding="UrlEncoded"
               Message="{ &quot;user&quot;: ^^[User]^^ }" RequestType="Post" ResponseType="Json"/>
      <Rules><Rule Type="Any" Ethalon="">ticket</Rule></Rules>
      <Variables>
        <Variable Name="Ticket">ticket<Filter /></Variable>
        <Variable Name="Other" Path="other"><Filter /></Variable>
      </Variables>
      <Outputs Next="" AllowEmpty="false" />
    </Scenario>
    <Scenario Type="REST">
      <Request SkipIf="[IIf([FoundRecordCount] &gt; 0, True, False)]" Url="[Server]/find">
        <Headers><Value Key="Authorization">Bearer [Ticket]</Value></Headers>
        <QueryParams><Value Key="n">[Number]</Value></QueryParams>
        <PostValues>
          <Value Key="note" Passes="2">[[Text]]&#x0A;  [Number] </Value>
          <Array Key="tags"><Value Key="">a</Value><Object Key=""/><Value Key="">b</Value></Array>
          <Value Key="last"> </Value>
        </PostValues>
      </Request>
      <Variables />
      <Outputs AllowEmpty="true"><Output Type="ContactUrl" Passes="0" Value="[U]"/></Outputs>
    </Scenario>
  </Scenarios>
</Crm>
"""


def tree(element: ET.Element) -> Tree:
    """An element as it matters: white space around child elements does not."""
    inside = tuple(tree(child) for child in element)
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    if inside or element.tag == "Variables":
        text = text.strip()
    return element.tag, tuple(sorted(element.attrib.items())), text, inside


def element(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - written here


def same(written: str, read: str) -> bool:
    return tree(element(written)) == tree(element(read))


def test_a_template_survives_reading_and_writing() -> None:
    again = serialize(parse(CHAINED))

    assert same(again, CHAINED)
    assert parse(again) == parse(CHAINED)


def test_writing_is_the_same_every_time() -> None:
    assert serialize(parse(serialize(parse(CHAINED)))) == serialize(parse(CHAINED))


def test_the_file_declares_itself_and_is_indented() -> None:
    text = serialize(Crm(name="A", number=m.Number(prefix="AsIs", max_length="")))

    assert text == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<Crm Name="A">\n'
        '  <Number Prefix="AsIs" MaxLength=""/>\n'
        "</Crm>\n"
    )


def test_a_path_written_as_text_stands_directly_before_its_filter() -> None:
    assert '<Variable Name="Ticket">ticket<Filter/></Variable>' in serialize(parse(CHAINED))


@pytest.mark.parametrize(
    "text",
    [
        " leading and trailing ",
        "\n",
        "a\nb",
        "a\r\nb\r",
        "\t\ttabs",
        "   ",
        "]]>",
        "<Value>&amp;</Value>",
        "[[x]] \"quoted\" 'single'",
        "Ünï\u2028côde 😀 \ufffd",
        "\rN\rR\rT",
        "&#10;",
    ],
)
def test_any_text_survives_as_element_and_as_attribute(text: str) -> None:
    value = m.Value(key=text, text=text)
    crm = _with_body(value)

    again = parse(serialize(crm))

    assert again == crm
    assert element(serialize(crm)).findtext(".//Value") == text


def test_a_line_feed_in_a_text_is_written_as_a_reference() -> None:
    assert ">a&#10;b</Value>" in serialize(_with_body(m.Value(text="a\nb")))


def test_unknown_parts_are_written_again() -> None:
    odd = (
        '<Crm Colour="red"><Number Suffix="x">words</Number>'
        "<Scenarios><Scenario><Rules Mode='all'>why<Regel/></Rules>"
        "<Query Sql='select 1'>a<b/>  <c>t</c>d</Query>"
        "<Command>\n  <d> <e/>\n </d></Command></Scenario></Scenarios></Crm>"
    )

    assert same(serialize(parse(odd)), odd)
    assert parse(serialize(parse(odd))) == parse(odd)


@pytest.mark.parametrize("bad", ["\x00", "\x01", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
@pytest.mark.parametrize("place", ["text", "attribute"])
def test_a_character_that_xml_cannot_hold_is_refused(bad: str, place: str) -> None:
    value = m.Value(text=f"a{bad}") if place == "text" else m.Value(key=f"a{bad}")

    with pytest.raises(TemplateError, match=rf"U\+{ord(bad):04X}, which XML cannot contain") as e:
        serialize(_with_body(value))

    assert e.value.code == "forbidden_character"
    assert "Crm/Scenarios/Scenario/Request/PostValues/Value" in e.value.message


@pytest.mark.parametrize("name", ["", "a b", "1a", "a>", 'a"', "<a", "a\nb", "a\n", "@a", "#text"])
def test_a_name_that_xml_does_not_allow_is_refused(name: str) -> None:
    for extra in (Extra(attributes=((name, "1"),)), Extra(children=(RawNode(name),))):
        with pytest.raises(TemplateError) as caught:
            serialize(Crm(extra=extra))
        assert caught.value.code == "bad_name"


def test_an_attribute_cannot_stand_twice() -> None:
    with pytest.raises(TemplateError) as caught:
        serialize(Crm(name="a", extra=Extra(attributes=(("Name", "b"),))))

    assert caught.value.code == "duplicate_attribute"


def test_an_element_in_a_place_that_cannot_hold_it_is_refused() -> None:
    section: Any = Section(items=(m.Number(),))
    with pytest.raises(TemplateError, match="Number cannot stand where Parameter can") as caught:
        serialize(Crm(parameters=section))

    assert caught.value.code == "bad_element"


def test_a_model_nested_without_end_is_refused() -> None:
    item = m.PostObject()
    for _ in range(200):
        item = m.PostObject(items=(item,))

    with pytest.raises(TemplateError) as caught:
        serialize(_with_body(item))

    assert caught.value.code == "too_deep"


CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"
).filter(lambda c: c >= " " or c in "\t\n\r")
TEXT = st.text(CHARACTERS, max_size=20)
OPTIONAL = st.none() | TEXT
CONTENT = st.none() | st.text(CHARACTERS, min_size=1, max_size=20)
VALUES = st.builds(
    m.Value, key=OPTIONAL, if_=OPTIONAL, skip_if=OPTIONAL, passes=OPTIONAL, text=CONTENT
)


def _nest(items: st.SearchStrategy[m.PostItem]) -> st.SearchStrategy[m.PostItem]:
    several = st.lists(items, max_size=4).map(tuple)
    return st.builds(m.PostObject, key=OPTIONAL, items=several) | st.builds(
        m.PostArray, key=OPTIONAL, items=several
    )


BODIES: st.SearchStrategy[m.PostItem] = st.recursive(VALUES, _nest, max_leaves=12)
PATHS = st.none() | st.text(CHARACTERS, min_size=1, max_size=9).filter(str.strip)
VARIABLES = st.builds(
    m.Variable,
    name=OPTIONAL,
    path=OPTIONAL,
    text=PATHS,
    filters=st.lists(
        st.builds(m.Filter, rules=st.lists(st.builds(m.Rule, text=CONTENT), max_size=2).map(tuple)),
        max_size=2,
    ).map(tuple),
)
SCENARIOS = st.builds(
    m.Scenario,
    id=OPTIONAL,
    request=st.none()
    | st.builds(
        m.Request,
        url=OPTIONAL,
        message=OPTIONAL,
        post_values=st.builds(
            Section, items=st.lists(BODIES, max_size=3).map(tuple), present=st.just(True)
        ),
    ),
    variables=st.builds(
        Section, items=st.lists(VARIABLES, max_size=3).map(tuple), present=st.just(True)
    ),
    outputs=st.none()
    | st.builds(
        m.Outputs,
        next=OPTIONAL,
        items=st.lists(st.builds(m.Output, value=OPTIONAL), max_size=3).map(tuple),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SCENARIOS, max_size=3))
def test_every_model_that_can_be_written_is_read_back_the_same(found: list[m.Scenario]) -> None:
    crm = Crm(name="x", scenarios=Section(items=tuple(found), present=True))

    assert parse(serialize(crm)) == crm


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_whatever_is_fed_in_gives_a_template_or_a_template_error(data: str | bytes) -> None:
    if isinstance(data, str):
        data = f"<Crm>{data}</Crm>"
    with suppress(TemplateError):
        assert isinstance(parse(data), Crm)


def _with_body(item: m.PostItem) -> Crm:
    request = m.Request(post_values=Section(items=(item,)))
    return Crm(scenarios=Section(items=(m.Scenario(request=request),)))
