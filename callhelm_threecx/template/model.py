"""The 3CX server-side CRM template as dataclasses.

One class per element of the file format (3CX documentation, "CRM Template XML Description", with
what shipping templates add to it). All values are the text of the file, because an engine has to
see a `RequestType="GET"` as it was written; typed properties stand beside them. An attribute that
is absent is None, one that is empty is "".

Instances are immutable: change one with `dataclasses.replace`. `line` and `column` say where the
element's start tag stands (from 1; 0 when it was not read from a file) and do not take part in
comparisons. Whatever the format does not know is kept in `extra`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from callhelm_threecx.template.elements import Element, Extra, RawNode, Section
from callhelm_threecx.template.fields import attribute, child, children, content, section
from callhelm_threecx.template.scenario_ids import ScenarioKind, kind_of

__all__ = [
    "Authentication",
    "Connection",
    "Crm",
    "Element",
    "Extra",
    "Filter",
    "Number",
    "Output",
    "Outputs",
    "Parameter",
    "PostArray",
    "PostItem",
    "PostObject",
    "RawNode",
    "Request",
    "Rule",
    "Scenario",
    "ScenarioKind",
    "Section",
    "Template",
    "Value",
    "Variable",
]


@dataclass(frozen=True, kw_only=True)
class Number(Element):
    """How the caller's number is rendered before it is put into a request."""

    prefix: str | None = attribute("Prefix")
    max_length: str | None = attribute("MaxLength")


@dataclass(frozen=True, kw_only=True)
class Connection(Element):
    """How many requests the PBX may have in flight at once."""

    max_concurrent_requests: str | None = attribute("MaxConcurrentRequests")


@dataclass(frozen=True, kw_only=True)
class Parameter(Element):
    """One setting that the administrator sees, and a variable of the same name."""

    name: str | None = attribute("Name")
    type: str | None = attribute("Type")
    parent: str | None = attribute("Parent")
    editor: str | None = attribute("Editor")
    title: str | None = attribute("Title")
    validation: str | None = attribute("Validation")
    default: str | None = attribute("Default")
    list_values: str | None = attribute("ListValues")
    request_url: str | None = attribute("RequestUrl")
    request_url_parameters: str | None = attribute("RequestUrlParameters")
    response_scenario: str | None = attribute("ResponseScenario")


@dataclass(frozen=True, kw_only=True)
class Value(Element):
    """A header, a query parameter, a field of a body, or the one value of an Authentication.

    `text` is the text as it stands, white space and line breaks included.
    """

    key: str | None = attribute("Key")
    if_: str | None = attribute("If")
    skip_if: str | None = attribute("SkipIf")
    passes: str | None = attribute("Passes")
    type: str | None = attribute("Type")
    text: str | None = content()


_POST_ITEMS: Final[dict[str, Callable[[], type[Element]]]] = {
    "Value": lambda: Value,
    "Object": lambda: PostObject,
    "Array": lambda: PostArray,
}


@dataclass(frozen=True, kw_only=True)
class PostObject(Element):
    """An `<Object>` of a body: the items inside become the members of a JSON object."""

    key: str | None = attribute("Key")
    if_: str | None = attribute("If")
    skip_if: str | None = attribute("SkipIf")
    passes: str | None = attribute("Passes")
    type: str | None = attribute("Type")
    items: tuple[PostItem, ...] = field(default=(), metadata=children(_POST_ITEMS))


@dataclass(frozen=True, kw_only=True)
class PostArray(Element):
    """An `<Array>` of a body: the items inside become the elements of a JSON array."""

    key: str | None = attribute("Key")
    if_: str | None = attribute("If")
    skip_if: str | None = attribute("SkipIf")
    passes: str | None = attribute("Passes")
    type: str | None = attribute("Type")
    items: tuple[PostItem, ...] = field(default=(), metadata=children(_POST_ITEMS))


PostItem = Value | PostObject | PostArray


@dataclass(frozen=True, kw_only=True)
class Authentication(Element):
    """How requests are authorised: `No`, `Basic` ("user:password") or `Scenario` (its Id)."""

    type: str | None = attribute("Type")
    values: tuple[Value, ...] = field(default=(), metadata=children({"Value": lambda: Value}))

    @property
    def value(self) -> str:
        """The text of the first value without surrounding white space; "" when there is none."""
        return (self.values[0].text or "").strip() if self.values else ""


@dataclass(frozen=True, kw_only=True)
class Request(Element):
    """The HTTP request that a scenario makes."""

    url: str | None = attribute("Url")
    skip_if: str | None = attribute("SkipIf")
    request_type: str | None = attribute("RequestType")
    request_encoding: str | None = attribute("RequestEncoding")
    request_content_type: str | None = attribute("RequestContentType")
    response_type: str | None = attribute("ResponseType")
    message: str | None = attribute("Message")
    message_passes: str | None = attribute("MessagePasses")
    headers: Section[Value] = field(
        default=Section(), metadata=section("Headers", {"Value": lambda: Value})
    )
    query_params: Section[Value] = field(
        default=Section(), metadata=section("QueryParams", {"Value": lambda: Value})
    )
    post_values: Section[PostItem] = field(
        default=Section(), metadata=section("PostValues", _POST_ITEMS)
    )

    def body_values(self) -> Iterator[Value]:
        """Every `<Value>` of the body, at whatever depth, in the order of the file."""
        pending: list[PostItem] = list(reversed(self.post_values.items))
        while pending:
            item = pending.pop()
            if isinstance(item, Value):
                yield item
            else:
                pending.extend(reversed(item.items))


