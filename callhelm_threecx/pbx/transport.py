"""How requests travel: over HTTP, or straight into a WSGI application without a socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import BoundedSemaphore
from typing import Any

import httpx

from callhelm_threecx.pbx.exchange import Exchange
from callhelm_threecx.pbx.outgoing import Outgoing

WsgiApp = Callable[..., Iterable[bytes]]

MAX_ANSWER = 5_000_000
"""Bytes of one answer; what is longer is refused."""

DEFAULT_TIME_LIMIT = 10.0
"""Seconds that one request may take."""

_USER_AGENT = "callhelm-threecx-pbx"


class Transport:
    """Sends requests, no more at once than the template allows. One serves many threads.

    ``app`` is a WSGI application that answers every request in this process. ``base`` is an origin
    such as ``http://127.0.0.1:8080`` that takes the place of whatever origin a request names.
    Redirects are not followed and cookies not kept (the former reported from live PBXs).
    """

    def __init__(
        self,
        *,
        app: WsgiApp | None = None,
        base: str | None = None,
        time_limit: float = DEFAULT_TIME_LIMIT,
        max_concurrent: int = 1,
        verify: bool = True,
    ) -> None:
        self._base = httpx.URL(base) if base else None
        self._time_limit = time_limit
        self._turn = BoundedSemaphore(max_concurrent)
        inside = httpx.WSGITransport(app=_with_wsgi_path(app)) if app else None
        self._client = httpx.Client(
            transport=inside,
            timeout=time_limit,
            trust_env=False,
            verify=verify,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": _USER_AGENT},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=max_concurrent),
        )

    def send(self, outgoing: Outgoing, scenario: str, secrets: frozenset[str]) -> Exchange:
        """Send one request and wait for its answer. Never raises for what the network does."""
        asked = time.perf_counter()
        with self._turn:
            begun = time.perf_counter()
            try:
                status, headers, body = self._send(outgoing, begun + self._time_limit)
                error = ""
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as problem:
                status, headers, body, error = 0, (), "", self._explain(problem)
            ended = time.perf_counter()
        return Exchange(
            scenario=scenario,
            request=outgoing,
            status=status,
            headers=headers,
            body=body,
            seconds=ended - begun,
            queued=begun - asked,
            error=error,
            secrets=secrets,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(
        self, outgoing: Outgoing, deadline: float
    ) -> tuple[int, tuple[tuple[str, str], ...], str]:
        request = self._client.build_request(
            outgoing.method,
            self._target(outgoing.url),
            headers=list(outgoing.headers),
            content=outgoing.body or None,
        )
        response = self._client.send(request, stream=True)
        try:
            content = _read(response, deadline)
        finally:
            response.close()
        return response.status_code, tuple(response.headers.items()), _text(response, content)

    def _target(self, url: str) -> httpx.URL:
        target = httpx.URL(url)
        if target.scheme not in ("http", "https") or not target.host:
            raise httpx.UnsupportedProtocol(f'"{url[:60]}" is not an http or https address.')
        if self._base is None:
            return target
        return target.copy_with(
            scheme=self._base.scheme, host=self._base.host, port=self._base.port
        )

    def _explain(self, problem: Exception) -> str:
        if isinstance(problem, httpx.TimeoutException):
            return f"No complete answer came within {self._time_limit:g} seconds."
        return str(problem) or type(problem).__name__


def _read(response: httpx.Response, deadline: float) -> bytes:
    """Read a whole answer. The client's limit holds for each read, the deadline for all."""
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise httpx.DecodingError(f"The answer is longer than {MAX_ANSWER:,} bytes.")
        if time.perf_counter() > deadline:
            raise httpx.ReadTimeout("late")
    if time.perf_counter() > deadline:
        raise httpx.ReadTimeout("late")
    return bytes(content)


def _text(response: httpx.Response, content: bytes) -> str:
    try:
        return content.decode(response.charset_encoding or "utf-8", "replace")
    except LookupError:  # a charset that nobody knows
        return content.decode("utf-8", "replace")


def _with_wsgi_path(app: WsgiApp) -> WsgiApp:
    """Hand the path over as PEP 3333 wants it: UTF-8 bytes, written as Latin-1 characters."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].encode("utf-8").decode("latin-1")
        return app(environ, start_response)

    return wrapped
