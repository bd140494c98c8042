"""The lint: one fault gives one finding, at its place; what is right gives none."""

from __future__ import annotations

import dataclasses
import time

import pytest
from broken_templates import GOOD, TABLE, Broken
from hypothesis import given, settings
from hypothesis import strategies as st

from callhelm_threecx.template import Crm, build_template, parse, render_template
from callhelm_threecx.template.elements import Section
from callhelm_threecx.template.lint import CODES, SEVERITIES, Finding, lint, lint_text

NOT_IN_TABLE = {"T003", "T103"}  # these leave nothing else of a template: they stand below


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.code} {row.name}" for row in TABLE])
def test_each_fault_is_found_where_it_is(row: Broken) -> None:
    findings = lint_text(row.xml)

    assert codes(findings) == [row.code], findings
    assert (findings[0].line, findings[0].column) == row.place
    assert findings[0].severity == CODES[row.code].severity
    assert findings[0].message.endswith(".")


def test_the_table_is_wide_and_covers_every_code() -> None:
    assert len(TABLE) >= 100
    assert {row.code for row in TABLE} | NOT_IN_TABLE == set(CODES)


def test_a_right_template_has_no_findings() -> None:
    assert lint_text(GOOD) == []


def test_another_root_is_a_finding() -> None:
    assert [(f.code, f.line) for f in lint_text("\n<crm/>")] == [("T003", 2)]


def test_an_empty_template_says_so() -> None:
    findings = lint_text('<Crm Country="US" Name="x" Version="1"><Scenarios/></Crm>')

    assert codes(findings) == ["T103"]


def test_a_file_without_a_place_for_its_error_is_reported_at_its_beginning() -> None:
    assert [(f.code, f.line, f.column) for f in lint_text(b"")] == [("T001", 1, 1)]


HARMLESS = {
    "an empty Message beside PostValues": (
        'Url="[Server]/token"',
        'Message="" Url="[Server]/token"',
    ),
    "namespaces of a schema": ("<Crm ", '<Crm xmlns:xsi="urn:i" xmlns:xsd="urn:s" '),
    "a bare number when the prefix is off": ('Prefix="Plus"', 'Prefix="Off"'),
    "no limit of length": ('MaxLength="[MaxLength]"', 'MaxLength=""'),
    "a local server without encryption": ("https://crm.example.net", "http://127.0.0.1:8069"),
    "a local name without encryption": ("https://crm.example.net", "http://localhost/x"),
    "an address of IPv6": ("https://crm.example.net", "http://[::1]:8080"),
    "Passes of 0": ('Passes="1">[Transcription]', 'Passes="0">[Transcription]'),
    "an empty string in an If": ('If="[CallType]==Missed"', 'If="[EntityId]!=&quot;&quot;"'),
    "a quoted word in a SkipIf": ("[EntityId]==&quot;&quot;", "[CallType]==&quot;Missed&quot;"),
    "a bare word alone in an IIf": (
        "[ReportCallEnabled]!=True||[EntityId]==&quot;&quot;",
        "[IIf([ReportCallEnabled]!=True,True,[IIf([CallType]!=Inbound,True,False)])]",
    ),
    "an exported PostValues": (
        '<PostValues><Array Key="any">',
        '<PostValues Key="" If="" SkipIf=""><Array Key="any">',
    ),
    "an exported scenario": (
        '<Scenario Id="" Type',
        '<Scenario EntityId="" EntityOrder="" Id="" Type',
    ),
    "an empty SkipIf": ('Url="[Server]/flow"', 'SkipIf="" Url="[Server]/flow"'),
    "a word as Output": ('Value="People"', 'Value="a person"'),
    "an empty Output": ('Type="EntityType" Value="People"', 'Type="Email" Value=""'),
    "an unusual rule type": (
        '<Rule Type="Any">ticket.key',
        '<Rule Type="GreaterThan">ticket.key',
    ),
    "a long comment": ("<Parameters>", "<Parameters><!-- ==== a - b ==== -->"),
    "a guard in SkipIf": ('If="[CallType]==Inbound"', 'SkipIf="[CallType]!=&quot;Inbound&quot;"'),
    "the name of the PBX's own number length": ("[Server]/flow", "[Server]/flow?m=[MaxLength]"),
    "milliseconds": ("[Contact::EntityId]", "[CallStartTimeUTCMillis]"),
    "the local text of the time": ("[Contact::EntityId]", "[DateTime]"),
    "a JSON text in a body": ("[Contact::EntityId]", '{"a":{"b":1}}'),
    "a duration as a number": (
        "[Contact::EntityId]",
        '[[[DurationTimespan].get_TotalSeconds()].ToString("F0")]',
    ),
    "a plain GET that is not named": (
        'Url="[Server]/firms/[Firm]" RequestType="Get"',
        'Url="[Server]/firms/[Firm]"',
    ),
}


