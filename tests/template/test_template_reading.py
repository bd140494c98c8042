"""Reading template files: every spelling that ships."""

from __future__ import annotations

import pytest

from callhelm_threecx.template import Crm, parse
from callhelm_threecx.template.elements import RawNode, Section
from callhelm_threecx.template.model import PostArray, PostObject, Value

HEAD = '<?xml version="1.0"?>\n'


def in_request(inner: str) -> str:
    return (
        '<Crm><Scenarios><Scenario Id="ReportCall"><Request Url="u">'
        f"{inner}</Request></Scenario></Scenarios></Crm>"
    )


def in_scenario(inner: str) -> str:
    return f'<Crm><Scenarios><Scenario Id="x">{inner}</Scenario></Scenarios></Crm>'


def test_attributes_are_kept_as_they_are_written_in_any_order() -> None:
    crm = parse('<Crm Version="7" SupportsEmojis="TRUE" Name="Any" Country="US" ListPageSize="0"/>')

    assert (crm.name, crm.version, crm.country) == ("Any", "7", "US")
    assert (crm.supports_emojis, crm.list_page_size) == ("TRUE", "0")


def test_an_absent_attribute_is_none_and_an_empty_one_is_empty() -> None:
    crm = parse('<Crm Name=""/>')

    assert crm.name == ""
    assert crm.country is None


@pytest.mark.parametrize(
    "variable",
    [
        '<Variable Name="Id" Path="data.id"/>',
        '<Variable Name="Id" Path="data.id"><Filter/></Variable>',
        '<Variable Path="data.id" LookupValue="" Name="Id"></Variable>',
        '<Variable Name="Id">data.id</Variable>',
        '<Variable Name="Id">data.id<Filter /></Variable>',
        '<Variable Name="Id"><Filter /> data.id </Variable>',
        '<Variable Name="Id">\n  data.id\n  <Filter>\n  </Filter>\n</Variable>',
        '<Variable Name="Id" Path="">data.id</Variable>',
        '<Variable Name="Id"><![CDATA[data.id]]></Variable>',
    ],
)
def test_a_variable_names_its_path_in_an_attribute_or_in_its_text(variable: str) -> None:
    crm = parse(in_scenario(f"<Variables>{variable}</Variables>"))

    assert crm.scenarios[0].variables[0].name == "Id"
    assert crm.scenarios[0].variables[0].response_path == "data.id"


def test_the_attribute_wins_when_a_variable_has_both_paths() -> None:
    crm = parse(in_scenario('<Variables><Variable Name="v" Path="a.b">c.d</Variable></Variables>'))

    assert crm.scenarios[0].variables[0].response_path == "a.b"


def test_a_filter_holds_its_rule() -> None:
    crm = parse(
        in_scenario(
            '<Variables><Variable Name="v" Path="contacts.phones.number"><Filter>'
            '<Rule Type="Equals" Ethalon="work"> contacts.phones.type </Rule>'
            "</Filter></Variable></Variables>"
        )
    )

    rule = crm.scenarios[0].variables[0].filters[0].rules[0]
    assert (rule.type, rule.ethalon, rule.path) == ("Equals", "work", "contacts.phones.type")


def test_body_values_keep_their_order_and_nesting() -> None:
    crm = parse(
        in_request(
            '<PostValues><Value Key="a">1</Value><Object Key="b"><Array Key="c">'
            '<Value Key="">2</Value><Object Key=""/></Array><Value Key="d">3</Value></Object>'
            '<Value Key="e">4</Value></PostValues>'
        )
    )
    request = crm.scenarios[0].request

    assert request is not None
    kinds = [type(item) for item in request.post_values]
    assert kinds == [Value, PostObject, Value]
    second = request.post_values[1]
    assert isinstance(second, PostObject)
    assert isinstance(second.items[0], PostArray)
    assert [value.text for value in request.body_values()] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<Value> two  words </Value>", " two  words "),
        ("<Value>&#x0A;</Value>", "\n"),
        ("<Value>a&#x0A;b&#13;c&#9;</Value>", "a\nb\rc\t"),
        ("<Value>   </Value>", "   "),
        ("<Value>&lt;b&gt; &amp; &quot;x&quot;</Value>", '<b> & "x"'),
        ("<Value>Jürgen 电话 😀</Value>", "Jürgen 电话 😀"),
        ("<Value></Value>", None),
        ("<Value/>", None),
        ("<Value>a<!-- not text -->b</Value>", "ab"),
    ],
)
def test_the_text_of_a_value_is_taken_exactly(written: str, read: str | None) -> None:
    request = parse(in_request(f"<PostValues>{written}</PostValues>")).scenarios[0].request

    assert request is not None
    value = request.post_values[0]
    assert isinstance(value, Value)
    assert value.text == read


def test_a_long_text_is_taken_whole() -> None:
    text = "a line of a text\n" * 5000
    request = (
        parse(in_request(f"<PostValues><Value>{text}</Value></PostValues>")).scenarios[0].request
    )

    assert request is not None
    assert next(request.body_values()).text == text


def test_an_empty_section_is_told_from_an_absent_one() -> None:
    scenario = parse(in_scenario("<Variables />")).scenarios[0]

    assert scenario.variables.present
    assert not scenario.variables
    assert not scenario.rules.present
    assert scenario.rules == Section()


def test_the_attributes_of_a_wrapper_can_be_read() -> None:
    request = parse(in_request('<PostValues Key="" If="[a]==b"/>')).scenarios[0].request

    assert request is not None
    assert request.post_values.attribute("If") == "[a]==b"
    assert request.post_values.attribute("SkipIf") is None


