"""A template as the rules look at it: who runs what, what is known where, and every expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from callhelm_threecx.template import expressions as ex
from callhelm_threecx.template.linting.findings import TEXT, Place
from callhelm_threecx.template.model import (
    Crm,
    PostItem,
    Request,
    Scenario,
    ScenarioKind,
    Value,
)
from callhelm_threecx.template.predefined import EVERYWHERE, INPUTS, OAUTH_RESPONSE

_LONGEST_CHAIN: Final = 50  # no real chain has ten; a hostile file must not cost more than this

ExpressionKind = Literal["text", "condition", "message", "output"]


@dataclass(frozen=True)
class Expression:
    """One attribute or text that the PBX evaluates.

    `role` is the element it stands in (`Url`, `SkipIf`, `If`, `Header`, `Query`, `Body`, `Message`,
    `Output`); `passes` is how often it is evaluated; `guarded` says that the PBX evaluates it only
    under a condition of its own.
    """

    place: Place
    source: str
    kind: ExpressionKind
    role: str
    passes: int = 1
    guarded: bool = False

    @cached_property
    def tree(self) -> ex.Template | ex.Condition | ex.ExpressionError:
        """The parsed expression, or why there is none."""
        try:
            if self.kind == "condition":
                return ex.parse_condition(self.source)
            return ex.parse(self.source, message=self.kind == "message")
        except ex.ExpressionError as error:
            return error

    @property
    def nodes(self) -> list[ex.Node]:
        """Every node of the tree; none when it cannot be parsed."""
        return [] if isinstance(self.tree, ex.ExpressionError) else list(ex.walk(self.tree))

    @property
    def variables(self) -> set[str]:
        """The names of the variables in it."""
        return set() if isinstance(self.tree, ex.ExpressionError) else ex.variables(self.tree)


@dataclass(eq=False)
class ScenarioView:
    """A scenario with what leads to it: the kinds that start such a chain, and its ancestors."""

    scenario: Scenario
    place: Place
    kinds: set[ScenarioKind] = field(default_factory=set)
    before: dict[ScenarioView, None] = field(default_factory=dict)
    is_authentication: bool = False
    is_oauth_response: bool = False

    @property
    def reached(self) -> bool:
        """Whether anything runs it."""
        return bool(self.kinds) or self.is_authentication or self.is_oauth_response

    @property
    def is_database(self) -> bool:
        """Whether it speaks to a database, of which the format notes know too little to judge."""
        return self.scenario.type in ("SQLDatabase", "NoSQLDatabase")

    @property
    def own_names(self) -> set[str]:
        """The variables that its answer sets."""
        return {variable.name for variable in self.scenario.variables if variable.name}

    @cached_property
    def request_expressions(self) -> list[Expression]:
        """What is evaluated before the request is sent."""
        if self.scenario.request is None:
            return []
        where = self.place.inside("Request", self.scenario.request)
        return list(_of_request(self.scenario.request, where))

    @cached_property
    def output_expressions(self) -> list[Expression]:
        """What is evaluated once the answer has been read."""
        outputs = self.scenario.outputs
        if outputs is None:
            return []
        base = self.place.inside("Outputs", outputs)
        return [
            Expression(
                base.inside("Output", item, item.type).at("Value"),
                item.value,
                "output",
                "Output",
                passes_of(item.passes),
            )
            for item in outputs
            if item.value
        ]


class View:
    """A whole template."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.place = Place("Crm", crm)
        base = self.place.inside("Scenarios", crm.scenarios)
        self.scenarios = [
            ScenarioView(item, base.inside("Scenario", item, item.id)) for item in crm.scenarios
        ]
        self.by_id: dict[str, ScenarioView] = {}
        for item in self.scenarios:
            self.by_id.setdefault(item.scenario.id or "", item)
        self.parameters = {p.name: p for p in crm.parameters if p.name}
        self._mark_authentication()
        self._mark_kinds()

    def chain(self, start: ScenarioView) -> list[ScenarioView]:
        """A scenario and those that its `Next` leads to, up to a loop."""
        found = [start]
        while len(found) < _LONGEST_CHAIN:
            after = self.following(found[-1])
            if after is None or after in found:
                break
            found.append(after)
        return found

    def following(self, item: ScenarioView) -> ScenarioView | None:
        """The scenario that `Next` names, if it names one."""
        return self.by_id.get(item.scenario.next) if item.scenario.next else None

    def last_of(self, start: ScenarioView) -> ScenarioView:
        """The scenario whose outputs are shown when `start` runs."""
        return self.chain(start)[-1]

    def known_before(self, scenario: ScenarioView) -> set[str]:
        """The variables that a scenario can use in its request."""
        names = set(EVERYWHERE) | set(self.parameters) | self._authentication_names
        for kind in scenario.kinds:
            names |= INPUTS[kind]
        if scenario.is_oauth_response:
            names |= OAUTH_RESPONSE
        for earlier in scenario.before:
            names |= earlier.own_names
        return names

    @cached_property
    def output_types(self) -> set[str]:
        """Every Output type in the template, as `[Contact::X]` can name it."""
        return {
            output.type
            for item in self.scenarios
            if item.scenario.outputs
            for output in item.scenario.outputs
            if output.type
        }

    @cached_property
    def _authentication_names(self) -> set[str]:
        names: set[str] = set()
        for item in self.scenarios:
            if item.is_authentication:
                names |= item.own_names
        return names

    def _mark_authentication(self) -> None:
        authentication = self.crm.authentication
        if authentication and authentication.type == "Scenario" and authentication.value:
            for item in self._from(authentication.value):
                item.is_authentication = True
        for parameter in self.crm.parameters:
            for item in self._from(parameter.response_scenario or ""):
                item.is_oauth_response = True

    def _mark_kinds(self) -> None:
        for item in self.scenarios:
            if item.scenario.kind != "other":
                for later in self._linked(item):
                    later.kinds.add(item.scenario.kind)

    def _from(self, scenario_id: str) -> list[ScenarioView]:
        start = self.by_id.get(scenario_id) if scenario_id else None
        return self._linked(start) if start else []

    def _linked(self, start: ScenarioView) -> list[ScenarioView]:
        chain = self.chain(start)
        for index, item in enumerate(chain):
            item.before.update(dict.fromkeys(chain[:index]))
        return chain


