"""Writes ``docs/http-api.md``: its words, and between them requests that are really made.

``python -m tests.http.api_page`` writes the page anew; ``test_api_page`` holds it against the code.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webtest import TestApp

from tests.client import ADMIN_KEY, Api

PAGE = Path(__file__).parents[2] / "docs" / "http-api.md"
WORDS = Path(__file__).with_name("api_page.txt")
BASE = "https://crm.example.com"
KEY = "3cx_V3ryL0ngS4mpleK3yOfAnOrganization_NotARealOne"
_REQUEST = re.compile(
    r"^>>> (?P<key>admin|org|none) (?P<method>[A-Z]+) (?P<path>\S+)(?P<body> .*)?$"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOW = re.compile(r'("(?:createdAt|updatedAt|keyCreatedAt)": ")[^"]*"')
_SAMPLES = (
    (re.compile(r'("latencyMs": )[\d.]+'), r"\g<1>1.25"),
    (_NOW, r'\g<1>2026-11-22T08:40:00.000000+00:00"'),
    (re.compile(r'("requestId": ")[^"]*"'), r'\g<1>0f6c1f4b9e0a4d6f8f0e6d1c2b3a4958"'),
    (re.compile(r'("nextCursor": ")[^"]*"'), r'\g<1>MjAyNi0xMS0yMlQwODo0MDowMCswMDowMCAwMWEy"'),
    (re.compile(r'("date": ")[^"]*"'), r'\g<1>2026-11-22"'),
    (re.compile(r'("keyHint": ")[^"]*"'), rf'\g<1>3cx_…{KEY[-4:]}"'),
    (re.compile(r'("client": ")[^"]*"|("origin": ")[^"]*"'), r'\g<1>\g<2>203.0.113.7"'),
)


class Story:
    """Makes the requests in order, and shows each with what differs from run to run replaced."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids: dict[str, str] = {}
        self._key = ""

    def tell(self, line: str) -> Iterator[str]:
        """A request and its answer as Markdown, for a line that begins with ``>>>``."""
        found = _REQUEST.match(line)
        assert found, line
        path = self._with_real_ids(found["path"])
        body = json.loads(self._with_real_ids(found["body"])) if found["body"] else None
        answer = self._call(found["key"], found["method"], path, body)
        yield "```http"
        yield self._stable(f"{found['method']} {self._api.prefix}{path}")
        if found["key"] != "none":
            yield f"x-api-key: {'<admin key>' if found['key'] == 'admin' else KEY}"
        if body is not None:
            yield "Content-Type: application/json"
            yield ""
            yield self._stable(json.dumps(body, indent=2, ensure_ascii=False))
        yield "```"
        yield ""
        yield "```http"
        yield f"HTTP/1.1 {answer.status}"
        yield from (
            f"{name}: {answer.headers[name]}"
            for name in ("Retry-After", "Allow", "WWW-Authenticate", "Content-Disposition")
            if name in answer.headers
        )
        yield f"Content-Type: {answer.headers['Content-Type']}"
        yield ""
        yield self._stable(self._shown(answer))
        yield "```"

    def _call(self, key: str, method: str, path: str, body: Any) -> Any:
        shown = {"admin": ADMIN_KEY, "org": self._key, "none": ""}[key]
        headers = {"x-api-key": shown} if shown else {}
        data = json.dumps(body).encode() if body is not None else b""
        if data:
            headers["Content-Type"] = "application/json"
        answer = TestApp(self._api.app, lint=True).request(
            self._api.prefix + path, method=method, body=data, headers=headers, status="*"
        )
        if "apiKey" in answer.text and not self._key:
            self._key = answer.json["apiKey"]
        return answer

    def _shown(self, answer: Any) -> str:
        if answer.content_type != "application/json":
            return str(answer.text.partition("<Scenarios>")[0].rstrip()) + "\n  …"
        text = json.dumps(_ordered(answer.json), indent=2, ensure_ascii=False)
        for pattern, sample in _SAMPLES:
            text = pattern.sub(sample, text)
        return text

    def _stable(self, text: str) -> str:
        if self._key:
            text = text.replace(self._key, KEY)
        return _UUID.sub(lambda found: self._sample_id(found[0]), text)

    def _sample_id(self, real: str) -> str:
        number = len(self._ids) + 1
        return self._ids.setdefault(real, f"01a20000-0000-7000-8000-{number:012}")

    def _with_real_ids(self, text: str) -> str:
        for real, sample in self._ids.items():
            text = text.replace(sample, real)
        return text


def page(api: Api) -> str:
    """The whole page."""
    story = Story(api)
    lines: list[str] = []
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        lines.extend(story.tell(line) if line.startswith(">>> ") else [line])
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder:
        api = Api.build(database_url=f"sqlite:///{folder}/page.db", public_url=BASE)
        PAGE.write_text(page(api), encoding="utf-8")
        api.close()
    sys.stdout.write(f"{PAGE}\n")


def _ordered(answer: Any) -> Any:
    """An answer whose raw data have one order: PostgreSQL keeps the names of a JSON value in its
    own."""
    if isinstance(answer, list):
        return [_ordered(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        name: dict(sorted(value.items())) if name == "rawData" else _ordered(value)
        for name, value in answer.items()
    }


if __name__ == "__main__":
    main()
