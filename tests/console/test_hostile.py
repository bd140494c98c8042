"""Whatever callers send is shown for what it is: text."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests import hostile
from tests.console.conftest import Browser
from tests.console.inspection import Page, faults, not_isolated

DOWNLOAD = re.compile(r"\.(csv|txt|json)\b|/export\b")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
SHOWN_WHOLE = 40


def test_there_are_sixty_texts_and_more() -> None:
    assert len({*hostile.TEXTS.values()}) == len(hostile.TEXTS) >= 60


@pytest.fixture
def poured(browse: Callable[..., Browser]) -> Browser:
    """A console that every hostile text has come to; its reader is signed in."""
    browser = browse()
    browser.sign_in()
    key = browser.api.key()
    map_hostile_agents(browser)

    def send(method: str, path: str, body: Mapping[str, Any] | None) -> int:
        return int(browser.api.call(method, path, body, key=key, status="*").status_int)

    hostile.pour(send)
    return browser


def map_hostile_agents(browser: Browser) -> None:
    for number, text in enumerate(hostile.TEXTS.values()):
        name = text[: hostile.MAX_NAME]
        mapping = {"extension": str(100 + number), "agentId": name[:60], "agentEmail": name}
        mapping |= {"agentFirstName": name, "agentLastName": name, "organizationId": "acme"}
        browser.api.post("/agents", mapping, key="admin-key-of-the-tests", status="*")


def every_page(browser: Browser) -> Iterator[tuple[str, Page]]:
    """Every page that links lead to; of links that ask for something, the first of each kind."""
    waiting = [browser.base + path for path in ("/organizations", "/events", "/o/acme")]
    seen = {_kind(link) for link in waiting}
    while waiting:
        link = waiting.pop()
        answer = browser.open(link)
        page = Page(answer.text)
        yield link.removeprefix(browser.base), page
        for tag, attributes in page.elements:
            following = attributes.get("href", "").partition("#")[0]
            is_page = following.startswith(browser.base) and not DOWNLOAD.search(following)
            if tag == "a" and is_page and _kind(following) not in seen:
                seen.add(_kind(following))
                waiting.append(following)


def _kind(link: str) -> str:
    """What two links have in common that need not both be followed."""
    path, _, query = link.partition("?")
    return link if not query or "cursor" in query else f"{path}?{query.partition('=')[0]}"


def test_every_page_shows_what_callers_sent_inertly(poured: Browser) -> None:
    fragments = [
        hostile.kept(text)[:20] for text in hostile.TEXTS.values() if len(hostile.kept(text)) > 5
    ]
    found: dict[str, list[str]] = {}
    read: list[str] = []
    sections: dict[str, int] = {}
    for path, page in every_page(poured):
        wrong = [*faults(page, poured.base), *not_isolated(page, fragments)]
        if wrong:
            found[path] = wrong
        read.append(page.text)
        section = UUID.sub("{id}", path.partition("?")[0])
        sections[section] = sections.get(section, 0) + 1
    lines = [f"{path}: {wrong}" for path, wrongs in found.items() for wrong in wrongs]
    assert not lines, "\n".join(lines)
    everything = _plain("\n".join(read))
    missing = [
        name
        for name, text in hostile.TEXTS.items()
        if _plain(hostile.kept(text))[:SHOWN_WHOLE] not in everything
    ]
    assert missing == []
    for section in ("calls", "chats", "contacts", "events"):
        assert sections[f"/o/acme/{section}/{{id}}"] >= len(hostile.TEXTS)


def _plain(text: str) -> str:
    return " ".join(text.split())
