"""A call that never rings: our own template, run by the engine of a PBX against this very server.

The request goes over the network, to the address that the template names, since that is where most
mistakes are: a proxy, a certificate, a redirect. Where the server cannot reach itself by it, the
same request is handed to the application in this process, and the difference is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from callhelm_threecx.pbx.calls import Call
    from callhelm_threecx.pbx.exchange import Exchange
    from callhelm_threecx.pbx.transport import WsgiApp

TIME_LIMIT_S: Final = 5.0
"""How long a request may take; a PBX waits only briefly while a phone rings."""

_ONE_AT_A_TIME: Final = (
    "This server answers one request at a time, so it cannot call itself over the network. The"
    " test was made inside the server: it shows what the server answers, not whether your PBX"
    " can reach it. Start the server with several workers or threads for the whole test."
)
_NO_PUBLIC_ADDRESS: Final = (
    "The server does not know its public address (THREECX_PUBLIC_URL is not set), so the test was"
    " made inside the server: it shows what the server answers, not whether your PBX can reach it."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a call led to, and what is to be said about the way that its request took.

    ``inside`` says that the request did not go over the network. ``remark`` is empty when there is
    nothing to add; ``is_fault`` says that it names something to mend.
    """

    call: Call
    inside: bool = False
    remark: str = ""
    is_fault: bool = False


class Ringer:
    """Rings at this server as a PBX would."""

    def __init__(self, app: WsgiApp, *, time_limit: float = TIME_LIMIT_S) -> None:
        self._app = app
        self._time_limit = time_limit

    def ring(
        self,
        template: str,
        number: str,
        base_url: str,
        *,
        max_length: str = "",
        kept_inside: str = "",
    ) -> Trial:
        """An incoming call from a number. ``max_length`` is how many last digits the PBX sends,
        empty for all; ``kept_inside`` says why the request must not leave the process."""
        if kept_inside:
            call = self._inside(template, number, base_url, max_length)
            return Trial(call, inside=True, remark=kept_inside)
        call = self._ring(template, number, max_length)
        outer = _last(call)
        if outer is None or outer.ok:
            return Trial(call)
        inner_call = self._inside(template, number, base_url, max_length)
        if not outer.status:
            remark, is_fault = _unreachable(outer, base_url)
            return Trial(inner_call, inside=True, remark=remark, is_fault=is_fault)
        inner = _last(inner_call)
        if inner is not None and inner.status == outer.status:
            return Trial(call)
        return Trial(call, remark=_in_between(outer), is_fault=True)

    def _inside(self, template: str, number: str, base_url: str, max_length: str) -> Call:
        return self._ring(template, number, max_length, _mounted(self._app, base_url))

    def _ring(
        self, template: str, number: str, max_length: str, app: WsgiApp | None = None
    ) -> Call:
        from callhelm_threecx.pbx.phone import Pbx  # a server that never tests never needs it

        with Pbx(
            template.encode(),
            app=app,
            max_length=max_length,
            time_limit=self._time_limit,
            create_unknown=False,
        ) as pbx:
            return pbx.ring(number)


def reason_to_stay_inside(
    environ: Mapping[str, Any], *, has_public_url: bool, is_operator: bool
) -> str:
    """Why a test must not go over the network; empty when it may.

    A server with one process and one thread would wait for itself. And without a public URL the
    address is what the browser's request says that it is: only whoever runs the server may have it
    called with a key.
    """
    if not (environ.get("wsgi.multithread") or environ.get("wsgi.multiprocess")):
        return _ONE_AT_A_TIME
    if not has_public_url and not is_operator:
        return _NO_PUBLIC_ADDRESS
    return ""


def _last(call: Call) -> Exchange | None:
    return call.exchanges[-1] if call.exchanges else None


def _mounted(app: WsgiApp, base_url: str) -> WsgiApp:
    """The app as it is mounted at the base URL: its path is in SCRIPT_NAME, not in PATH_INFO."""
    root = unquote(urlsplit(base_url).path).rstrip("/").encode().decode("latin-1")

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = root
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(root)
        return app(environ, start_response)

    return wrapped


def _unreachable(outer: Exchange, base_url: str) -> tuple[str, bool]:
    """(what is to be said of a request that got no answer, whether it is a fault for certain)."""
    if "CERTIFICATE" in outer.error.upper():
        return (
            f"The certificate of {base_url} is not trusted from here, and 3CX will most likely not"
            " trust it either. Check that it is valid for this name, not expired, and comes with"
            " its whole chain. Inside the server the test went as shown below."
        ), True
    why = next((text for word, text in _REASONS if word in outer.error.lower()), outer.error)
    return (
        f"This server could not reach itself at {base_url}: {why.rstrip('.')}. That does no harm if"
        " only your PBX can reach that address. If your PBX cannot either, look at the name, the"
        " firewall and the proxy in front of this server. Inside the server the test went as"
        " shown below."
    ), False


_REASONS: Final = (
    ("refused", "nothing listens there"),
    ("name or service", "the name cannot be found from here"),
    ("getaddrinfo", "the name cannot be found from here"),
    ("temporary failure in name", "the name cannot be found from here"),
    ("no route", "there is no route to it from here"),
    ("unreachable", "there is no route to it from here"),
    ("timed out", "no answer came in time"),
    (
        "no complete answer",
        (
            f"no answer came within {TIME_LIMIT_S:g} seconds (nor could it, if the server has one"
            " worker with one thread, which is busy with asking)"
        ),
    ),
)


def _in_between(outer: Exchange) -> str:
    """What to do about an answer that the application itself would not have given."""
    status = outer.status
    if 300 <= status < 400:
        advice = (
            "3CX follows no redirect. Set THREECX_PUBLIC_URL to the address that the redirect leads"
            " to, most often the one with https, then download and upload the template again."
        )
    elif status in {401, 403, 407}:
        advice = (
            "Something in front of the server asks for a sign-in of its own, or the address leads"
            " to another server, which does not know this key."
        )
    elif status in {404, 405}:
        advice = (
            "The address leads to another server, or the proxy does not pass this path on. Compare"
            " THREECX_PUBLIC_URL with the address in your proxy."
        )
    elif status in {502, 503, 504}:
        advice = "A proxy answered because it could not reach this server."
    else:
        advice = "Look at what is between your PBX and this server."
    return (
        f"Over the network the answer is {status}; asked directly, this server answers otherwise. "
        + advice
    )
