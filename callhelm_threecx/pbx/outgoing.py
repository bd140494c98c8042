"""A scenario's Request, filled in: method, address, headers and body as they go over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from callhelm_threecx.pbx.bodies import BodyWriter, is_wanted, passes_of
from callhelm_threecx.pbx.errors import EvaluationError
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.template.model import Request

METHODS = {"Get": "GET", "Post": "POST", "Put": "PUT", "Patch": "PATCH", "Delete": "DELETE"}
"""``RequestType`` is case-sensitive (3CX documentation)."""

_ENCODINGS = ("UrlEncoded", "Json")
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


@dataclass(frozen=True)
class Outgoing:
    """A request that is ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def build_request(
    request: Request,
    evaluator: Evaluator,
    published: Mapping[str, str],
    swallow: Callable[[str], None],
) -> Outgoing:
    """Fill in a Request. ``published`` are headers of the authentication; the request's own win.

    Raises :class:`EvaluationError` where a PBX would not make the request.
    """
    method = METHODS.get(request.request_type or "Get")
    if method is None:
        offered = ", ".join(METHODS)
        raise EvaluationError(f'RequestType "{request.request_type}" is none of {offered}.')
    body, content_type = _body(request, evaluator, swallow)
    if method == "GET" and body:
        swallow("A Get has no body; PostValues and Message are not sent.")
        body = b""
    headers = _headers(request, evaluator, published, swallow)
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    return Outgoing(method, _url(request, evaluator), tuple(headers), body)


def _url(request: Request, evaluator: Evaluator) -> str:
    """Fill in the address. A literal ``+`` stays one: the server will read it as a space."""
    url = evaluator.text(request.url or "").strip()
    if not url:
        raise EvaluationError("The Request has no Url.")
    pairs = [
        f"{quote(each.key or '', safe='')}="
        + quote(evaluator.text(each.text or "", passes_of(each.passes)), safe="")
        for each in request.query_params
        if is_wanted(each, evaluator)
    ]
    if not pairs:
        return url
    url, hash_mark, fragment = url.partition("#")
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + joint + "&".join(pairs) + hash_mark + fragment


def _headers(
    request: Request,
    evaluator: Evaluator,
    published: Mapping[str, str],
    swallow: Callable[[str], None],
) -> list[tuple[str, str]]:
    own: list[tuple[str, str]] = []
    for each in request.headers:
        if not each.key or not is_wanted(each, evaluator):
            continue
        value = evaluator.text(each.text or "", passes_of(each.passes)).strip()
        if any(not " " <= letter <= "~" and letter != "\t" for letter in each.key + value):
            swallow(f'Header "{each.key}" holds characters that a header cannot; it is left out.')
            continue
        own.append((each.key, value))
    taken = {name.lower() for name, _ in own}
    return [pair for pair in published.items() if pair[0].lower() not in taken] + own


def _body(
    request: Request, evaluator: Evaluator, swallow: Callable[[str], None]
) -> tuple[bytes, str]:
    """Write the body. A Message and PostValues exclude each other (3CX documentation)."""
    encoding = request.request_encoding or "UrlEncoded"
    if encoding not in _ENCODINGS:
        raise EvaluationError(f'RequestEncoding "{encoding}" is none of {", ".join(_ENCODINGS)}.')
    default = _JSON if encoding == "Json" else _FORM
    content_type = request.request_content_type or default
    if request.message:
        if request.post_values:
            swallow("A Message and PostValues exclude each other; the Message is sent.")
        passes = passes_of(request.message_passes)
        return evaluator.text(request.message, passes, message=True).encode(), content_type
    if not request.post_values:
        return b"", content_type
    writer = BodyWriter(evaluator, swallow)
    text = (writer.json if encoding == "Json" else writer.form)(request.post_values)
    return text.encode(), content_type
