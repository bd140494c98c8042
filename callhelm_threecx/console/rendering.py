"""Templates to answers: the environment, its filters, and the headers that guard a page."""

import hashlib
import mimetypes
from datetime import datetime, timezone
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

import falcon
from jinja2 import Environment, PackageLoader, StrictUndefined

ASSETS: Final = files("callhelm_threecx.console") / "assets"
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # not "no-referrer": a form's Origin, which proves that it is ours, would be withheld as well
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


@cache
def environment() -> Environment:
    """The templates, shipped in the package; every value is escaped, a misspelt one is an error."""
    made = Environment(
        loader=PackageLoader("callhelm_threecx.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(iso=_iso, moment=_moment, clock=clock, count=_count, seconds=_seconds)
    made.filters.update(instant=_instant)
    made.globals["asset_version"] = asset_version
    return made


def answer(resp: falcon.Response, template: str, context: dict[str, Any]) -> None:
    """Render a page into an answer."""
    resp.text = environment().get_template(template).render(context)
    resp.content_type = falcon.MEDIA_HTML
    for name, value in _PAGE_HEADERS.items():
        resp.set_header(name, value)


@cache
def asset_version(name: str) -> str:
    """What changes in an asset's URL when the asset does."""
    return hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]


@cache
def asset(name: str) -> tuple[bytes, str]:
    """An asset's bytes and media type. Raises `FileNotFoundError` for any other name."""
    if name not in {entry.name for entry in ASSETS.iterdir() if entry.is_file()}:
        raise FileNotFoundError(name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    return (ASSETS / name).read_bytes(), kind + charset


def path_segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _iso(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(instant: datetime) -> str:
    """An instant for people, in UTC; a script turns it into the reader's own time."""
    return instant.astimezone(timezone.utc).strftime("%-d %b %Y, %H:%M UTC")


def _instant(instant: datetime) -> str:
    """The same to the second, for a log."""
    return instant.astimezone(timezone.utc).strftime("%-d %b %Y, %H:%M:%S UTC")


def clock(seconds: int | None) -> str:
    """A duration for people: ``3:05``, ``1:02:03``; nothing for none."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _count(number: int) -> str:
    """A number with thin spaces between its thousands."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _seconds(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s"
