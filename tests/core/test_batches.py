"""What comes while some work is being done is done next, together; nothing waits for what hangs."""

from collections.abc import Callable

import pytest

from callhelm_threecx.batches import MOST, PATIENCE_S, Batches


class Threads:
    """Threads that are started by hand, and work that goes on when it is let."""

    def __init__(self) -> None:
        self.done: list[list[int]] = []
        self.submitted: list[Callable[[], None]] = []
        self.during: Callable[[], None] = lambda: None
        self.batches: Batches[int] = Batches(self._work, self.submitted.append)

    def _work(self, pieces: list[int]) -> None:
        self.done.append(pieces)
        during, self.during = self.during, lambda: None
        during()

    def run(self) -> None:
        """Let the threads do what they were given, one after the other."""
        while self.submitted:
            self.submitted.pop(0)()


@pytest.fixture
def threads() -> Threads:
    return Threads()


def test_nothing_begins_for_nothing(threads: Threads) -> None:
    threads.batches.begin()
    assert threads.submitted == []
    assert not threads.batches.is_waiting


def test_what_waits_is_done_together_in_its_order(threads: Threads) -> None:
    for piece in range(3):
        threads.batches.add(piece)
    assert threads.batches.is_waiting
    threads.batches.begin()
    threads.run()
    assert threads.done == [[0, 1, 2]]
    assert not threads.batches.is_waiting


def test_more_than_the_most_is_done_in_several_turns(threads: Threads) -> None:
    for piece in range(2 * MOST + 1):
        threads.batches.add(piece)
    threads.batches.begin()
    threads.run()
    assert [len(pieces) for pieces in threads.done] == [MOST, MOST, 1]
    assert [piece for pieces in threads.done for piece in pieces] == list(range(2 * MOST + 1))


def test_what_comes_meanwhile_is_done_next_together(threads: Threads) -> None:
    def two_more() -> None:
        for piece in (2, 3):
            threads.batches.add(piece)
            threads.batches.begin()

    threads.during = two_more
    threads.batches.add(1)
    threads.batches.begin()
    threads.submitted.pop()()
    assert threads.done == [[1]]
    assert len(threads.submitted) == 1
    threads.run()
    assert threads.done == [[1], [2, 3]]


def test_whoever_comes_after_the_end_begins_anew(threads: Threads) -> None:
    for piece in (1, 2):
        threads.batches.add(piece)
        threads.batches.begin()
        threads.run()
    assert threads.done == [[1], [2]]


@pytest.mark.parametrize(("seconds", "others"), [(0.0, 0), (2 * PATIENCE_S, 1)])
def test_another_thread_begins_with_what_waits_for_one_that_takes_long(
    threads: Threads, monkeypatch: pytest.MonkeyPatch, seconds: float, others: int
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def one_more() -> None:
        threads.batches.add(2)
        now[0] += seconds
        threads.batches.begin()
        assert len(threads.submitted) == others

    threads.during = one_more
    threads.batches.add(1)
    threads.batches.begin()
    threads.run()
    assert threads.done == [[1], [2]]


def test_another_thread_begins_when_more_waits_than_one_can_do(threads: Threads) -> None:
    def many_more() -> None:
        for piece in range(MOST):
            threads.batches.add(piece)
            threads.batches.begin()
        assert len(threads.submitted) == 1

    threads.during = many_more
    threads.batches.add(-1)
    threads.batches.begin()
    threads.run()
    assert threads.done == [[-1], [*range(MOST)]]


def test_no_second_thread_is_asked_while_none_is_free(threads: Threads) -> None:
    for piece in range(3 * MOST):
        threads.batches.add(piece)
        threads.batches.begin()
    assert len(threads.submitted) == 1


def test_what_cannot_be_submitted_waits_for_the_next_time(threads: Threads) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("no more threads")

    threads.batches.add(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads.batches, "_submit", refuse)
        with pytest.raises(RuntimeError):
            threads.batches.begin()
    threads.batches.begin()
    threads.run()
    assert threads.done == [[1]]