@dataclass(frozen=True, kw_only=True)
class Rule(Element):
    """A condition on the answer; `path` is absolute from its root, with dots."""

    type: str | None = attribute("Type")
    ethalon: str | None = attribute("Ethalon")
    text: str | None = content()

    @property
    def path(self) -> str:
        """The response path without surrounding white space."""
        return (self.text or "").strip()


@dataclass(frozen=True, kw_only=True)
class Filter(Element):
    """Which element of an inner array a Variable reads; empty when there is nothing to choose."""

    rules: tuple[Rule, ...] = field(default=(), metadata=children({"Rule": lambda: Rule}))


@dataclass(frozen=True, kw_only=True)
class Variable(Element):
    """A value taken out of the answer.

    Shipping templates spell its path either as the attribute `Path` or as the element's text;
    both are kept apart, and `response_path` gives the one that counts.
    """

    name: str | None = attribute("Name")
    path: str | None = attribute("Path")
    lookup_value: str | None = attribute("LookupValue")
    skip: str | None = attribute("Skip")
    is_array: str | None = attribute("IsArray")
    text: str | None = content()
    filters: tuple[Filter, ...] = field(default=(), metadata=children({"Filter": lambda: Filter}))

    @property
    def response_path(self) -> str:
        """The response path: the attribute when it is filled in, else the text."""
        return (self.path or "").strip() or (self.text or "").strip()


@dataclass(frozen=True, kw_only=True)
class Output(Element):
    """One result of a scenario, such as `ContactUrl`."""

    type: str | None = attribute("Type")
    passes: str | None = attribute("Passes")
    value: str | None = attribute("Value")


@dataclass(frozen=True, kw_only=True)
class Outputs(Element):
    """What a scenario gives back, and the scenario that goes on from each result."""

    next: str | None = attribute("Next")
    allow_empty: str | None = attribute("AllowEmpty")
    items: tuple[Output, ...] = field(default=(), metadata=children({"Output": lambda: Output}))

    def __iter__(self) -> Iterator[Output]:
        return iter(self.items)


@dataclass(frozen=True, kw_only=True)
class Scenario(Element):
    """One request and what becomes of its answer."""

    id: str | None = attribute("Id")
    type: str | None = attribute("Type")
    entity_id: str | None = attribute("EntityId")
    entity_order: str | None = attribute("EntityOrder")
    request: Request | None = field(default=None, metadata=child("Request", lambda: Request))
    rules: Section[Rule] = field(
        default=Section(), metadata=section("Rules", {"Rule": lambda: Rule})
    )
    variables: Section[Variable] = field(
        default=Section(), metadata=section("Variables", {"Variable": lambda: Variable})
    )
    outputs: Outputs | None = field(default=None, metadata=child("Outputs", lambda: Outputs))

    @property
    def kind(self) -> ScenarioKind:
        """What makes the PBX run this scenario, told by its reserved id (3CX documentation)."""
        return kind_of(self.id)

    @property
    def is_lookup(self) -> bool:
        """Whether it runs when a call arrives or is dialled: its Id is empty or absent."""
        return self.kind == "lookup"

    @property
    def next(self) -> str:
        """The Id of the scenario that goes on from here; "" when this one is the last."""
        return (self.outputs.next or "") if self.outputs else ""


@dataclass(frozen=True, kw_only=True)
class Crm(Element):
    """A whole template: the root element of the file."""

    country: str | None = attribute("Country")
    name: str | None = attribute("Name")
    version: str | None = attribute("Version")
    supports_emojis: str | None = attribute("SupportsEmojis")
    supports_transcription: str | None = attribute("SupportsTranscription")
    list_page_size: str | None = attribute("ListPageSize")
    number: Number | None = field(default=None, metadata=child("Number", lambda: Number))
    connection: Connection | None = field(
        default=None, metadata=child("Connection", lambda: Connection)
    )
    parameters: Section[Parameter] = field(
        default=Section(), metadata=section("Parameters", {"Parameter": lambda: Parameter})
    )
    authentication: Authentication | None = field(
        default=None, metadata=child("Authentication", lambda: Authentication)
    )
    scenarios: Section[Scenario] = field(
        default=Section(), metadata=section("Scenarios", {"Scenario": lambda: Scenario})
    )

    def scenario(self, scenario_id: str) -> Scenario | None:
        """The first scenario with exactly this Id, or None; "" never names one."""
        if not scenario_id:
            return None
        return next((item for item in self.scenarios if item.id == scenario_id), None)

    def of_kind(self, kind: ScenarioKind) -> tuple[Scenario, ...]:
        """The scenarios of one kind, in the order in which the PBX runs them."""
        return tuple(item for item in self.scenarios if item.kind == kind)

    def parameter(self, name: str) -> Parameter | None:
        """The first parameter of this name, or None."""
        return next((item for item in self.parameters if item.name == name), None)


Template = Crm
