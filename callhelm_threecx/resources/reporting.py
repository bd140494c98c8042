"""The short way of a call's report: ``POST …/calls/journal``, as the template sends it when a call
has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from callhelm_threecx.resources.errors import to_json
from callhelm_threecx.resources.journal import CALLS_FEATURE, answer_of
from callhelm_threecx.resources.reading import json_object, require_json
from callhelm_threecx.resources.short_way import (
    FAILED,
    Admitted,
    Asked,
    Environ,
    Gate,
    StartResponse,
    send,
)
from callhelm_threecx.services.journal import Journal, Recorded

_TAKEN: Final = "callhelm_threecx.taken_report"
"""Where the environ holds what was read of a report that is not recorded yet."""


@dataclass(frozen=True, slots=True)
class _Taken:
    admitted: Admitted
    report: dict[str, Any]


class ShortJournal:
    """Records the plainest reports without the framework."""

    def __init__(self, gate: Gate, journal: Journal, max_body: int) -> None:
        self._gate = gate
        self._journal = journal
        self._max_body = max_body
        self.together = self._together if journal.records_together else None
        """See `Together`."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        """See `ShortWay`."""
        taken = environ.pop(_TAKEN) if _TAKEN in environ else self._take(environ)
        if taken is None:
            return None
        try:
            recorded = self._journal.record_call(taken.admitted.integration, taken.report)
        except Exception as ex:
            environ[FAILED] = ex
            return None
        return _answer(environ, start_response, taken, recorded)

    def _together(self, requests: Sequence[Asked]) -> list[list[bytes] | None]:
        taken: list[_Taken | None] = []
        for environ, _ in requests:
            taken.append(self._take(environ))
            environ[_TAKEN] = taken[-1]  # whoever asks again is neither counted nor read again
        reports = [(one.admitted.integration, one.report) for one in taken if one is not None]
        recorded = iter(self._journal.record_calls(reports))
        answers: list[list[bytes] | None] = []
        for (environ, start_response), one in zip(requests, taken, strict=True):
            done = next(recorded) if one is not None else None
            if one is None or done is None:
                answers.append(None)
            else:
                answers.append(_answer(environ, start_response, one, done))
        return answers

    def _take(self, environ: Environ) -> _Taken | None:
        """Admit and read a report; None for what the long way is to answer."""
        length = self._plain_length(environ)
        admitted = self._gate.admit(environ, CALLS_FEATURE) if length is not None else None
        if length is None or admitted is None:
            return None
        try:
            require_json(environ.get("CONTENT_TYPE"))
            return _Taken(admitted, json_object(environ["wsgi.input"].read(length)))
        except Exception as ex:
            environ[FAILED] = ex
            return None

    def _plain_length(self, environ: Environ) -> int | None:
        """The bytes of a plain report; None for any other request."""
        text = environ.get("CONTENT_LENGTH") or ""
        is_plain = environ["REQUEST_METHOD"] == "POST" and not environ.get("QUERY_STRING")
        if not is_plain or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            return None
        return int(text) if int(text) <= self._max_body else None


def _answer(
    environ: Environ, start_response: StartResponse, taken: _Taken, recorded: Recorded
) -> list[bytes]:
    status = "200 OK" if recorded.duplicate else "201 Created"
    body = to_json(answer_of("call", recorded))
    return send(environ, start_response, taken.admitted, status, body)