@pytest.mark.parametrize(("old", "new"), HARMLESS.values(), ids=HARMLESS.keys())
def test_what_works_is_left_alone(old: str, new: str) -> None:
    assert GOOD.count(old) >= 1

    assert lint_text(GOOD.replace(old, new)) == []


def test_a_number_needs_no_care_in_a_url_when_it_has_no_plus() -> None:
    xml = GOOD.replace('Prefix="Plus"', 'Prefix="Off"').replace(
        "[Server]/flow", "[Server]/[Number]"
    )

    assert lint_text(xml) == []


def test_a_host_that_cannot_be_read_is_still_no_secure_one() -> None:
    xml = GOOD.replace("https://crm.example.net", "http://[crm.example.net")

    assert set(codes(lint_text(xml))) == {"T305"}


def test_a_word_compared_as_the_whole_condition_is_reported_too() -> None:
    xml = GOOD.replace("[ReportCallEnabled]!=True||[EntityId]==&quot;&quot;", "[CallType]==Missed")

    assert codes(lint_text(xml)) == ["T317"]


def test_a_report_with_several_parts_is_reported_once() -> None:
    end = "        </PostValues>\n      </Request>\n    </Scenario>\n  </Scenarios>"
    more = end.replace("</Request>", "</Request><Rules/><Variables/><Outputs/>")
    findings = lint_text(GOOD.replace(end, more))

    assert codes(findings) == ["T207"]
    assert "Rules and Variables and Outputs" in findings[0].message


def test_a_database_scenario_is_not_judged_further() -> None:
    row = next(row for row in TABLE if row.code == "T211")

    assert codes(lint_text(row.xml)) == ["T211"]


def test_the_value_of_a_parameter_is_judged_only_when_it_is_evaluated() -> None:
    once = GOOD.replace('Passes="2">[[CallText]]', 'Passes="1">[CallText]')

    assert lint_text(once.replace("[LineBreak][Agent]", "[Nobody]")) == []


def test_a_broken_expression_in_a_parameter_is_found_when_it_is_evaluated() -> None:
    assert codes(lint_text(GOOD.replace("[LineBreak][Agent]", "[Agent"))) == ["T310"]


def test_findings_come_in_the_order_of_the_file() -> None:
    xml = GOOD.replace('Prefix="Plus"', 'Prefix="plus"').replace('Version="2"', 'Version="two"')
    xml = xml.replace("people.given", "people[0].given").replace("people[0].given", "people.x[0]")

    found = lint_text(xml)

    assert [f.code for f in found] == ["T102", "T020", "T405"]
    assert [f.line for f in found] == sorted(f.line for f in found)


def test_a_model_is_judged_by_the_lines_of_its_elements() -> None:
    xml = '<Crm Country="US"\n     Name="x" Version="one"><Scenarios/></Crm>'

    assert [(f.code, f.line, f.column) for f in lint(parse(xml))] == [
        ("T102", 1, 1),
        ("T103", 1, 1),
    ]
    assert [(f.code, f.line, f.column) for f in lint_text(xml)] == [("T103", 1, 1), ("T102", 2, 15)]


def test_a_template_that_was_built_is_judged_without_lines() -> None:
    assert {finding.line for finding in lint(Crm())} == {0}


