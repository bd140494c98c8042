"""Rules on expressions: syntax, names, and what the engine of the PBX does not do."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

from callhelm_threecx.template import expressions as ex
from callhelm_threecx.template.linting.findings import Place, Report
from callhelm_threecx.template.linting.view import Expression, ScenarioView, View
from callhelm_threecx.template.predefined import OAUTH_REQUEST

_METHOD_BEHIND: Final = re.compile(r"\.[A-Za-z_]\w*\s*\(")
_INSTANT: Final = re.compile(r"(?:Call|Chat)(?:Start|Established|End)Time(?:Local|UTC)")
_CONTACT: Final = "Contact::"
_FREE_TEXT: Final = frozenset({"Transcription", "Summary", "ChatMessages"})
_ESCAPES: Final = ("{{", "^^")
_LONGEST_NAME: Final = 60
_MOST_COMPARED: Final = 200  # comparing is slow, and a hostile file may have thousands


def check(view: View, report: Report) -> None:
    """Judge every expression of the template."""
    for item in view.scenarios:
        if item.is_database:
            continue
        before = view.known_before(item)
        for expression in item.request_expressions:
            _expression(expression, report)
            _names(expression, item, before, view, report)
            _sent(expression, report)
        for expression in item.output_expressions:
            _expression(expression, report)
            _names(expression, item, before | item.own_names, view, report)
    _outside_scenarios(view, report)


def _outside_scenarios(view: View, report: Report) -> None:
    found: list[tuple[Place, str, frozenset[str]]] = []
    base = view.place.inside("Parameters", view.crm.parameters)
    for parameter in view.crm.parameters:
        place = base.inside("Parameter", parameter, parameter.name)
        for name, text in (
            ("RequestUrl", parameter.request_url),
            ("RequestUrlParameters", parameter.request_url_parameters),
        ):
            if text:
                found.append((place.at(name), text, OAUTH_REQUEST))
    authentication = view.crm.authentication
    if authentication and authentication.type == "Basic" and authentication.value:
        place = view.place.inside("Authentication", authentication)
        found.append((place, authentication.value, frozenset()))
    for place, text, extra in found:
        expression = Expression(place, text, "text", "Setting")
        _expression(expression, report)
        known = set(view.parameters) | extra
        _unknown(expression.variables - known, known, expression.place, report)


def _expression(expression: Expression, report: Report) -> None:
    tree = expression.tree
    if isinstance(tree, ex.ExpressionError):
        report.add(
            "T310",
            expression.place,
            f"The expression cannot be parsed: {tree}.",
            "Balance brackets and quotes; in a Message write {{ }} for [ ] and ^^ for a quote.",
        )
        return
    _single_brackets(expression, tree, report)
    _established(expression, report)


def _single_brackets(
    expression: Expression, tree: ex.Template | ex.Condition, report: Report
) -> None:
    outside = isinstance(tree, ex.Template) and any(
        isinstance(first, ex.Bracket)
        and isinstance(second, ex.Text)
        and _METHOD_BEHIND.match(second.value)
        for first, second in zip(tree.parts, tree.parts[1:], strict=False)
    )
    inside = any(
        isinstance(node, ex.Bracket)
        and isinstance(node.expression, ex.Join)
        and any(
            isinstance(first, ex.Text) and first.value.endswith(".") and isinstance(second, ex.Call)
            for first, second in zip(node.expression.parts, node.expression.parts[1:], strict=False)
        )
        for node in expression.nodes
    )
    if outside or inside:
        report.add(
            "T311",
            expression.place,
            "The method is not called: without a second pair of brackets its name stays in the "
            "text, or the expression fails.",
            'Write [[Number].Replace("a","b")].',
        )


def _established(expression: Expression, report: Report) -> None:
    if expression.guarded:
        return
    chosen: set[int] = set()
    for node in expression.nodes:
        if isinstance(node, ex.Call) and node.name.lower() == "iif":
            chosen |= {inner.position for inner in ex.walk(node)}
    for node in expression.nodes:
        if not isinstance(node, ex.Member) or node.position in chosen:
            continue
        if any(name.startswith("CallEstablishedTime") for name in ex.variables(node.target)):
            report.add(
                "T312",
                expression.place,
                "CallEstablishedTime is null for a call that nobody answered; a method on null "
                "fails the whole request, so missed calls are not reported.",
                'Leave it out, or add If="[CallType]==Inbound" to the Value.',
            )
            return


def _sent(expression: Expression, report: Report) -> None:
    """What goes wrong with a text on its way to the server."""
    if expression.kind == "condition":
        return
    if expression.role in ("Body", "Message", "Query", "Url"):
        _bare_instant(expression, report)
    if "LineBreak" in expression.variables:
        report.add(
            "T315",
            expression.place,
            "[LineBreak] is replaced in the Default of a parameter only; here it stays as it is.",
            "Write &#x0A; in the text of a Value.",
        )
    direct = expression.variables & _FREE_TEXT
    if expression.passes > 1 and direct:
        report.add(
            "T316",
            expression.place,
            f"{min(direct)} is free text that may hold square brackets; with more than one pass "
            "they are evaluated as variables.",
            'Write Passes="1".',
        )
    if expression.role == "Body" and any(mark in expression.source for mark in _ESCAPES):
        report.add(
            "T320",
            expression.place,
            "PostValues needs no escapes: {{, }} and ^^ are for Message and may be sent as they "
            "are.",
            "Write the characters themselves.",
        )


def _bare_instant(expression: Expression, report: Report) -> None:
    treated: set[int] = set()
    for node in expression.nodes:
        if isinstance(node, (ex.Member, ex.Comparison)):
            treated |= {inner.position for inner in ex.walk(node)}
    for node in expression.nodes:
        if (
            isinstance(node, ex.Variable)
            and _INSTANT.fullmatch(node.name)
            and node.position not in treated
        ):
            report.add(
                "T313",
                expression.place,
                f"[{node.name}] is printed in the culture of the PBX, which differs from one "
                "installation to the next.",
                f'Write [[{node.name}].ToString("yyyy-MM-ddTHH:mm:ssZ")].',
            )


def _names(
    expression: Expression, item: ScenarioView, known: set[str], view: View, report: Report
) -> None:
    if not item.reached:
        return  # what it is given depends on who runs it, and nobody does
    contact = {_CONTACT + name for name in view.output_types}
    _unknown(expression.variables - known - contact, known, expression.place, report)
    if expression.passes > 1:
        for name in expression.variables & set(view.parameters):
            _default(name, known | contact, view, report)


def _default(name: str, known: set[str], view: View, report: Report) -> None:
    """The value of a parameter that is itself evaluated, on the second pass."""
    parameter = view.parameters[name]
    if not parameter.default:
        return
    base = view.place.inside("Parameters", view.crm.parameters)
    place = base.inside("Parameter", parameter, name).at("Default")
    expression = Expression(place, parameter.default, "text", "Default")
    if isinstance(expression.tree, ex.ExpressionError):
        _expression(expression, report)
    _unknown(expression.variables - known, known, place, report)


def _unknown(names: set[str], known: set[str], place: Place, report: Report) -> None:
    for name in sorted(names):
        report.add(
            "T314",
            place,
            f"Nothing provides the variable [{name[:_LONGEST_NAME]}] here; the PBX leaves the "
            "placeholder in the text.",
            _similar(name, known),
        )


def _similar(name: str, known: set[str]) -> str:
    if len(name) > _LONGEST_NAME:
        return "Check the brackets."
    for candidate in sorted(known):
        if candidate.lower() == name.lower():
            return f"Write [{candidate}]: names are case-sensitive."
    close = get_close_matches(name, sorted(known)[:_MOST_COMPARED], 1)
    if close:
        return f"Did you mean [{close[0]}]?"
    return "Add a parameter or a Variable of this name, or use one that this scenario is given."
