"""Rules on what a scenario gives back, above all on what makes the PBX drop a contact."""

from __future__ import annotations

import re
from typing import Final

from callhelm_threecx.template.linting.findings import Place, Report
from callhelm_threecx.template.linting.view import ScenarioView, View
from callhelm_threecx.template.model import Output, Outputs
from callhelm_threecx.template.predefined import PHONE_OUTPUTS

_NAMES: Final = ("FirstName", "LastName", "CompanyName")
_SHOWN: Final = frozenset(
    {
        *_NAMES,
        *PHONE_OUTPUTS,
        "ContactUrl",
        "FullName",
        "Email",
        "EntityId",
        "EntityType",
        "ContactID",
        "CustomValue",
        "PhotoUrl",
        "HeaderName",
        "HeaderValue",
        "BearerExpiration",
        "Result",
    }
)
_FINDING_KINDS: Final = ("lookup", "lookup_by_email", "search")
_CALL: Final = re.compile(r"\bIIf\s*\(|\.[A-Z]\w*\s*\(")
_PHONE_NAME: Final = re.compile(
    r"(?i:phone|mobile)|(?:^|[_.])(?:fax|tel)(?:$|[_.])|(?:Fax|Tel)(?:$|[A-Z_])|^(?:fax|tel)[A-Z]"
)


def check(view: View, report: Report) -> None:
    """Judge the Outputs of every scenario."""
    for item in view.scenarios:
        if item.scenario.outputs and not item.is_database:
            place = item.place.inside("Outputs", item.scenario.outputs)
            _each(item, item.scenario.outputs, place, view, report)
            _phones(item, item.scenario.outputs, view, report)
    _results(view, report)


def _each(item: ScenarioView, outputs: Outputs, base: Place, view: View, report: Report) -> None:
    seen: set[str] = set()
    known = view.known_before(item) | item.own_names
    for output in outputs:
        place = base.inside("Output", output, output.type)
        if not output.type or output.value is None:
            report.add(
                "T419",
                place,
                f"The output has no {'Value' if output.type else 'Type'} and is not used.",
                "Give it a Type and a Value.",
            )
            continue
        if output.type in seen:
            report.add(
                "T418",
                place.at("Type"),
                f"{output.type[:40]} is put out twice; the later value wins when it is not empty.",
                "Keep one, unless the first is meant as a fallback.",
            )
        seen.add(output.type)
        _type(output.type, place.at("Type"), report)
        _brackets(output.value, known, place.at("Value"), report)


def _type(name: str, place: Place, report: Report) -> None:
    if name in _SHOWN:
        return
    right = next((item for item in _SHOWN if item.lower() == name.lower()), None)
    if right:
        report.add(
            "T020",
            place,
            f'Type="{name}" is not recognised: these values are case-sensitive.',
            f'Write Type="{right}".',
        )
        return
    report.add(
        "T416",
        place,
        f"The PBX does not show an output named {name[:40]}; it can only be read back as "
        f"[Contact::{name[:40]}].",
        "Remove it if nothing reads it.",
    )


def _brackets(value: str, known: set[str], place: Place, report: Report) -> None:
    if "[" not in value and (value.strip() in known or _CALL.search(value)):
        report.add(
            "T417",
            place,
            f'"{value[:60]}" has no square brackets, so the PBX shows these very characters.',
            f"Write [{value.strip()[:60]}].",
        )


def _results(view: View, report: Report) -> None:
    """What the scenario at the end of each lookup, e-mail lookup and search must put out."""
    finals: dict[ScenarioView, set[str]] = {}
    for item in view.scenarios:
        if item.scenario.kind in _FINDING_KINDS and not item.is_database:
            finals.setdefault(view.last_of(item), set()).add(item.scenario.kind)
    for item, kinds in finals.items():
        outputs = item.scenario.outputs
        if outputs is None or not outputs.items:
            report.add(
                "T413",
                item.place if outputs is None else item.place.inside("Outputs", outputs),
                "The lookup ends in a scenario without outputs, so no contact is ever shown.",
                "Add Outputs with ContactUrl, a name and the phone numbers.",
            )
        elif not item.is_database and not view.following(item):
            _complete(item, outputs, kinds, report)


def _complete(item: ScenarioView, outputs: Outputs, kinds: set[str], report: Report) -> None:
    place = item.place.inside("Outputs", outputs)
    filled = {output.type for output in outputs if (output.value or "").strip()}
    if "ContactUrl" not in filled:
        report.add(
            "T410",
            place,
            "No ContactUrl is put out; the PBX drops a contact without one.",
            'Add <Output Type="ContactUrl" Value="…"/>.',
        )
    if not filled & set(_NAMES):
        report.add(
            "T411",
            place,
            "None of FirstName, LastName and CompanyName is put out; the PBX drops a contact "
            "without a name.",
            "Put out at least one of them.",
        )
    if "lookup" in kinds:
        _match_check(outputs, place, report)


def _match_check(outputs: Outputs, place: Place, report: Report) -> None:
    phones = [output for output in outputs if output.type in PHONE_OUTPUTS]
    if not phones:
        report.add(
            "T412",
            place,
            "No phone number is put out; the PBX drops a contact in which it does not find the "
            "number that it asked for.",
            f"Put out every phone number that the CRM knows: {', '.join(PHONE_OUTPUTS)}.",
        )
    elif not any(_can_hold_number(output) for output in phones):
        report.add(
            "T414",
            place,
            "No phone output can hold the number that was asked for: all of them are empty or "
            "fixed texts. The PBX drops every contact.",
            "Take the phone numbers from the answer.",
        )


def _can_hold_number(output: Output) -> bool:
    return "[" in (output.value or "")


def _phones(item: ScenarioView, outputs: Outputs, view: View, report: Report) -> None:
    """Phone numbers that are read and not put out: a caller who uses one is dropped."""
    if "lookup" not in item.kinds or not any(o.type in PHONE_OUTPUTS for o in outputs):
        return
    used = {
        name for found in view.chain(item) for e in found.output_expressions for name in e.variables
    }
    used |= {
        name
        for found in view.chain(item)[1:]
        for e in found.request_expressions
        for name in e.variables
    }
    variables = item.place.inside("Variables", item.scenario.variables)
    for variable in item.scenario.variables:
        name = variable.name or ""
        last = variable.response_path.rpartition(".")[2]
        if name not in used and (_PHONE_NAME.search(name[:60]) or _PHONE_NAME.search(last[:60])):
            report.add(
                "T415",
                variables.inside("Variable", variable, name),
                f"{name[:60]} is read and not put out; a caller who is found by this number is "
                "dropped, because the PBX looks for it in the phone outputs only.",
                f"Put it out as one of {', '.join(PHONE_OUTPUTS)}.",
            )
