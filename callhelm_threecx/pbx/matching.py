"""Which results a PBX shows, and which it drops without a word (reported from live PBXs)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from callhelm_threecx.pbx.numbers import same_number
from callhelm_threecx.pbx.results import (
    NAME_OUTPUTS,
    Contact,
    Dropped,
    Outcome,
)
from callhelm_threecx.template.predefined import PHONE_OUTPUTS

Verdict = Callable[[Outcome], str]
"""Says why an outcome is dropped; nothing when it is shown."""


def sort_out(
    outcomes: Iterable[Outcome], verdict: Verdict
) -> tuple[tuple[Contact, ...], tuple[Dropped, ...]]:
    """Part the outcomes into contacts and dropped ones; an outcome without outputs is neither."""
    contacts: list[Contact] = []
    dropped: list[Dropped] = []
    for outcome in outcomes:
        if not outcome.found:
            continue
        reason = verdict(outcome)
        if reason:
            dropped.append(Dropped(outcome.scenario, reason, outcome.outputs))
        else:
            contacts.append(Contact(outcome.outputs, outcome.scenario))
    return tuple(contacts), tuple(dropped)


def caller_verdict(number: str, *, verbatim: bool) -> Verdict:
    """A caller needs a ContactUrl, a name, and a phone output that holds the number asked for."""

    def verdict(outcome: Outcome) -> str:
        lacking = person_verdict(outcome)
        if lacking:
            return lacking
        numbers = [outcome.outputs[kind] for kind in PHONE_OUTPUTS if outcome.outputs.get(kind)]
        if not numbers:
            return "No phone output is filled in."
        if not any(same_number(number, each, verbatim=verbatim) for each in numbers):
            return f"No phone output contains {number}; there is {', '.join(numbers)}."
        return ""

    return verdict


def person_verdict(outcome: Outcome) -> str:
    """Anyone who is shown needs a ContactUrl and a name."""
    if not outcome.outputs.get("ContactUrl"):
        return "The ContactUrl is empty."
    return name_verdict(outcome)


def name_verdict(outcome: Outcome) -> str:
    """A search result needs a name."""
    if not any(outcome.outputs.get(kind) for kind in NAME_OUTPUTS):
        return "FirstName, LastName and CompanyName are all empty."
    return ""
