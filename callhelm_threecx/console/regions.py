"""The countries in whose manner numbers may be read, with their names."""

import importlib.util
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import phonenumbers

from callhelm_threecx import phone

_log = logging.getLogger(__name__)

_OWN_NAMES: Final[Mapping[str, str]] = {
    "AC": "Ascension Island",
    "CD": "Congo (Democratic Republic)",
    "CZ": "Czechia",
    "MK": "North Macedonia",
    "SZ": "Eswatini",
    "TA": "Tristan da Cunha",
    "TR": "Türkiye",
    "XK": "Kosovo",
}
"""What the library lacks, or knows by a former name."""


@cache
def choices() -> tuple[tuple[str, str], ...]:
    """Every region that has a numbering plan: (code, ``Germany (+49)``), by name."""
    names = {**_library_names(), **_OWN_NAMES}
    named = [
        (code, f"{names.get(code, code)} (+{phonenumbers.country_code_for_region(code)})")
        for code in phonenumbers.SUPPORTED_REGIONS
    ]
    return tuple(sorted(named, key=lambda choice: choice[1]))


def label(code: str) -> str:
    """What a region is called; its code, when nobody knows it."""
    return next((text for known, text in choices() if known == code), code)


def of_number(number: str) -> str:
    """The name of the country of a number in E.164, empty where it is none or has none."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    code = phonenumbers.region_code_for_number(parsed)
    return label(code).partition(" (+")[0] if code and phone.is_region(code) else ""


def _library_names() -> dict[str, str]:
    """The English names that phonenumbers has for its geocoder.

    They are one small file, but to import it in the ordinary way brings in every area code of the
    world with it: two seconds, and 100 MB for each worker. An edition of the library without the
    geocoder has no such file; then codes must do.
    """
    path = Path(phonenumbers.__file__).with_name("geodata") / "locale.py"
    try:
        spec = importlib.util.spec_from_file_location("phonenumbers.names.locale", path)
        if spec is None or spec.loader is None:
            return {}
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        locales: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
        return {code: _in_english(names) for code, names in locales.items() if "en" in names}
    except (OSError, ImportError, AttributeError, KeyError) as ex:
        _log.info("phonenumbers has no names of countries.", extra={"reason": str(ex)})
        return {}


def _in_english(names: Mapping[str, Any]) -> str:
    """The name; ``*aa`` means that it is the same in the language aa."""
    name = str(names["en"])
    name = str(names[name[1:]]) if name.startswith("*") else name
    return name.replace(" And ", " and ").replace(" Of ", " of ").replace(" The ", " the ")
