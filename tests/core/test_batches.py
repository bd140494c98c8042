"""What comes while some work is being done is done next, together; nothing waits for what hangs."""

import threading
import time
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
        self.submitted.pop()()


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


def test_more_than_the_most_is_done_by_the_same_thread_afterwards(threads: Threads) -> None:
    for piece in range(2 * MOST + 1):
        threads.batches.add(piece)
    threads.batches.begin()
    threads.run()
    assert [len(pieces) for pieces in threads.done] == [MOST, MOST, 1]
    assert [piece for pieces in threads.done for piece in pieces] == list(range(2 * MOST + 1))


def test_what_comes_meanwhile_is_done_next_by_the_same_thread(threads: Threads) -> None:
    def two_more() -> None:
        for piece in (2, 3):
            threads.batches.add(piece)
            threads.batches.begin()

    threads.during = two_more
    threads.batches.add(1)
    threads.batches.begin()
    threads.run()
    assert threads.done == [[1], [2, 3]]
    assert threads.submitted == []


def test_whoever_comes_after_the_end_begins_anew(threads: Threads) -> None:
    for piece in (1, 2):
        threads.batches.add(piece)
        threads.batches.begin()
        threads.run()
    assert threads.done == [[1], [2]]


def test_another_thread_begins_with_what_waits_for_one_that_hangs() -> None:
    hangs, others = threading.Event(), threading.Event()
    done: list[list[int]] = []

    def work(pieces: list[int]) -> None:
        if pieces == [0]:
            hangs.wait(30)
        done.append(pieces)
        others.set()

    started: list[threading.Thread] = []

    def submit(run: Callable[[], None]) -> None:
        started.append(threading.Thread(target=run))
        started[-1].start()

    batches: Batches[int] = Batches(work, submit)
    batches.add(0)
    batches.begin()
    while batches.is_waiting:
        time.sleep(0.001)
    batches.add(1)
    batches.add(2)
    batches.begin()
    assert len(started) == 1  # it may be ready soon
    time.sleep(PATIENCE_S)
    batches.begin()
    assert others.wait(30)
    assert done == [[1, 2]]
    hangs.set()
    for thread in started:
        thread.join(30)
    assert done == [[1, 2], [0]]
