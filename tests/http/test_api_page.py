"""The page about the HTTP interface shows what the interface answers."""

import re
from collections.abc import Callable

from callhelm_threecx import routes
from tests.client import Api
from tests.http.api_page import BASE, PAGE, page


def test_every_example_of_the_page_is_what_is_answered(make_api: Callable[..., Api]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(make_api(public_url=BASE))


def test_every_path_is_on_the_page() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    paths = {value for name, value in vars(routes).items() if name.isupper()}
    for path in paths - {routes.DEFAULT_PREFIX}:
        assert re.search(rf"`[A-Z, ]*{re.escape(path.replace('{mapping_id}', '{id}'))}`", shown)
