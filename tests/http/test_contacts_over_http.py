"""Lookup, search and creation of contacts, as a PBX sees them."""

import uuid
from urllib.parse import quote

import pytest

from callhelm_threecx.services.integrations import Change
from tests.client import Api
from tests.http.wire import CONTACT_FIELDS, PHONE_FIELDS, faulty_fields, raw, refused, setup

ANNA = {
    "FirstName": "Anna",
    "LastName": "Müller",
    "Company": "Müller & Söhne",
    "Email": "anna@example.com",
    "Number": "030 123456",
}


@pytest.fixture
def anna(api: Api) -> dict[str, str]:
    return api.create(**ANNA)


def test_a_created_contact_answers_with_its_fields_at_the_top_level(api: Api) -> None:
    answer = api.post("/contacts/create", ANNA, status=201)
    contact = answer.json
    assert set(contact) == CONTACT_FIELDS | {"success"}
    assert uuid.UUID(contact["id"])
    assert contact["success"] is True
    assert contact["firstName"] == "Anna"
    assert contact["lastName"] == "Müller"
    assert contact["company"] == "Müller & Söhne"
    assert contact["email"] == "anna@example.com"
    assert contact["phoneBusiness"] == "+4930123456"
    assert contact["entityType"] == "Contact"
    assert contact["contactUrl"] == f"http://localhost:80/contacts/{contact['id']}"


@pytest.mark.parametrize("number", ["030 123456", "+4930123456", "004930123456", "030/12 34-56"])
def test_the_same_number_and_name_again_is_200_and_the_contact_that_is_there(
    api: Api, anna: dict[str, str], number: str
) -> None:
    again = api.post("/contacts/create", {**ANNA, "Number": number}, status=200).json
    assert again == anna


def test_another_name_with_the_same_number_is_another_contact(
    api: Api, anna: dict[str, str]
) -> None:
    other = api.post("/contacts/create", {**ANNA, "FirstName": "Jan"}, status=201).json
    assert other["id"] != anna["id"]
    assert {c["id"] for c in api.lookup("+4930123456")} == {anna["id"], other["id"]}


@pytest.mark.parametrize("name", ["FirstName", "LastName", "Company"])
def test_one_name_is_enough_for_a_contact(api: Api, name: str) -> None:
    contact = api.post("/contacts/create", {name: "Only"}, status=201).json
    assert all(isinstance(contact[field], str) for field in CONTACT_FIELDS)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "FirstName"),
        ({"Number": "+4930123456", "Email": "a@example.com"}, "FirstName"),
        ({"FirstName": "  ", "LastName": "[LastName]", "Company": None}, "FirstName"),
        ({"LastName": "M", "Number": "unknown"}, "Number"),
        ({"LastName": ["M"]}, "LastName"),
        ({"LastName": {"a": 1}}, "LastName"),
        ({"LastName": "M" * 321}, "LastName"),
        ({"LastName": "M", "Number": "1" * 129}, "Number"),
    ],
)
def test_a_contact_that_cannot_be_created_names_the_field(
    api: Api, body: dict[str, object], field: str
) -> None:
    answer = api.post("/contacts/create", body, status="*")
    assert field in faulty_fields(answer)
    assert "contacts" not in answer.json


@pytest.mark.parametrize(
    "text", ["x" * 320, "Zoë 😀", "'; DROP TABLE three_cx_contacts; --", "%_\\"]
)
def test_a_name_comes_back_as_it_went_in(api: Api, text: str) -> None:
    assert api.create(LastName=text, Number="+49301111111")["lastName"] == text
    assert api.lookup("+49301111111")[0]["lastName"] == text


def test_a_lookup_answers_with_whole_contacts_of_strings(api: Api, anna: dict[str, str]) -> None:
    answer = api.get("/contacts/lookup?number=%2B4930123456")
    assert set(answer.json) == {"success", "contacts"}
    [contact] = answer.json["contacts"]
    assert set(contact) == CONTACT_FIELDS
    assert all(isinstance(value, str) for value in contact.values())
    assert contact["phoneBusiness"] == "+4930123456"


ECHOES = [
    ("+4930123456", "", "+4930123456"),  # the searched text is in a field: nothing to echo
    ("30123456", "", "30123456"),
    ("123456", "", "123456"),
    ("030123456", "030123456", "030123456"),
    ("030 123456", "030 123456", "030 123456"),
    ("004930123456", "004930123456", "004930123456"),
    (" 4930123456", "", "+4930123456"),  # the plus that a URL lost
    (" 4930 123456", "+4930 123456", "+4930 123456"),
    ("(030) 123456", "(030) 123456", "(030) 123456"),
    ("tel:+4930123456", "tel:+4930123456", "tel:+4930123456"),
    ("+49 30 123456 x12", "+49 30 123456 x12", "+49 30 123456 x12"),
    ("\uff10\uff13\uff10123456", "\uff10\uff13\uff10123456", "\uff10\uff13\uff10123456"),
]


