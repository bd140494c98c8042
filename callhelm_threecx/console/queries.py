"""What a page of a log is asked to show: filters and a place, in the query of its address.

Such an address can be kept, passed on and exported. Instants in it are UTC; where there is script,
people see and choose them in their own zone.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar
from urllib.parse import urlencode

import falcon

from callhelm_threecx.console.forms import Form
from callhelm_threecx.errors import FieldError
from callhelm_threecx.services import values

E = TypeVar("E", bound=Enum)
MAX_TEXT: Final = 256
CURSOR: Final = "cursor"


class Query:
    """Reads the named filters. What is wrong with them is said in ``form``, at its fields."""

    def __init__(self, req: falcon.Request, names: Sequence[str]) -> None:
        texts = {name: _text(req, name) for name in names}
        self.form = Form({name: text for name, text in texts.items() if text})
        self.cursor = _text(req, CURSOR) or None
        self._filters = {name: text for name, text in texts.items() if text}

    @property
    def is_sound(self) -> bool:
        """Whether every filter could be read."""
        return not self.form.errors

    @property
    def is_filtered(self) -> bool:
        """Whether anything is filtered by."""
        return bool(self._filters)

    def text(self, name: str, most: int = MAX_TEXT) -> str | None:
        """A text, None when nothing is wanted of it."""
        return self.form.value(name)[:most] or None

    def choice(self, name: str, kind: type[E]) -> E | None:
        """One of the values of an enumeration."""
        text = self.form.value(name)
        for member in kind:
            if member.value == text:
                return member
        if text:
            self._refuse(name, "is none of the choices")
        return None

    def span(self) -> tuple[datetime | None, datetime | None]:
        """The instants ``since`` and ``until``."""
        since, until = self._instant("since"), self._instant("until")
        if since and until and until <= since:
            self._refuse("until", "is not after the beginning")
        return since, until

    def address(self, path: str, **more: str) -> str:
        """The address of a page with the same filters, and ``more`` in its query."""
        query = urlencode({**self._filters, **more})
        return f"{path}?{query}" if query else path

    def _instant(self, name: str) -> datetime | None:
        text = self.form.value(name)
        try:
            found = values.instant(text) if text else None
        except ValueError:
            self._refuse(name, "is no date and time that can be read")
            found = None
        shown = ""
        if found is not None:  # as a field for dates and times wants it
            unit = "seconds" if found.second else "minutes"
            shown = found.replace(tzinfo=None, microsecond=0).isoformat(timespec=unit)
        self.form.fields = {**self.form.fields, name: shown}
        return found

    def _refuse(self, name: str, message: str) -> None:
        self.form.errors = [*self.form.errors, FieldError(name, message)]


def _text(req: falcon.Request, name: str) -> str:
    value = req.params.get(name, "")
    return values.clean(value[-1] if isinstance(value, list) else value)[:MAX_TEXT]
