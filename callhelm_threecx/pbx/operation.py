"""One action of the PBX, carried out: scenarios run in order, each with its chain of ``Next``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from callhelm_threecx.pbx.bodies import passes_of
from callhelm_threecx.pbx.culture import INVARIANT, Culture
from callhelm_threecx.pbx.documents import Document, Place, parse_document
from callhelm_threecx.pbx.errors import EvaluationError, ExchangeError, PbxError, StrictError
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.pbx.evaluate import Reader as ExpressionReader
from callhelm_threecx.pbx.exchange import Exchange
from callhelm_threecx.pbx.outgoing import build_request
from callhelm_threecx.pbx.reading import Reader
from callhelm_threecx.pbx.results import Failure, Outcome
from callhelm_threecx.pbx.transport import Transport
from callhelm_threecx.pbx.values import Value
from callhelm_threecx.template.model import Crm, Request, Scenario

MAX_CHAIN = 20
"""Scenarios that may follow one another by ``Next``."""

MAX_REQUESTS = 500
"""Requests that one action of the PBX may make."""

Scope = dict[str, Value]


@dataclass
class Credentials:
    """What an authentication gave: headers for every request, and variables for every scenario."""

    headers: dict[str, str] = field(default_factory=dict)
    variables: Scope = field(default_factory=dict)
    lifetime: float | None = None
    _name: str = ""

    def publish(self, outputs: Mapping[str, str]) -> None:
        """Take over a header as soon as its outputs are set (seen in shipping templates)."""
        self._name = outputs.get("HeaderName") or self._name
        if self._name and outputs.get("HeaderValue"):
            self.headers[self._name] = outputs["HeaderValue"]
        try:
            self.lifetime = float(outputs.get("BearerExpiration") or "")
        except ValueError:
            return


@dataclass(frozen=True)
class Surroundings:
    """What all operations of one engine share."""

    crm: Crm
    transport: Transport
    secrets: frozenset[str] = frozenset()
    strict: bool = False
    culture: Culture = INVARIANT
    empty_array_passes: bool = False
    expressions: ExpressionReader = field(default_factory=ExpressionReader)


class Operation:
    """Runs scenarios and keeps a record of all that happens on the way."""

    def __init__(self, surroundings: Surroundings, credentials: Credentials) -> None:
        self._around = surroundings
        self.credentials = credentials
        self.exchanges: list[Exchange] = []
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.document: Document = None

    def run_all(self, scenarios: Sequence[Scenario], inputs: Mapping[str, Value]) -> list[Outcome]:
        """Run scenarios in order; ``[FoundRecordCount]`` tells each what the earlier ones found."""
        outcomes: list[Outcome] = []
        for scenario in scenarios:
            found = sum(outcome.found for outcome in outcomes)
            outcomes += self.run(scenario, {**inputs, "FoundRecordCount": found})
        return outcomes

    def run(self, scenario: Scenario, scope: Scope, depth: int = 1) -> list[Outcome]:
        """Run one scenario and what follows it; a scenario that fails gives nothing.

        In strict mode what a PBX would swallow is raised instead.
        """
        name = scenario.id or ""
        try:
            return self._run(scenario, scope, depth)
        except (EvaluationError, ExchangeError) as problem:
            if self._around.strict:
                raise
            self.failures.append(Failure(name, str(problem)))
            return []

    def swallow(self, sentence: str) -> None:
        """Note what a PBX passes over; in strict mode, raise it."""
        if self._around.strict:
            raise StrictError(sentence)
        self.notes.append(sentence)

    def evaluator(self, scope: Mapping[str, Value]) -> Evaluator:
        """Make an evaluator over these variables that notes what it swallows here."""
        return Evaluator(
            scope,
            strict=self._around.strict,
            culture=self._around.culture,
            reader=self._around.expressions,
            notes=self.notes,
        )

    # -- one scenario

    def _run(self, scenario: Scenario, scope: Scope, depth: int) -> list[Outcome]:
        if depth > MAX_CHAIN:
            raise ExchangeError(f"More than {MAX_CHAIN} scenarios follow one another by Next.")
        if scenario.type not in (None, "", "REST"):
            raise ExchangeError(f"Scenarios of Type {scenario.type} cannot be run, only REST.")
        outcomes: list[Outcome] = []
        for record in self._records(scenario, scope):
            outcomes += self._follow(scenario, {**scope, **record}, depth)
        return outcomes

    def _follow(self, scenario: Scenario, scope: Scope, depth: int) -> list[Outcome]:
        outputs = self._outputs(scenario, scope)
        self.credentials.publish(outputs)
        if not scenario.next:
            return [Outcome(scenario.id or "", outputs, scope)]
        following = self._around.crm.scenario(scenario.next)
        if following is None:
            raise ExchangeError(f'Next names the scenario "{scenario.next}", which is not there.')
        return self.run(following, scope, depth + 1)

    def _records(self, scenario: Scenario, scope: Scope) -> Iterator[Scope]:
        """Yield the variables of each record; one record without any where AllowEmpty lets it."""
        request = scenario.request
        may_be_empty = scenario.outputs is not None and scenario.outputs.allow_empty == "true"
        nothing: Scope = {each.name: "" for each in scenario.variables if each.name}
        if request is None:
            raise ExchangeError("The scenario has no Request.")
        if self.evaluator(scope).condition(request.skip_if or ""):
            self.notes.append(f"{_name(scenario)} was skipped: {request.skip_if}")
            if may_be_empty:
                yield nothing
            return
        kind = self._kind(request)
        body = self._exchange(scenario, request, scope)
        self.document = _document(body, kind, required=_reads(scenario))
        reader = Reader(
            self.document, self.evaluator(scope), self.swallow, self._around.empty_array_passes
        )
        places: list[Place] = reader.records(scenario)
        for place in places:
            yield {**reader.values(scenario, place)}
        if not places and may_be_empty:
            yield nothing

    def _kind(self, request: Request) -> str | None:
        if request.response_type not in (None, "", "Json", "Xml"):
            raise EvaluationError(
                f'ResponseType "{request.response_type}" is neither Json nor Xml.'
            )
        return request.response_type

    def _exchange(self, scenario: Scenario, request: Request, scope: Scope) -> str:
        """Send the request and give the text of a successful answer."""
        if len(self.exchanges) >= MAX_REQUESTS:
            raise ExchangeError(f"More than {MAX_REQUESTS} requests were made.")
        published = self.credentials.headers
        outgoing = build_request(request, self.evaluator(scope), published, self.swallow)
        secrets = self._around.secrets | frozenset(published.values())
        exchange = self._around.transport.send(outgoing, scenario.id or "", secrets)
        self.exchanges.append(exchange)
        if exchange.error:
            raise ExchangeError(exchange.error)
        if 300 <= exchange.status < 400:
            raise ExchangeError(f"The server redirects ({exchange.status}), which is not followed.")
        if not exchange.ok:
            raise ExchangeError(f"The server answered {exchange.status}.")
        return exchange.body

    def _outputs(self, scenario: Scenario, scope: Scope) -> dict[str, str]:
        """Evaluate the Outputs; of two with the same Type the later one wins unless empty."""
        evaluator = self.evaluator(scope)
        found: dict[str, str] = {}
        for output in scenario.outputs or ():
            if not output.type:
                continue
            text = evaluator.text(output.value or "", passes_of(output.passes))
            if text or output.type not in found:
                found[output.type] = text
        return found


def authenticate(surroundings: Surroundings, operation: Operation, scope: Scope) -> None:
    """Run the Authentication scenario, and publish its header and variables to the operation.

    Raises :class:`PbxError` when it comes to no end: without it nothing else can run.
    """
    authentication = surroundings.crm.authentication
    wanted = authentication.value if authentication else ""
    scenario = surroundings.crm.scenario(wanted)
    if scenario is None:
        raise ExchangeError(f'Authentication names the scenario "{wanted}", which is not there.')
    outcomes = operation.run(scenario, scope)
    if not outcomes:
        reason = str(operation.failures[-1]) if operation.failures else "it yielded nothing"
        raise PbxError(f"The authentication failed: {reason}.")
    operation.credentials.variables = {
        name: value
        for name, value in outcomes[-1].variables.items()
        if name not in scope or scope[name] != value
    }


def _name(scenario: Scenario) -> str:
    return scenario.id or "A lookup by number"


def _reads(scenario: Scenario) -> bool:
    return bool(scenario.rules or scenario.variables)


def _document(body: str, kind: str | None, *, required: bool) -> Document:
    """Read the answer; a scenario that takes nothing out of it may be answered in any form."""
    try:
        return parse_document(body, kind)
    except ExchangeError:
        if required:
            raise
        return None
