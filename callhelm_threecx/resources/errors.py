"""How each error becomes an answer, and a line in the event log."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import falcon
import orjson
from cachetools import TTLCache

from callhelm_threecx import routes
from callhelm_threecx.errors import (
    BadInputError,
    FieldError,
    RateLimitedError,
    StorageUnavailableError,
    ThreeCXError,
)
from callhelm_threecx.services.events import (
    Event,
    EventStatus,
    EventType,
    milliseconds_since,
)

_log = logging.getLogger("callhelm_threecx.errors")

FLOOD_SECONDS: Final = 10.0

# Of types that JSON does not know, `str` speaks, whichever encoder has the word.
_AS_STR: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS

_FALCON_ERRORS: Final = {
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not know this method."),
    415: ("unsupported_media_type", "The body must be JSON (application/json)."),
}
_INTERNAL: Final = "Something went wrong here; the request id finds it in our log."
_CONSOLE: Final = f"{routes.CONSOLE}/"
_WITH_CONTACTS: Final = (routes.CONTACTS_LOOKUP, routes.CONTACTS_SEARCH)
_EVENT_TYPES: Final = {
    routes.CONTACTS_LOOKUP: EventType.LOOKUP,
    routes.CONTACTS_SEARCH: EventType.SEARCH,
    routes.CONTACTS_CREATE: EventType.CREATE_CONTACT,
    routes.CALLS_JOURNAL: EventType.JOURNAL,
    routes.CHATS_JOURNAL: EventType.CHAT,
    routes.TEMPLATE: EventType.TEMPLATE,
}


def to_json(media: object) -> bytes:
    """An answer's body. A store may hand out what UTF-8 cannot hold (a lone surrogate) or a type
    that JSON does not know; one such value must not cost the caller the whole answer."""
    try:
        return orjson.dumps(media, default=str, option=_AS_STR)
    except TypeError:
        return json.dumps(media, ensure_ascii=False, default=str).encode("utf-8", "replace")


class ErrorAnswers:
    """Turns exceptions into the one JSON shape; what it does not know is a 500 without details."""

    def __init__(
        self, prefix: str, emit: Callable[[Event], None], show_page: Callable[..., None]
    ) -> None:
        self._prefix = prefix
        self._emit = emit
        self._show_page = show_page  # (request, answer, sentence, faulty fields), for a browser
        self._flooding: TTLCache[str, bool] = TTLCache(maxsize=10_000, ttl=FLOOD_SECONDS)
        self._lock = threading.Lock()

    def register(self, app: "falcon.App[Any, Any]") -> None:
        """Handle every exception of an app here."""
        app.add_error_handler(Exception, self._unexpected)
        app.add_error_handler(falcon.HTTPError, self._falcon_error)
        app.add_error_handler(ThreeCXError, self._expected)

    def _expected(
        self, req: falcon.Request, resp: falcon.Response, ex: ThreeCXError, _params: Any
    ) -> None:
        if ex.status >= 500 and not isinstance(ex, StorageUnavailableError):
            self._unexpected(req, resp, ex, _params)
            return
        if isinstance(ex, StorageUnavailableError):
            resp.set_header("Retry-After", str(ex.retry_after))
            _log.error("storage unavailable", extra=self._where(req), exc_info=ex.__cause__ or ex)
        if isinstance(ex, RateLimitedError):
            resp.set_header("Retry-After", str(ex.retry_after))
            resp.set_header("RateLimit-Limit", str(ex.limit))
            resp.set_header("RateLimit-Remaining", "0")
            resp.set_header("RateLimit-Reset", str(ex.retry_after))
        errors = ex.errors if isinstance(ex, BadInputError) else ()
        self._answer(req, resp, ex.status, ex.code, ex.message, errors=errors)
        self._log_event(req, ex)

    def _falcon_error(
        self, req: falcon.Request, resp: falcon.Response, ex: falcon.HTTPError, _params: Any
    ) -> None:
        status = ex.status_code
        code, sentence = _FALCON_ERRORS.get(status, ("bad_input", "The request is malformed."))
        for name, value in dict(ex.headers or {}).items():
            resp.set_header(name, value)
        self._answer(req, resp, status, code, sentence)

    def _unexpected(
        self, req: falcon.Request, resp: falcon.Response, ex: BaseException, _params: Any
    ) -> None:
        _log.error("internal error", extra=self._where(req), exc_info=ex)
        self._answer(req, resp, 500, "internal_error", _INTERNAL)
        self._log_event(req, ThreeCXError(_INTERNAL))

    def _answer(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        status: int,
        code: str,
        sentence: str,
        *,
        errors: Sequence[FieldError] = (),
    ) -> None:
        resp.status = status
        resp.text = resp.data = None
        if f"{self._route(req)}/".startswith(_CONSOLE):
            self._show_page(req, resp, sentence, errors)
            return
        resp.content_type = falcon.MEDIA_JSON
        resp.media = {
            "success": False,
            "error": sentence,
            "code": code,
            "requestId": getattr(req.context, "request_id", ""),
        }
        if errors:
            resp.media["errors"] = [{"field": e.field, "message": e.message} for e in errors]
        if self._route(req) in _WITH_CONTACTS:
            resp.media["contacts"] = []  # the PBX reads this path
        if status == 401:
            resp.set_header("WWW-Authenticate", 'Bearer realm="3cx"')

    def _route(self, req: falcon.Request) -> str:
        return req.path.removeprefix(self._prefix)

    def _first_of_many(self, refusal: str) -> bool:
        """A flood of requests must not become a flood of events: one a while says it all."""
        with self._lock:
            first = refusal not in self._flooding
            self._flooding[refusal] = True
        return first

    @staticmethod
    def _where(req: falcon.Request) -> dict[str, Any]:
        request_id = getattr(req.context, "request_id", "")
        return {"request_id": request_id, "method": req.method, "path": req.path}

    def _log_event(self, req: falcon.Request, ex: ThreeCXError) -> None:
        """What a key of an organization was refused, or asked wrongly, is in its event log."""
        principal = getattr(req.context, "principal", None)
        kind = _EVENT_TYPES.get(self._route(req))
        if principal is None or principal.organization_id is None or kind is None:
            return
        refused = ex.status in {403, 429}
        if refused and not self._first_of_many(f"{principal.organization_id} {ex.code}"):
            return
        self._emit(
            Event(
                principal.organization_id,
                EventType.REFUSED if refused else kind,
                EventStatus.REFUSED if refused else EventStatus.ERROR,
                error=f"{ex.code}: {ex.message}",
                latency_ms=milliseconds_since(req.context.started),
                raw_data={"path": req.path, "client": req.context.client_address},
            )
        )
