"""The library's numbering plans, ready to be asked about strings of ASCII digits.

``phonenumbers`` reads any text: it looks for an extension, a context, letters and other scripts'
digits in it, and does so again with each question about the number. Here the text is taken apart
already (see ``text``), so what is left of each answer is a few of the plan's own patterns. They
come from the library's metadata, and every answer is the library's: the tests compare them on the
examples of every region, and on what is left of these when digits are changed, added and lost.

Nothing is compiled before a number of the country is read.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from re import Pattern
from typing import Any, Final, NamedTuple

import phonenumbers

MIN_NATIONAL: Final = 2  # digits that the library wants of a number within its country
MAX_NATIONAL: Final = 17
_LONGEST_CODE: Final = 3
_REGIONS: Final = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
_CODES: Final = {str(code): code for code in _REGIONS}
_GROUP: Final = re.compile(r"(\\\d)")  # the library's: the first group of a written form
_GROUP_OR_SIGN: Final = re.compile(r"\\(\d)|\D")
# The kinds of numbers by which the library tells a valid number; any of them will do.
_KINDS: Final = (
    *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan"),
    *("voicemail", "fixed_line"),
)


class Number(NamedTuple):
    """A number in its country: the calling code and the national significant number."""

    code: int
    national: str

    @property
    def digits(self) -> str:
        """Those of E.164."""
        return f"{self.code}{self.national}"


class Plan:
    """The plan of one region, or of a calling code that belongs to none."""

    def __init__(self, metadata: Any) -> None:
        general = metadata.general_desc
        self.code: int = metadata.country_code
        self.leading = _compiled(metadata.leading_digits)
        self._metadata = metadata
        self._lengths = frozenset(general.possible_length)
        self._local_lengths = frozenset(general.possible_length_local_only)
        self._longest: int = general.possible_length[-1]
        self._general = _compiled(general.national_number_pattern)
        self._prefix = _compiled(metadata.national_prefix_for_parsing)
        self._international_prefix = _compiled(metadata.international_prefix)
        self._valid: dict[int, Pattern[str] | None] = {}
        self._formats: Sequence[_Format] | None = None

    def international_prefix(self, digits: str) -> int:
        """The length of the prefix of an international call with which digits begin; 0 without."""
        prefix = self._international_prefix
        match = prefix.match(digits) if prefix is not None else None
        return match.end() if match else 0

    def is_possible(self, national: str) -> bool:
        """Whether a full number may have this length."""
        length = len(national)
        return length in self._lengths and length not in self._local_lengths

    def is_too_long(self, national: str) -> bool:
        """Whether no number is as long."""
        return len(national) > self._longest and len(national) not in self._local_lengths

    def is_valid(self, national: str) -> bool:
        """Whether the number lies in a range that the plan assigns."""
        length = len(national)
        if length not in self._lengths or not self.is_general(national):
            return False
        if length not in self._valid:
            self._valid[length] = self._pattern(length)
        pattern = self._valid[length]
        return pattern is not None and pattern.fullmatch(national) is not None

    def is_general(self, national: str) -> bool:
        """Whether the number is one of the plan's at all, whatever its kind."""
        return self._general is not None and self._general.fullmatch(national) is not None

    def without_prefix(self, national: str) -> str:
        """The number without a national prefix, or as the plan rewrites it; as it is where that
        would spoil it."""
        match = self._prefix.match(national) if self._prefix is not None else None
        if match is None:
            return national
        rule, groups = self._metadata.national_prefix_transform_rule, match.groups()
        if rule and groups and groups[-1] is not None:
            rest = match.re.sub(rule, national, count=1)
        else:
            rest = national[match.end() :]
        return national if self.is_general(national) and not self.is_general(rest) else rest

    def significant(self, national: str) -> str:
        """The number without its national prefix, unless it would then be too short."""
        rest = self.without_prefix(national)
        return rest if self.is_possible(rest) or self.is_too_long(rest) else national

    def dialled(self, national: str) -> str:
        """The digits of the number as it is written and dialled at home."""
        if self._formats is None:
            self._formats = tuple(map(_Format, self._metadata.number_format))
        chosen = next((each for each in self._formats if each.is_for(national)), None)
        return chosen.digits(national) if chosen else national

    def _pattern(self, length: int) -> Pattern[str] | None:
        """What matches the valid numbers of a length."""
        patterns = [
            f"(?:{desc.national_number_pattern})"
            for desc in self._kinds()
            if not desc.possible_length or length in desc.possible_length
        ]
        return _compiled("|".join(dict.fromkeys(patterns)))

    def _kinds(self) -> Iterator[Any]:
        has_mobile = not self._metadata.same_mobile_and_fixed_line_pattern
        for name in (*_KINDS, "mobile") if has_mobile else _KINDS:
            desc = getattr(self._metadata, name)
            if desc is not None and desc.national_number_pattern:
                yield desc


