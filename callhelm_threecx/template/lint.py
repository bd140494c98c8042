"""The lint: what a PBX will do with a template, told before anyone uploads it.

A template that is well-formed and wrong fails silently: nobody sees a name when the phone rings.
Each finding says what happens, why, and how to mend it; `docs/template-lint.md` explains the codes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from callhelm_threecx.template.codec import parse
from callhelm_threecx.template.errors import TemplateError
from callhelm_threecx.template.linting import (
    answers,
    conditions,
    graph,
    language,
    outputs,
    requests,
    settings,
    structure,
)
from callhelm_threecx.template.linting.codes import CODES, SEVERITIES, Code, Severity
from callhelm_threecx.template.linting.findings import Finding, Report
from callhelm_threecx.template.linting.locate import Source
from callhelm_threecx.template.linting.view import View
from callhelm_threecx.template.model import Crm

__all__ = ["CODES", "SEVERITIES", "Code", "Finding", "Severity", "lint", "lint_text"]

_CHECKS: Final[tuple[Callable[[View, Report], None], ...]] = (
    structure.check,
    settings.check,
    graph.check,
    requests.check,
    language.check,
    conditions.check,
    answers.check,
    outputs.check,
)

_FILE_CODES: Final = {"comment_double_hyphen": "T002", "wrong_root": "T003"}


def lint(crm: Crm) -> list[Finding]:
    """Judge a template; an empty list means that nothing is wrong with it.

    Findings are in the order of the file. Their lines are those of the elements; `lint_text`, which
    has the text, gives the line of the attribute.
    """
    view = View(crm)
    report = Report()
    for check in _CHECKS:
        check(view, report)
    return report.sorted()


def lint_text(xml: bytes | str) -> list[Finding]:
    """Judge a template file; one that cannot be read is a finding, not an error."""
    try:
        crm = parse(xml)
    except TemplateError as error:
        return [_unreadable(error)]
    source = Source(xml)
    found = [_located(finding, source) for finding in lint(crm)]
    return sorted(found, key=lambda f: (f.line, f.column, f.code, f.message))


def _unreadable(error: TemplateError) -> Finding:
    code = _FILE_CODES.get(error.code, "T001")
    hints = {
        "T001": "Mend this first: nothing else of the file can be checked.",
        "T002": "Separate with = or a colon inside comments.",
        "T003": "Names are case-sensitive: the root element is Crm.",
    }
    return Finding(
        code=code,
        severity=CODES[code].severity,
        line=max(error.line, 1),
        column=max(error.column, 1),
        message=error.message,
        hint=hints[code],
        path="",
    )


def _located(finding: Finding, source: Source) -> Finding:
    place = source.find(finding.line, finding.column, finding.attribute)
    return replace(finding, line=place[0], column=place[1])
