"""Keys are found in running text wherever they stand, and nothing else is touched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.adoption.filling import mended_settings
from callhelm_threecx.adoption.key_search import KeySearch, hint_of, is_distinctive

LETTERS = st.text(st.sampled_from('abAB01/+" \\é'), min_size=8, max_size=40)
KEYS = st.lists(LETTERS.filter(is_distinctive), min_size=1, max_size=8)
AROUND = st.text(st.sampled_from('abAB01/+" \\é\n'), max_size=60)


@given(keys=KEYS, before=AROUND, after=AROUND, data=st.data())
def test_a_key_is_found_whatever_surrounds_it(
    keys: list[str], before: str, after: str, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(keys))
    search = KeySearch(keys)
    text = before + key + after
    assert search.finds(text)
    assert search.finds(json.dumps(text, ensure_ascii=False))
    assert key not in search.in_text(text) or key in hint_of(key) + after + before


@given(keys=KEYS, before=AROUND, after=AROUND, data=st.data())
def test_a_document_stays_a_document(
    keys: list[str], before: str, after: str, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(keys))
    document = {"text": before + key + after, "number": 12345678, key: None}
    clean = json.loads(KeySearch(keys).in_json(json.dumps(document, ensure_ascii=False)))
    assert clean["number"] == 12345678
    assert key not in clean


@given(keys=KEYS, text=st.text(st.sampled_from("xyz 0123456789-"), max_size=200))
def test_other_text_is_left_as_it_is(keys: list[str], text: str) -> None:
    search = KeySearch(keys)
    assert not search.finds(text)
    assert search.in_text(text) == text


@pytest.mark.parametrize(
    ("key", "text", "clean"),
    [
        ("3cx_" + "a1" * 20, "Bearer%203cx_" + "a1" * 20, "Bearer%203cx_…a1a1"),
        ("a/b+c=d e", "?apiKey=a%2Fb%2Bc%3Dd%20e&x", "?apiKey=…&x"),
        ("longer-key", "longer-key-of-another", "…-of-another"),
    ],
)
def test_a_key_in_a_url_is_replaced(key: str, text: str, clean: str) -> None:
    assert KeySearch([key]).in_text(text) == clean


@pytest.mark.parametrize("key", ["1234567890123", "short", "12-34-56-78-90"])
def test_what_could_be_something_else_is_not_sought(key: str) -> None:
    text = f"+{key} {key}"
    assert KeySearch([key]).in_text(text) == text


def test_the_longer_of_two_keys_goes_first() -> None:
    short, long = "3cx_" + "b" * 30, "3cx_" + "b" * 30 + "tail"
    assert KeySearch([short, long]).in_text(f"{long} {short}") == "3cx_…tail 3cx_…bbbb"


@given(st.recursive(st.none() | st.booleans() | st.text(), st.lists))
def test_settings_that_are_no_object_become_an_empty_one(stored: object) -> None:
    assert mended_settings(stored) == {} or isinstance(stored, str)