@pytest.mark.parametrize(("searched", "other", "echoed"), ECHOES)
def test_a_lookup_echoes_the_searched_text_where_no_field_contains_it(
    api: Api, anna: dict[str, str], searched: str, other: str, echoed: str
) -> None:
    [contact] = api.lookup(searched)
    assert contact["id"] == anna["id"]
    assert contact["phoneOther"] == other
    assert any(echoed in contact[field] for field in PHONE_FIELDS)


def test_a_plus_that_travelled_as_plus_arrives_as_a_space_and_is_echoed_as_plus(
    api: Api, anna: dict[str, str]
) -> None:
    [contact] = api.get("/contacts/lookup?number=+49%2030%20123456").json["contacts"]
    assert contact["phoneOther"] == "+49 30 123456"


@pytest.mark.parametrize(
    "text", ["anonymous", "Unknown", "+", "()", "\x00", "%", "[Number]", "\u202e"]
)
def test_text_without_a_digit_is_nobody(api: Api, anna: dict[str, str], text: str) -> None:
    assert api.lookup(text) == []


@pytest.mark.parametrize(
    "query", ["", "?", "?number=", "?number=%20%20", "?number=%09", "?Number=1"]
)
def test_a_lookup_without_a_number_is_400_with_an_empty_list(api: Api, query: str) -> None:
    answer = api.get(f"/contacts/lookup{query}", status="*")
    assert faulty_fields(answer) == ["number"]
    assert answer.json["contacts"] == []


def test_no_match_is_200_with_an_empty_list(api: Api) -> None:
    assert api.get("/contacts/lookup?number=%2B4930999999").json == {
        "success": True,
        "contacts": [],
    }
    assert api.get("/contacts/search?query=nobody").json == {"success": True, "contacts": []}


def test_at_most_ten_contacts_ring_at_once(api: Api) -> None:
    for index in range(12):
        api.create(LastName=f"Shared {index:02}", Number="+4930555555")
    found = api.lookup("+4930555555")
    assert len(found) == 10
    assert found[0]["lastName"] == "Shared 11"  # the most recently active first


def test_an_exact_match_comes_before_one_by_the_last_digits(api: Api) -> None:
    longer = api.create(LastName="Longer", Number="+4930123456")
    exact = api.create(LastName="Exact", Number="123456")
    api.create(LastName="Other", Number="+4989123456")
    assert api.lookup("123456")[0]["id"] == exact["id"]
    assert longer["id"] in {c["id"] for c in api.lookup("123456")}


@pytest.mark.parametrize("address", ["anna@example.com", "ANNA@Example.COM", " anna@example.com "])
def test_a_lookup_by_address_ignores_case(api: Api, anna: dict[str, str], address: str) -> None:
    answer = api.get(f"/contacts/lookup?email={quote(address)}")
    assert [contact["id"] for contact in answer.json["contacts"]] == [anna["id"]]


def test_a_lookup_by_id_finds_the_contact_of_the_key_and_nobody_else(
    api: Api, anna: dict[str, str]
) -> None:
    path = f"/contacts/lookup?id={anna['id']}"
    assert [found["id"] for found in api.get(path).json["contacts"]] == [anna["id"]]
    assert api.get(path, key=api.key("rival")).json == {"success": True, "contacts": []}
    assert api.get("/contacts/lookup?id=nobody").json["contacts"] == []


def test_a_contact_without_a_name_is_shown_by_its_company(api: Api) -> None:
    api.create(Company="Only Company", Number="+49302222222")
    [contact] = api.lookup("+49302222222")
    assert (contact["company"], contact["lastName"]) == ("Only Company", "")


@pytest.mark.parametrize(
    "query", ["Anna", "müll", "MULLER", "anna müller", "söhne", "example.com", "0123456", "30 12"]
)
def test_a_search_finds_by_names_company_address_and_digits(
    api: Api, anna: dict[str, str], query: str
) -> None:
    answer = api.get(f"/contacts/search?query={quote(query)}")
    assert set(answer.json) == {"success", "contacts"}
    assert [contact["id"] for contact in answer.json["contacts"]] == [anna["id"]]
    assert set(answer.json["contacts"][0]) == CONTACT_FIELDS


