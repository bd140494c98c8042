"""The scenarios of our own template; `builder` says why they are as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from callhelm_threecx import routes
from callhelm_threecx.template import scenario_ids as ids
from callhelm_threecx.template.model import (
    Output,
    Outputs,
    PostItem,
    Request,
    Rule,
    Scenario,
    Section,
    Value,
    Variable,
)
from callhelm_threecx.template.predefined import CFD_INPUTS, PHONE_OUTPUTS

SEARCH_LIMIT: Final = 20
"""Records asked for in one search: authors of templates ask for no more."""

_INSTANT: Final = "yyyy-MM-ddTHH:mm:ssZ"

# Output type of the PBX, and the field of our contact that it takes.
_CONTACT_FIELDS: Final = (
    ("ContactUrl", "contactUrl"),
    ("FirstName", "firstName"),
    ("LastName", "lastName"),
    ("CompanyName", "company"),
    ("Email", "email"),
    *((output, output[0].lower() + output[1:]) for output in PHONE_OUTPUTS),
    ("EntityId", "id"),
    ("EntityType", "entityType"),
)

_PARTY: Final = ("Number", "Name", "EntityId", "EntityType")
_AGENT: Final = ("Agent", "AgentEmail", "AgentFirstName", "AgentLastName", "QueueExtension")
_CALL_TYPES: Final = ("Inbound", "Missed", "Outbound", "Notanswered")


def scenarios(prefix: str) -> tuple[Scenario, ...]:
    """Every scenario of the template, for a server mounted at `prefix`."""
    lookup = _url(prefix, routes.CONTACTS_LOOKUP)
    search = _url(prefix, routes.CONTACTS_SEARCH)
    by_number = _get(f"{lookup}?number={_encoded('Number')}")
    by_email = _get(f"{lookup}?email={_encoded('Email')}")
    return (
        _finding("", by_number),
        _finding(ids.LOOKUP_BY_EMAIL, by_email),
        _finding(ids.SEARCH_CONTACTS, _search(search, "SearchText")),
        _create(_url(prefix, routes.CONTACTS_CREATE)),
        _report_call(_url(prefix, routes.CALLS_JOURNAL)),
        _report_chat(_url(prefix, routes.CHATS_JOURNAL)),
        _cfd(ids.CFD_NUMBER, by_number),
        _cfd(ids.CFD_ID, _by_id(lookup, CFD_INPUTS[ids.CFD_ID])),
        _cfd(ids.CFD_FREE_QUERY, _search(search, CFD_INPUTS[ids.CFD_FREE_QUERY])),
    )


def _url(prefix: str, path: str) -> str:
    return f"[BaseUrl]{prefix}{path}"


def _encoded(variable: str) -> str:
    """A variable in a URL, with the plus sign that would else arrive as a space."""
    return f'[[{variable}].Replace("+","%2B")]'


def _headers() -> Section[Value]:
    return Section(items=(_text("x-api-key", "[ApiKey]"),))


def _get(url: str) -> Request:
    return Request(
        url=url,
        request_type="Get",
        request_encoding="UrlEncoded",
        response_type="Json",
        headers=_headers(),
    )


def _search(url: str, variable: str) -> Request:
    return Request(
        url=url,
        request_type="Get",
        request_encoding="UrlEncoded",
        response_type="Json",
        headers=_headers(),
        query_params=Section(
            items=(_text("query", f"[{variable}]"), _text("limit", str(SEARCH_LIMIT)))
        ),
    )


def _by_id(url: str, variable: str) -> Request:
    """The contact that an earlier answer named; the PBX encodes what it puts into QueryParams."""
    return replace(_get(url), query_params=Section(items=(_text("id", f"[{variable}]"),)))


def _post(url: str, switch: str, items: tuple[PostItem, ...]) -> Request:
    return Request(
        url=url,
        skip_if=f"[{switch}]!=True",
        request_type="Post",
        request_encoding="Json",
        request_content_type="application/json",
        response_type="Json",
        headers=_headers(),
        post_values=Section(items=items),
    )


def _finding(scenario_id: str, request: Request) -> Scenario:
    """A scenario that gives back each contact of the answer."""
    return _with_contact(scenario_id, request, "contacts.")


def _with_contact(scenario_id: str, request: Request, root: str) -> Scenario:
    return Scenario(
        id=scenario_id,
        type="REST",
        request=request,
        rules=_has_id(root),
        variables=Section(
            items=tuple(
                Variable(name=f"Found{output}", path=f"{root}{field}")
                for output, field in _CONTACT_FIELDS
            )
        ),
        outputs=Outputs(
            allow_empty="false",
            items=tuple(
                Output(type=output, passes="1", value=f"[Found{output}]")
                for output, _field in _CONTACT_FIELDS
            ),
        ),
    )


def _has_id(root: str) -> Section[Rule]:
    """A rule on a field inside: one on the array itself has been seen to pass when it is empty."""
    return Section(items=(Rule(type="Any", ethalon="", text=f"{root}id"),))


def _create(url: str) -> Scenario:
    fields = ("FirstName", "LastName", "Number", "Email", "Company")
    body = tuple(_text(name, f"[{name}]") for name in fields)
    request = _post(url, "CreateContactEnabled", body)
    return _with_contact(ids.CREATE_CONTACT_FROM_CLIENT, request, "")


def _report_call(url: str) -> Scenario:
    subjects = tuple(
        Value(
            key="Subject",
            if_=f"[CallType]=={call_type}",
            passes="2",
            type="String",
            text=f"[[{call_type}Subject]]",
        )
        for call_type in _CALL_TYPES
    )
    body = (
        *_texts("CallType", "CallDirection", *_PARTY, *_AGENT, "Duration"),
        _instant("CallStartTimeUTC"),
        _instant("CallEndTimeUTC"),
        *subjects,
        *_texts("RecordingUrl", "Transcription", "Summary", "Sentiment"),
    )
    return _report(ids.REPORT_CALL, _post(url, "ReportCallEnabled", body))


def _report_chat(url: str) -> Scenario:
    body = (
        *_texts("ChatMessages", "Email", *_PARTY, *_AGENT, "Duration"),
        _instant("ChatStartTimeUTC"),
        _instant("ChatEndTimeUTC"),
        Value(key="Subject", passes="2", type="String", text="[[ChatSubject]]"),
    )
    return _report(ids.REPORT_CHAT, _post(url, "ReportChatEnabled", body))


def _report(scenario_id: str, request: Request) -> Scenario:
    return Scenario(id=scenario_id, type="REST", request=request)


def _cfd(scenario_id: str, request: Request) -> Scenario:
    """A lookup for a call flow, which is handed the raw answer: no variables and no outputs."""
    return Scenario(id=scenario_id, type="REST", request=request, rules=_has_id("contacts."))


def _texts(*names: str) -> tuple[Value, ...]:
    return tuple(_text(name, f"[{name}]") for name in names)


def _instant(name: str) -> Value:
    return _text(name, f'[[{name}].ToString("{_INSTANT}")]')


def _text(key: str, text: str) -> Value:
    return Value(key=key, passes="1", type="String", text=text)
