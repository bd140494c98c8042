"""Reading template files: every spelling that ships, and nothing that attacks."""

from __future__ import annotations

import time

import pytest

from callhelm_threecx.template import Crm, TemplateError, parse
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


def test_an_empty_section_is_told_from_an_absent_one() -> None:
    scenario = parse(in_scenario("<Variables />")).scenarios[0]

    assert scenario.variables.present
    assert not scenario.variables
    assert not scenario.rules.present
    assert scenario.rules == Section()


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


LAUGHS = (
    '<!DOCTYPE Crm [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{i} "{"&a;" * 10}">' for i in range(10))
    + "]><Crm Name='&a9;'/>"
)

REFUSED: list[tuple[str, bytes | str, str, int]] = [
    ("nothing", b"", "empty", 0),
    ("white space", b" \n ", "empty", 0),
    ("a lone mark", b"\xef\xbb\xbf", "empty", 0),
    ("plain text", "Name,Phone\n", "not_xml", 1),
    ("json", '{"a": 1}', "not_xml", 1),
    ("a zip", b"PK\x03\x04\x00", "not_xml", 1),
    ("another root", "<crm/>", "wrong_root", 1),
    ("web page", HEAD + "<html><body/></html>", "wrong_root", 2),
    ("laughs", LAUGHS, "doctype", 1),
    (
        "external entity",
        '<!DOCTYPE C [<!ENTITY x SYSTEM "file:///etc/passwd">]><C>&x;</C>',
        "doctype",
        1,
    ),
    ("external dtd", '\n<!DOCTYPE Crm SYSTEM "http://127.0.0.1/x.dtd"><Crm/>', "doctype", 2),
    ("parameter entity", '<!DOCTYPE C [<!ENTITY % p SYSTEM "x">%p;]><C/>', "doctype", 1),
    ("html entity", "<Crm>\n&nbsp;</Crm>", "undefined_entity", 2),
    ("hyphens", "<Crm>\n <!-- a -- b -->\n</Crm>", "comment_double_hyphen", 2),
    ("hyphen arrow", "<Crm>\n\n<!-- one ---></Crm>", "comment_double_hyphen", 3),
    ("separator", "<!--------->\n<Crm/>", "comment_double_hyphen", 1),
    ("after a comment", "<Crm><!-- fine -->\n<a b=--/></Crm>", "not_well_formed", 2),
    ("ampersand", "<Crm>\n<Number Prefix='a&b'/></Crm>", "not_well_formed", 2),
    ("mismatch", "<Crm>\n<Rules>\n</Rule></Crm>", "not_well_formed", 3),
    ("unclosed", "<Crm>\n", "not_well_formed", 2),
    ("open tag", "<Crm Name='a'", "not_well_formed", 1),
    ("open comment", "<Crm>\n<!-- a", "not_well_formed", 2),
    ("open cdata", "<Crm>\n<![CDATA[ a", "not_well_formed", 2),
    ("twice", "<Crm Name='a'\nName='b'/>", "not_well_formed", 2),
    ("two roots", "<Crm/>\n<Crm/>", "not_well_formed", 2),
    ("late declaration", '\n<?xml version="1.0"?><Crm/>', "not_well_formed", 2),
    ("control character", "<Crm Name='\x01'/>", "not_well_formed", 1),
    ("reference to one", "<Crm Name='&#1;'/>", "not_well_formed", 1),
    ("unknown encoding", b'<?xml version="1.0" encoding="klingon"?><Crm/>', "bad_encoding", 1),
    ("multi-byte", b'<?xml version="1.0" encoding="shift_jis"?><Crm/>', "bad_encoding", 1),
    ("not utf-8", b'<Crm\nName="M\xfcller"/>', "not_well_formed", 2),
    ("half utf-16", "<Crm/>".encode("utf-16") + b"\x00", "bad_encoding", 0),
    ("surrogate", "<Crm>\n  \ud800</Crm>", "bad_encoding", 2),
    ("deep", "<Crm>" + "<a>" * 64 + "</a>" * 64 + "</Crm>", "too_deep", 1),
    ("endless depth", "<Crm>" + "<a>" * 100_000, "too_deep", 1),
    ("many", "<Crm>" + "<a/>" * 20_000 + "</Crm>", "too_many_elements", 1),
    ("huge", b"<Crm>" + b" " * 1024 * 1024 + b"</Crm>", "too_large", 0),
]


@pytest.mark.parametrize(
    ("xml", "code", "line"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_no_template_is_one_error_with_its_place(
    xml: bytes | str, code: str, line: int
) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(xml)

    assert (caught.value.code, caught.value.line) == (code, line)
    assert caught.value.message.endswith(".")


def test_the_error_tells_the_column_too() -> None:
    with pytest.raises(TemplateError, match=r"^line 2, column 8: .*'--'"):
        parse("<Crm>\n<!-- a -- b--></Crm>")


def test_a_wrong_end_tag_is_explained_by_the_one_that_is_open() -> None:
    with pytest.raises(TemplateError, match="does not close <Rules>, which was opened in line 2"):
        parse("<Crm>\n<Rules>\n</Rule></Crm>")


def test_the_bounds_can_be_moved() -> None:
    assert parse("<Crm/>", max_bytes=6).name is None
    with pytest.raises(TemplateError, match="7 bytes, more than the 6"):
        parse("<Crm />", max_bytes=6)
    with pytest.raises(TemplateError, match="nested more than 1 deep"):
        parse("<Crm><Number/></Crm>", max_depth=1)
    with pytest.raises(TemplateError, match="more than 1 elements"):
        parse("<Crm><Number/></Crm>", max_elements=1)


def test_a_large_bound_on_depth_does_not_exhaust_the_interpreter() -> None:
    with pytest.raises(TemplateError, match="nested more than 150 deep"):
        parse("<Crm>" + "<Object>" * 50_000, max_depth=1_000_000)


def test_a_hostile_file_is_refused_quickly() -> None:
    attributes = " ".join(f'a{i}="x"' for i in range(60_000))
    started = time.perf_counter()
    parse(f"<Crm {attributes}/>")

    assert time.perf_counter() - started < 5
