"""Rules on how an answer is read: rules, variables and filters."""

from __future__ import annotations

import re
from typing import Final

from callhelm_threecx.template.linting.findings import TEXT, Place, Report
from callhelm_threecx.template.linting.view import ScenarioView, View
from callhelm_threecx.template.model import Rule, Variable

_INDEX: Final = re.compile(r"\[\d*\]|\.\d+(?:\.|$)")


def check(view: View, report: Report) -> None:
    """Judge the Rules and Variables of every scenario."""
    for item in view.scenarios:
        if not item.is_database:
            _rules(item, report)
            _variables(item, report)


def _rules(item: ScenarioView, report: Report) -> None:
    scenario = item.scenario
    base = item.place.inside("Rules", scenario.rules)
    paths = [variable.response_path for variable in scenario.variables]
    for rule in scenario.rules:
        place = base.inside("Rule", rule).at(TEXT)
        _rule(rule, place, report)
        inside = next((path for path in paths if path.startswith(f"{rule.path}.")), None)
        if rule.path and inside:
            report.add(
                "T401",
                place,
                f"The rule stands on {rule.path[:60]} itself; it has been seen to pass when that "
                "is an empty array, which makes a result out of nothing.",
                f"Name a field inside that is never empty, such as {inside[:60]}.",
            )
    if scenario.outputs and scenario.outputs.items and not scenario.rules:
        report.add(
            "T402",
            item.place.inside("Outputs", scenario.outputs),
            "Without a rule nothing says which records of the answer are results.",
            'Add <Rules><Rule Type="Any">path.of.id</Rule></Rules>.',
        )


def _rule(rule: Rule, place: Place, report: Report) -> None:
    if not rule.path:
        report.add(
            "T403",
            place.at(""),
            "The rule has no path, so it selects nothing.",
            "Write the path of a field of the answer as the text of the Rule.",
        )
    _index(rule.path, place, report)


def _variables(item: ScenarioView, report: Report) -> None:
    base = item.place.inside("Variables", item.scenario.variables)
    seen: set[str] = set()
    for variable in item.scenario.variables:
        place = base.inside("Variable", variable, variable.name)
        if not variable.name or not variable.response_path:
            missing = "Name" if not variable.name else "Path"
            report.add(
                "T404",
                place,
                f"The variable has no {missing}, so it never holds anything.",
                f'Add {missing}="…".',
            )
        if variable.name and variable.name in seen:
            report.add(
                "T408",
                place.at("Name"),
                f"There are two variables named {variable.name[:60]}; one hides the other.",
                "Give each its own name.",
            )
        seen.add(variable.name or "")
        where = place.at("Path") if (variable.path or "").strip() else place.at(TEXT)
        _index(variable.response_path, where, report)
        _filters(variable, place, report)


def _filters(variable: Variable, place: Place, report: Report) -> None:
    root = variable.response_path.partition(".")[0]
    for found in variable.filters:
        where = place.inside("Filter", found)
        if len(found.rules) > 1:
            report.add(
                "T407",
                where,
                "A Filter has one Rule; what the PBX does with more is not documented.",
                "Keep the rule that picks the element.",
            )
        for rule in found.rules:
            spot = where.inside("Rule", rule).at(TEXT)
            _rule(rule, spot, report)
            if rule.path and root and rule.path.partition(".")[0] != root:
                report.add(
                    "T406",
                    spot,
                    f"Paths are absolute: {rule.path[:60]} is looked for at the root of the "
                    f"answer, not beside {variable.response_path[:60]}.",
                    f"Begin the path with {root[:60]}.",
                )


def _index(path: str, place: Place, report: Report) -> None:
    if _INDEX.search(path):
        report.add(
            "T405",
            place,
            f"The path {path[:60]} names an element by its position, which the PBX does not "
            "support: it walks through arrays by itself.",
            "Leave the index out; choose with a Filter.",
        )
