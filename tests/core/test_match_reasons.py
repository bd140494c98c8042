"""Why a contact was found: the field, and the part of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhelm_threecx.services import match_reasons
from callhelm_threecx.services.match_reasons import MatchKind, Reason
from callhelm_threecx.stores import folding
from callhelm_threecx.stores.base import Contact, Phone, PhoneType

ANNA = Contact(
    id="1",
    first_name="Ánna",
    last_name="Große-Müller",
    company="1&1 24/7 Pizza Straße",
    email="Anna.Mueller@Example.com",
    phones=(Phone("+4930123456"), Phone("+491712345678", PhoneType.MOBILE), Phone("2671")),
)


def marked(reason: Reason) -> str:
    """The text of a reason with its spans in brackets."""
    text = reason.text
    for start, end in reversed(reason.spans):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return f"{reason.field}: {text}"


@pytest.mark.parametrize(
    ("query", "reasons"),
    [
        ("anna", ["firstName: [Ánna]", "email: [Anna].Mueller@Example.com"]),
        ("ANN", ["firstName: [Ánn]a", "email: [Ann]a.Mueller@Example.com"]),
        ("muller anna", [
            "firstName: [Ánna]",
            "lastName: Große-[Müller]",
            "email: [Anna].Mueller@Example.com",
        ]),
        ("gross", ["lastName: [Groß]e-Müller"]),
        ("strasse", ["company: 1&1 24/7 Pizza [Straße]"]),
        ("@example", ["email: Anna.Mueller[@Example].com"]),
        ("24/7", ["company: 1&1 [24/7] Pizza Straße"]),
        ("1&1 pizza", ["company: [1&1] 24/7 [Pizza] Straße"]),
        ("030 123456", ["phones.0: +49 [30 123456]"]),
        ("030/12 34", ["phones.0: +49 [30 1234]56"]),
        ("+49 (0)30 123456", ["phones.0: [+49 30 123456]"]),
        ("4930123456", ["phones.0: [+49 30 123456]"]),
        ("3456", ["phones.0: +49 30 12[3456]", "phones.1: +49 171 2[3456]78"]),
        ("2671", ["phones.2: [2671]"]),
        ("ánna 5678", [
            "firstName: [Ánna]",
            "email: [Anna].Mueller@Example.com",
            "phones.1: +49 171 234[5678]",
        ]),
        ("schmidt", []),
        ("anna schmidt", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_search_says_where_each_word_was_found(query: str, reasons: list[str]) -> None:
    found = match_reasons.of_search(query, ANNA)
    assert [marked(reason) for reason in found] == reasons
    assert {reason.kind for reason in found} <= {MatchKind.PART}


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("e\u0301te\u0301", "ete", "[e\u0301te\u0301]"),
        ("cafe\u0301s", "cafe", "[cafe\u0301]s"),
        ("\ufb03x", "f", "[\ufb03]x"),
        ("\u0130stanbul", "istanbul", "[\u0130stanbul]"),
        ("\u202eanna", "anna", "\u202e[anna]"),
        ("aaaa", "aa", "[aaaa]"),
    ],
)
def test_parts_are_those_of_the_text_as_it_is_written(text: str, query: str, expected: str) -> None:
    """Letters that fold to several, and marks that fold to none."""
    (reason,) = match_reasons.of_search(query, Contact("1", last_name=text))
    assert marked(reason) == f"lastName: {expected}"


@pytest.mark.parametrize(
    ("number", "reason", "kind"),
    [
        ("+4930123456", "phones.0: [+49 30 123456]", MatchKind.WHOLE),
        ("030 123456", "phones.0: [+49 30 123456]", MatchKind.WHOLE),
        (" 4930123456", "phones.0: [+49 30 123456]", MatchKind.WHOLE),
        ("0123456", "phones.0: +49 3[0 123456]", MatchKind.LAST_DIGITS),
        ("2345678", "phones.1: +49 171 [2345678]", MatchKind.LAST_DIGITS),
        ("2671", "phones.2: [2671]", MatchKind.WHOLE),
    ],
)
def test_a_lookup_says_which_phone_it_was_and_how_much_of_it(
    number: str, reason: str, kind: MatchKind
) -> None:
    (found,) = match_reasons.of_number(number, ANNA, "DE")
    assert (marked(found), found.kind) == (reason, kind)


def test_the_better_of_two_phones_comes_first() -> None:
    contact = Contact("1", phones=(Phone("+4930123456"), Phone("123456")))
    found = match_reasons.of_number("123456", contact, "DE")
    assert [(each.field, each.kind) for each in found] == [
        ("phones.1", MatchKind.WHOLE),
        ("phones.0", MatchKind.LAST_DIGITS),
    ]


@pytest.mark.parametrize("text", ["", "anonymous", "+4930999999"])
def test_a_number_of_nobody_has_no_reason(text: str) -> None:
    assert match_reasons.of_number(text, ANNA, "DE") == []


def test_a_lookup_by_address_matches_all_of_it() -> None:
    (found,) = match_reasons.of_email(" ANNA.mueller@example.com", ANNA)
    assert (marked(found), found.kind) == ("email: [Anna.Mueller@Example.com]", MatchKind.WHOLE)
    assert match_reasons.of_email("mueller@example.com", ANNA) == []


TEXT = st.text("aÄäßéﬃ İ24/7&@.x\u0301٣", max_size=8)
NUMBER = st.sampled_from(["+4930123456", "+5491123456789", "112", "+390612345678", "247"])


@given(TEXT, TEXT, st.lists(NUMBER, max_size=2, unique=True), TEXT | st.text("0123456789+ ()"))
def test_there_is_a_reason_whenever_a_search_finds_and_never_otherwise(
    first: str, company: str, numbers: list[str], query: str
) -> None:
    contact = Contact(
        "1", first, company=company, phones=tuple(Phone(number) for number in numbers)
    )
    fields, parsed = folding.fields_of(contact), folding.numbers_of(contact)
    content, terms = folding.search_text(fields, parsed), folding.search_terms(query)
    is_found = bool(terms) and all(term in content for term in terms)
    reasons = match_reasons.of_search(query, contact)
    assert bool(reasons) == is_found
    for reason in reasons:
        ends = [0, *(offset for span in reason.spans for offset in span), len(reason.text)]
        assert ends == sorted(ends)


@given(st.text())
def test_a_text_folds_as_its_characters_do(text: str) -> None:
    """Else the offsets of a match would be wrong."""
    assert " ".join("".join(map(folding.fold_character, text)).split()) == folding.fold(text)
