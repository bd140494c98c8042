"""Files that a browser keeps instead of showing them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import falcon

from callhelm_threecx.console.desk import Visit
from callhelm_threecx.services.csv_tables import written_rows
from callhelm_threecx.services.event_kinds import EventType
from callhelm_threecx.services.events import Event

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the country."""


class Exports:
    """Notes in the event log who took a table along: from then on it is out of our hands."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit

    def note(self, visit: Visit, action: str) -> None:
        """``action`` is the log's word, such as ``export_contacts``."""
        detail = {"action": action, **visit.actor.detail()}
        self._emit(Event(visit.organization_id or None, EventType.SETUP, raw_data=detail))


def send_table(
    resp: falcon.Response, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Answer with a table as CSV, written while it is read. No spreadsheet runs a cell of it (see
    `csv_tables.guarded`)."""
    pieces = written_rows(columns, rows)
    first = next(pieces, "")  # what cannot be read at all is an answer of its own
    resp.stream = _encoded(chain([BYTE_ORDER_MARK + first], pieces))
    _attach(resp, name, "text/csv; charset=utf-8")


def send_text(resp: falcon.Response, name: str, text: str, kind: str = "text/plain") -> None:
    """Answer with a text as a file."""
    resp.data = text.encode("utf-8", "replace")
    _attach(resp, name, f"{kind}; charset=utf-8")


def _attach(resp: falcon.Response, name: str, kind: str) -> None:
    resp.content_type = kind
    resp.downloadable_as = name
    resp.set_header("Cache-Control", "no-store")
    resp.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
    resp.set_header("Cross-Origin-Resource-Policy", "same-origin")


def _encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode("utf-8", "replace") for piece in pieces)
