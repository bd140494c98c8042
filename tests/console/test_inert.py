"""Texts of callers, bounded, and links that are links."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from callhelm_threecx.console.dialogue import turns
from callhelm_threecx.console.inert import excerpt, pretty_json, web_link

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS, st.integers(0, 200))
def test_an_excerpt_is_the_beginning_and_fits(text: str, most: int) -> None:
    shown = excerpt(text, most)
    assert text.startswith(shown.text)
    assert len(str(escape(shown.text)).encode()) <= most
    assert shown.is_cut == (shown.text != text)


def test_an_excerpt_ends_with_a_word() -> None:
    assert excerpt("one two three", 10).text == "one two"


@pytest.mark.parametrize("text", ["x" * 50, "<>&'\"", "👩‍👩‍👧", ""])
def test_what_fits_is_whole(text: str) -> None:
    assert excerpt(text, 100).text == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, JSON))
def test_a_report_is_json_still_and_hides_nothing(report: dict[str, Any]) -> None:
    text = pretty_json(report)
    assert json.loads(text) == report
    assert not set("\x7f\x9f\u061c\u200e\u202e\u2066\u2069\ufeff\u2028") & set(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://pbx.example.com/a?b=c#d", "pbx.example.com"),
        ("HTTP://PBX.example.com:5001/rec/1.wav", "pbx.example.com"),
        ("http://[2001:db8::1]/1.wav", "2001:db8::1"),
        ("https://good.example@evil.example/", "evil.example"),
    ],
)
def test_a_web_address_is_a_link_to_its_host(text: str, host: str) -> None:
    link = web_link(text)
    assert link is not None
    assert (link.url, link.host) == (text, host)


@pytest.mark.parametrize(
    "text", ["", "javascript:alert(1)", "ftp://a.example", "https://", f"https://a/{'x' * 2048}"]
)
def test_anything_else_is_none(text: str) -> None:
    assert web_link(text) is None


@given(TEXTS)
def test_no_text_is_more_than_no_link(text: str) -> None:
    link = web_link(text)
    assert link is None or text.lower().startswith(("http://", "https://"))


CONVERSATIONS: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("Jana: Hi\nMia: Hello", [("Jana", "Hi", ""), ("Mia", "Hello", "")]),
    ("Jana: Hi\r\nthere\r\n\r\nMia:\r\nHello", [("Jana", "Hi\nthere", ""), ("Mia", "Hello", "")]),
    ("[10:02:03] Jana: Hi", [("Jana", "Hi", "10:02:03")]),
    ("10:02 AM - Jana Vogel: Hi", [("Jana Vogel", "Hi", "10:02 AM")]),
    ("22.11.2026 10:02 Jana: Hi", [("Jana", "Hi", "22.11.2026 10:02")]),
    ("2026-11-22T10:02:03 101: Hi", [("101", "Hi", "2026-11-22T10:02:03")]),
    ("Jana: see https://a.example/x", [("Jana", "see https://a.example/x", "")]),
    ("Jana: Hi\nhttps://a.example/x", [("Jana", "Hi\nhttps://a.example/x", "")]),
    ("No names here.\nMia: but here", [("", "No names here.\nMia: but here", "")]),
    ("https://a.example", [("", "https://a.example", "")]),
    (" \n\nJana: Hi\n ", [("Jana", "Hi", "")]),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), CONVERSATIONS)
def test_a_conversation_is_read_as(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(turn.speaker, turn.said, turn.time) for turn in turns(text)] == expected


@given(st.lists(st.sampled_from(["Jana: ", "10:02 ", "[", "]", ":", "\n", "\r", "a b", " - "])))
def test_no_word_of_a_conversation_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    told = " ".join(f"{turn.time} {turn.speaker} {turn.said}" for turn in turns(text))
    assert [c for c in told if c.isalnum()] == [c for c in text if c.isalnum()]
