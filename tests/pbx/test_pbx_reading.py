"""What rules and variables take out of answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.pbx.documents import MAX_RECORDS, parse_document, text_of, walk_path
from callhelm_threecx.pbx.errors import ExchangeError
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.pbx.reading import Reader
from callhelm_threecx.template.codec import parse
from tests.pbx.crm import template

PEOPLE = {
    "success": True,
    "contacts": [
        {
            "id": 1,
            "name": "Ann",
            "phones": [{"type": "home", "no": "1"}, {"type": "work", "no": "2"}],
        },
        {"id": 2, "name": None, "phones": [{"type": "work", "no": "3"}]},
        {"id": 0, "name": "", "phones": []},
        {"name": "Nobody"},
    ],
    "tags": ["a", "b"],
    "nested": [[{"x": 1}], [{"x": 2}, {"x": 3}]],
    "empty": [],
    "far": {"away": {"from": {"here": 1.5}}},
}
WORK = '<Filter><Rule Type="Equals" Ethalon="work">contacts.phones.type</Rule></Filter>'


def read(
    rules: str, variables: str = "", *, document: Any = PEOPLE, empty: bool = False
) -> tuple[list[dict[str, str]], list[str]]:
    scenario = f"""<Scenario Type="REST"><Request Url="http://crm"/><Rules>{rules}</Rules>
      <Variables>{variables}</Variables></Scenario>"""
    (parsed,) = parse(template(scenario)).scenarios
    notes: list[str] = []
    reader = Reader(document, Evaluator({"Wanted": "Ann"}), notes.append, empty)
    return [reader.values(parsed, place) for place in reader.records(parsed)], notes


def rule(path: str, kind: str = "Any", ethalon: str = "") -> str:
    return f'<Rule Type="{kind}" Ethalon="{ethalon}">{path}</Rule>'


RULES = [
    (rule("contacts.id"), 3),
    (rule("contacts.name"), 2),
    (rule("contacts.nothing"), 0),
    (rule("nothing.at.all"), 0),
    (rule("contacts"), 4),
    (rule("contacts.phones.no"), 3),
    (rule("tags"), 2),
    (rule("nested.x"), 3),
    (rule("empty"), 0),
    (rule("success"), 1),
    (rule("far.away.from.here"), 1),
    (rule("far.away"), 1),
    ("", 1),
    (rule("success", "Equals", "True"), 1),
    (rule("success", "Equals", "true"), 0),
    (rule("contacts.name", "Equals", "Ann"), 1),
    (rule("contacts.name", "Equals", "[Wanted]"), 1),
    (rule("contacts.name", "NotEquals", "Ann"), 3),
    (rule("contacts.name", "Contains", "o"), 1),
    (rule("contacts.name", "NotContains", "o"), 3),
    (rule("contacts.name", "StartsWith", "No"), 1),
    (rule("contacts.name", "EndsWith", "n"), 1),
    (rule("contacts.name", "Empty"), 2),
    (rule("contacts.name", "NotEmpty"), 2),
    (rule("contacts.id") + rule("contacts.name"), 1),
    (rule("contacts.id") + rule("success", "Equals", "True"), 3),
    (rule("contacts.name") + rule("contacts.phones.type", "Equals", "work"), 1),
]


@pytest.mark.parametrize(("rules", "count"), RULES)
def test_rules_select_records(rules: str, count: int) -> None:
    records, _ = read(rules)
    assert len(records) == count


def test_variables_stay_within_the_record() -> None:
    records, notes = read(
        rule("contacts.id"),
        '<Variable Name="Id" Path="contacts.id"/><Variable Name="Name">contacts.name</Variable>'
        '<Variable Name="Ok" Path="success"/>',
    )
    assert records == [
        {"Id": "1", "Name": "Ann", "Ok": "True"},
        {"Id": "2", "Name": "", "Ok": "True"},
        {"Id": "0", "Name": "", "Ok": "True"},
    ]
    assert not notes


def test_a_filter_picks_one_element_of_an_inner_array() -> None:
    variable = f'<Variable Name="Work" Path="contacts.phones.no">{WORK}</Variable>'
    records, notes = read(rule("contacts.id"), variable)
    assert [record["Work"] for record in records] == ["2", "3", ""]
    assert not notes


def test_without_a_filter_an_inner_array_must_have_one_element() -> None:
    variable = '<Variable Name="Phone" Path="contacts.phones.no"><Filter/></Variable>'
    records, notes = read(rule("contacts.id"), variable)
    assert [record["Phone"] for record in records] == ["", "3", ""]
    assert "no Filter picks one" in notes[0]


def test_an_array_variable_takes_all_elements() -> None:
    records, _ = read("", '<Variable Name="Tags" Path="tags" IsArray="true"/>')
    assert records == [{"Tags": "a,b"}]


def test_a_skipped_variable_is_not_read() -> None:
    records, _ = read("", '<Variable Name="Ok" Path="success" Skip="true"/>')
    assert records == [{}]


def test_a_branch_is_read_as_json() -> None:
    records, _ = read("", '<Variable Name="Far" Path="far.away"/>')
    assert records == [{"Far": '{"from":{"here":1.5}}'}]


def test_positional_indexes_find_nothing_and_say_so() -> None:
    records, notes = read(rule("contacts[0].id"))
    assert not records
    assert "positional indexes" in notes[0]


def test_an_unknown_kind_of_rule_never_passes_and_says_so() -> None:
    records, notes = read(rule("success", "Sometimes"))
    assert not records
    assert "Sometimes" in notes[0]


def test_a_rule_on_an_empty_array_passes_where_the_pbx_is_so() -> None:
    variable = '<Variable Name="Id" Path="empty.id"/>'
    assert read(rule("empty"), variable, empty=True) == ([{"Id": ""}], [])
    assert read(rule("empty.id"), variable, empty=True) == ([], [])


def test_an_array_at_the_root_is_walked_through() -> None:
    records, _ = read(rule("id"), '<Variable Name="Id" Path="id"/>', document=[{"id": 4}, {}])
    assert records == [{"Id": "4"}]


XML = """<?xml version="1.0"?>
<Answer><Contacts>
  <Contact id="1"><Name>Ann</Name></Contact>
  <Contact id="2"><Name lang="de">Bert</Name></Contact>
