"""Rules on the root element, the number, the connection, the parameters and the authentication."""

from __future__ import annotations

import re
from typing import Final

from callhelm_threecx.template.linting.findings import Place, Report
from callhelm_threecx.template.linting.view import View
from callhelm_threecx.template.model import Parameter

_GENERAL: Final = "General Configuration"
_INTEGER: Final = re.compile(r"\d{1,9}")
_LENGTH: Final = re.compile(r"\d{0,9}|\[.+\]")


def check(view: View, report: Report) -> None:
    """Judge everything outside the scenarios."""
    _root(view, report)
    _number(view, report)
    _connection(view, report)
    _parameters(view, report)
    _authentication(view, report)


def _root(view: View, report: Report) -> None:
    crm = view.crm
    for name, value in (("Country", crm.country), ("Name", crm.name), ("Version", crm.version)):
        if not value:
            report.add(
                "T101",
                view.place,
                f"The mandatory attribute {name} is missing; the PBX refuses the file.",
                f'Add {name}="…" to the Crm element.',
            )
    if crm.version and not _INTEGER.fullmatch(crm.version):
        report.add(
            "T102",
            view.place.at("Version"),
            f'Version="{crm.version[:20]}" is not a whole number.',
            "Count versions 1, 2, 3.",
        )
    if not crm.scenarios:
        report.add(
            "T103",
            view.place,
            "The template has no scenario, so the PBX never asks the CRM for anything.",
            "Add a Scenario to Scenarios.",
        )


def _number(view: View, report: Report) -> None:
    number = view.crm.number
    if number is None or number.max_length is None:
        return
    if not _LENGTH.fullmatch(number.max_length.strip()):
        report.add(
            "T104",
            view.place.inside("Number", number).at("MaxLength"),
            f'MaxLength="{number.max_length[:20]}" is neither a number nor an expression.',
            'Use MaxLength="[MaxLength]" to follow the setting of the PBX.',
        )


def _connection(view: View, report: Report) -> None:
    connection = view.crm.connection
    if connection is None or connection.max_concurrent_requests is None:
        return
    value = connection.max_concurrent_requests.strip()
    if not _INTEGER.fullmatch(value) or int(value) < 1:
        report.add(
            "T105",
            view.place.inside("Connection", connection).at("MaxConcurrentRequests"),
            f'MaxConcurrentRequests="{value[:20]}" is not a whole number of 1 or more.',
            "Give the number of requests that the CRM takes at once.",
        )


def _parameters(view: View, report: Report) -> None:
    base = view.place.inside("Parameters", view.crm.parameters)
    seen: set[str] = set()
    for parameter in view.crm.parameters:
        place = base.inside("Parameter", parameter, parameter.name)
        _parameter(parameter, place, report)
        _parent(parameter, view, place, report)
        if parameter.name in seen:
            report.add(
                "T111",
                place.at("Name"),
                f"There are two parameters named {parameter.name}; only one can be in force.",
                "Rename or remove one of them.",
            )
        seen.add(parameter.name or "")


def _parameter(parameter: Parameter, place: Place, report: Report) -> None:
    for name, value in (("Name", parameter.name), ("Type", parameter.type)):
        if not value:
            report.add(
                "T110",
                place,
                f"The mandatory attribute {name} is missing.",
                f'Add {name}="…" to the Parameter.',
            )
    if parameter.type == "Boolean" and parameter.default not in (None, "", "True", "False"):
        report.add(
            "T113",
            place.at("Default"),
            f'The PBX compares Booleans with the words True and False; "{parameter.default[:20]}" '
            "equals neither.",
            'Write Default="True" or Default="False".',
        )
    if parameter.type == "List" and not parameter.list_values:
        report.add(
            "T114",
            place,
            "The list has no ListValues, so the administrator has nothing to choose from.",
            'Add ListValues="one;two".',
        )


def _parent(parameter: Parameter, view: View, place: Place, report: Report) -> None:
    parent = parameter.parent
    if not parent or parent == _GENERAL:
        return
    found = view.parameters.get(parent)
    if found is None or found.type != "Boolean":
        report.add(
            "T112",
            place.at("Parent"),
            f'Parent="{parent[:40]}" is not the name of a Boolean parameter, so the setting may '
            "not be shown to the administrator.",
            f'Use Parent="{_GENERAL}" for a plain setting.',
        )


def _authentication(view: View, report: Report) -> None:
    authentication = view.crm.authentication
    if authentication is None or authentication.type not in ("Basic", "Scenario"):
        return
    place = view.place.inside("Authentication", authentication)
    value = authentication.value
    if not value:
        report.add(
            "T120",
            place,
            f"Authentication of Type {authentication.type} has no Value, so no request is "
            "authorised.",
            "Add a Value with user:password, or with the Id of the scenario that signs in.",
        )
    elif authentication.type == "Basic" and ":" not in value:
        report.add(
            "T120",
            place,
            "The Value of a Basic authentication has no colon between user and password.",
            "Write [UserName]:[Password].",
        )
