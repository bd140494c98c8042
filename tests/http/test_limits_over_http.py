"""How often a key may call, and how often anybody may try one."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from webtest import TestResponse

from tests.client import ADMIN_KEY, Api
from tests.http.wire import ORGANIZATION_ONLY, raw, refused, setup

LIMITED = "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"


def limit_of(answer: TestResponse) -> tuple[int, int, int]:
    limit, remaining, reset = (int(answer.headers[name]) for name in LIMITED)
    return limit, remaining, reset


def test_each_answer_counts_down_to_429(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="3/minute")
    for remaining in (2, 1, 0):
        answer = api.get("/contacts/lookup?number=1")
        limit, left, reset = limit_of(answer)
        assert (limit, left) == (3, remaining)
        assert 1 <= reset <= 60
        assert "Retry-After" not in answer.headers
    answer = api.get("/contacts/lookup?number=1", status="*")
    body = refused(answer, 429, "rate_limited")
    assert body["contacts"] == []
    assert limit_of(answer)[:2] == (3, 0)
    assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]


def test_errors_count_and_carry_the_limit_too(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="100/minute")
    seen = []
    for method, path in ORGANIZATION_ONLY:
        body = b"[]" if method == "POST" else b""
        answer = raw(api, method, path, body, headers={"x-api-key": api.key()})
        seen.append(limit_of(answer)[1])
    assert seen == [99 - number for number in range(len(seen))]


@pytest.mark.parametrize("why", ["disabled", "feature off", "wrong kind"])
def test_forbidden_requests_count_too(make_api: Callable[..., Api], why: str) -> None:
    api = make_api(rate_limit="2/minute")
    api.key()
    if why == "disabled":
        setup(api, enabled=False)
    setup(api, settings={"contact_creation_enabled": False})
    method, path = ("GET", "/setup") if why == "wrong kind" else ("POST", "/contacts/create")
    headers = {"x-api-key": api.key()}
    statuses = [raw(api, method, path, b"{}", headers=headers).status_int for _ in range(4)]
    assert statuses == [403, 403, 429, 429]


def test_each_organization_has_a_limit_of_its_own(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="1/minute")
    for organization in ("acme", "other"):
        path, key = "/contacts/lookup?number=1", api.key(organization)
        assert [api.get(path, key=key, status="*").status_int for _ in range(2)] == [200, 429]


def test_a_new_key_does_not_renew_the_limit(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="1/minute")
    api.get("/contacts/lookup?number=1")
    api.set_up("acme")
    refused(api.get("/contacts/lookup?number=1", status="*"), 429, "rate_limited")


def test_a_window_ends(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="1/second")
    statuses = [api.get("/contacts/lookup?number=1", status="*").status_int for _ in range(3)]
    assert 429 in statuses
    for _ in range(30):
        threading.Event().wait(0.1)
        if api.get("/contacts/lookup?number=1", status="*").status_int == 200:
            return
    pytest.fail("the window never ended")


def test_the_admin_key_and_health_are_not_limited(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="1/minute")
    for _ in range(3):
        for path in ("/healthz", "/readyz", "/events", "/stats"):
            answer = raw(api, "GET", path, headers={"x-api-key": ADMIN_KEY})
            assert answer.status_int == 200
            assert not [name for name in LIMITED if name in answer.headers]


def test_a_limit_is_exact_among_threads(make_api: Callable[..., Api]) -> None:
    api = make_api(rate_limit="50/hour")
    api.key()
    statuses: list[int] = []

    def call() -> None:
        path = "/contacts/lookup?number=1"
        statuses.extend([api.get(path, status="*").status_int for _ in range(15)])

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {200: 50, 429: 70}


def attempts(api: Api, number: int, **environ: str) -> list[int]:
    headers = {"x-api-key": "wrong"}
    return [
        raw(api, "GET", "/events", headers=headers, **environ).status_int for _ in range(number)
    ]


def test_failed_attempts_of_one_address_are_limited(make_api: Callable[..., Api]) -> None:
    api = make_api(failed_auth_limit="3/minute")
    key = api.key()
    assert attempts(api, 5, REMOTE_ADDR="203.0.113.5") == [401, 401, 401, 429, 429]
    answer = raw(api, "GET", "/events", REMOTE_ADDR="203.0.113.5")
    refused(answer, 429, "rate_limited")
    assert limit_of(answer)[:2] == (3, 0)
    assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]
    # a right organization key cannot have been guessed; the admin key could
    for shown, status in ((key, 200), (ADMIN_KEY, 429)):
        headers = {"x-api-key": shown}
        answer = raw(api, "GET", "/events", headers=headers, REMOTE_ADDR="203.0.113.5")
        assert answer.status_int == status


def test_failed_attempts_of_another_address_are_its_own(make_api: Callable[..., Api]) -> None:
    api = make_api(failed_auth_limit="1/minute")
    assert attempts(api, 2, REMOTE_ADDR="203.0.113.5") == [401, 429]
    assert attempts(api, 2, REMOTE_ADDR="203.0.113.6") == [401, 429]
    headers = {"x-api-key": ADMIN_KEY}
    answer = raw(api, "GET", "/events", headers=headers, REMOTE_ADDR="203.0.113.7")
    assert answer.status_int == 200


def test_one_ipv6_customer_is_one_client(make_api: Callable[..., Api]) -> None:
    api = make_api(failed_auth_limit="1/minute")
    assert attempts(api, 1, REMOTE_ADDR="2001:db8:1:2::1") == [401]
    assert attempts(api, 1, REMOTE_ADDR="2001:db8:1:2:ffff::9") == [429]
    assert attempts(api, 1, REMOTE_ADDR="2001:db8:1:3::1") == [401]


def test_right_keys_do_not_use_up_the_attempts(make_api: Callable[..., Api]) -> None:
    api = make_api(failed_auth_limit="1/minute")
    for _ in range(3):
        api.get("/events")
        api.get("/events", key=ADMIN_KEY)
    assert attempts(api, 2) == [401, 429]