</Contacts></Answer>"""


@pytest.mark.parametrize("root", ["", "Answer."])
def test_xml_is_read_by_the_same_paths(root: str) -> None:
    variables = (
        f'<Variable Name="Id" Path="{root}Contacts.Contact.id"/>'
        f'<Variable Name="Name" Path="{root}Contacts.Contact.Name"/>'
    )
    document = parse_document(XML, "Xml")
    records, _ = read(rule(f"{root}Contacts.Contact.id"), variables, document=document)
    assert records == [{"Id": "1", "Name": "Ann"}, {"Id": "2", "Name": "Bert"}]


def test_only_xml_has_a_root_to_leave_out() -> None:
    assert read(rule("id"), document={"person": {"id": 1}}) == ([], [])
    assert read(rule("id"), document={"@id": 1}) == ([], [])


def test_xml_without_anything_inside_is_a_text() -> None:
    records, _ = read(
        "", '<Variable Name="Ok" Path="Ok"/>', document=parse_document("<Ok>1</Ok>", "Xml")
    )
    assert records == [{"Ok": "1"}]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>", None),
        ("{", "Json"),
        ("[" * 100_000, "Json"),
        ("<a>", "Xml"),
        ("{}", "Xml"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "Xml"),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(body: str, kind: str | None) -> None:
    with pytest.raises(ExchangeError):
        parse_document(body, kind)


def test_a_blank_answer_is_nothing() -> None:
    assert parse_document(" \n", "Json") is None


@pytest.mark.parametrize(
    ("leaf", "text"),
    [
        (None, ""),
        (True, "True"),
        (False, "False"),
        (0, "0"),
        (1.5, "1.5"),
        ("x", "x"),
        ([], ""),
        ({}, ""),
        ({"a": [1]}, '{"a":[1]}'),
        (["é"], '["é"]'),
    ],
)
def test_leaves_are_printed_as_net_does(leaf: Any, text: str) -> None:
    assert text_of(leaf) == text


def test_no_answer_has_more_records_than_anyone_can_show() -> None:
    crossed = {"a": [{"b": [{"c": 1}] * 1_000}] * 1_000}
    assert len(walk_path(crossed, "a.b.c", {})) == MAX_RECORDS


def test_a_branch_nested_beyond_reason_is_refused() -> None:
    document = parse_document("<a>" * 50_000 + "</a>" * 50_000, "Xml")
    with pytest.raises(ExchangeError):
        text_of(document)


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "@a", "#text"]), inside, max_size=3)
    ),
    max_leaves=20,
)


@given(DOCUMENTS, st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=5).map(".".join))
def test_any_path_through_any_document_ends(document: Any, path: str) -> None:
    for place, leaf in walk_path(document, path, {}):
        assert isinstance(text_of(leaf), str)
        assert walk_path(document, path, place) == [(place, leaf)]


def test_a_document_nested_without_end_is_no_trouble() -> None:
    nested = json.loads("[" * 500 + "]" * 500)
    assert walk_path(nested, "a", {}) == []
