"""The one phone convention of the product: how numbers are kept, and what a searched text finds.

Everything here is pure: no I/O, no state but bounded caches, safe to call from any thread.

**Keeping a number** (`parse`). A number is kept as E.164 where the text, read in the
organization's region, has a possible length for a full number; a subscriber number without its
area code, a short code, an extension or an invented number is kept as its digits and still
matches itself. Five digits or fewer are such a short number unless a plan assigns them. Text
without a plus is the region's number first; only if it cannot be one and the same digits behind a
plus are a valid number, the plus was forgotten.

**Prefixes.** `+`, the region's own international prefix and `00` in every region (3CX templates
with `Prefix="Zeros"` write it everywhere) name the country, and the region no longer matters. So
does a leading space: it is the `+` that a URL lost (reported from live PBXs). Where the digits
behind such a prefix cannot be a number, the text is read as if there were none. Because of the
leading space, strip texts that never were in a URL before you hand them over.

**Searching** (`candidates`). Digits without such a prefix may be a national number of the region,
an international number whose plus was lost, themselves, or the end of a longer number: a PBX may
send only the last N digits (`MaxLength`, 3CX documentation). They match exactly, the valid
readings first; from six digits on they match by suffix too, after every exact match. The suffix is
the digits just as they came: `0123456` finds `+4930123456`, whose digits end so, but never
`+49 89 123456`, since no trunk zero is taken off. A number whose explicit international prefix
was understood was not cut and matches exactly only.

**One subscriber, two numbers.** Argentina (with and without the mobile 9 and 15), Mexico (the
mobile 1 of before 2019, which is never kept) and Brazil (the ninth mobile digit) present one
subscriber in two ways; the other presentation is looked for next. The zero that begins Italian
subscribers' numbers belongs to the number and stays.

**Extensions** are kept beside the number and take no part in matching.
"""

from functools import lru_cache
from typing import Final

from callhelm_threecx.phone import matching, plans
from callhelm_threecx.phone.matching import Candidates, PhoneNumber
from callhelm_threecx.phone.plans import is_region
from callhelm_threecx.phone.text import bounded, read, restore_plus

__all__ = [
    "Candidates",
    "PhoneNumber",
    "candidates",
    "display",
    "is_region",
    "mask",
    "parse",
    "search_digits",
    "searched_text",
]

_HIDDEN: Final = "\N{BULLET}" * 5
_ALL_HIDDEN: Final = "\N{BULLET}" * 3
_SHOWN: Final = 2
_MIN_HIDDEN: Final = 4


_cached_parse = lru_cache(maxsize=8192)(matching.parse)
_cached_candidates = lru_cache(maxsize=8192)(matching.candidates)


def parse(text: str, region: str) -> PhoneNumber | None:
    """Return how the number in ``text`` is kept, or None when the text has no digit.

    ``region`` (``"DE"``) decides what national forms mean. Never raises on any text; of one longer
    than 256 characters only the part around its first digits counts.
    """
    return _cached_parse(bounded(text), region)


def candidates(text: str, region: str) -> Candidates | None:
    """Return what a searched ``text`` may mean in ``region``, or None when it has no digit."""
    return _cached_candidates(bounded(text), region)


def searched_text(text: str) -> str:
    """Return the caller's text verbatim, but with the plus that a URL turned into a space.

    This is what an answer must echo: ``" 4930"`` gives ``"+4930"``.
    """
    return restore_plus(text)


@lru_cache(maxsize=2048)
def mask(text: str) -> str:
    """Return ``text`` fit for a log: its country code where written, and its last two digits.

    ``"+4930123456"`` gives ``"+49•••••56"``, always with as many bullets. Where fewer than four
    digits would be hidden, and in a text without digits, nothing is shown.
    """
    written = read(bounded(text))
    if written is None:
        return _ALL_HIDDEN
    digits = written.spellings[0]
    is_international = written.plus or written.lost_plus or digits.startswith("00")
    if not (written.plus or written.lost_plus):
        digits = digits.removeprefix("00")
    code = plans.country_code(digits) if is_international else ""
    if len(digits) - len(code) - _SHOWN < _MIN_HIDDEN:
        return _ALL_HIDDEN
    return ("+" + code if code else "") + _HIDDEN + digits[-_SHOWN:]


def search_digits(number: PhoneNumber) -> tuple[str, ...]:
    """Return the digit strings under which a person may look for ``number``, none twice.

    International digits first, then the national ones as dialled at home (``030123456``), then
    those without a trunk prefix (``30123456``); for a number that no plan knows, its digits.
    """
    if not number.is_e164:
        return (number.digits,)
    return tuple(dict.fromkeys((number.digits, *plans.national_digits(number.digits))))


def display(canonical: str) -> str:
    """Return E.164 in its human-readable international form, anything else unchanged."""
    if not canonical.startswith("+"):
        return canonical
    digits = canonical[1:]
    reading = plans.international(digits) if digits.isdecimal() else None
    return plans.spaced(digits) if reading and reading.digits == digits else canonical
