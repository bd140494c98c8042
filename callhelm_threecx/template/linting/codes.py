"""Every code that the lint can give. `docs/template-lint.md` explains each of them.

Codes are stable: one that is no longer given is not used again for something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning", "info"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")


@dataclass(frozen=True)
class Code:
    """One kind of finding.

    An `error` does not work on a PBX; a `warning` fails in some cases or on some versions, or is
    unsafe; an `info` ships and works, but is worth knowing.
    """

    id: str
    slug: str
    severity: Severity
    title: str


_ROWS: Final[tuple[tuple[str, str, Severity, str], ...]] = (
    ("T001", "unreadable-file", "error", "The file cannot be read"),
    ("T002", "comment-double-hyphen", "error", "'--' inside a comment"),
    ("T003", "wrong-root", "error", "The root element is not Crm"),
    ("T010", "unknown-attribute", "warning", "An attribute that the format does not know"),
    ("T011", "unknown-element", "warning", "An element that the format does not know"),
    ("T012", "filters-wrapper", "error", "Filters around a Filter"),
    ("T013", "repeated-element", "error", "A second copy of an element that may occur once"),
    ("T014", "stray-text", "warning", "Text where none belongs"),
    ("T020", "miscased-value", "error", "An enumerated value in the wrong case"),
    ("T021", "invalid-value", "error", "A value outside its enumeration"),
    ("T022", "invalid-passes", "error", "Passes is not a small number"),
    ("T101", "missing-root-attribute", "error", "Country, Name or Version is missing"),
    ("T102", "version-not-integer", "error", "Version is not a whole number"),
    ("T103", "no-scenarios", "error", "There is no scenario at all"),
    ("T104", "invalid-max-length", "error", "MaxLength is not a number expression"),
    ("T105", "invalid-concurrency", "error", "MaxConcurrentRequests is not a number above 0"),
    ("T110", "incomplete-parameter", "error", "A Parameter without Name or Type"),
    ("T111", "duplicate-parameter", "error", "Two parameters of the same name"),
    ("T112", "unknown-parent", "warning", "A Parent that is no Boolean parameter"),
    ("T113", "boolean-default", "warning", "The Default of a Boolean is not True or False"),
    ("T114", "empty-list", "warning", "A List parameter without ListValues"),
    ("T120", "invalid-authentication", "error", "The Authentication has no usable Value"),
    ("T201", "duplicate-scenario", "error", "Two scenarios with the same Id"),
    ("T202", "several-report-calls", "error", "More than one ReportCall"),
    ("T203", "unknown-scenario", "error", "A reference to a scenario that is not there"),
    ("T204", "unreachable-scenario", "warning", "A scenario that nothing runs"),
    ("T205", "miscased-scenario-id", "error", "A reserved Id in the wrong case"),
    ("T206", "endless-chain", "error", "Next leads back to where it came from"),
    ("T207", "report-with-results", "warning", "Rules, Variables or Outputs in a report"),
    ("T208", "cfd-with-outputs", "warning", "Variables or Outputs in a call flow lookup"),
    ("T209", "missing-request", "error", "A scenario without a Request or Url"),
    ("T210", "lookup-not-skipped", "info", "A later lookup that always runs"),
    ("T211", "not-checked", "info", "A database scenario, which is not checked"),
    ("T301", "message-and-post-values", "error", "Message together with PostValues"),
    ("T302", "body-on-get", "warning", "A body on a Get or Delete"),
    ("T303", "plus-in-url", "warning", "A number with its plus sign bare in a Url"),
    ("T304", "secret-in-url", "warning", "A secret in a Url"),
    ("T305", "clear-text-http", "warning", "A secret over http://"),
    ("T310", "expression-syntax", "error", "An expression that cannot be parsed"),
    ("T311", "single-bracket-method", "error", "A method call without the second brackets"),
    ("T312", "unguarded-established-time", "error", "CallEstablishedTime formatted unguarded"),
    ("T313", "bare-date-time", "warning", "A DateTime printed in the PBX's culture"),
    ("T314", "unknown-variable", "error", "A variable that nothing provides"),
    ("T315", "misplaced-line-break", "warning", "[LineBreak] outside a parameter's Default"),
    ("T316", "transcript-evaluated-twice", "warning", "Free text with Passes above 1"),
    ("T317", "unquoted-word", "warning", "An unquoted word in a condition of a SkipIf"),
    ("T318", "quoted-word", "warning", "A quoted word in an If"),
    ("T319", "lower-case-boolean", "warning", "true or false in lower case"),
    ("T320", "escapes-in-post-values", "info", "Message escapes in PostValues"),
    ("T401", "rule-on-container", "warning", "A Rule on an array instead of a field in it"),
    ("T402", "outputs-without-rules", "warning", "Outputs but no Rule"),
    ("T403", "incomplete-rule", "error", "A Rule without a path"),
    ("T404", "incomplete-variable", "error", "A Variable without Name or path"),
    ("T405", "path-index", "warning", "A positional index in a response path"),
    ("T406", "relative-filter-path", "warning", "The path of a Filter is not absolute"),
    ("T407", "filter-rules", "warning", "A Filter with several rules"),
    ("T408", "duplicate-variable", "warning", "Two variables of the same name in a scenario"),
    ("T410", "missing-contact-url", "error", "A lookup without ContactUrl"),
    ("T411", "missing-name", "error", "A lookup without a name"),
    ("T412", "missing-phone", "error", "A lookup by number without a phone output"),
    ("T413", "lookup-without-outputs", "warning", "A lookup that shows no contact"),
    ("T414", "phone-cannot-match", "error", "Phone outputs that never hold the number"),
    ("T415", "unmapped-phone", "warning", "A phone number that is read but not put out"),
    ("T416", "unknown-output", "info", "An Output type that the PBX does not show"),
    ("T417", "output-without-brackets", "error", "An Output expression without brackets"),
    ("T418", "duplicate-output", "info", "The same Output type twice"),
    ("T419", "incomplete-output", "error", "An Output without Type or Value"),
)

CODES: Final[dict[str, Code]] = {row[0]: Code(*row) for row in _ROWS}
"""All codes by their id, in order."""
