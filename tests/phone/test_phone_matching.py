"""What a searched text may mean, and in which order."""

import pytest

from callhelm_threecx import phone
from callhelm_threecx.phone import Candidates


def meanings(text: str, region: str) -> Candidates:
    candidates = phone.candidates(text, region)
    assert candidates is not None
    return candidates


@pytest.mark.parametrize(
    ("text", "region", "exact", "suffix"),
    [
        # an explicit prefix that was understood: one meaning, and the number was not cut
        ("+4930123456", "US", ("4930123456",), ""),
        (" 4930123456", "US", ("4930123456",), ""),
        ("004930123456", "US", ("4930123456",), ""),
        ("01149 30 123456", "US", ("4930123456",), ""),
        # national first when it is valid, then the lost plus, then the digits themselves
        ("030123456", "DE", ("4930123456", "030123456"), "030123456"),
        ("4155552671", "US", ("14155552671", "4155552671"), "4155552671"),
        ("4121234567", "US", ("14121234567", "4121234567"), "4121234567"),
        # the lost plus first when only that is a valid number
        ("4930123456", "US", ("4930123456", "14930123456"), "4930123456"),
        ("442079460958", "US", ("442079460958",), "442079460958"),
        # a short number is itself, unless a plan assigns it
        ("2671", "US", ("2671",), ""),
        ("2671", "DE", ("2671",), ""),
        ("4002", "NU", ("6834002", "4002"), ""),
        # a plus that a PBX wrote before a cut or a national number
        ("+30123456", "DE", ("4930123456", "30123456"), "30123456"),
        ("+4155552671", "US", ("14155552671", "4155552671"), "4155552671"),
        ("+2671", "US", ("2671",), ""),
        # zeros that a PBX wrote before a cut number
        ("009912345678", "US", ("009912345678", "9912345678"), "9912345678"),
        ("0012345", "US", ("0012345",), "0012345"),
        ("0111234", "US", ("0111234",), "0111234"),
        # six digits make a suffix, five do not
        ("552671", "US", ("552671",), "552671"),
        ("52671", "US", ("52671",), ""),
    ],
)
def test_the_meanings_of_a_text(
    text: str, region: str, exact: tuple[str, ...], suffix: str
) -> None:
    assert meanings(text, region) == Candidates(exact, suffix)


@pytest.mark.parametrize(
    ("text", "region", "first", "second"),
    [
        ("+525512345678", "US", "525512345678", "5215512345678"),
        ("+5215512345678", "US", "525512345678", "5215512345678"),
        ("+5491123456789", "US", "5491123456789", "541123456789"),
        ("+541123456789", "US", "541123456789", "5491123456789"),
        ("+5511987654321", "US", "5511987654321", "551187654321"),
        ("+551187654321", "US", "551187654321", "5511987654321"),
    ],
)
def test_another_presentation_of_the_subscriber_comes_next(
    text: str, region: str, first: str, second: str
) -> None:
    assert meanings(text, region).exact == (first, second)


@pytest.mark.parametrize("text", ["+551123456789", "+5511923456789", "+390212345678", "+540800333"])
def test_other_numbers_of_these_countries_have_one_presentation(text: str) -> None:
    assert meanings(text, "US").exact[0] == text[1:]
    assert len(meanings(text, "US").exact) == 1


@pytest.mark.parametrize(
    ("text", "region", "exact"),
    [
        # Singapore: 00 and 65, not 006 and Cuba's 53
        ("006531234567", "SG", ("6531234567",)),
        ("0082212345678", "KR", ("82212345678",)),
        ("0014930123456", "KR", ("4930123456",)),
    ],
)
def test_a_plain_00_goes_before_the_regions_own_longer_prefix(
    text: str, region: str, exact: tuple[str, ...]
) -> None:
    assert meanings(text, region) == Candidates(exact, suffix="")


def test_a_prefix_that_may_as_well_begin_a_number_is_not_believed_alone() -> None:
    # 810 is Russia's prefix, 81 Japan's country code, 8 Russia's trunk prefix
    ambiguous = meanings("8101234567890", "RU")

    assert "8101234567890" in ambiguous.exact
    assert ambiguous.suffix != ""


def test_exact_readings_rank_in_order_and_before_every_suffix() -> None:
    candidates = meanings("4930123456", "US")

    assert candidates.rank("4930123456") == 0
    assert candidates.rank("14930123456") == 1
    assert candidates.rank("994930123456") == 2
    assert candidates.rank("4930123457") is None


def test_a_suffix_match_needs_a_longer_number() -> None:
    candidates = Candidates(exact=("49123456",), suffix="123456")

    assert candidates.rank("123456") is None
    assert candidates.rank("0123456") == 1
    assert candidates.rank("12345") is None


def test_the_tail_range_holds_just_the_numbers_with_that_end() -> None:
    bounds = meanings("123456", "US").tail_range
    assert bounds is not None
    low, high = bounds

    assert low <= "4930123456"[::-1] < high
    assert low <= "9999123456"[::-1] < high
    assert low <= "0123456"[::-1] < high
    assert not low <= "4930123457"[::-1] < high
    assert not low <= "4930123446"[::-1] < high
    assert not low <= "23456"[::-1] < high


def test_there_is_no_tail_range_without_a_suffix() -> None:
    assert meanings("+4930123456", "US").tail_range is None


def test_the_exact_tails_are_the_readings_reversed() -> None:
    assert meanings("030123456", "DE").exact_tails == ("6543210394", "654321030")


def test_a_second_search_for_the_same_text_is_answered_from_memory() -> None:
    assert phone.candidates("030 123456", "DE") is phone.candidates("030 123456", "DE")


def test_the_region_is_part_of_what_is_remembered() -> None:
    assert meanings("030 123456", "DE") != meanings("030 123456", "GB")
