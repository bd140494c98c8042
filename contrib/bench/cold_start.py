"""How long nobody is answered after a start, in starts of a process that only imports."""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import dataset
import lookups
import servers
import wrk
from lab import Lab
from report import Row, at_most

IMPORTS = "import falcon, sqlmodel, phonenumbers, cryptography"


@dataclass(frozen=True)
class Start:
    """Seconds on the clock and of the processor."""

    wall_s: float
    cpu_s: float


def rows(lab: Lab) -> list[Row]:
    """The whole server with one worker up to its first looked-up contact, and the imports."""
    filled = lab.on_postgres(lab.size.few_contacts)
    pairs = [(_serve(lab, filled), _import()) for _ in range(lab.size.starts + 1)][1:]
    wall = [ours.wall_s / theirs.wall_s for ours, theirs in pairs]
    cpu = [ours.cpu_s / theirs.cpu_s for ours, theirs in pairs]
    figures = {
        "cpu_ratio": round(statistics.median(cpu), 3),
        "serve_s": round(statistics.median(ours.wall_s for ours, _ in pairs), 3),
        "imports_s": round(statistics.median(theirs.wall_s for _, theirs in pairs), 3),
        "ratios": [round(value, 2) for value in wall],
    }
    what = "cold start to the first answer / bare imports"
    return [Row(what, at_most(2), statistics.median(wall), figures=figures)]


def _serve(lab: Lab, filled: dataset.Filled) -> Start:
    request = lookups.requests(filled, 1)[0]
    began = time.perf_counter()
    with servers.product(filled.environment, replace(lab.kind, workers=1)) as server:
        wrk.first_answer(server.port, request)
        return Start(time.perf_counter() - began, server.cpu_seconds())


def _import() -> Start:
    before = os.times()
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    wall, after = time.perf_counter() - began, os.times()
    user = after.children_user - before.children_user
    return Start(wall, user + after.children_system - before.children_system)
