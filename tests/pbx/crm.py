"""Small CRMs for the tests: WSGI applications that answer and remember what they were asked."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Asked:
    """A request as it arrived, the query undecoded."""

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    body: str

    @property
    def line(self) -> str:
        target = f"{self.path}?{self.query}" if self.query else self.path
        return f"{self.method} http://{self.host}{target}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        pairs = parse_qs(self.body, keep_blank_values=True, strict_parsing=True)
        return {name: values[0] for name, values in pairs.items()}

    @property
    def args(self) -> dict[str, str]:
        pairs = parse_qs(self.query, keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}


@dataclass(frozen=True)
class Reply:
    """An answer; ``content`` is JSON unless it is text already."""

    content: Any = None
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)


class Crm:
    """A WSGI application over one function from :class:`Asked` to :class:`Reply`."""

    def __init__(self, answer: Callable[[Asked], Any]) -> None:
        self.answer = answer
        self._gate = Lock()
        self.asked: list[Asked] = []

    @property
    def lines(self) -> list[str]:
        return [each.line for each in self.asked]

    def forget(self) -> None:
        self.asked.clear()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        asked = Asked(
            method=environ["REQUEST_METHOD"],
            host=environ["HTTP_HOST"],
            path=environ["PATH_INFO"].encode("latin-1").decode(),
            query=environ["QUERY_STRING"],
            headers=headers,
            body=environ["wsgi.input"].read(size).decode(),
        )
        with self._gate:
            self.asked.append(asked)
        reply = self.answer(asked)
        if not isinstance(reply, Reply):
            reply = Reply(reply)
        text = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
        named = {"Content-Type": "application/json", **reply.headers}
        start_response(reply.status, list(named.items()))
        return [text.encode()]


def template(scenarios: str, *, head: str = "", parameters: str = "") -> str:
    """A template around some scenarios; ``head`` is Number, Connection and Authentication."""
    return f"""<?xml version="1.0"?>
<Crm Name="Test" Version="1" Country="US">
  {head}
  <Parameters>{parameters}</Parameters>
  <Scenarios>{scenarios}</Scenarios>
</Crm>"""


def lookup(
    request: str = '<Request Url="http://crm/find?n=[Number]" RequestType="Get"/>',
    *,
    rule: str = "people.id",
    outputs: str = "",
    more: str = "",
) -> str:
    """A lookup by number over ``{"people": [{id, first, phone, url}]}``."""
    return f"""<Scenario Type="REST">{request}
      <Rules><Rule Type="Any">{rule}</Rule></Rules>
      <Variables>
        <Variable Name="Id" Path="people.id"/><Variable Name="First" Path="people.first"/>
        <Variable Name="Phone" Path="people.phone"/><Variable Name="Link" Path="people.url"/>
        {more}
      </Variables>
      <Outputs AllowEmpty="false">
        <Output Type="FirstName" Value="[First]"/><Output Type="PhoneMobile" Value="[Phone]"/>
        <Output Type="ContactUrl" Value="[Link]"/><Output Type="EntityId" Value="[Id]"/>{outputs}
      </Outputs>
    </Scenario>"""


def person(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A person as the lookup above reads it."""
    return {
        "id": number,
        "first": "Ann",
        "phone": "+14155550100",
        "url": f"http://crm/{number}",
        **fields,
    }


def values(*names: str) -> str:
    """PostValues that send each variable under its own name."""
    return "".join(f'<Value Key="{name}" Passes="1">[{name}]</Value>' for name in names)


def report(inside: str, name: str = "ReportCall") -> str:
    """A report to ``/log``."""
    return (
        f'<Scenario Id="{name}"><Request Url="http://crm/log" RequestType="Post"'
        f' RequestEncoding="Json"><PostValues>{inside}</PostValues></Request></Scenario>'
    )


CREATE = """<Scenario Id="CreateContactRecord"><Request Url="http://crm/new" RequestType="Post"
  RequestEncoding="Json"><PostValues><Value Key="n">[Number]</Value></PostValues></Request>
  <Variables><Variable Name="Id" Path="id"/></Variables>
  <Outputs AllowEmpty="false"><Output Type="FirstName" Value="New"/>
  <Output Type="ContactUrl" Value="http://crm/[Id]"/><Output Type="EntityId" Value="[Id]"/>
  </Outputs></Scenario>"""


def strangers(asked: Asked) -> Any:
    """Know nobody, and create anyone as number 9."""
    return {"people": []} if asked.path == "/find" else {"id": 9}