class _Format:
    """One of the ways in which a region writes its numbers, as to the digits."""

    def __init__(self, written: Any) -> None:
        leading = written.leading_digits_pattern
        self._leading = _compiled(leading[-1]) if leading else None  # the last says most
        self._pattern = re.compile(written.pattern)
        form = written.format
        if written.national_prefix_formatting_rule:
            form = _GROUP.sub(written.national_prefix_formatting_rule, form, count=1)
        self._digits = _GROUP_OR_SIGN.sub(lambda m: f"\\g<{m[1]}>" if m[1] else "", form)

    def is_for(self, national: str) -> bool:
        """Whether the number is written so."""
        if self._leading is not None and self._leading.match(national) is None:
            return False
        return self._pattern.fullmatch(national) is not None

    def digits(self, national: str) -> str:
        """The digits of a number that is written so."""
        return self._pattern.sub(self._digits, national)


def plan_of_region(region: str) -> Plan:
    """The plan of a region that has one."""
    return _plan(region, phonenumbers.country_code_for_region(region))


def plan_of_code(code: int) -> Plan:
    """The plan by which the library reads all numbers of a calling code: its main region's."""
    return _plan(_REGIONS[code][0], code)


def read_international(digits: str) -> Number | None:
    """Read the digits behind a plus, which begin with a calling code."""
    if len(digits) <= MIN_NATIONAL:
        return None
    code = calling_code(digits)
    return _number(code, digits[len(str(code)) :]) if code else None


def read_national(digits: str, region: str) -> Number | None:
    """Read digits as they are dialled in a region, without the prefix of international calls.

    The region's own calling code may stand in front of them, where they make sense behind it only.
    """
    if len(digits) < MIN_NATIONAL:
        return None
    plan = plan_of_region(region)
    code = str(plan.code)
    if digits.startswith(code):
        rest = plan.without_prefix(digits[len(code) :])
        is_better = not plan.is_general(digits) and plan.is_general(rest)
        if is_better or plan.is_too_long(digits):
            return _number(plan.code, rest)
    return _number(plan.code, digits, plan)


def calling_code(digits: str) -> int:
    """The calling code with which international digits begin; 0 when with none."""
    for length in range(1, _LONGEST_CODE + 1):
        code = _CODES.get(digits[:length])
        if code is not None:
            return code
    return 0


def is_valid(number: Number) -> bool:
    """Whether a number lies in an assigned range of one of its code's regions."""
    regions = _REGIONS[number.code]
    if len(regions) == 1:
        return _plan(regions[0], number.code).is_valid(number.national)
    for region in regions:
        plan = _plan(region, number.code)
        if plan.leading is not None:
            if plan.leading.match(number.national):
                return plan.is_valid(number.national)
        elif plan.is_valid(number.national):
            return True
    return False


def _number(code: int, national: str, plan: Plan | None = None) -> Number | None:
    if len(national) < MIN_NATIONAL:
        return None
    significant = (plan or plan_of_code(code)).significant(national)
    if not MIN_NATIONAL <= len(significant) <= MAX_NATIONAL:
        return None
    return Number(code, significant)


@cache
def _plan(region: str, code: int) -> Plan:
    find = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code
    return Plan(find(code, region))


def _compiled(pattern: str | None) -> Pattern[str] | None:
    return re.compile(pattern) if pattern else None
