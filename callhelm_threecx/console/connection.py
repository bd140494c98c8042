"""Test connection: a call from a number that the administrator types, played step by step."""

from typing import Final

from callhelm_threecx.console.desk import Desk, Visit
from callhelm_threecx.console.forms import Form
from callhelm_threecx.console.page import FormPage
from callhelm_threecx.console.setup import SECTION, SetupGate, SetupParts, required
from callhelm_threecx.console.trial import Ringer, Trial, reason_to_stay_inside
from callhelm_threecx.console.trial_view import view_of
from callhelm_threecx.errors import BadInputError

MAX_NUMBER: Final = 64
LENGTHS: Final = (
    ("", "the whole number"),
    *((str(length), f"its last {length} digits") for length in range(6, 13)),
)
"""What a PBX may send of a number (3CX's own setting, which a template reads as MaxLength)."""


class ConnectionPage(SetupGate, FormPage):
    """Rings at this server as the PBX would, and tells what comes of it."""

    def __init__(self, desk: Desk, parts: SetupParts, ringer: Ringer) -> None:
        super().__init__(desk, parts)
        self._ringer = ringer

    def show(self, visit: Visit, **_: str) -> None:
        """The form; a number may come with the address, and is not rung before it is sent. Whoever
        may not ring is sent to the set-up."""
        required(visit)
        if not visit.may_set_up:
            self.go(visit, SECTION)
            return
        self._show(visit, Form({"number": (visit.req.get_param("number") or "")[:MAX_NUMBER]}))

    def submit(self, visit: Visit, form: Form, **_: str) -> None:
        """Ring, and show each step on the same page. It leaves what a lookup leaves: an event."""
        required(visit)
        try:
            number, max_length = _number(form), _max_length(form)
        except BadInputError as ex:
            visit.resp.status = 400
            self._show(visit, form.refused(ex))
            return
        self._show(visit, form, self._ring(visit, number, max_length))

    def _ring(self, visit: Visit, number: str, max_length: str) -> Trial:
        return self._ringer.ring(
            self.template(visit),
            number,
            self.base_url(visit),
            max_length=max_length,
            kept_inside=reason_to_stay_inside(
                visit.req.env,
                has_public_url=self.parts.has_public_url,
                is_operator=visit.identity.is_system_admin,
            ),
        )

    def _show(self, visit: Visit, form: Form, trial: Trial | None = None) -> None:
        self.render(
            visit,
            "connection.html",
            form=form,
            lengths=LENGTHS,
            base_url=self.base_url(visit),
            view=view_of(trial) if trial else None,
        )


def _number(form: Form) -> str:
    number = form.value("number")
    if not number:
        raise BadInputError.of_field("number", "is required")
    if len(number) > MAX_NUMBER:
        raise BadInputError.of_field("number", f"is longer than {MAX_NUMBER} characters")
    return number


def _max_length(form: Form) -> str:
    length = form.value("maxLength")
    if length not in dict(LENGTHS):
        raise BadInputError.of_field("maxLength", "is none of the lengths")
    return length
