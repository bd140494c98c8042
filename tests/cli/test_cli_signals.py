"""A signal that ends a command is met whatever the command does just then."""

import subprocess
import sys
import threading
import time

from callhelm_threecx.cli.common import _Stop

PROBES = """
import sys, threading
from callhelm_threecx.cli.common import _Stop

def is_set_at_step(number):
    stop, step = _Stop(), 0

    def look(*_):
        nonlocal step
        step += 1
        if step == number:
            sys.setprofile(None)
            stop.set()  # as the handler of a signal would, in this thread, just here

    sys.setprofile(look)
    stop.wait(0.001)
    sys.setprofile(None)
    assert stop.is_set() == (step >= number)
    return stop.is_set()

steps = 1
while is_set_at_step(steps):
    steps += 1
print(steps)
"""


def test_a_signal_at_any_step_of_a_wait_is_met() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBES], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 4


def test_it_wakes_everybody_who_waits() -> None:
    stop = _Stop()
    assert stop.wait(0.01) is False
    waiting = [threading.Thread(target=stop.wait) for _ in range(4)]
    for thread in waiting:
        thread.start()
    time.sleep(0.05)
    assert all(thread.is_alive() for thread in waiting)
    stop.set()
    for thread in waiting:
        thread.join(10)
    assert not any(thread.is_alive() for thread in waiting)
    assert stop.is_set()
    assert stop.wait(0) is True
