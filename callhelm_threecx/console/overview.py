"""The overview of an organization: is it connected, how is it going, what is to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from callhelm_threecx.console import charts
from callhelm_threecx.console.advice import Fault, fault_of
from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.page import Page
from callhelm_threecx.models import utc_now
from callhelm_threecx.services.integrations import Integration
from callhelm_threecx.services.overview import LAST_DAY, DaySummary, Overview, OverviewFacts
from callhelm_threecx.services.reports import CallType

SPANS: Final = (14, 30, 90)
"""So many days may be shown; the first is what a visitor sees unasked."""

REFRESH_MS: Final = 10_000
"""How often a page of somebody who is still setting up looks for what has happened."""

FLUSH_S: Final = 1.0
JOURNALING: Final = "call_journaling_enabled"
_CALL_LABELS: Final = (
    (CallType.INBOUND, "Answered", "one"),
    (CallType.MISSED, "Missed", "two"),
    (CallType.OUTBOUND, "Outgoing", "three"),
    (CallType.NOTANSWERED, "Outgoing, not answered", "four"),
)


@dataclass(frozen=True, slots=True)
class State:
    """Whether it is connected: look and text of a badge, and a sentence."""

    look: str
    badge: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of the checklist, by what it is called before and after. ``path`` is the page,
    below the organization, where it is done, and ``link`` what leads there."""

    done: bool
    title: str
    past: str
    how: str
    path: str
    link: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The numbers of the days that are shown, together; shares are from 0 to 1, None of nothing."""

    calls: int
    incoming: int
    chats: int
    answered: float | None
    lookups: int
    recognised: float | None


class OverviewPage(Page):
    """Shows how an organization's integration is doing."""

    section: ClassVar[str | None] = ""

    def __init__(self, desk: Desk, overview: Overview, flush: Callable[[float], object]) -> None:
        super().__init__(desk)
        self._overview = overview
        self._flush = flush

    def show(self, visit: Visit, **_: str) -> None:
        """The overview of the last days, ``?days=`` of `SPANS`."""
        integration = visit.integration
        if integration is None:  # the gate sends such visitors to the set-up
            return
        span = _span(visit)
        self._flush(FLUSH_S)  # what this process answered before is in what it shows now
        facts = self._overview.of(visit.organization_id, span)
        steps = checklist(facts, integration)
        self.render(
            visit,
            "overview.html",
            integration=integration,
            facts=facts,
            state=state_of(facts, integration, utc_now()),
            steps=steps,
            to_do=sum(not step.done for step in steps),
            was_heard=facts.last_lookup_at is not None or facts.last_journal_at is not None,
            refresh_ms=REFRESH_MS,
            span=span,
            spans=SPANS,
            totals=totals_of(facts.days),
            calls=calls_chart(facts.days),
            answered=answered_chart(facts.days),
            lookups=lookups_chart(facts.days),
            percent=charts.percent,
            faults=faults_of(facts),
        )


def _span(visit: Visit) -> int:
    asked = visit.req.get_param("days") or ""
    return int(asked) if asked in map(str, SPANS) else SPANS[0]


def faults_of(facts: OverviewFacts) -> Sequence[Fault]:
    """The newest errors in words."""
    return [fault_of(event) for event in facts.newest_errors]


def state_of(facts: OverviewFacts, integration: Integration, now: datetime) -> State:
    """Whether the PBX is heard of, in the words of a badge and a sentence."""
    seen = max(filter(None, (facts.last_lookup_at, facts.last_journal_at)), default=None)
    if not integration.enabled:
        return State("warn", "switched off", "Your PBX is refused until you switch it on again.")
    if seen is None:
        return State(
            "", "waiting", "Nothing has come from your PBX yet. Follow the steps to connect it."
        )
    if seen < integration.key_created_at:
        return State(
            "warn",
            "not since the new key",
            "The key was made anew, and nothing has come from your PBX since. Upload the new"
            " template in 3CX.",
        )
    if facts.errors:
        return State("warn", "connected, with errors", "What went wrong is below.")
    if now - seen <= LAST_DAY:
        return State("good", "connected", "Your PBX asked within the last 24 hours.")
    days = (now - seen).days
    since = "a day" if days == 1 else f"{days} days"
    return State(
        "",
        "quiet",
        f"Your PBX has not asked for {since}. If calls came in meanwhile, test the connection.",
    )


