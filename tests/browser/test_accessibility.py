"""Everybody can use every page: an engine looks, and a keyboard and a narrow window try."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import tour, town
from tests.browser.conftest import CONSOLE, DESKTOP, PHONE, Visitor, visiting
from tests.http.gunicorns import Gunicorn

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW = {"width": 360, "height": 740}
MAX_BYTES = 100_000
LOOKS: dict[str, dict[str, Any]] = {
    "desktop-light": {"viewport": DESKTOP, "color_scheme": "light"},
    "desktop-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone-light": {"viewport": PHONE, "color_scheme": "light"},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def busy_server(shared_server: Gunicorn) -> Gunicorn:
    town.settle(shared_server)
    return shared_server


@pytest.fixture(scope="module", params=LOOKS)
def looker(
    chromium: Browser, busy_server: Gunicorn, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """An administrator who is signed in, in one of the looks. The engine is ours, not the page's:
    the page's policy would rightly not let it in."""
    options = {**LOOKS[request.param], "bypass_csp": True, "reduced_motion": "reduce"}
    with visiting(chromium, busy_server.base + CONSOLE, **options) as visitor:
        visitor.page.context.add_init_script(path=AXE)
        visitor.sign_in()
        yield visitor


def violations(page: Page) -> list[str]:
    """What the engine finds, in a line each."""
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {node['failureSummary']} in {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


def test_the_engine_finds_nothing_on_any_page(looker: Visitor) -> None:
    found = {name: violations(way(looker)) for name, way in tour.SIGNED_IN.items()}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_engine_finds_nothing_at_the_door(chromium: Browser, busy_server: Gunicorn) -> None:
    for options in LOOKS.values():
        base = busy_server.base + CONSOLE
        with visiting(chromium, base, **options, bypass_csp=True) as visitor:
            visitor.page.context.add_init_script(path=AXE)
            found = {name: violations(way(visitor)) for name, way in tour.SIGNED_OUT.items()}
        assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_engine_is_awake(looker: Visitor) -> None:
    """It finds what is wrong in a page where something is."""
    looker.open("/organizations")
    looker.page.evaluate("document.querySelector('label').remove(); document.title = ''")
    found = " ".join(violations(looker.page))
    assert "label: " in found
    assert "document-title: " in found


def test_no_page_scrolls_sideways_in_the_narrowest_window_or_is_large(
    chromium: Browser, busy_server: Gunicorn
) -> None:
    """360 pixels are the narrowest phones. A page's bytes are what travels for it alone."""
    sizes: dict[str, int] = {}
    wide: dict[str, int] = {}
    with visiting(chromium, busy_server.base + CONSOLE, viewport=NARROW) as visitor:
        visitor.page.on("response", lambda answer: _note_size(sizes, answer))
        visitor.sign_in()
        for name, way in tour.SIGNED_IN.items():
            width = way(visitor).evaluate("document.documentElement.scrollWidth")
            if width > NARROW["width"]:
                wide[name] = width
    assert wide == {}
    assert sizes
    assert {url: size for url, size in sizes.items() if size >= MAX_BYTES} == {}


def _note_size(sizes: dict[str, int], answer: Any) -> None:
    if answer.request.resource_type in {"document", "stylesheet", "script"} and answer.ok:
        sizes[answer.url] = len(answer.body())


# -- by keyboard alone


def focused(page: Page) -> Any:
    """What has the focus: its name, and whether one sees that."""
    return page.evaluate(
        """() => {
          const element = document.activeElement, look = getComputedStyle(element);
          const name = element.labels?.[0]?.innerText ?? element.innerText ?? "";
          return {name: name.trim(), seen: look.outlineStyle !== "none" &&
                  parseFloat(look.outlineWidth) >= 2};
        }"""
    )


def tab_to(page: Page, name: str) -> list[str]:
    """Press Tab until what is called so has the focus; the names on the way."""
    passed: list[str] = []
    while len(passed) < 60:
        page.keyboard.press("Tab")
        found = focused(page)
        assert found["seen"], found
        passed.append(found["name"])
        if found["name"].startswith(name):
            return passed
    raise AssertionError(f"{name} was not reached: {passed}")


def test_the_sign_in_and_a_form_need_no_mouse(chromium: Browser, busy_server: Gunicorn) -> None:
    with visiting(chromium, busy_server.base + CONSOLE) as visitor:
        page = visitor.open("/sign-in")
        assert tab_to(page, "Admin key")[0] == "Skip to the content"
        page.keyboard.type("admin-key-of-the-tests")
        assert tab_to(page, "Sign in") == ["Sign in"]
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Organizations")).to_be_visible()

        visitor.open(f"{tour.HERE}/agents")
        tab_to(page, "Skip to the content")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        tab_to(page, "Extension")
        page.keyboard.type("110")
        assert tab_to(page, "Last name") == ["First name", "Last name"]
        page.keyboard.type("Tastatur")
        tab_to(page, "Save")
        page.keyboard.press("Space")
        expect(page.get_by_role("status")).to_have_text("Extension 110 is Tastatur.")
