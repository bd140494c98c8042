"""The short way of a call's report: ``POST …/calls/journal``, as the template sends it when a call
has ended."""

from callhelm_threecx.resources.errors import to_json
from callhelm_threecx.resources.journal import CALLS_FEATURE, answer_of
from callhelm_threecx.resources.reading import json_object, require_json
from callhelm_threecx.resources.short_way import FAILED, Environ, Gate, StartResponse, send
from callhelm_threecx.services.journal import Journal


class ShortJournal:
    """Records the plainest reports without the framework."""

    def __init__(self, gate: Gate, journal: Journal, max_body: int) -> None:
        self._gate = gate
        self._journal = journal
        self._max_body = max_body

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        """See `ShortWay`."""
        length = self._plain_length(environ)
        admitted = self._gate.admit(environ, CALLS_FEATURE) if length is not None else None
        if length is None or admitted is None:
            return None
        try:
            require_json(environ.get("CONTENT_TYPE"))
            report = json_object(environ["wsgi.input"].read(length))
            recorded = self._journal.record_call(admitted.integration, report)
        except Exception as ex:
            environ[FAILED] = ex
            return None
        status = "200 OK" if recorded.duplicate else "201 Created"
        return send(environ, start_response, admitted, status, to_json(answer_of("call", recorded)))

    def _plain_length(self, environ: Environ) -> int | None:
        """The bytes of a plain report; None for any other request."""
        text = environ.get("CONTENT_LENGTH") or ""
        is_plain = environ["REQUEST_METHOD"] == "POST" and not environ.get("QUERY_STRING")
        if not is_plain or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            return None
        return int(text) if int(text) <= self._max_body else None
