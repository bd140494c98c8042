"""Rate limits: in memory, shared through a real Redis, and with that Redis away."""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from callhelm_threecx import limiter as limiter_module
from callhelm_threecx.errors import SettingsError
from callhelm_threecx.limiter import Limiter, Verdict, WindowStorage, limit_of
from tests import servers
from tests.core import hitter

THREE = limit_of("3/minute")
HOUR = limit_of("100/hour")


def verdicts(limiter: Limiter, count: int, *names: str) -> list[tuple[bool, int]]:
    hits = [limiter.hit(THREE, *names) for _ in range(count)]
    return [(hit.allowed, hit.remaining) for hit in hits]


SPENT = [(True, 2), (True, 1), (True, 0), (False, 0), (False, 0)]


def check_counting(limiter: Limiter) -> None:
    assert verdicts(limiter, 5, "org", "acme") == SPENT
    assert verdicts(limiter, 5, "org", "other") == SPENT
    assert verdicts(limiter, 1, "client", "acme") == SPENT[:1]


def check_peeking(limiter: Limiter) -> None:
    assert [limiter.peek(THREE, "a").allowed for _ in range(9)] == [True] * 9
    assert verdicts(limiter, 3, "a") == SPENT[:3]
    assert limiter.peek(THREE, "a").allowed is False


def check_reset(limiter: Limiter) -> None:
    hit = limiter.hit(THREE, "b")
    assert hit.limit == 3
    assert 1 <= hit.reset <= 60
    short = limit_of("1/second")
    assert limiter.hit(short, "c").allowed
    refused = limiter.hit(short, "c")
    assert (refused.allowed, refused.reset) == (False, 1)
    deadline = time.monotonic() + 10
    while not limiter.peek(short, "c").allowed:
        assert time.monotonic() < deadline
    assert limiter.hit(short, "c").allowed


CHECKS: list[Callable[[Limiter], None]] = [check_counting, check_peeking, check_reset]


@pytest.mark.parametrize("check", CHECKS)
def test_a_limit_is_counted_in_memory(check: Callable[[Limiter], None]) -> None:
    limiter = Limiter("memory://")
    check(limiter)
    assert limiter.healthy()
    assert limiter.fallbacks == 0


def test_threads_share_a_limit_exactly() -> None:
    limiter = Limiter("memory://")
    with ThreadPoolExecutor(8) as pool:
        hits = pool.map(lambda _: limiter.hit(HOUR, "acme").allowed, range(400))
        assert sum(hits) == 100


def test_expired_windows_are_swept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(limiter_module.time, "time", lambda: now[0])
    storage = WindowStorage()
    for number in range(100):
        storage.incr(f"key{number}", 1)
    assert storage.get("key1") == 1
    now[0] += limiter_module.SWEEP_INTERVAL_S + 1
    assert storage.get("key1") == 0
    assert storage.get_expiry("key1") == now[0]
    storage.incr("other", 60)
    assert storage.reset() == 1
    storage.incr("other", 60)
    storage.clear("other")
    assert storage.get("other") == 0
    assert storage.check()


@pytest.mark.parametrize(
    "uri", ["redis://host:port", "redis://host:99999999", "redis://host/x?socket_timeout=soon"]
)
def test_a_malformed_redis_url_names_the_setting(uri: str) -> None:
    with pytest.raises(SettingsError, match="THREECX_RATE_LIMIT_STORAGE") as caught:
        Limiter(uri)
    assert "\n" not in caught.value.message


def test_without_the_redis_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.backoff", None)
    with pytest.raises(SettingsError, match="redis"):
        Limiter("redis://127.0.0.1:1")


def test_an_absent_redis_is_no_error_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    limiter = Limiter(f"redis://127.0.0.1:{servers.free_port()}")
    assert limiter.healthy() is False
    assert verdicts(limiter, 5, "acme") == SPENT
    assert limiter.fallbacks == 5


# With a real Redis


@pytest.mark.redis
@pytest.mark.parametrize("check", CHECKS)
def test_a_limit_is_counted_in_redis(
    redis_server: str, check: Callable[[Limiter], None], request: pytest.FixtureRequest
) -> None:
    import redis

    redis.Redis.from_url(redis_server).flushdb()
    limiter = Limiter(redis_server)
    check(limiter)
    assert limiter.healthy()
    assert limiter.fallbacks == 0


@pytest.mark.redis
def test_two_processes_share_a_limit_exactly(redis_server: str) -> None:
    import redis

    redis.Redis.from_url(redis_server).flushdb()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", hitter.__name__, redis_server, "300/hour", "400"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sum(int(allowed) for allowed, _ in ended) == 300
    assert [fallbacks for _, fallbacks in ended] == ["0", "0"]


@pytest.mark.redis
def test_a_killed_redis_is_replaced_by_memory_and_used_again_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter_module, "RETRY_REDIS_AFTER_S", 0.2)
    port = servers.free_port()
    with servers.own_redis(tmp_path, port) as (url, process):
        limiter = Limiter(url)
        assert verdicts(limiter, 2, "acme") == SPENT[:2]
        process.kill()
        process.wait(10)
        with caplog.at_level(logging.WARNING):
            started = time.monotonic()
            assert verdicts(limiter, 5, "acme") == SPENT  # each process counts by itself now
            assert time.monotonic() - started < 2
        assert limiter.fallbacks == 5
        assert limiter.healthy() is False
        (warning, *_) = caplog.records
        assert "does not answer" in warning.getMessage()
        assert len(caplog.records) < 5
    with servers.own_redis(tmp_path, port):
        other = Limiter(url)
        deadline = time.monotonic() + 20
        while other.peek(THREE, "shared").remaining == 2:  # as if one hit more were made
            assert time.monotonic() < deadline
            limiter.hit(THREE, "shared")
        assert limiter.healthy()
        fallbacks = limiter.fallbacks
        assert verdicts(limiter, 1, "back") == SPENT[:1]
        assert limiter.fallbacks == fallbacks


@pytest.mark.redis
def test_a_redis_that_hangs_costs_a_ringing_phone_little(tmp_path: Path) -> None:
    with servers.own_redis(tmp_path) as (url, process):
        limiter = Limiter(url)
        limiter.hit(THREE, "acme")

        process.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            hits: list[Any] = [limiter.hit(THREE, "acme") for _ in range(20)]
            assert time.monotonic() - started < 3
        finally:
            process.send_signal(signal.SIGCONT)
    assert isinstance(hits[0], Verdict)
    assert limiter.fallbacks == 20
