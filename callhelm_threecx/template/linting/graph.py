"""Rules on scenarios as a whole: their ids, who runs them, and what each kind may hold."""

from __future__ import annotations

from typing import Final

from callhelm_threecx.template import scenario_ids as ids
from callhelm_threecx.template.linting.findings import Place, Report
from callhelm_threecx.template.linting.view import ScenarioView, View

_RESERVED: Final = (
    ids.LOOKUP_BY_EMAIL,
    ids.SEARCH_CONTACTS,
    ids.CREATE_CONTACT,
    ids.CREATE_CONTACT_FROM_CLIENT,
    ids.REPORT_CALL,
    ids.REPORT_CHAT,
    ids.CFD_NUMBER,
    ids.CFD_ID,
    ids.CFD_FREE_QUERY,
)
_PREFIXES: Final = (ids.LOOKUP_BY_EMAIL, ids.SEARCH_CONTACTS, ids.CFD_PREFIX)


def check(view: View, report: Report) -> None:
    """Judge every scenario, and the references between them."""
    _duplicates(view, report)
    _references(view, report)
    _lookups(view, report)
    for scenario in view.scenarios:
        _reach(scenario, view, report)
        _chain(scenario, view, report)
        _request(scenario, report)
        _write_only(scenario, report)


def _duplicates(view: View, report: Report) -> None:
    seen: set[str] = set()
    for item in view.scenarios:
        scenario_id = item.scenario.id
        if not scenario_id:
            continue
        if scenario_id in seen and scenario_id == ids.REPORT_CALL:
            report.add(
                "T202",
                item.place.at("Id"),
                "There is more than one ReportCall; the PBX runs exactly one.",
                "Keep one, and choose by [CallType] in the If of a Value.",
            )
        elif scenario_id in seen:
            report.add(
                "T201",
                item.place.at("Id"),
                f"There are two scenarios with the Id {scenario_id[:60]}; one is never found.",
                "Give each scenario an Id of its own.",
            )
        seen.add(scenario_id)


def _references(view: View, report: Report) -> None:
    for item in view.scenarios:
        if item.scenario.outputs and item.scenario.next:
            place = item.place.inside("Outputs", item.scenario.outputs).at("Next")
            _reference(item.scenario.next, place, view, report)
    authentication = view.crm.authentication
    if authentication and authentication.type == "Scenario" and authentication.value:
        place = view.place.inside("Authentication", authentication)
        _reference(authentication.value, place, view, report)
    base = view.place.inside("Parameters", view.crm.parameters)
    for parameter in view.crm.parameters:
        if parameter.response_scenario:
            place = base.inside("Parameter", parameter, parameter.name).at("ResponseScenario")
            _reference(parameter.response_scenario, place, view, report)


def _reference(scenario_id: str, place: Place, view: View, report: Report) -> None:
    if scenario_id not in view.by_id:
        similar = next((i for i in view.by_id if i.lower() == scenario_id.lower()), None)
        report.add(
            "T203",
            place,
            f'No scenario has the Id "{scenario_id[:60]}"; the PBX stops here and shows nothing.',
            f"Write {similar}: ids are case-sensitive."
            if similar
            else "Add it, or correct the Id.",
        )


def _reach(item: ScenarioView, view: View, report: Report) -> None:
    scenario_id = item.scenario.id or ""
    if item.reached or view.by_id[scenario_id] is not item:
        return
    right = _reserved(scenario_id)
    if right:
        report.add(
            "T205",
            item.place.at("Id"),
            f'The PBX does not know "{scenario_id[:60]}" and never runs this scenario.',
            f"Write {right}: ids are case-sensitive.",
        )
        return
    report.add(
        "T204",
        item.place,
        f'Nothing runs the scenario "{scenario_id[:60]}": its Id is not reserved, and no Next, '
        "Authentication or ResponseScenario names it.",
        "Name it where it is needed, or remove it.",
    )


def _reserved(scenario_id: str) -> str:
    """The reserved id that this one is in another case; "" when it is none."""
    lower = scenario_id.lower()
    for name in _RESERVED:
        if name.lower() == lower:
            return name
    for prefix in _PREFIXES:
        if lower.startswith(prefix.lower()):
            return prefix + scenario_id[len(prefix) :]
    return ""


def _chain(item: ScenarioView, view: View, report: Report) -> None:
    chain = view.chain(item)
    last = chain[-1]
    # A loop is reported once, seen from the scenario in it that stands first in the file.
    if view.following(last) is not item or item is not min(chain, key=view.scenarios.index):
        return
    if last.scenario.outputs:
        report.add(
            "T206",
            last.place.inside("Outputs", last.scenario.outputs).at("Next"),
            f'Next leads back to "{item.scenario.id}", so the chain would never end.',
            "End the chain with an empty Next.",
        )


def _request(item: ScenarioView, report: Report) -> None:
    if item.is_database:
        report.add(
            "T211",
            item.place.at("Type"),
            f"A scenario of Type {item.scenario.type} is not checked further.",
        )
    elif item.scenario.request is None or not item.scenario.request.url:
        place = item.place
        if item.scenario.request is not None:
            place = place.inside("Request", item.scenario.request)
        report.add(
            "T209",
            place,
            "The scenario has no Request with a Url, so the PBX has nothing to ask.",
            'Add <Request Url="…" RequestType="Get" ResponseType="Json"/>.',
        )


def _write_only(item: ScenarioView, report: Report) -> None:
    scenario = item.scenario
    kind = scenario.kind
    parts = [
        (name, part)
        for name, part in (
            ("Rules", scenario.rules if scenario.rules.present else None),
            ("Variables", scenario.variables if scenario.variables.present else None),
            ("Outputs", scenario.outputs),
        )
        if part is not None
    ]
    if kind in ("report_call", "report_chat") and parts:
        report.add(
            "T207",
            item.place.inside(*parts[0]),
            f"{scenario.id} has {' and '.join(name for name, _part in parts)}; some versions of "
            "the PBX then do not run it at all.",
            "Give a report its Request only. A chain of requests is better made by the server.",
        )
    elif kind == "cfd_lookup":
        for name, part in parts[1:] if parts and parts[0][0] == "Rules" else parts:
            report.add(
                "T208",
                item.place.inside(name, part),
                f"A call flow is handed the raw answer; {name} have no effect in its lookup.",
                "Give a call flow lookup its Request and Rules only.",
            )


def _lookups(view: View, report: Report) -> None:
    lookups = [item for item in view.scenarios if item.scenario.is_lookup]
    for item in lookups[1:]:
        request = item.scenario.request
        if request and "FoundRecordCount" not in (request.skip_if or ""):
            report.add(
                "T210",
                item.place.inside("Request", request),
                "This lookup runs also when an earlier one has found someone; the caller waits "
                "for both.",
                'Add SkipIf="[IIf([FoundRecordCount]&gt;0,True,False)]".',
            )