def checklist(facts: OverviewFacts, integration: Integration) -> Sequence[Step]:
    """What is to be done until all is set up. What has come from a PBX came by a template, however
    that was handed out."""
    done = facts.checklist
    heard = done.first_lookup_seen or done.first_call_journaled
    steps = [
        Step(
            done.key_generated,
            "Make the key",
            "The key is made",
            "Your PBX shows it with every request.",
            "/setup#step-1",
            "Make the key",
        ),
        Step(
            done.template_downloaded or heard,
            "Download the template",
            "The template is downloaded",
            "Then upload it in the Admin Console of 3CX: Integrations, CRM, Server side.",
            "/setup#step-2",
            "Download the template",
        ),
        Step(
            done.first_lookup_seen,
            "See the first lookup",
            "The first lookup was seen",
            "Press Test in 3CX with a number that you know, or call in from outside.",
            "/setup/test",
            "Test the connection",
        ),
    ]
    if integration.allows(JOURNALING) or done.first_call_journaled:
        steps.append(
            Step(
                done.first_call_journaled,
                "See the first call recorded",
                "The first call was recorded",
                "Tick Enable Call Journaling in 3CX, then make a call from outside and hang up.",
                "/setup#step-2",
                "How to set up 3CX",
            )
        )
    steps.append(
        Step(
            done.extensions_mapped,
            "Say who has which extension",
            "Extensions have their people",
            "Then calls are recorded for the right person in your CRM.",
            "/agents",
            "Map the extensions",
        )
    )
    return steps


def totals_of(days: Sequence[DaySummary]) -> Totals:
    """The days together."""
    calls = {kind: sum(day.calls[kind.value] for day in days) for kind in CallType}
    incoming = calls[CallType.INBOUND] + calls[CallType.MISSED]
    matched = sum(day.lookups_matched for day in days)
    lookups = matched + sum(day.lookups_unknown for day in days)
    return Totals(
        calls=sum(calls.values()),
        incoming=incoming,
        chats=sum(day.chats for day in days),
        answered=calls[CallType.INBOUND] / incoming if incoming else None,
        lookups=lookups,
        recognised=matched / lookups if lookups else None,
    )


def calls_chart(days: Sequence[DaySummary]) -> charts.Chart:
    """Calls by type."""
    busiest = max(days, key=lambda day: sum(day.calls.values()))
    return charts.stacked_bars(
        "calls",
        "Calls per day, by type",
        f"Bars from {_from_to(days)}. Most calls were on {charts.day_name(busiest.day)}:"
        f" {sum(busiest.calls.values())}.",
        [day.day for day in days],
        [
            (label, look, [day.calls[kind.value] for day in days])
            for kind, label, look in _CALL_LABELS
        ],
    )


def answered_chart(days: Sequence[DaySummary]) -> charts.Chart:
    """The answered share of the incoming calls."""
    known = [day for day in days if day.answered_share is not None]
    worst = min(known, key=lambda day: day.answered_share or 0, default=None)
    low = ""
    if worst is not None:
        share = charts.percent(worst.answered_share)
        low = f" The lowest share was {share}, on {charts.day_name(worst.day)}."
    return charts.share_line(
        "answered",
        "Answered share of the incoming calls, per day",
        f"A line from {_from_to(days)}, broken on days without incoming calls.{low}",
        "Answered",
        [(day.day, day.answered_share) for day in days],
    )


def lookups_chart(days: Sequence[DaySummary]) -> charts.Chart:
    """Lookups by whether a contact was found."""
    return charts.stacked_bars(
        "lookups",
        "Lookups per day, by whether the caller was known",
        f"Bars from {_from_to(days)}.",
        [day.day for day in days],
        [
            ("Known caller", "one", [day.lookups_matched for day in days]),
            ("Unknown caller", "two", [day.lookups_unknown for day in days]),
        ],
    )


def _from_to(days: Sequence[DaySummary]) -> str:
    return f"{charts.day_name(days[0].day)} to {charts.day_name(days[-1].day)}"
