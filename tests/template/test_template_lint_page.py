"""The page about the lint and the lint itself say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callhelm_threecx.template.lint import CODES, Code
from callhelm_threecx.template.report import as_text, lint_file

PAGE = (Path(__file__).parents[2] / "docs" / "template-lint.md").read_text(encoding="utf-8")
SECTIONS = {
    match.group(1): (match.group(2), match.group(3), match.group(4))
    for match in re.finditer(
        r"^### (T\d{3}) ([a-z-]+) \((\w+)\)\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
}


def test_the_page_and_the_registry_list_the_same_codes_in_the_same_order() -> None:
    assert list(SECTIONS) == list(CODES)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.id)
def test_every_code_is_explained_with_its_name_and_severity(code: Code) -> None:
    slug, severity, text = SECTIONS[code.id]

    assert (slug, severity) == (code.slug, code.severity)
    explanation, mend, _rest = text.partition("**Mend:**")
    assert len(explanation.split()) > 5
    assert mend


def test_the_example_is_what_the_lint_prints() -> None:
    example = re.findall(r"^```\n(my-crm.*?)```", PAGE, re.MULTILINE | re.DOTALL)[0]
    line = "   " + example.splitlines()[1].partition("| ")[2]
    before = ['<Crm Country="US" Name="My CRM" Version="1">', "<Scenarios>", "<Scenario>"]
    xml = "\n".join([*before, *[""] * 8, line, "</Scenario>", "</Scenarios>", "</Crm>"])

    assert example in as_text([lint_file("my-crm.xml", xml)])
