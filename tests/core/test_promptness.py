"""After a slow answer the next ones are not waited for, until a while has passed or it is over."""

import pytest

from callhelm_threecx.promptness import SLOW_S, Promptness

QUICK, SLOW, HOURS = SLOW_S / 2, SLOW_S * 2, 10_000.0


@pytest.fixture
def promptness() -> Promptness:
    return Promptness()


def test_answers_are_waited_for_as_long_as_they_are_quick(promptness: Promptness) -> None:
    for _ in range(3):
        promptness.waited(QUICK)
        assert promptness.is_likely


def test_the_next_ones_are_not_waited_for_after_a_slow_one(promptness: Promptness) -> None:
    promptness.waited(HOURS)
    assert not promptness.is_likely
    promptness.waited(QUICK)
    assert not promptness.is_likely


def test_the_pause_ends_after_ten_times_as_long(
    promptness: Promptness, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    promptness.waited(2.0)
    for seconds, is_likely in ((0.0, False), (19.9, False), (20.0, True)):
        now[0] = 1000.0 + seconds
        assert promptness.is_likely is is_likely


def test_twenty_quick_answers_elsewhere_end_it(promptness: Promptness) -> None:
    promptness.waited(HOURS)
    for _ in range(19):
        promptness.took_elsewhere(QUICK)
        assert not promptness.is_likely
    promptness.took_elsewhere(QUICK)
    assert promptness.is_likely


def test_a_slow_one_among_them_has_it_counted_anew(promptness: Promptness) -> None:
    promptness.waited(HOURS)
    for seconds in [QUICK] * 19 + [SLOW] + [QUICK] * 19:
        promptness.took_elsewhere(seconds)
    assert not promptness.is_likely


def test_quick_ones_before_a_slow_one_do_not_count(promptness: Promptness) -> None:
    for _ in range(30):
        promptness.took_elsewhere(QUICK)
    promptness.waited(HOURS)
    promptness.took_elsewhere(QUICK)
    assert not promptness.is_likely
