"""The cultures a PBX may run under: names of days and months, patterns, separators.

A 3CX server prints a bare DateTime in the culture of its operating system (reported from live
PBXs), so a template that works on one server fails on the next. The patterns are those of .NET.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from callhelm_threecx.pbx.errors import ParameterError


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_ENGLISH_DAYS = _names("Sunday Monday Tuesday Wednesday Thursday Friday Saturday")
_ENGLISH_MONTHS = _names(
    "January February March April May June July August September October November December"
)


@dataclass(frozen=True)
class Culture:
    """The .NET ``CultureInfo`` of a server, as far as formatting goes. Days start on Sunday."""

    name: str
    short_date: str = "MM/dd/yyyy"
    long_date: str = "dddd, dd MMMM yyyy"
    short_time: str = "HH:mm"
    long_time: str = "HH:mm:ss"
    month_day: str = "MMMM dd"
    year_month: str = "yyyy MMMM"
    date_separator: str = "/"
    time_separator: str = ":"
    am: str = "AM"
    pm: str = "PM"
    era: str = "A.D."
    days: tuple[str, ...] = _ENGLISH_DAYS
    months: tuple[str, ...] = _ENGLISH_MONTHS
    short_days: tuple[str, ...] = field(default=())
    short_months: tuple[str, ...] = field(default=())
    decimal: str = "."
    group: str = ","
    currency: str = "¤{}"
    negative_currency: str = "(¤{})"
    percent: str = "{} %"

    def day(self, weekday: int, *, short: bool) -> str:
        """Name a day of the week, 0 being Sunday."""
        if short:
            return (self.short_days or tuple(name[:3] for name in self.days))[weekday]
        return self.days[weekday]

    def month(self, number: int, *, short: bool) -> str:
        """Name a month, 1 being January."""
        if short:
            return (self.short_months or tuple(name[:3] for name in self.months))[number - 1]
        return self.months[number - 1]


INVARIANT = Culture("")
"""The invariant culture: what a server without a locale of its own uses."""

_US = Culture(
    "en-US",
    short_date="M/d/yyyy",
    long_date="dddd, MMMM d, yyyy",
    short_time="h:mm tt",
    long_time="h:mm:ss tt",
    month_day="MMMM d",
    year_month="MMMM yyyy",
    currency="${}",
    negative_currency="-${}",
    percent="{}%",
)
_GB = Culture(
    "en-GB",
    short_date="dd/MM/yyyy",
    long_date="dddd, d MMMM yyyy",
    month_day="d MMMM",
    year_month="MMMM yyyy",
    am="am",
    pm="pm",
    currency="£{}",
    negative_currency="-£{}",
    percent="{}%",
)
_DE = Culture(
    "de-DE",
    short_date="dd.MM.yyyy",
    long_date="dddd, d. MMMM yyyy",
    month_day="d. MMMM",
    year_month="MMMM yyyy",
    date_separator=".",
    era="n. Chr.",
    days=_names("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
    months=_names(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    ),
    short_days=_names("So Mo Di Mi Do Fr Sa"),
    decimal=",",
    group=".",
    currency="{} €",
    negative_currency="-{} €",
)
_FR = Culture(
    "fr-FR",
    short_date="dd/MM/yyyy",
    long_date="dddd d MMMM yyyy",
    month_day="d MMMM",
    year_month="MMMM yyyy",
    era="ap. J.-C.",
    days=_names("dimanche lundi mardi mercredi jeudi vendredi samedi"),
    months=_names(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    ),
    short_days=_names("dim. lun. mar. mer. jeu. ven. sam."),
    short_months=_names("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
    decimal=",",
    group="\u202f",
    currency="{} €",
    negative_currency="-{} €",
)
_IT = Culture(
    "it-IT",
    short_date="dd/MM/yyyy",
    long_date="dddd d MMMM yyyy",
    month_day="d MMMM",
    year_month="MMMM yyyy",
    era="d.C.",
    days=_names("domenica lunedì martedì mercoledì giovedì venerdì sabato"),
    months=_names(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
        " dicembre"
    ),
    decimal=",",
    group=".",
    currency="{} €",
    negative_currency="-{} €",
    percent="{}%",
)
_ES = Culture(
    "es-ES",
    short_date="dd/MM/yyyy",
    long_date="dddd, d 'de' MMMM 'de' yyyy",
    short_time="H:mm",
    long_time="H:mm:ss",
    month_day="d 'de' MMMM",
    year_month="MMMM 'de' yyyy",
    am="a.\u00a0m.",
    pm="p.\u00a0m.",
    era="d. C.",
    days=_names("domingo lunes martes miércoles jueves viernes sábado"),
    months=_names(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    ),
    short_months=_names("ene feb mar abr may jun jul ago sept oct nov dic"),
    decimal=",",
    group=".",
    currency="{} €",
    negative_currency="-{} €",
)

CULTURES = {found.name: found for found in (INVARIANT, _US, _GB, _DE, _FR, _IT, _ES)}
"""The cultures that the engine knows, by .NET name; the invariant one has the empty name."""


def culture(name: str) -> Culture:
    """Find a culture by its .NET name, such as ``de-DE``. Raises :class:`ParameterError`."""
    for known, found in CULTURES.items():
        if known.lower() == name.lower():
            return found
    offered = ", ".join(sorted(filter(None, CULTURES)))
    raise ParameterError(f"Culture {name!r} is not known; there are {offered}.")