def test_elements_know_where_they_stand() -> None:
    crm = parse(HEAD + "<Crm>\n  <Number Prefix='AsIs'/>\n\n    <Scenarios/></Crm>")

    assert (crm.line, crm.column) == (2, 1)
    assert crm.number is not None
    assert (crm.number.line, crm.number.column) == (3, 3)
    assert (crm.scenarios.line, crm.scenarios.column) == (5, 5)


def test_places_do_not_count_when_templates_are_compared() -> None:
    assert parse("<Crm><Number/></Crm>") == parse("<Crm>\n\n  <Number/></Crm>")


def test_what_the_format_does_not_know_is_kept() -> None:
    crm = parse(
        '<Crm Colour="red"><Number Prefix="AsIs" Suffix="x"/>stray'
        '<Plugin Kind="a">one<b/>two</Plugin></Crm>'
    )

    assert crm.extra.attributes == (("Colour", "red"),)
    assert crm.extra.text == "stray"
    assert crm.extra.children == (
        RawNode("Plugin", (("Kind", "a"),), ("one", RawNode("b"), "two")),
    )
    assert crm.extra.children[0].text == "onetwo"
    assert crm.extra.children[0].attribute("Kind") == "a"
    assert crm.extra.children[0].attribute("Name") is None
    assert crm.number is not None
    assert crm.number.extra.attributes == (("Suffix", "x"),)


def test_a_filters_wrapper_is_no_filter() -> None:
    variable = (
        parse(
            in_scenario(
                '<Variables><Variable Name="v" Path="a"><Filters><Filter/></Filters></Variable>'
                "</Variables>"
            )
        )
        .scenarios[0]
        .variables[0]
    )

    assert variable.filters == ()
    assert [node.tag for node in variable.extra.children] == ["Filters"]


def test_a_second_copy_of_a_single_element_is_kept_as_unknown() -> None:
    scenario = parse(in_scenario('<Request Url="a"/><Request Url="b"/>')).scenarios[0]

    assert scenario.request is not None
    assert scenario.request.url == "a"
    assert [node.attribute("Url") for node in scenario.extra.children] == ["b"]


@pytest.mark.parametrize(
    "data",
    [
        '<?xml version="1.0" encoding="utf-8"?><Crm Name="Müller"/>'.encode(),
        b"\xef\xbb\xbf" + '<Crm Name="Müller"/>'.encode(),
        '<?xml version="1.0" encoding="iso-8859-1"?><Crm Name="Müller"/>'.encode("latin-1"),
        '<?xml version="1.0" encoding="windows-1252"?><Crm Name="Müller"/>'.encode("cp1252"),
        '<?xml version="1.0" encoding="utf-16"?><Crm Name="Müller"/>'.encode("utf-16"),
        '\ufeff<?xml version="1.0" encoding="utf-16"?><Crm Name="Müller"/>',
        '\n  <Crm Name="Müller"/>',
    ],
    ids=["utf-8", "byte order mark", "latin-1", "windows-1252", "utf-16", "text", "white space"],
)
def test_any_usual_encoding_is_read(data: bytes | str) -> None:
    assert parse(data).name == "Müller"


@pytest.mark.parametrize(
    ("scenario_id", "kind"),
    [
        (None, "lookup"),
        ("", "lookup"),
        ("LookupByEmail", "lookup_by_email"),
        ("LookupByEmail_Leads", "lookup_by_email"),
        ("SearchContacts", "search"),
        ("SearchContacts_Company", "search"),
        ("CreateContactRecord", "create_contact"),
        ("CreateContactRecordFromClient", "create_contact_from_client"),
        ("ReportCall", "report_call"),
        ("ReportChat", "report_chat"),
        ("LookupFromCFD_Contacts_LookupNumber", "cfd_lookup"),
        ("LookupFromCFD_Contacts_LookupFreeQuery", "cfd_lookup"),
        ("reportcall", "other"),
        ("ReportCall2", "other"),
        ("Auth", "other"),
    ],
)
def test_the_id_tells_when_a_scenario_runs(scenario_id: str | None, kind: str) -> None:
    attribute = "" if scenario_id is None else f' Id="{scenario_id}"'
    crm = parse(f"<Crm><Scenarios><Scenario{attribute}/></Scenarios></Crm>")

    assert crm.scenarios[0].kind == kind
    assert crm.scenarios[0].is_lookup is (kind == "lookup")


def test_scenarios_and_parameters_are_found_by_name() -> None:
    crm = parse(
        '<Crm><Parameters><Parameter Name="Key" Default="1"/></Parameters><Scenarios>'
        '<Scenario/><Scenario Id="Auth"><Outputs Next="Login"/></Scenario>'
        '<Scenario Id=""/></Scenarios></Crm>'
    )

    auth = crm.scenario("Auth")
    assert auth is not None
    assert auth.next == "Login"
    assert crm.scenarios[0].next == ""
    assert crm.scenario("") is None
    assert crm.scenario("auth") is None
    assert len(crm.of_kind("lookup")) == 2
    key = crm.parameter("Key")
    assert key is not None
    assert key.default == "1"
    assert crm.parameter("key") is None


def test_the_value_of_an_authentication_is_its_first_one_without_white_space() -> None:
    assert parse("<Crm><Authentication/></Crm>").authentication is not None
    written = "<Crm><Authentication Type='Basic'><Value>\n u:p </Value></Authentication></Crm>"
    read = parse(written).authentication
    assert read is not None
    assert read.value == "u:p"
    assert Crm().authentication is None
