"""Rules on what is sent: bodies, plus signs, secrets."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from callhelm_threecx.template import expressions as ex
from callhelm_threecx.template.linting.findings import Place, Report
from callhelm_threecx.template.linting.view import Expression, ScenarioView, View

_SECRET_TYPES: Final = ("Password", "OAuth")
_SECRET_WORD: Final = re.compile(
    r"(?:api|access|auth|secret|private|subscription)[-_.]?(?:key|token)|^(?:key|token)$|"
    r"token$|secret|passw(?:or)?d|^pwd$",
    re.IGNORECASE,
)
_PLUS_METHODS: Final = ("Replace", "TrimStart", "Trim", "Substring", "Remove")
_QUERY_NAME: Final = re.compile(r"[?&]([^=&?#\[\]]+)=")
_LOOPBACK: Final = re.compile(r"localhost|.*\.localhost|127(?:\.\d{1,3}){3}|::1", re.IGNORECASE)


def check(view: View, report: Report) -> None:
    """Judge the request of every scenario that has one."""
    secrets = _secret_names(view)
    for item in view.scenarios:
        if item.scenario.request is None or item.is_database:
            continue
        place = item.place.inside("Request", item.scenario.request)
        _body(item, place, report)
        _plus(item, view, report)
        _secret_in_url(item, secrets, report)
        _clear_text(item, view, secrets, place, report)


def _body(item: ScenarioView, place: Place, report: Report) -> None:
    request = item.scenario.request
    assert request is not None  # noqa: S101 - the caller has looked
    has_message = bool((request.message or "").strip())
    has_values = bool(request.post_values)
    if has_message and has_values:
        report.add(
            "T301",
            place.at("Message"),
            "Message and PostValues exclude each other; only one of the two bodies is sent.",
            "Keep PostValues, whose JSON the PBX escapes itself, and remove Message.",
        )
    if request.request_type in ("Get", "Delete") and (has_message or has_values):
        report.add(
            "T302",
            place.at("RequestType"),
            f"The request is a {request.request_type} and has a body, which servers and proxies "
            "may drop.",
            'Use RequestType="Post", or QueryParams.',
        )


def _plus(item: ScenarioView, view: View, report: Report) -> None:
    number = view.crm.number
    if number is None or number.prefix != "Plus":
        return
    for expression in item.request_expressions:
        if expression.role == "Url" and _bare_number(expression):
            report.add(
                "T303",
                expression.place,
                'With Prefix="Plus" the number begins with a plus sign, which stands in the Url '
                "as it is and reaches the server as a space.",
                'Write [[Number].Replace("+","%2B")].',
            )


def _bare_number(expression: Expression) -> bool:
    """Whether [Number] gets into the text without a method that takes care of its plus."""
    treated: set[int] = set()
    for node in expression.nodes:
        if isinstance(node, ex.Member) and node.name in _PLUS_METHODS:
            treated |= {inner.position for inner in ex.walk(node.target)}
    return any(
        isinstance(node, ex.Variable) and node.name == "Number" and node.position not in treated
        for node in expression.nodes
    )


def _secret_names(view: View) -> set[str]:
    """Parameters that are secret by their type or name, and what signing in has produced."""
    names = {
        name
        for name, parameter in view.parameters.items()
        if parameter.type in _SECRET_TYPES or _SECRET_WORD.search(name)
    }
    for item in view.scenarios:
        if item.is_authentication:
            names |= {name for name in item.own_names if _SECRET_WORD.search(name)}
    return names


def _secret_in_url(item: ScenarioView, secrets: set[str], report: Report) -> None:
    for expression in item.request_expressions:
        if expression.role not in ("Url", "Query"):
            continue
        found = sorted(expression.variables & secrets)
        if not found and expression.role == "Url":
            found = [name for name in _QUERY_NAME.findall(expression.source) if _is_secret(name)]
        if found:
            report.add(
                "T304",
                expression.place,
                f"{found[0]} travels in the Url, which servers, proxies and the PBX write to "
                "their logs.",
                'Send it in a header, for example <Value Key="Authorization">Bearer […]</Value>.',
            )


def _is_secret(query_name: str) -> bool:
    return len(query_name) <= 60 and bool(_SECRET_WORD.search(query_name))


def _clear_text(
    item: ScenarioView, view: View, secrets: set[str], place: Place, report: Report
) -> None:
    host = _clear_text_host(item, view)
    if not host or _LOOPBACK.fullmatch(host):
        return
    authentication = view.crm.authentication
    authorised = authentication is not None and authentication.type in ("Basic", "Scenario")
    sent = {name for expression in item.request_expressions for name in expression.variables}
    if authorised or sent & secrets:
        report.add(
            "T305",
            place.at("Url"),
            f"The request goes to http://{host[:60]} with a secret in it, which anyone on the way "
            "can read.",
            "Use https://.",
        )


def _clear_text_host(item: ScenarioView, view: View) -> str:
    """The host of a Url that is plain http, as written or by the Default of its parameter."""
    request = item.scenario.request
    url = (request.url or "").strip() if request else ""
    start = re.match(r"\[([^\[\]]+)\]", url)
    if start:
        parameter = view.parameters.get(start.group(1))
        url = (parameter.default or "") if parameter else ""
    if not url.lower().startswith("http://"):
        return ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return url[7:].partition("/")[0]
