"""The door of the console, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_admin_key_opens_and_signing_out_closes(
    visit: Callable[..., Visitor], script: bool
) -> None:
    visitor = visit(java_script_enabled=script, viewport=PHONE)
    page = visitor.sign_in()
    assert page.get_by_role("heading", name="Organizations").is_visible()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()  # when the page has come
    visitor.open("/organizations")
    assert page.get_by_label("Admin key").is_visible()
