"""The CRM engine of a PBX: executes any vendor's template against a live server.

:class:`Engine` knows scenarios and variables; :class:`callhelm_threecx.pbx.phone.Pbx` tells the
story of calls on top of it.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from threading import Lock

from callhelm_threecx.pbx.culture import INVARIANT, Culture
from callhelm_threecx.pbx.errors import ParameterError, PbxError, ScenarioError, StrictError
from callhelm_threecx.pbx.exchange import SECRET_NAME
from callhelm_threecx.pbx.matching import Verdict, sort_out
from callhelm_threecx.pbx.numbers import render_number
from callhelm_threecx.pbx.operation import (
    Credentials,
    Operation,
    Scope,
    Surroundings,
    authenticate,
)
from callhelm_threecx.pbx.parameters import parameter_values
from callhelm_threecx.pbx.results import Answer, Failure, Outcome
from callhelm_threecx.pbx.transport import DEFAULT_TIME_LIMIT, Transport, WsgiApp
from callhelm_threecx.pbx.values import Value
from callhelm_threecx.template.model import Crm, Parameter, Scenario


class Engine:
    """Executes the scenarios of one template with one set of parameters. Safe for many threads.

    ``strict`` raises on everything that a PBX swallows. ``empty_array_passes`` lets a Rule on a
    bare array pass when the array is empty, which some PBX versions do. ``max_length`` is the
    PBX's own setting "match the last N digits", which a template reads as ``[MaxLength]``.
    Raises :class:`ParameterError`.
    """

    def __init__(
        self,
        crm: Crm,
        parameters: Mapping[str, object] | None = None,
        *,
        app: WsgiApp | None = None,
        base: str | None = None,
        strict: bool = False,
        culture: Culture = INVARIANT,
        max_length: str | int = "",
        time_limit: float = DEFAULT_TIME_LIMIT,
        empty_array_passes: bool = False,
        verify: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.crm = crm
        self._values = parameter_values(crm, parameters or {})
        self._values["MaxLength"] = str(max_length)
        self._transport = Transport(
            app=app,
            base=base,
            time_limit=time_limit,
            max_concurrent=_max_concurrent(crm),
            verify=verify,
        )
        self._around = Surroundings(
            crm,
            self._transport,
            secrets=_secrets(crm, self._values),
            strict=strict,
            culture=culture,
            empty_array_passes=empty_array_passes,
        )
        self._clock = clock
        self._gate = Lock()
        self._lasting = True  # until an authentication says otherwise
        self._cached: Credentials | None = None
        self._expires = 0.0

    @property
    def strict(self) -> bool:
        """Whether what a PBX swallows is raised."""
        return self._around.strict

    def close(self) -> None:
        """Close the connections to the server."""
        self._transport.close()

    def has(self, kind: str) -> bool:
        """Say whether the template has a scenario of this kind, such as ``report_call``."""
        return any(scenario.kind == kind for scenario in self.crm.scenarios)

    def render(self, number: str) -> str:
        """Render a number as the template's ``Number`` element asks for."""
        if self.crm.number is None:
            return number
        return render_number(number, self.crm.number.prefix, self._max_length())

    def run(
        self,
        scenarios: Sequence[Scenario],
        inputs: Mapping[str, Value],
        verdict: Verdict | None = None,
    ) -> Answer:
        """Authenticate if the template asks for it, then run scenarios in order.

        ``verdict`` says which outcomes a PBX drops; without one nothing is shown as a contact.
        Raises :class:`ScenarioError` when there is nothing to run; in strict mode also whatever a
        PBX would swallow.
        """
        if not scenarios:
            raise ScenarioError("The template has no scenario for this.")
        operation = Operation(self._around, Credentials())
        try:
            self._authorise(operation, inputs)
            variables = {**self._values, **operation.credentials.variables, **inputs}
            outcomes = operation.run_all(scenarios, variables)
        except PbxError as problem:
            if self.strict:
                raise
            operation.failures.append(Failure("Authentication", str(problem)))
            outcomes = []
        self._forget_refused(operation)
        return self._answer(operation, outcomes, verdict)

    # -- OAuth

    def authorization_url(self, parameter: str, redirect_uri: str, state: str) -> str:
        """Give the address at which an administrator grants an OAuth parameter."""
        declared = self._oauth(parameter)
        scope: Scope = {**self._values, "RedirectUri": redirect_uri, "State": state}
        evaluator = Operation(self._around, Credentials()).evaluator(scope)
        query = evaluator.text(declared.request_url_parameters or "")
        address = evaluator.text(declared.request_url or "")
        return f"{address}?{query}" if query else address

    def authorize(self, parameter: str, code: str, redirect_uri: str, state: str) -> Answer:
        """Trade the code of an OAuth redirect for the parameter's value, and keep that.

        Runs the parameter's ResponseScenario; its output ``Result`` is the value.
        """
        declared = self._oauth(parameter)
        scenario = self.crm.scenario(declared.response_scenario or "")
        if scenario is None:
            raise ScenarioError(f'"{declared.response_scenario}" is not a scenario.')
        operation = Operation(self._around, Credentials())
        inputs = {"code": code, "state": state, "RedirectUri": redirect_uri, "State": state}
        outcomes = operation.run(scenario, {**self._values, **inputs})
        for outcome in outcomes:
            if outcome.outputs.get("Result"):
                self._values[parameter] = outcome.outputs["Result"]
                added = self._around.secrets | {outcome.outputs["Result"]}
                self._around = replace(self._around, secrets=added)
        return self._answer(operation, outcomes, None)

    def _oauth(self, name: str) -> Parameter:
        declared = self.crm.parameter(name)
        if declared is None or declared.type != "OAuth":
            raise ParameterError(f'The template has no OAuth parameter "{name}".')
        return declared

    # -- authentication

    def _authorise(self, operation: Operation, inputs: Mapping[str, Value]) -> None:
        authentication = self.crm.authentication
        kind = (authentication.type if authentication else None) or "No"
        if kind == "Basic" and authentication:
            evaluator = operation.evaluator({**self._values, **inputs})
            pair = evaluator.text(authentication.value)
            token = base64.b64encode(pair.encode()).decode()
            operation.credentials.headers["Authorization"] = f"Basic {token}"
        elif kind == "Scenario":
            self._run_authentication(operation)
        elif kind != "No":
            raise PbxError(f'Authentication/@Type "{kind}" is none of No, Basic, Scenario.')

    def _run_authentication(self, operation: Operation) -> None:
        """Use the credentials while they last (BearerExpiration, seconds), else get new ones.

        Without an expiration they serve for one action of the PBX.
        """
        with self._gate if self._lasting else nullcontext():
            if self._cached is not None and self._clock() < self._expires:
                operation.credentials = self._copy(self._cached)
                return
            begun = self._clock()
            authenticate(self._around, operation, dict(self._values))
            lifetime = operation.credentials.lifetime or 0.0
            self._lasting = lifetime > 0
            self._expires = begun + lifetime
            self._cached = self._copy(operation.credentials) if self._lasting else None

    def _copy(self, credentials: Credentials) -> Credentials:
        return Credentials(dict(credentials.headers), dict(credentials.variables))

    def _forget_refused(self, operation: Operation) -> None:
        """A server that refuses the credentials gets new ones next time."""
        if any(exchange.status == 401 for exchange in operation.exchanges):
            self._expires = 0.0

    # -- results

    def _answer(
        self, operation: Operation, outcomes: list[Outcome], verdict: Verdict | None
    ) -> Answer:
        contacts, dropped = sort_out(outcomes, verdict) if verdict else ((), ())
        if dropped and self.strict:
            raise StrictError(f"A PBX drops this result: {dropped[0].reason}")
        return Answer(
            contacts=contacts,
            dropped=dropped,
            failures=tuple(operation.failures),
            notes=tuple(dict.fromkeys(operation.notes)),
            exchanges=tuple(operation.exchanges),
            outcomes=tuple(outcomes),
            document=operation.document,
        )

    def _max_length(self) -> int | None:
        """Evaluate ``Number/@MaxLength``: a number, an expression, or nothing."""
        wanted = self.crm.number.max_length if self.crm.number else None
        if not (wanted or "").strip():
            return None
        text = Operation(self._around, Credentials()).evaluator(self._values).text(wanted or "")
        try:
            return int(text) if text.strip() else None
        except ValueError:
            raise ParameterError(f'Number/@MaxLength "{wanted}" is not a number.') from None


def _max_concurrent(crm: Crm) -> int:
    text = (crm.connection.max_concurrent_requests if crm.connection else None) or "1"
    try:
        return max(1, int(text))
    except ValueError:
        message = f'Connection/@MaxConcurrentRequests "{text}" is not a whole number.'
        raise ParameterError(message) from None


def _secrets(crm: Crm, values: Mapping[str, Value]) -> frozenset[str]:
    """Collect the parameter values that must not be shown."""
    return frozenset(
        str(values[each.name])
        for each in crm.parameters
        if each.name
        and values.get(each.name)
        and (each.type in ("Password", "OAuth") or SECRET_NAME.search(each.name))
    )
