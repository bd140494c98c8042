"""Our own template: what it asks of the server, and what may stand in its values."""

from __future__ import annotations

import pytest

from callhelm_threecx import routes
from callhelm_threecx.template import (
    Crm,
    build_template,
    serialize,
)
from callhelm_threecx.template import model as m
from callhelm_threecx.template.expressions import parse as parse_expression
from callhelm_threecx.template.expressions import parse_condition, variables
from callhelm_threecx.template.predefined import INPUTS, PHONE_OUTPUTS

BASE = "https://crm.example.com"
KEY = "3cx_abc"


@pytest.fixture
def crm() -> Crm:
    return build_template(base_url=BASE, api_key=KEY, organization_name="Acme")


def request_of(crm: Crm, scenario_id: str) -> m.Request:
    scenario = crm.scenario(scenario_id) or crm.scenarios[0]
    assert scenario.request is not None
    return scenario.request


def body_of(crm: Crm, scenario_id: str) -> dict[str, str]:
    return {
        value.key or "": value.text or "" for value in request_of(crm, scenario_id).body_values()
    }


def parameter(crm: Crm, name: str) -> m.Parameter:
    found = crm.parameter(name)
    assert found is not None
    return found


LOOKUP, SEARCH = routes.CONTACTS_LOOKUP, routes.CONTACTS_SEARCH
BY_NUMBER = f'{LOOKUP}?number=[[Number].Replace("+","%2B")]'
REQUESTS = [
    ("", "Get", BY_NUMBER),
    ("LookupByEmail", "Get", f'{LOOKUP}?email=[[Email].Replace("+","%2B")]'),
    ("SearchContacts", "Get", SEARCH),
    ("CreateContactRecordFromClient", "Post", routes.CONTACTS_CREATE),
    ("ReportCall", "Post", routes.CALLS_JOURNAL),
    ("ReportChat", "Post", routes.CHATS_JOURNAL),
    (
        "LookupFromCFD_Contacts_LookupNumber",
        "Get",
        f'{LOOKUP}?number=[[Number].Replace("+","%2B")]',
    ),
    ("LookupFromCFD_Contacts_LookupID", "Get", LOOKUP),
    ("LookupFromCFD_Contacts_LookupFreeQuery", "Get", SEARCH),
]


@pytest.mark.parametrize(("scenario_id", "method", "path"), REQUESTS)
@pytest.mark.parametrize("prefix", [routes.DEFAULT_PREFIX, "/crm/v2/", "", "/"])
def test_every_url_is_a_route_of_the_server(
    scenario_id: str, method: str, path: str, prefix: str
) -> None:
    crm = build_template(base_url=BASE, api_key=KEY, prefix=prefix)
    request = request_of(crm, scenario_id)

    assert request.url == f"[BaseUrl]{prefix.rstrip('/')}{path}"
    assert request.request_type == method


def test_each_reserved_scenario_is_there_once(crm: Crm) -> None:
    assert [scenario.id for scenario in crm.scenarios] == [row[0] for row in REQUESTS]


def test_no_contact_is_created_behind_the_users_back(crm: Crm) -> None:
    assert crm.scenario("CreateContactRecord") is None


def test_the_root_carries_what_the_pbx_insists_on(crm: Crm) -> None:
    assert (crm.name, crm.country) == ("Call-Helm", "US")
    assert crm.version is not None
    assert crm.version.isdigit()
    assert crm.number == m.Number(prefix="AsIs", max_length="[MaxLength]")
    assert crm.connection is not None
    assert int(crm.connection.max_concurrent_requests or "0") >= 1


def test_the_administrator_finds_the_settings_of_the_guide(crm: Crm) -> None:
    shown = {p.name: (p.title, p.type, p.parent, p.default) for p in crm.parameters}

    general = "General Configuration"
    assert shown["ApiKey"] == ("Call-Helm API Key", "Password", general, KEY)
    assert shown["BaseUrl"] == ("Call-Helm URL", "String", general, BASE)
    assert shown["Organization"] == ("Organization", "String", general, "Acme")
    assert shown["ReportCallEnabled"] == ("Enable Call Journaling", "Boolean", "", "True")
    assert shown["ReportChatEnabled"] == ("Enable Chat Journaling", "Boolean", "", "True")
    assert shown["CreateContactEnabled"] == ("Allow contact creation", "Boolean", general, "True")


