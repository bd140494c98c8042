"""Everything can be reached and done by a keyboard alone."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser import tour
from tests.browser.conftest import CONSOLE, visiting
from tests.http.gunicorns import Gunicorn


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


def test_the_sign_in_and_a_form_need_no_mouse(chromium: Browser, town_server: Gunicorn) -> None:
    with visiting(chromium, town_server.base + CONSOLE) as visitor:
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
