"""Rules on the file itself: unknown and repeated parts, enumerations, numbers of passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from callhelm_threecx.template.elements import Element, RawNode, Section
from callhelm_threecx.template.fields import schema_of
from callhelm_threecx.template.linting.findings import Place, Report
from callhelm_threecx.template.linting.view import View
from callhelm_threecx.template.model import Rule, Scenario, Variable

_BOOLEAN: Final = ("true", "false")
# By class and field; None stands for "absent", which is always allowed.
_ENUMERATIONS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("Number", "Prefix"): ("AsIs", "Off", "Plus", "Zeros"),
    ("Parameter", "Type"): (
        "String",
        "Password",
        "Boolean",
        "Integer",
        "Double",
        "DateTime",
        "List",
        "OAuth",
    ),
    ("Parameter", "Editor"): ("String", "Sql"),
    ("Authentication", "Type"): ("No", "Basic", "Scenario"),
    ("Scenario", "Type"): ("REST", "SQLDatabase", "NoSQLDatabase"),
    ("Request", "RequestType"): ("Get", "Post", "Put", "Patch", "Delete"),
    ("Request", "RequestEncoding"): ("UrlEncoded", "Json"),
    ("Request", "ResponseType"): ("Json", "Xml"),
    ("Outputs", "AllowEmpty"): _BOOLEAN,
    ("Crm", "SupportsEmojis"): _BOOLEAN,
    ("Crm", "SupportsTranscription"): _BOOLEAN,
}
# A database scenario has elements of its own, of which no more than their names is known.
_DATABASE_ELEMENTS: Final = frozenset({"Query", "Command"})
# Templates that were exported from a PBX carry these, empty, on PostValues itself.
_BODY_ATTRIBUTES: Final = ("Key", "If", "SkipIf")
_WRAPPED: Final = ("Value", "Object", "Array", "Rule", "Variable", "Scenario", "Parameter")
_LONGEST_NAME: Final = 60


def check(view: View, report: Report) -> None:
    """Walk over every element of the template."""
    pending: list[tuple[Any, Place]] = [(view.crm, view.place)]
    while pending:
        element, place = pending.pop()
        _unknown(element, place, report)
        _enumerations(element, place, report)
        _passes(element, place, report)
        pending.extend(_children(element, place))


def _children(element: Element, place: Place) -> Iterator[tuple[Element, Place]]:
    if isinstance(element, Section):
        for item in element.items:
            yield item, place.inside(_tag(item), item, _name(item))
        return
    for part in schema_of(type(element)).parts:
        value = getattr(element, part.field)
        if part.kind == "children":
            for item in value:
                yield item, place.inside(_tag(item), item, _name(item))
        elif value is not None and (part.kind == "child" or value.present):
            yield value, place.inside(part.name, value)


def _tag(element: Element) -> str:
    return type(element).__name__.removeprefix("Post")


def _name(element: Element) -> str | None:
    for name in ("id", "name", "key", "type"):
        value = getattr(element, name, None)
        if value:
            return str(value)
    return None


def _unknown(element: Element, place: Place, report: Report) -> None:
    extra = element.extra
    if not extra:
        return
    attributes, elements = _known(element, place)
    for name, _value in extra.attributes:
        if not name.startswith("xmlns:") and not (_is_wrapper(element) and name in attributes):
            _unknown_attribute(name, attributes, place, report)
    for node in extra.children:
        where = place.inside(node.tag, node)
        if isinstance(element, Variable) and node.tag == "Filters":
            _filters_wrapper(where, report)
        elif node.tag in elements and not _is_wrapper(element):
            _repeated(node, where, report)
        elif not (isinstance(element, Scenario) and node.tag in _DATABASE_ELEMENTS):
            _unknown_element(node, elements, where, report)
    if extra.text:
        report.add(
            "T014",
            place,
            f'The text "{extra.text[:40]}" stands where the PBX expects elements only.',
            "Remove it, or write it as a comment.",
        )


def _is_wrapper(element: Element) -> bool:
    return isinstance(element, Section)


def _known(element: Element, place: Place) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of attributes and of child elements that may stand in an element."""
    if _is_wrapper(element):
        body = place.path.endswith("/PostValues")
        return (_BODY_ATTRIBUTES if body else ()), _WRAPPED
    schema = schema_of(type(element))
    return tuple(schema.attributes), schema.elements


def _unknown_attribute(name: str, known: tuple[str, ...], place: Place, report: Report) -> None:
    report.add(
        "T010",
        place.at(name),
        f"The PBX does not know the attribute {name} here and ignores it.",
        _did_you_mean(name, known) or "Remove it.",
    )


def _unknown_element(node: RawNode, known: tuple[str, ...], place: Place, report: Report) -> None:
    report.add(
        "T011",
        place,
        f"The PBX does not know the element {node.tag} here and ignores it and all it holds.",
        _did_you_mean(node.tag, known) or "Remove it, or move it to where it belongs.",
    )


def _filters_wrapper(place: Place, report: Report) -> None:
    report.add(
        "T012",
        place,
        "The PBX ignores a Filter that is wrapped in Filters; the variable stays empty or takes "
        "any element.",
        "Put the Filter directly into the Variable.",
    )


def _repeated(node: RawNode, place: Place, report: Report) -> None:
    report.add(
        "T013",
        place,
        f"There is a second {node.tag}; only one can be in force.",
        "Merge the two into one.",
    )


def _did_you_mean(name: str, known: tuple[str, ...]) -> str:
    if len(name) > _LONGEST_NAME:
        return ""
    for candidate in known:
        if candidate.lower() == name.lower():
            return f"Write {candidate}: names are case-sensitive."
    close = get_close_matches(name, known, 1)
    return f"Did you mean {close[0]}?" if close else ""


def _enumerations(element: Element, place: Place, report: Report) -> None:
    if isinstance(element, Section):
        return
    class_name = type(element).__name__
    for attribute, field in schema_of(type(element)).attributes.items():
        allowed = _ENUMERATIONS.get((class_name, attribute))
        value: str | None = getattr(element, field)
        if allowed is None or not value or value in allowed:
            continue
        _outside(value, allowed, place.at(attribute), report)

    if isinstance(element, Rule):
        _rule_type(element, place.at("Type"), report)


def _rule_type(rule: Rule, place: Place, report: Report) -> None:
    """Only the case is judged: the documentation's list of rule types is longer than ours."""
    if (rule.type or "").lower() in ("any", "equals"):
        allowed = ("Any", "Equals")
        if rule.type not in allowed:
            _outside(rule.type or "", allowed, place, report)


def _outside(value: str, allowed: tuple[str, ...], place: Place, report: Report) -> None:
    right = next((item for item in allowed if item.lower() == value.strip().lower()), None)
    if right:
        report.add(
            "T020",
            place,
            f'{place.attribute}="{value}" is not recognised: these values are case-sensitive.',
            f'Write {place.attribute}="{right}".',
        )
        return
    report.add(
        "T021",
        place,
        f'{place.attribute}="{value[:40]}" is not one of the values that the PBX knows.',
        f"Use one of: {', '.join(allowed)}.",
    )


def _passes(element: Element, place: Place, report: Report) -> None:
    for field in dataclasses.fields(element):
        if field.name not in ("passes", "message_passes"):
            continue
        value: str | None = getattr(element, field.name)
        if value and not (value.isdecimal() and len(value) == 1):
            name = "Passes" if field.name == "passes" else "MessagePasses"
            report.add(
                "T022",
                place.at(name),
                f'{name}="{value[:20]}" is not a number of evaluations.',
                "Use 1; or 2 when a parameter's value holds variables itself.",
            )
