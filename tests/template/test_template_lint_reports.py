"""The findings as people, scripts and code-review tools read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from broken_templates import GOOD, TABLE

from callhelm_threecx.template import Crm
from callhelm_threecx.template.lint import CODES, lint
from callhelm_threecx.template.linting.locate import Source, decode
from callhelm_threecx.template.report import FileReport, as_json, as_sarif, as_text, lint_file

BAD = GOOD.replace('Prefix="Plus"', 'Prefix="plus"').replace('Version="2"', 'Version="two"')


def sarif(*reports: FileReport) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(as_sarif(reports))["runs"][0]
    return run


def test_text_shows_the_line_and_a_caret_under_the_fault() -> None:
    lines = as_text([lint_file("a.xml", BAD)]).splitlines()

    assert lines[0] == (
        'a.xml:2:33: error T102 version-not-integer: Version="two" is not a whole number.'
    )
    assert lines[1] == (
        '     2 | <Crm Country="DE" Name="Sample" Version="two" SupportsEmojis="true">'
    )
    assert lines[1][lines[2].index("^") :].startswith('Version="two"')
    assert lines[3] == "       = Count versions 1, 2, 3."
    assert lines[4] == ""
    assert lines[-1] == "1 file: 2 errors, 0 warnings, 0 for information."


def test_text_of_a_clean_file_is_its_sum() -> None:
    assert as_text([lint_file("a.xml", GOOD), lint_file("b.xml", GOOD)]) == (
        "2 files: 0 errors, 0 warnings, 0 for information.\n"
    )


@pytest.mark.parametrize("fill", [0, 60, 200])
def test_a_long_line_is_cut_around_the_caret(fill: int) -> None:
    output = f'<Output Value="{"x" * fill}" Type="entityType" Passes="1" />'
    wide = GOOD.replace(
        '<Output Type="EntityType" Value="People" />', f"{output}        <!-- {'y' * fill} -->"
    )
    lines = as_text([lint_file("a.xml", wide)]).splitlines()

    assert max(len(line) for line in lines[1:3]) <= 115
    assert lines[1][lines[2].index("^") :].startswith('Type="entityType"')
    assert lines[1].endswith("…") is (fill > 0)


def test_a_finding_without_a_line_of_text_is_shown_without_a_quote() -> None:
    lines = as_text([lint_file("a.xml", b"")]).splitlines()

    assert lines[:2] == [
        "a.xml:1:1: error T001 unreadable-file: The file is empty.",
        "       = Mend this first: nothing else of the file can be checked.",
    ]


def test_a_file_cannot_write_to_the_terminal() -> None:
    hostile = GOOD.replace('Prefix="Plus"', 'Prefix="\x9b2J\u202ex"')

    assert not set(as_text([lint_file("a\x1b.xml", hostile)])) & {"\x9b", "\u202e", "\x1b"}


def test_json_holds_everything_of_a_finding() -> None:
    data = json.loads(as_json([lint_file("a.xml", BAD), lint_file("b.xml", GOOD)]))

    first, second = data["files"]
    assert first["counts"] == {"error": 2, "warning": 0, "info": 0}
    assert first["findings"][0] == {
        "code": "T102",
        "slug": "version-not-integer",
        "severity": "error",
        "line": 2,
        "column": 33,
        "path": "Crm",
        "attribute": "Version",
        "message": 'Version="two" is not a whole number.',
        "hint": "Count versions 1, 2, 3.",
    }
    assert second == {
        "file": "b.xml",
        "counts": {"error": 0, "warning": 0, "info": 0},
        "findings": [],
    }


def test_sarif_names_the_tool_and_the_rules_that_were_hit() -> None:
    run = sarif(lint_file("a.xml", BAD))

    driver = run["tool"]["driver"]
    assert driver["name"] == "callhelm-threecx"
    assert [rule["id"] for rule in driver["rules"]] == ["T020", "T102"]
    assert driver["rules"][1] == {
        "id": "T102",
        "name": "VersionNotInteger",
        "shortDescription": {"text": CODES["T102"].title},
        "defaultConfiguration": {"level": "error"},
    }


def test_sarif_points_at_file_line_and_column() -> None:
    result = sarif(lint_file("crm files/a.xml", BAD))["results"][0]

    assert result["ruleId"] == "T102"
    assert result["ruleIndex"] == 1
    assert result["level"] == "error"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "crm%20files/a.xml"},
                "region": {"startLine": 2, "startColumn": 33},
            },
            "logicalLocations": [{"fullyQualifiedName": "Crm", "kind": "element"}],
        }
    ]


def test_sarif_gives_no_region_for_a_template_that_was_built() -> None:
    built = FileReport("built", "", tuple(lint(Crm(country="US", name="x", version="1"))))
    location = sarif(built)["results"][0]["locations"][0]

    assert location["physicalLocation"] == {"artifactLocation": {"uri": "built"}}


def test_sarif_has_its_version_and_schema_and_no_results_for_a_clean_file() -> None:
    log = json.loads(as_sarif([lint_file("a.xml", GOOD)]))

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["columnKind"] == "unicodeCodePoints"


@pytest.mark.parametrize(
    ("severity", "level"), [("error", "error"), ("warning", "warning"), ("info", "note")]
)
def test_severities_become_sarif_levels(severity: str, level: str) -> None:
    row = next(row for row in TABLE if CODES[row.code].severity == severity)

    assert sarif(lint_file("a.xml", row.xml))["results"][0]["level"] == level


def test_every_kind_of_finding_can_be_reported_in_every_format() -> None:
    reports = [lint_file(f"{row.code}.xml", row.xml) for row in TABLE]

    assert len(sarif(*reports)["results"]) == len(TABLE)
    assert sum(len(f["findings"]) for f in json.loads(as_json(reports))["files"]) == len(TABLE)
    assert as_text(reports).count("^") >= len(TABLE) - 1


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("utf-8", "utf-16").encode("utf-16"),
        GOOD.replace("utf-8", "windows-1252").encode("cp1252"),
    ],
    ids=["utf-8", "byte order mark", "utf-16", "windows-1252"],
)
def test_places_hold_in_any_encoding(data: bytes) -> None:
    assert "Prefix" in Source(data).line(3)
    assert lint_file("a.xml", data).findings == ()


def test_an_encoding_that_is_not_known_is_read_as_utf_8() -> None:
    assert decode(b'<?xml version="1.0" encoding="klingon"?><Crm Name="\xc3\xa9"/>').endswith(
        'Name="é"/>'
    )


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_places_hold_with_any_line_ends(ends: str) -> None:
    finding = lint_file("a.xml", BAD.replace("\n", ends)).findings[1]

    assert (finding.line, finding.column) == (3, 11)


@pytest.mark.parametrize(
    ("line", "column", "attribute", "place"),
    [
        (1, 1, "b", (2, 1)),
        (1, 1, "missing", (1, 1)),
        (1, 1, "", (1, 1)),
        (1, 1, "text()", (3, 2)),
        (3, 2, "text()", (3, 2)),
        (0, 0, "b", (0, 0)),
        (99, 1, "b", (99, 1)),
    ],
)
def test_an_attribute_or_text_is_found_from_its_element(
    line: int, column: int, attribute: str, place: tuple[int, int]
) -> None:
    assert Source("<a x='1>'\nb='2'>\n word</a>").find(line, column, attribute) == place
