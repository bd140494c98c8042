"""Whether a change that a browser sends comes from a page of this very server.

A browser adds a cookie to whatever any page makes it send, so a cookie alone does not show that its
owner wanted the request. Where the request comes from does: a page cannot set ``Origin`` or
``Sec-Fetch-Site``, and cannot set ``Referer`` to another site's
(https://fetch.spec.whatwg.org/#forbidden-request-header, https://www.w3.org/TR/fetch-metadata/).
"""

import re
from typing import Final
from urllib.parse import urlsplit

import falcon

from callhelm_threecx.middleware.client import Client

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing here (RFC 9110, 9.2.1)."""

Origin = tuple[str, str, int]
"""Scheme, host and port of a page."""

_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?P<rest>[/?#].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)


def from_own_page(req: falcon.Request, client: Client) -> bool:
    """Whether the request shows that a page of our own origin sent it.

    ``Sec-Fetch-Site`` must say ``same-origin`` where a browser sends it, and ``Origin`` (without
    it, ``Referer``) must name the origin of the public URL, or of the request itself. A request
    with neither shows nothing. Raises `BadInputError` for a ``Host`` that is none.
    """
    site = req.get_header("Sec-Fetch-Site")
    if site is not None and site.strip() != "same-origin":
        return False
    source = req.get_header("Origin")
    found = origin_of(source) if source is not None else _referring(req)
    return found is not None and found == _own_origin(req, client)


def _own_origin(req: falcon.Request, client: Client) -> Origin | None:
    parts = urlsplit(client.base_url(req))
    return origin_of(f"{parts.scheme}://{_in_ascii(parts.netloc)}")


def origin_of(text: str) -> Origin | None:
    """The origin that a header ``Origin`` names; None for ``null`` and whatever else is no
    origin: a path behind it, a user name in it."""
    match = _URL.fullmatch(text.strip(" "))
    if match is None or match["rest"] is not None:
        return None
    return _origin(match)


def _referring(req: falcon.Request) -> Origin | None:
    match = _URL.fullmatch((req.get_header("Referer") or "").strip(" "))
    return _origin(match) if match is not None else None


def _origin(match: re.Match[str]) -> Origin:
    scheme = match["scheme"].lower()
    return scheme, match["host"].lower(), int(match["port"] or _PORTS[scheme])


def _in_ascii(host: str) -> str:
    """A host as a browser writes it into headers: names of other alphabets in Punycode."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host