@pytest.mark.parametrize("query", ["%25%25", "__", "an_a", "a%25a"])
def test_every_character_of_a_query_means_itself(
    api: Api, anna: dict[str, str], query: str
) -> None:
    assert api.get(f"/contacts/search?query={query}").json["contacts"] == []


@pytest.mark.parametrize(
    "query", ["", "?query=", "?query=a", "?query=%20a%20", f"?query={'a' * 257}"]
)
def test_a_query_too_short_or_too_long_is_400_with_an_empty_list(api: Api, query: str) -> None:
    answer = api.get(f"/contacts/search{query}", status="*")
    assert faulty_fields(answer) == ["query"]
    assert answer.json["contacts"] == []


@pytest.mark.parametrize(
    "limit", ["0", "-1", "101", "1e1", "ten", "1.0", "99999999999", "0x10", "\u0661\u0660"]
)
def test_a_limit_out_of_bounds_is_400(api: Api, limit: str) -> None:
    answer = api.get(f"/contacts/search?query=xx&limit={quote(limit)}", status="*")
    assert faulty_fields(answer) == ["limit"]


@pytest.mark.parametrize(
    ("limit", "found"), [("", 20), ("&limit=", 20), ("&limit=1", 1), ("&limit=100", 22)]
)
def test_a_search_gives_twenty_or_as_many_as_asked_for(api: Api, limit: str, found: int) -> None:
    for index in range(22):
        api.create(LastName=f"Many {index}")
    assert len(api.get(f"/contacts/search?query=many{limit}").json["contacts"]) == found


CONTACT_URLS = [
    (None, None, "http://localhost:80/contacts/{id}"),
    ("https://crm.example.com/x/", None, "https://crm.example.com/x/contacts/{id}"),
    (None, "/c?id={id}&again={id}", "http://localhost:80/c?id={id}&again={id}"),
    ("https://a.example", "/c/{id}", "https://a.example/c/{id}"),
    ("https://a.example", "https://crm.example.com/#/c/{id}", "https://crm.example.com/#/c/{id}"),
]


@pytest.mark.parametrize(("public", "pattern", "expected"), CONTACT_URLS)
def test_the_screen_pop_follows_the_configured_pattern(
    make_api, public: str | None, pattern: str | None, expected: str
) -> None:
    api = make_api(public_url=public, contact_url=pattern)
    created = api.create(LastName="M", Number="+49303333333")
    url = expected.replace("{id}", created["id"])
    assert created["contactUrl"] == url
    assert api.lookup("+49303333333")[0]["contactUrl"] == url
    assert api.get("/contacts/search?query=3333333").json["contacts"][0]["contactUrl"] == url


OWN_CONTACT_URLS = [
    ("https://own.example/?c={id}", "https://own.example/?c={id}"),
    ("/people/{id}", "http://localhost:80/people/{id}"),
    ("", "https://crm.example.com/c/{id}"),
    (None, "https://crm.example.com/c/{id}"),
]


@pytest.mark.parametrize(("pattern", "expected"), OWN_CONTACT_URLS)
def test_an_organization_has_its_own_pattern_before_the_server_s(
    make_api, pattern: str | None, expected: str
) -> None:
    api = make_api(contact_url="https://crm.example.com/c/{id}")
    setup(api, settings={"contact_url": "https://earlier.example/{id}"})
    setup(api, settings={"contact_url": pattern})
    created = api.create(LastName="M", Number="+49303333333")
    url = expected.replace("{id}", created["id"])
    assert created["contactUrl"] == url
    assert api.lookup("+49303333333")[0]["contactUrl"] == url


def test_what_an_earlier_integration_left_is_no_pattern(make_api) -> None:
    """A value that was never checked opens nothing on an agent's screen."""
    api = make_api()
    api.key()
    junk = Change(settings={"contact_url": "javascript:alert({id})"})
    api.app.services.integrations.change("acme", junk)
    created = api.create(LastName="M", Number="+49303333333")
    assert created["contactUrl"] == f"http://localhost:80/contacts/{created['id']}"


def test_creation_that_is_switched_off_is_403(api: Api) -> None:
    setup(api, settings={"contact_creation_enabled": False})
    refused(api.post("/contacts/create", ANNA, status="*"), 403, "feature_disabled")
    assert api.lookup("+4930123456") == []


def test_a_lookup_error_of_any_kind_carries_an_empty_list(api: Api) -> None:
    for path in ("/contacts/lookup", "/contacts/search", "/contacts/lookup/"):
        for answer in (
            raw(api, "GET", path),
            raw(api, "GET", path, headers={"x-api-key": "3cx_wrong"}),
            raw(api, "DELETE", path),
        ):
            assert answer.json["contacts"] == []
