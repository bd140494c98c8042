"""The file that a PBX's administrator downloads."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from webtest import TestResponse

from tests.client import ADMIN_KEY, Api
from tests.http.wire import raw, refused, setup


def parameters(answer: TestResponse) -> dict[str, str]:
    root = ET.fromstring(answer.body)  # noqa: S314
    assert root.tag == "Crm"
    return {p.attrib["Name"]: p.attrib.get("Default", "") for p in root.iter("Parameter")}


def test_the_template_is_an_xml_attachment_that_nobody_caches(api: Api) -> None:
    answer = api.get("/template")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="call-helm-3cx.xml"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"]
    found = parameters(answer)
    assert found["ApiKey"] == api.key()
    assert found["BaseUrl"] == "http://localhost:80"


@pytest.mark.parametrize("way", ["header", "bearer", "query"])
def test_the_key_is_taken_from_header_bearer_and_query(api: Api, way: str) -> None:
    key = api.key()
    answer = {
        "header": lambda: raw(api, "GET", "/template", headers={"x-api-key": key}),
        "bearer": lambda: raw(api, "GET", "/template", headers={"Authorization": f"Bearer {key}"}),
        "query": lambda: raw(api, "GET", f"/template?apiKey={key}"),
    }[way]()
    assert parameters(answer)["ApiKey"] == key


def test_a_key_in_a_header_counts_before_one_in_the_query(api: Api) -> None:
    other = api.key("other")
    path = f"/template?apiKey={api.key()}"
    answer = raw(api, "GET", path, headers={"x-api-key": other})
    assert parameters(answer)["ApiKey"] == other


@pytest.mark.parametrize("key", ["", "wrong", "3cx_" + "A" * 43, "%00%ff", "a&apiKey=b"])
def test_a_wrong_key_in_the_query_is_401_in_json(api: Api, key: str) -> None:
    refused(raw(api, "GET", f"/template?apiKey={key}"), 401, "unauthorized")


def test_the_admin_key_downloads_no_template(api: Api) -> None:
    refused(raw(api, "GET", f"/template?apiKey={ADMIN_KEY}"), 403, "wrong_key_kind")


HOSTILE = [
    "Müller & Söhne <GmbH>",
    "\"quoted\" 'single' [Number] [[Number].Replace(a,b)]",
    "]]> <!-- -- --> <?pi?> <![CDATA[x]]>",
    "&amp;&#0;&lt;!DOCTYPE x>",
    "日本語 😀 \u202eright to left",
    "-- comment --",
    "%s {0} ${x} @ApiKey @BaseUrl \\1 \\g<0>",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_organization_name_survives(api: Api, name: str) -> None:
    setup(api, organizationName=name)
    found = parameters(api.get("/template"))
    assert name in found.values()
    assert found["ApiKey"] == api.key()


@pytest.mark.parametrize(
    "name", ["a\u0001b", "a\u001bb\u0085", "\uffff\ufffe", "a\tb\nc", "\ud800"]
)
def test_what_xml_cannot_hold_is_left_out_of_a_name(api: Api, name: str) -> None:
    setup(api, organizationName=name)
    parameters(api.get("/template"))


URLS = [
    ("https://crm.example.com", "https://crm.example.com"),
    ("https://crm.example.com/a/b/", "https://crm.example.com/a/b"),
    ("https://crm.example.com:8443/x'y", "https://crm.example.com:8443/x'y"),
    ("https://münchen.example/&<>", "https://münchen.example/&<>"),
]


@pytest.mark.parametrize(("public", "shown"), URLS)
def test_the_public_url_is_what_the_pbx_calls(
    make_api: Callable[..., Api], public: str, shown: str
) -> None:
    api = make_api(public_url=public)
    assert parameters(api.get("/template"))["BaseUrl"] == shown


def test_the_templates_urls_lie_below_the_prefix(make_api: Callable[..., Api]) -> None:
    api = make_api(prefix="/pbx/v1")
    root = ET.fromstring(api.get("/template").body)  # noqa: S314
    urls = [request.attrib["Url"] for request in root.iter("Request")]
    assert urls
    assert all(url.startswith("[BaseUrl]/pbx/v1/") for url in urls), urls


SWITCHES = [
    ({}, {"ReportCallEnabled": "True", "CreateContactEnabled": "True"}),
    ({"call_journaling_enabled": False}, {"ReportCallEnabled": "False"}),
    ({"contact_creation_enabled": False}, {"CreateContactEnabled": "False"}),
]


@pytest.mark.parametrize(("settings", "expected"), SWITCHES)
def test_features_are_switched_in_the_template_as_in_the_organization(
    api: Api, settings: dict[str, Any], expected: dict[str, str]
) -> None:
    setup(api, settings=settings)
    found = parameters(api.get("/template"))
    assert {name: found[name] for name in expected} == expected


def test_chat_journaling_is_a_switch_of_its_own(api: Api) -> None:
    setup(api, settings={"call_journaling_enabled": False, "chat_journaling_enabled": True})
    found = parameters(api.get("/template"))
    assert (found["ReportCallEnabled"], found["ReportChatEnabled"]) == ("False", "True")
