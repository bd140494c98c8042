"""Where a request really comes from and what it called us, with or without proxies between."""

import re
import threading
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any
from urllib.parse import quote

import falcon
from cachetools import LRUCache

from callhelm_threecx.errors import BadInputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PORT = re.compile(r"(?P<v4>\d+\.\d+\.\d+\.\d+):\d+|\[(?P<v6>[^]]*)\](?::\d+)?", re.ASCII)
_URL_SAFE = "/:@!$&'()*+,;="
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


_NAMED_BY = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")

BASE_URLS = 256
"""So many names by which clients call this server are kept at hand."""


class Client:
    """Reads addresses and URLs of a request; forwarded headers count from trusted peers only."""

    def __init__(self, public_url: str | None, trusted_proxies: Sequence[Network]) -> None:
        self._public_url = public_url
        self._trusted = tuple(trusted_proxies)
        self._base_urls: LRUCache[tuple[str, ...], str] = LRUCache(BASE_URLS)
        self._remembering = threading.Lock()  # such a cache bears one thread at a time

    def seen(self, environ: dict[str, Any]) -> tuple[str, str]:
        """`address` and `base_url` of a WSGI environ. Raises `BadInputError` as that does."""
        if self._trusted:
            req = falcon.Request(environ)
            return self.address(req), self.base_url(req)
        address = str(environ.get("REMOTE_ADDR") or "unknown")
        if self._public_url is not None:
            return address, self._public_url
        named = tuple(str(environ.get(name, "")) for name in _NAMED_BY)
        with self._remembering:
            base_url = self._base_urls.get(named)
        if base_url is None:
            base_url = self.base_url(falcon.Request(environ))
            with self._remembering:
                self._base_urls[named] = base_url
        return address, base_url

    def address(self, req: falcon.Request) -> str:
        """The client's address: the last one in the chain that no trusted proxy has."""
        text = str(req.env.get("REMOTE_ADDR") or "unknown")
        if not self._trusted:
            return text
        nearest = _address(text)
        if nearest is None or not self._is_trusted(nearest):
            return str(nearest or text)
        for hop in reversed((req.get_header("X-Forwarded-For") or "").split(",")):
            farther = _address(hop.strip())
            if farther is None:  # no proxy wrote this: who handed it on is all that is known
                break
            nearest = farther
            if not self._is_trusted(nearest):
                break
        return str(nearest)

    def base_url(self, req: falcon.Request) -> str:
        """What comes before the prefix: the public URL, or scheme, host and mount of the request.

        Raises `BadInputError` for a host that could not have led here.
        """
        if self._public_url is not None:
            return self._public_url
        scheme, host = req.scheme, req.netloc
        mount = quote(req.root_path, safe=_URL_SAFE)
        peer = _address(str(req.env.get("REMOTE_ADDR") or ""))
        if peer is not None and self._is_trusted(peer):
            scheme = _first(req, "X-Forwarded-Proto").lower() or scheme
            host = _first(req, "X-Forwarded-Host") or host
            below = quote(_first(req, "X-Forwarded-Prefix").rstrip("/"), safe=_URL_SAFE + "%")
            mount = below + mount
        if scheme not in {"http", "https"} or not _HOST.fullmatch(host):
            raise BadInputError.of_field("Host", "is not a host name")
        return f"{scheme}://{host}{mount}"

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def neighbourhood(address: str) -> str:
    """What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that a single
    customer is given."""
    parsed = _address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), 64), strict=False))
    return address


def _address(text: str) -> Address | None:
    """An address, also with the port that some proxies write behind it; IPv4 in IPv6 is IPv4."""
    found = _PORT.fullmatch(text)
    try:
        address = ip_address((found["v4"] or found["v6"]) if found else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _first(req: falcon.Request, name: str) -> str:
    return (req.get_header(name) or "").split(",")[0].strip()
