"""The first and last station of a request: its id, its size, its one log line."""

import logging
import os
import re
import time
from dataclasses import dataclass
from typing import Any

import falcon

from callhelm_threecx import logs, phone
from callhelm_threecx.errors import TooLargeError
from callhelm_threecx.middleware.client import Client

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)
_UNSHOWN = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_SHOWN_QUERY = 512
_SHOWN_NAME = 20
_WITH_QUERY = ("QUERY_STRING", "RAW_URI", "REQUEST_URI")
_log = logging.getLogger("callhelm_threecx.access")


class RequestContext:
    """Gives each request an id and a start time, bounds its body, and logs it when it is over."""

    def __init__(
        self, client: Client, max_body: int, *, uploads: str = "", max_upload: int = 0
    ) -> None:
        """``max_body`` bounds every body, in bytes; where a path begins with ``uploads``, bodies
        may have ``max_upload`` bytes, since a file may come with a form."""
        self._client = client
        self._max_body = max_body
        self._uploads = uploads
        self._max_upload = max(max_body, max_upload)

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Set ``request_id``, ``started``, ``client_address`` on the context; check the size.

        Raises `TooLargeError` before a byte of the body is read.
        """
        req.context.request_id = given_request_id(req.get_header("X-Request-Id") or "")
        req.context.started = time.perf_counter()
        req.context.client_address = self._client.address(req)
        req.context.principal = None
        req.context.hidden = hide_query(req.env)
        most = self._most(req)
        if (_content_length(req) or 0) > most:
            raise TooLargeError(f"The body is larger than {most} bytes.")

    def _most(self, req: falcon.Request) -> int:
        takes_files = bool(self._uploads) and req.path.startswith(self._uploads)
        return self._max_upload if takes_files else self._max_body

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        """Answer with the request's id and log the request."""
        request_id = getattr(req.context, "request_id", None) or os.urandom(16).hex()
        resp.set_header("X-Request-Id", request_id)
        resp.set_header("X-Content-Type-Options", "nosniff")
        if resp.get_header("Cache-Control") is None:
            resp.set_header("Cache-Control", "no-store")
        started = getattr(req.context, "started", None)
        if started is not None:
            log_request(_access_line(req, resp, request_id, started))


def given_request_id(given: str) -> str:
    """The id that a client or proxy gave its request, if it is a sane one, else a new one."""
    return given if given and _SANE_ID.fullmatch(given) else os.urandom(16).hex()


@dataclass(frozen=True, slots=True)
class AccessLine:
    """What is logged of a request. ``started`` is a reading of `time.perf_counter`; ``user`` is the
    id of a host's user, never the name: logs outlive people."""

    request_id: str
    method: str
    path: str
    status: int
    started: float
    client: str
    organization: str | None
    user: str | None = None
    number: str | None = None


def log_request(line: AccessLine) -> None:
    """Write the one line of a request; its number is shown to debuggers only."""
    if not _log.isEnabledFor(logging.INFO):
        return
    fields: dict[str, Any] = {
        "request_id": line.request_id,
        "method": line.method,
        "path": line.path,
        "status": line.status,
        "ms": round((time.perf_counter() - line.started) * 1000, 3),
        "client": line.client,
        "organization": line.organization,
    }
    if line.user is not None:
        fields["user"] = line.user
    if line.number:
        debug = _log.isEnabledFor(logging.DEBUG)
        fields["number"] = line.number if debug else phone.mask(line.number)
    logs.write(_log, logging.INFO, "request", fields)


def hide_query(environ: dict[str, Any]) -> dict[str, Any]:
    """Replace every value of the query by a mark, wherever a server's access log would find it;
    the entries of the environ as they were.

    Falcon has read the query by now; a template's ``apiKey`` and a caller's number must not end in
    the log of the server, or of a middleware, around us.
    """
    query = environ.get("QUERY_STRING")
    if not query:
        return {}
    pairs = (pair.partition("=") for pair in query[:_SHOWN_QUERY].split("&"))
    shown = "&".join(
        # what has no "=" may be a value itself; a key is longer than any name that we know
        _UNSHOWN.sub("_", name)[:_SHOWN_NAME] + "=***" if equals else "***"
        for name, equals, _ in pairs
    )
    hidden = {name: environ[name] for name in _WITH_QUERY if name in environ}
    for name in hidden:
        path = str(environ[name]).partition("?")[0]
        environ[name] = shown if name == "QUERY_STRING" else f"{path}?{shown}"
    return hidden


def _content_length(req: falcon.Request) -> int | None:
    try:
        return req.content_length
    except falcon.HTTPInvalidHeader:
        return None  # refused where the body is read


def _access_line(
    req: falcon.Request, resp: falcon.Response, request_id: str, started: float
) -> AccessLine:
    principal = req.context.principal
    identity = principal.identity if principal is not None else None
    return AccessLine(
        request_id,
        req.method,
        req.path,
        resp.status_code,
        started,
        req.context.client_address,
        principal.organization_id if principal is not None else None,
        identity.user_id if identity is not None else None,
        req.get_param("number"),
    )