def test_a_finding_names_the_element_and_the_attribute() -> None:
    row = next(row for row in TABLE if row.name == "a quoted word in an If")
    finding = lint_text(row.xml)[0]

    assert finding.path == "Crm/Scenarios/Scenario[ReportCall]/Request/PostValues/Value[kind]"
    assert finding.attribute == "If"
    assert finding.slug == "quoted-word"
    assert "Missed without quotes" in finding.hint


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('SupportsEmojis="true"', 'supportsemojis="true"', "Write SupportsEmojis"),
        ('SupportsEmojis="true"', 'SupportEmojis="true"', "Did you mean SupportsEmojis?"),
        ('SupportsEmojis="true"', f'{"x" * 90}="1"', "Remove it."),
        ('Prefix="Plus"', 'Prefix="plus"', 'Write Prefix="Plus".'),
        ("[CallText]]", "[Calltext]]", "Write [CallText]"),
        ("[CallText]]", "[ColdText]]", "Did you mean [CallText]?"),
        ("[CallText]]", "[Zzzzzzzz]]", "Add a parameter"),
        ("[CallText]]", f"[{'z' * 90}]]", "Check the brackets."),
        ('Next="ReadFirm"', 'Next="readfirm"', "Write ReadFirm"),
        ('Id="ReportCall"', 'Id="REPORTCALL"', "Write ReportCall"),
        ('Id="SearchContacts_People"', 'Id="searchcontacts_People"', "Write SearchContacts_People"),
    ],
)
def test_a_hint_says_what_was_probably_meant(old: str, new: str, hint: str) -> None:
    assert any(finding.hint.startswith(hint) for finding in lint_text(GOOD.replace(old, new)))


def test_a_loop_of_two_is_reported_once() -> None:
    xml = """<Crm Country="US" Name="x" Version="1"><Scenarios>
      <Scenario Id="a"><Request Url="u"/><Outputs Next="b"/></Scenario>
      <Scenario Id="b"><Request Url="u"/><Outputs Next="a"/></Scenario></Scenarios></Crm>"""

    assert codes(lint_text(xml)).count("T206") == 1


@pytest.mark.parametrize("base", ["https://crm.example.com", "http://127.0.0.1:8080"])
def test_our_own_template_is_clean(base: str) -> None:
    assert lint(build_template(base_url=base, api_key="3cx_k", organization_name="Acme")) == []


def test_our_own_template_over_plain_http_is_not() -> None:
    findings = lint(build_template(base_url="http://crm.example.com", api_key="3cx_k"))

    assert set(codes(findings)) == {"T305"}


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=30),
    st.text(st.sampled_from("[]&<>\"'^{}aé "), max_size=30),
)
def test_no_name_and_no_key_makes_our_template_questionable(name: str, key: str) -> None:
    text = render_template(
        base_url="https://crm.example.com", api_key=key, organization_name=name, prefix=""
    )

    assert lint_text(text) == []


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, len(GOOD)), st.integers(0, 60), st.text("[]\"'=<>/&;. aN(),|!^{}", max_size=9)
)
def test_the_lint_answers_whatever_has_happened_to_a_file(
    start: int, length: int, inserted: str
) -> None:
    findings = lint_text(GOOD[:start] + inserted + GOOD[start + length :])

    assert all(f.code in CODES and f.line >= 1 and f.column >= 1 for f in findings)


@settings(max_examples=100, deadline=None)
@given(st.text("[]\"'=<>/&;. aN(),|!^{}IfTrue+", max_size=60))
def test_the_lint_answers_whatever_an_expression_holds(text: str) -> None:
    crm = parse(GOOD)
    scenarios = []
    for scenario in crm.scenarios:
        assert scenario.request is not None
        request = dataclasses.replace(scenario.request, url=text, skip_if=text, message=text)
        scenarios.append(dataclasses.replace(scenario, request=request))
    broken = dataclasses.replace(crm, scenarios=Section(items=tuple(scenarios)))

    assert all(finding.code in CODES for finding in lint(broken))


def test_a_large_hostile_template_is_judged_in_reasonable_time() -> None:
    chained = "".join(
        f'<Scenario Id="s{i}"><Request Url="[v{i}]"/><Outputs Next="s{i + 1}"/></Scenario>'
        for i in range(2000)
    )
    starts = '<Scenario><Request Url="u"/><Outputs Next="s0"/></Scenario>' * 500
    started = time.perf_counter()
    lint_text(f"<Crm><Scenarios>{chained}{starts}</Scenarios></Crm>")

    assert time.perf_counter() - started < 20


def test_severities_and_codes_are_well_formed() -> None:
    assert len({code.slug for code in CODES.values()}) == len(CODES)
    for code in CODES.values():
        assert code.severity in SEVERITIES
        assert code.id[0] == "T"
        assert len(code.id) == 4
