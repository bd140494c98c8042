"""How a PBX renders the external party's number before a template sees it."""

from __future__ import annotations

import re

from callhelm_threecx.pbx.errors import ParameterError

_INTERNATIONAL = re.compile(r"^\s*(\+|00)(?=\s*\d)")
_PREFIXES = {"AsIs": None, "Off": "", "Plus": "+", "Zeros": "00"}


def render_number(number: str, prefix: str | None = "AsIs", max_length: int | None = None) -> str:
    """Render a number by ``Number/@Prefix`` and ``Number/@MaxLength`` (3CX documentation).

    The prefix decides how a leading ``+`` or ``00`` is written; a number without one has none to
    write. A number with more digits than ``max_length`` is cut to its last ones, and loses the
    prefix with that. The prefix is not counted, so that ``+49…`` and ``0049…`` are cut alike
    (whether a PBX counts the zeros is not documented). Raises :class:`ParameterError` for a prefix
    that 3CX does not know.
    """
    if prefix is not None and prefix not in _PREFIXES:
        raise ParameterError(f'Number/@Prefix "{prefix}" is none of {", ".join(_PREFIXES)}.')
    written = _PREFIXES[prefix or "AsIs"]
    found = _INTERNATIONAL.match(number)
    rest = number[found.end() :] if found else number
    digits = digits_of(rest)
    if max_length and 1 <= max_length < len(digits):
        return digits[-max_length:]
    if found and written is not None:
        return written + rest.lstrip()
    return number


def digits_of(text: str) -> str:
    """Keep the digits 0 to 9 of a text, and nothing else."""
    return "".join(letter for letter in text if letter in "0123456789")


def same_number(searched: str, output: str, *, verbatim: bool) -> bool:
    """Say whether an output satisfies the PBX's check that it holds the number asked for.

    ``verbatim`` wants the searched characters inside the output; otherwise the digits count, and
    an international prefix of the searched number does not.
    """
    if searched and searched in output:
        return True
    if verbatim:
        return False
    wanted = digits_of(_INTERNATIONAL.sub("", searched))
    return bool(wanted) and wanted in digits_of(output)