def test_children_name_a_boolean_as_their_parent(crm: Crm) -> None:
    children = [p for p in crm.parameters if p.parent not in ("", "General Configuration")]

    assert {p.parent for p in children} == {"ReportCallEnabled", "ReportChatEnabled"}
    assert {parameter(crm, p.parent or "").type for p in children} == {"Boolean"}


def test_switches_start_as_the_organization_wants() -> None:
    crm = build_template(base_url=BASE, api_key=KEY, journaling=False, contact_creation=False)

    for name in ("ReportCallEnabled", "ReportChatEnabled", "CreateContactEnabled"):
        assert parameter(crm, name).default == "False"


def test_an_organization_without_a_name_is_not_shown() -> None:
    assert build_template(base_url=BASE, api_key=KEY).parameter("Organization") is None


def test_the_key_travels_in_a_header_and_never_in_a_url(crm: Crm) -> None:
    for scenario in crm.scenarios:
        assert scenario.request is not None
        assert [(h.key, h.text, h.passes) for h in scenario.request.headers] == [
            ("x-api-key", "[ApiKey]", "1")
        ]
        assert "ApiKey" not in (scenario.request.url or "")
    assert serialize(crm).count(KEY) == 1


@pytest.mark.parametrize(
    ("scenario_id", "switch"),
    [
        ("ReportCall", "ReportCallEnabled"),
        ("ReportChat", "ReportChatEnabled"),
        ("CreateContactRecordFromClient", "CreateContactEnabled"),
    ],
)
def test_a_switch_turns_its_scenario_off(crm: Crm, scenario_id: str, switch: str) -> None:
    assert request_of(crm, scenario_id).skip_if == f"[{switch}]!=True"


@pytest.mark.parametrize("scenario_id", ["ReportCall", "ReportChat"])
def test_a_report_is_a_request_and_nothing_else(crm: Crm, scenario_id: str) -> None:
    scenario = crm.scenario(scenario_id)

    assert scenario is not None
    assert not scenario.rules.present
    assert not scenario.variables.present
    assert scenario.outputs is None


def test_a_call_is_reported_with_every_field_of_the_journal(crm: Crm) -> None:
    fields = (
        "CallType Number CallDirection Name EntityId EntityType Agent AgentEmail AgentFirstName "
        "AgentLastName Duration CallStartTimeUTC CallEndTimeUTC QueueExtension Subject "
        "RecordingUrl Transcription Summary Sentiment"
    )

    assert set(body_of(crm, "ReportCall")) == set(fields.split())


def test_a_chat_is_reported_with_every_field_of_the_journal(crm: Crm) -> None:
    fields = (
        "ChatMessages Number Email Name EntityId EntityType Agent AgentEmail AgentFirstName "
        "AgentLastName QueueExtension Duration ChatStartTimeUTC ChatEndTimeUTC Subject"
    )

    assert set(body_of(crm, "ReportChat")) == set(fields.split())


def test_a_contact_is_created_from_what_the_client_asks_for(crm: Crm) -> None:
    names = ("FirstName", "LastName", "Number", "Email", "Company")

    assert body_of(crm, "CreateContactRecordFromClient") == {n: f"[{n}]" for n in names}


def test_bodies_are_json(crm: Crm) -> None:
    for scenario_id, method, _path in REQUESTS:
        request = request_of(crm, scenario_id)
        if method == "Post":
            assert request.request_encoding == "Json"
            assert request.request_content_type == "application/json"
            assert request.message is None


def test_times_do_not_depend_on_the_culture_of_the_pbx(crm: Crm) -> None:
    body = {**body_of(crm, "ReportCall"), **body_of(crm, "ReportChat")}

    for name in ("CallStartTimeUTC", "CallEndTimeUTC", "ChatStartTimeUTC", "ChatEndTimeUTC"):
        assert body[name] == f'[[{name}].ToString("yyyy-MM-ddTHH:mm:ssZ")]'


def test_the_time_that_is_null_for_a_missed_call_is_not_used(crm: Crm) -> None:
    assert "CallEstablished" not in serialize(crm)


