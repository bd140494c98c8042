"""What may stand in the values of our own template: anything that XML can hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callhelm_threecx.template import (
    Crm,
    TemplateError,
    build_template,
    parse,
    render_template,
    serialize,
)
from callhelm_threecx.template import model as m

BASE = "https://crm.example.com"
KEY = "3cx_abc"


def parameter(crm: Crm, name: str) -> m.Parameter:
    found = crm.parameter(name)
    assert found is not None
    return found


@pytest.mark.parametrize("url", [f"{BASE}/", f"{BASE}//", BASE])
def test_a_trailing_slash_makes_no_double_one(url: str) -> None:
    assert parameter(build_template(base_url=url, api_key=KEY), "BaseUrl").default == BASE


@pytest.mark.parametrize("prefix", ["api", "/a b", "/[x]", "/a?b", "/a//b", "/ä", "/a\n"])
def test_a_prefix_that_is_no_plain_path_is_refused(prefix: str) -> None:
    with pytest.raises(TemplateError) as caught:
        build_template(base_url=BASE, api_key=KEY, prefix=prefix)
    assert caught.value.code == "bad_prefix"


@pytest.mark.parametrize("value", ["\x00", "a\x1b", "\ud800"])
@pytest.mark.parametrize("name", ["base_url", "api_key", "organization_name"])
def test_a_value_that_xml_cannot_hold_is_refused(name: str, value: str) -> None:
    values = {"base_url": BASE, "api_key": KEY, "organization_name": "Acme", name: value}

    with pytest.raises(TemplateError, match=r"cannot contain"):
        render_template(**values)  # type: ignore[arg-type]


SPECIAL = st.sampled_from(
    ["&", "<", ">", '"', "'", "[", "]", "[[", "]]>", "&amp;", "@ApiKey", '"@BaseUrl"']
)
CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"
).filter(lambda c: c >= " " or c in "\t\r\n")
PLAIN = st.text(CHARACTERS, max_size=20)
ANY = st.lists(SPECIAL | PLAIN, max_size=6).map("".join)


@settings(max_examples=200, deadline=None)
@given(base_url=ANY, api_key=ANY, name=ANY, journaling=st.booleans(), creation=st.booleans())
def test_any_url_key_and_name_survive(
    base_url: str, api_key: str, name: str, journaling: bool, creation: bool
) -> None:
    text = render_template(
        base_url=base_url,
        api_key=api_key,
        organization_name=name,
        journaling=journaling,
        contact_creation=creation,
    )
    crm = parse(text)

    assert parameter(crm, "ApiKey").default == api_key
    assert parameter(crm, "BaseUrl").default == base_url.rstrip("/")
    assert name == "" or parameter(crm, "Organization").default == name
    built = build_template(
        base_url=base_url,
        api_key=api_key,
        organization_name=name,
        journaling=journaling,
        contact_creation=creation,
    )
    assert crm == built
    assert text == serialize(built)


def test_two_organizations_do_not_meet_in_the_cached_text() -> None:
    first = render_template(base_url=BASE, api_key="3cx_first", organization_name="First")
    second = render_template(base_url=BASE, api_key="3cx_second", organization_name="Second")

    assert re.findall("3cx_[a-z]+", first) == ["3cx_first"]
    assert re.findall("3cx_[a-z]+", second) == ["3cx_second"]
    assert "First" not in second.replace("FirstName", "")
