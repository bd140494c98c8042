"""Two or more servers, measured in turns: what counts is the ratio within each round.

A machine that slows down slows both sides of a round. Beside the time on the clock stands the
processor time of the server for each request, which other people's work disturbs less.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import wrk
from servers import Server


@dataclass(frozen=True)
class Side:
    """A server and what to ask it."""

    server: Server
    requests: Sequence[wrk.Request]


@dataclass(frozen=True)
class Pace:
    """How long and how hard to ask."""

    rounds: int = 5
    seconds: float = 3.0
    connections: int = 16


@dataclass(frozen=True)
class Turn:
    """One server's part of a round. Milliseconds of the processor are the server's own."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float


def fight(sides: Mapping[str, Side], pace: Pace) -> dict[str, list[Turn]]:
    """The turns of each side, by name. The first round warms up and is not among them."""
    turns: dict[str, list[Turn]] = {name: [] for name in sides}
    for side in sides.values():
        wrk.first_answer(side.server.port, side.requests[0])
    for number in range(pace.rounds + 1):
        order = list(sides) if number % 2 else list(reversed(sides))
        for name in order:
            try:
                turn = _turn(sides[name], pace, seed=number + 1)
            except wrk.LoadError as ex:
                raise wrk.LoadError(f"{name}: {ex}") from ex
            if number:
                turns[name].append(turn)
    return turns


def _turn(side: Side, pace: Pace, seed: int) -> Turn:
    before = side.server.cpu_seconds()
    found = wrk.run(
        side.server.port,
        side.requests,
        connections=pace.connections,
        seconds=pace.seconds,
        seed=seed,
    )
    cpu = (side.server.cpu_seconds() - before) / found.requests
    return Turn(found.per_second, found.p50, found.p95, found.p99, cpu * 1000)


def ratio(
    turns: Mapping[str, Sequence[Turn]], one: str, other: str, of: Callable[[Turn], float]
) -> float:
    """The median of what ``one`` has over what ``other`` has in the same round."""
    pairs = zip(turns[one], turns[other], strict=True)
    return statistics.median(of(mine) / of(theirs) for mine, theirs in pairs)


def medians(turns: Mapping[str, Sequence[Turn]]) -> dict[str, dict[str, float]]:
    """The plain figures of each side."""
    return {
        name: {
            field: round(statistics.median(getattr(turn, field) for turn in rounds), 3)
            for field in asdict(rounds[0])
        }
        for name, rounds in turns.items()
    }


def throughput(turn: Turn) -> float:
    """Requests a second."""
    return turn.per_second


def median_latency(turn: Turn) -> float:
    """Half of the answers came within so many milliseconds."""
    return turn.p50_ms


def tail_latency(turn: Turn) -> float:
    """All but one in a hundred answers came within so many milliseconds."""
    return turn.p99_ms


def processor(turn: Turn) -> float:
    """Milliseconds of a processor that the server spent on a request."""
    return turn.cpu_ms


def figures(turns: Mapping[str, Sequence[Turn]], one: str, other: str) -> dict[str, Any]:
    """The plain figures of two sides, and the ratio of their processor time."""
    pair = {name: turns[name] for name in (one, other)}
    cpu = ratio(turns, one, other, processor)
    return {"sides": medians(pair), "cpu_ratio": round(cpu, 3)}
