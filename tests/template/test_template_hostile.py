"""Files that are no template, or that attack whoever reads them."""

from __future__ import annotations

import time

import pytest

from callhelm_threecx.template import TemplateError, parse

HEAD = '<?xml version="1.0"?>\n'
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