def passes_of(text: str | None) -> int:
    """How often a text is evaluated: 0, 1, absent and nonsense all mean once."""
    number = (text or "").strip()
    return max(1, int(number)) if number.isdecimal() and len(number) < 4 else 1


def post_items(items: tuple[PostItem, ...], place: Place) -> Iterator[tuple[PostItem, Place]]:
    """Every item of a body with its place, at whatever depth."""
    for item in items:
        where = place.inside(item_tag(item), item, item.key)
        yield item, where
        if not isinstance(item, Value):
            yield from post_items(item.items, where)


def item_tag(item: PostItem) -> str:
    """The element name of an item of a body."""
    return type(item).__name__.removeprefix("Post")


def _of_request(request: Request, place: Place) -> Iterator[Expression]:
    if request.url:
        yield Expression(place.at("Url"), request.url, "text", "Url")
    if request.skip_if:
        yield Expression(place.at("SkipIf"), request.skip_if, "condition", "SkipIf")
    if request.message:
        passes = passes_of(request.message_passes)
        yield Expression(place.at("Message"), request.message, "message", "Message", passes)
    sections = (
        ("Header", "Headers", request.headers),
        ("Query", "QueryParams", request.query_params),
        ("Body", "PostValues", request.post_values),
    )
    for role, tag, section in sections:
        for item, where in post_items(section.items, place.inside(tag, section)):
            yield from _of_item(item, where, role)


def _of_item(item: PostItem, place: Place, role: str) -> Iterator[Expression]:
    if item.if_:
        yield Expression(place.at("If"), item.if_, "condition", "If")
    if item.skip_if:
        yield Expression(place.at("SkipIf"), item.skip_if, "condition", "SkipIf")
    if isinstance(item, Value) and item.text:
        guarded = bool((item.if_ or "").strip() or (item.skip_if or "").strip())
        passes = passes_of(item.passes)
        yield Expression(place.at(TEXT), item.text, "text", role, passes, guarded)