def test_there_is_one_subject_for_each_type_of_call(crm: Crm) -> None:
    subjects = [v for v in request_of(crm, "ReportCall").body_values() if v.key == "Subject"]

    assert [v.if_ for v in subjects] == [
        f"[CallType]=={name}" for name in ("Inbound", "Missed", "Outbound", "Notanswered")
    ]
    for value in subjects:
        assert value.passes == "2"
        assert parameter(crm, (value.text or "").strip("[]")).parent == "ReportCallEnabled"


def test_only_subjects_are_evaluated_more_than_once(crm: Crm) -> None:
    for scenario in crm.scenarios:
        assert scenario.request is not None
        for value in scenario.request.body_values():
            assert value.passes == ("2" if value.key == "Subject" else "1")


@pytest.mark.parametrize("scenario_id", ["", "LookupByEmail", "SearchContacts"])
def test_a_contact_is_read_from_the_records_of_the_answer(crm: Crm, scenario_id: str) -> None:
    scenario = crm.scenario(scenario_id) or crm.scenarios[0]

    assert [(rule.type, rule.path) for rule in scenario.rules] == [("Any", "contacts.id")]
    assert all(v.response_path.startswith("contacts.") for v in scenario.variables)


def test_a_created_contact_is_read_from_the_top_of_the_answer(crm: Crm) -> None:
    scenario = crm.scenario("CreateContactRecordFromClient")

    assert scenario is not None
    assert [rule.path for rule in scenario.rules] == ["id"]
    assert {v.response_path for v in scenario.variables} >= {"id", "firstName", "phoneOther"}


FIELDS = [
    *("id", "firstName", "lastName", "company", "email", "contactUrl", "entityType"),
    *("phoneBusiness", "phoneBusiness2", "phoneMobile", "phoneMobile2", "phoneHome"),
    *("phoneOther", "faxBusiness"),
]


@pytest.mark.parametrize("kind", ["lookup", "lookup_by_email", "search"])
def test_every_field_of_a_contact_is_mapped(crm: Crm, kind: m.ScenarioKind) -> None:
    scenario = crm.of_kind(kind)[0]
    paths = {f"[{v.name}]": v.response_path for v in scenario.variables}

    assert scenario.outputs is not None
    mapped = {output.type or "": paths[output.value or ""] for output in scenario.outputs}
    assert set(mapped.values()) == {f"contacts.{field}" for field in FIELDS}
    assert mapped["EntityId"] == "contacts.id"
    assert mapped["CompanyName"] == "contacts.company"
    assert set(PHONE_OUTPUTS) <= set(mapped)


def test_a_call_flow_is_given_the_raw_answer(crm: Crm) -> None:
    for scenario in crm.of_kind("cfd_lookup"):
        assert [rule.path for rule in scenario.rules] == ["contacts.id"]
        assert not scenario.variables.present
        assert scenario.outputs is None


@pytest.mark.parametrize(
    ("scenario_id", "query"),
    [
        ("SearchContacts", "[SearchText]"),
        ("LookupFromCFD_Contacts_LookupFreeQuery", "[SearchText]"),
    ],
)
def test_free_text_is_left_to_the_pbx_to_encode(crm: Crm, scenario_id: str, query: str) -> None:
    params = {v.key: v.text for v in request_of(crm, scenario_id).query_params}

    assert params == {"query": query, "limit": "20"}


def test_a_call_flow_looks_a_contact_up_by_its_id(crm: Crm) -> None:
    request = request_of(crm, "LookupFromCFD_Contacts_LookupID")
    assert {v.key: v.text for v in request.query_params} == {"id": "[ID]"}


def test_every_expression_can_be_parsed_and_names_only_what_is_there(crm: Crm) -> None:
    parameters = {p.name or "" for p in crm.parameters}
    for scenario in crm.scenarios:
        request = scenario.request
        assert request is not None
        values = [*request.headers, *request.query_params, *request.body_values()]
        texts = [request.url or "", *(v.text or "" for v in values)]
        conditions = [request.skip_if or "", *(v.if_ or "" for v in values)]
        used = {name for text in texts for name in variables(parse_expression(text))}
        used |= {name for text in conditions for name in variables(parse_condition(text))}
        assert used <= parameters | INPUTS[scenario.kind]
