"""Where a request really comes from and what it called us, with or without proxies between."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import falcon

from callhelm_threecx.errors import BadInputError

Network = IPv4Network | IPv6Network

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


class Client:
    """Reads addresses and URLs of a request; forwarded headers count from trusted peers only."""

    def __init__(self, public_url: str | None, trusted_proxies: Sequence[Network]) -> None:
        self._public_url = public_url
        self._trusted = tuple(trusted_proxies)

    def address(self, req: falcon.Request) -> str:
        """The client's address: the last one in the chain that no trusted proxy has."""
        peer = str(req.env.get("REMOTE_ADDR") or "unknown")
        if not self._is_trusted(peer):
            return peer
        forwarded = req.get_header("X-Forwarded-For") or ""
        chain = [part.strip() for part in forwarded.split(",") if part.strip()]
        for hop in reversed(chain):
            if not self._is_trusted(hop):
                return hop[:64]
        return chain[0][:64] if chain else peer

    def base_url(self, req: falcon.Request) -> str:
        """What comes before the prefix: the public URL, or scheme, host and mount of the request.

        Raises `BadInputError` for a host that could not have led here.
        """
        if self._public_url is not None:
            return self._public_url
        scheme, host, mount = req.scheme, req.netloc, req.root_path
        if self._is_trusted(str(req.env.get("REMOTE_ADDR") or "")):
            scheme = _first(req, "X-Forwarded-Proto") or scheme
            host = _first(req, "X-Forwarded-Host") or host
            mount = (_first(req, "X-Forwarded-Prefix") or "").rstrip("/") + mount
        if scheme not in {"http", "https"} or not _HOST.fullmatch(host):
            raise BadInputError.of_field("Host", "is not a host name")
        return f"{scheme}://{host}{mount}"

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _first(req: falcon.Request, name: str) -> str:
    return (req.get_header(name) or "").split(",")[0].strip()
