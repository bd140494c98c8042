"""Rules on conditions: quotes, Booleans, and what has thrown on live PBXs."""

from __future__ import annotations

import re
from typing import Final

from callhelm_threecx.template import expressions as ex
from callhelm_threecx.template.linting.findings import Report
from callhelm_threecx.template.linting.view import Expression, View

_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
_BOOLEANS: Final = ("True", "False")


def check(view: View, report: Report) -> None:
    """Judge the comparisons of every expression."""
    for item in view.scenarios:
        if item.is_database:
            continue
        for expression in (*item.request_expressions, *item.output_expressions):
            for node in expression.nodes:
                if isinstance(node, ex.Comparison):
                    _boolean_case(expression, node, report)
            if expression.role == "SkipIf":
                _unquoted(expression, report)
            elif expression.role == "If":
                _quoted(expression, report)


def _boolean_case(expression: Expression, node: ex.Comparison, report: Report) -> None:
    for side in (node.left, node.right):
        if not isinstance(side, (ex.Text, ex.String)):
            continue
        word = side.value.strip()
        if word.capitalize() in _BOOLEANS and word not in _BOOLEANS:
            report.add(
                "T319",
                expression.place,
                f'Booleans are the words True and False here, also when an answer says "{word}"; '
                f'a comparison with "{word}" never holds.',
                f"Write {word.capitalize()}.",
            )


def _unquoted(expression: Expression, report: Report) -> None:
    """A bare word compared inside || or &&, or as the whole condition.

    Alone in an `IIf` it is left alone: templates that ship everywhere choose so by call type.
    """
    compared: list[ex.Node] = []
    for node in expression.nodes:
        if isinstance(node, ex.Condition):
            compared.append(node.expression)
        elif isinstance(node, ex.Logic):
            compared.extend(node.operands)
    for node in compared:
        if isinstance(node, ex.Comparison) and (word := _bare_word(node.right)):
            report.add(
                "T317",
                expression.place,
                f"In a SkipIf strings are quoted; compared with the bare word {word[:40]}, above "
                "all inside || or &&, a request has failed at run time.",
                f"Write &quot;{word[:40]}&quot;.",
            )


def _bare_word(node: ex.Node) -> str:
    if not isinstance(node, ex.Text):
        return ""
    word = node.value.strip()
    if word.capitalize() in _BOOLEANS or _NUMBER.fullmatch(word):
        return ""
    return word


def _quoted(expression: Expression, report: Report) -> None:
    for node in expression.nodes:
        if (
            isinstance(node, ex.Comparison)
            and isinstance(node.right, ex.String)
            and node.right.value
        ):
            report.add(
                "T318",
                expression.place,
                f"In the If of a Value words stand without quotes; compared with a quoted "
                f"{node.right.value[:40]}, the value may never be sent.",
                f"Write {node.right.value[:40]} without quotes.",
            )
