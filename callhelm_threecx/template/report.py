"""The findings of the lint as text, as JSON, and as SARIF 2.1.0 for code-review tools."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from callhelm_threecx.template.lint import CODES, SEVERITIES, Code, Finding, lint_text
from callhelm_threecx.template.linting.locate import Source

_PACKAGE: Final = "callhelm-threecx"
_HOME: Final = "https://github.com/Systemsaholic/call-helm"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_WIDTH: Final = 100
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class FileReport:
    """The findings of one file, with the name to show and the text to quote from."""

    name: str
    xml: bytes | str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in SEVERITIES}


def lint_file(name: str, xml: bytes | str) -> FileReport:
    """Judge one file for the reports below."""
    return FileReport(name, xml, tuple(lint_text(xml)))


def as_text(reports: Sequence[FileReport]) -> str:
    """For people: each finding with its line of the file and a caret, and a sum at the end."""
    blocks = [block for report in reports for block in _blocks(report)]
    return "\n".join([*blocks, _sum(reports)]) + "\n"


def as_json(reports: Sequence[FileReport]) -> str:
    """For scripts: `{"files": [{"file", "counts", "findings": [...]}]}`."""
    files = [
        {
            "file": report.name,
            "counts": report.counts,
            "findings": [
                {
                    "code": finding.code,
                    "slug": finding.slug,
                    "severity": finding.severity,
                    "line": finding.line,
                    "column": finding.column,
                    "path": finding.path,
                    "attribute": finding.attribute or None,
                    "message": finding.message,
                    "hint": finding.hint or None,
                }
                for finding in report.findings
            ],
        }
        for report in reports
    ]
    return json.dumps({"files": files}, indent=2, ensure_ascii=False) + "\n"


def as_sarif(reports: Sequence[FileReport]) -> str:
    """For code-review tools: one SARIF 2.1.0 run with the rules that were hit."""
    hit = {finding.code for report in reports for finding in report.findings}
    rules = [code for code in CODES.values() if code.id in hit]
    index = {rule.id: position for position, rule in enumerate(rules)}
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": _PACKAGE,
                        "version": _version(),
                        "informationUri": _HOME,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(report, finding, index)
                    for report in reports
                    for finding in report.findings
                ],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _blocks(report: FileReport) -> Iterable[str]:
    source = Source(report.xml)
    for finding in report.findings:
        head = f"{report.name}:{finding.line}:{finding.column}: "
        yield _plain(f"{head}{finding.severity} {finding.code} {finding.slug}: {finding.message}")
        yield from _quote(source.line(finding.line), finding)
        if finding.hint:
            yield _plain(f"       = {finding.hint}")
        yield ""


def _plain(text: str) -> str:
    """Without what a file could make a terminal do."""
    return "".join(c if c.isprintable() else " " for c in text)


def _quote(line: str, finding: Finding) -> Iterable[str]:
    """The line, cut around the caret when it is long."""
    if not line.strip():
        return
    column = finding.column - 1
    start = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH)) if len(line) > _WIDTH else 0
    shown = line[start : start + _WIDTH]
    indent = len(shown) - len(shown.lstrip())
    shown = _plain(shown[indent:].rstrip())
    before = "…" if start else ""
    after = "…" if start + _WIDTH < len(line) else ""
    yield f"{finding.line:>6} | {before}{shown}{after}"
    yield f"       | {' ' * (len(before) + max(0, column - start - indent))}^"


def _sum(reports: Sequence[FileReport]) -> str:
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.counts)
    parts = [_plural(total["error"], "error"), _plural(total["warning"], "warning")]
    parts.append(f"{total['info']} for information")
    return f"{_plural(len(reports), 'file')}: {', '.join(parts)}."


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:  # run from a plain source tree
        return "0"


def _rule(rule: Code) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.slug.split("-")),
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(report: FileReport, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(PurePath(report.name).as_posix())},
    }
    if finding.line:
        physical["region"] = {"startLine": finding.line, "startColumn": max(finding.column, 1)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.path:
        location["logicalLocations"] = [
            {"fullyQualifiedName": finding.path, "kind": "element"},
        ]
    return {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.hint}".strip()},
        "locations": [location],
    }
