"""Every page in every look: everybody can use it, it fits and is small, and its picture is taken.

A page is loaded once for each size of the window; dark and light are changed on the loaded page,
as an evening does. With ``THREECX_SCREENSHOTS=1`` the pictures go into the documents.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import tour
from tests.browser.conftest import CONSOLE, PHONE, Visitor, visiting
from tests.http.gunicorns import Gunicorn

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = ("light", "dark")
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 540}, "phone": PHONE}
NARROW: ViewportSize = {"width": 360, "height": 740}
MAX_BYTES = 100_000

PICTURES = Path(__file__).parents[2] / "docs/images/console"
IN_DOCUMENTS = {
    *("sign-in", "organizations", "overview", "set-up", "test-connection", "agents", "events"),
    *("event", "calls", "call", "contacts-found", "contact", "contact-import-preview"),
}
ON_A_PHONE = {"overview", "events"}
FROM = {"overview": "#period", "events": "main h1", "calls": "main h1"}
"""Where the picture of a page begins whose best is further down."""
MOST_BYTES_OF_PICTURES = 1_500_000


@dataclass
class Findings:
    """What was seen on the way through all pages in windows of one size."""

    pictures: Path
    faults: dict[str, list[str]] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def note_size(self, answer: Any) -> None:
        """A page's bytes are what travels for it alone."""
        if answer.request.resource_type in {"document", "stylesheet", "script"} and answer.ok:
            self.sizes[answer.url] = len(answer.body())


@pytest.fixture(scope="module")
def look(chromium: Browser, town_server: Gunicorn) -> Callable[..., Any]:
    """Opens a browser in which the engine may look at pages: it is ours, not the page's, whose
    policy would rightly not let it in."""

    def open_one(viewport: ViewportSize) -> Any:
        options = {"viewport": viewport, "bypass_csp": True, "reduced_motion": "reduce"}
        options |= {"locale": "en-GB", "timezone_id": "UTC"}
        return visiting(chromium, town_server.base + CONSOLE, **options)

    return open_one


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def found(
    look: Callable[..., Any], size: str, tmp_path_factory: pytest.TempPathFactory
) -> Findings:
    """What a signed-in administrator comes across, and then somebody who is not."""
    findings = Findings(tmp_path_factory.mktemp("pictures"))
    with look(SIZES[size]) as visitor:
        visitor.page.on("response", findings.note_size)
        visitor.sign_in()
        for name, way in tour.EVERY_PAGE.items():
            _look_at(name, way(visitor), size, findings)
    return findings


def _look_at(name: str, page: Page, size: str, findings: Findings) -> None:
    page.evaluate(AXE.read_text())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        findings.faults[f"{name}, {scheme}"] = violations(page)
        _take_a_picture(name, page, size, findings.pictures / f"{name}-{scheme}.png")
    page.emulate_media(color_scheme=SCHEMES[0])
    if size == "phone":
        page.set_viewport_size(NARROW)
        findings.widths[name] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size(PHONE)


def _take_a_picture(name: str, page: Page, size: str, path: Path) -> None:
    if size == "phone" and name not in ON_A_PHONE:
        return
    if name in FROM and size == "desktop":
        page.locator(FROM[name]).evaluate("beginning => beginning.scrollIntoView()")
    page.screenshot(path=path, animations="disabled")


def violations(page: Page) -> list[str]:
    """What the engine finds, in a line each."""
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    seen = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {node['failureSummary']} in {node['html'][:200]}"
        for one in seen
        for node in one["nodes"]
    ]


def test_the_engine_finds_nothing(found: Findings) -> None:
    assert len(found.faults) == len(tour.EVERY_PAGE) * len(SCHEMES)
    assert {where: faults for where, faults in found.faults.items() if faults} == {}


def test_the_engine_is_awake(look: Callable[..., Any]) -> None:
    """It finds what is wrong in a page where something is, in the dark as well."""
    visitor: Visitor
    with look(PHONE) as visitor:
        page = visitor.open("/sign-in")
        page.evaluate(AXE.read_text())
        page.evaluate("document.querySelector('label').remove(); document.title = ''")
        page.evaluate(
            "document.querySelector('h1').style.color = 'color-mix(in srgb, Canvas, #888 9%)'"
        )
        seen = " ".join(violations(page))
    assert "label: " in seen
    assert "document-title: " in seen
    assert "color-contrast: " in seen


def test_no_page_is_large(found: Findings) -> None:
    assert len(found.sizes) > len(tour.EVERY_PAGE) / 2
    assert {url: size for url, size in found.sizes.items() if size >= MAX_BYTES} == {}


def test_no_page_scrolls_sideways_in_the_narrowest_window(found: Findings, size: str) -> None:
    """360 pixels are the narrowest phones."""
    expected = tour.EVERY_PAGE.keys() if size == "phone" else set()
    assert found.widths.keys() == expected
    assert {name: width for name, width in found.widths.items() if width > NARROW["width"]} == {}


def test_every_page_has_its_picture_in_light_and_dark(
    found: Findings, size: str, backend: str
) -> None:
    taken = {path.stem: path for path in found.pictures.glob("*.png")}
    pages = tour.EVERY_PAGE if size == "desktop" else ON_A_PHONE
    assert taken.keys() == {f"{name}-{scheme}" for name in pages for scheme in SCHEMES}
    if os.environ.get("THREECX_SCREENSHOTS") and (size, backend) == ("desktop", "sqlite"):
        _keep(taken)


def _keep(taken: dict[str, Path]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for stem, path in taken.items():
        if stem.rpartition("-")[0] in IN_DOCUMENTS:
            (PICTURES / path.name).write_bytes(path.read_bytes())
    assert sum(path.stat().st_size for path in PICTURES.glob("*.png")) < MOST_BYTES_OF_PICTURES
