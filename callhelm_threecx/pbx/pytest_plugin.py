"""A pytest plugin: the fixture ``threecx_pbx`` makes a PBX that runs any 3CX template.

    def test_screen_pop(threecx_pbx):
        pbx = threecx_pbx("crm.xml", {"ApiKey": "secret"}, app=my_wsgi_app)
        assert pbx.ring("+14155552671").screen_pop == "https://crm.example.com/contacts/7"

Nothing of the engine is imported before the fixture is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from callhelm_threecx.pbx.phone import Pbx, Template


class PbxFactory(Protocol):
    """Makes a :class:`callhelm_threecx.pbx.Pbx`; the arguments are that class's."""

    def __call__(
        self, template: Template, parameters: Mapping[str, object] | None = None, **options: Any
    ) -> Pbx: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that decides how silent a PBX of the tests is."""
    group = parser.getgroup("threecx", "3CX templates")
    group.addoption(
        "--threecx-strict",
        action="store_true",
        default=False,
        help="let threecx_pbx raise on everything that a PBX swallows",
    )


@pytest.fixture
def threecx_pbx(request: pytest.FixtureRequest) -> Iterator[PbxFactory]:
    """Make PBXs for one test; they are closed behind it.

    A relative path of a template is looked for beside the test module first. ``--threecx-strict``
    makes every PBX strict that does not say otherwise.
    """
    made: list[Pbx] = []

    def make(
        template: Template, parameters: Mapping[str, object] | None = None, **options: Any
    ) -> Pbx:
        from callhelm_threecx.pbx.phone import Pbx

        options.setdefault("strict", request.config.getoption("--threecx-strict"))
        pbx = Pbx(_beside(template, request.path), parameters, **options)
        made.append(pbx)
        return pbx

    yield make
    for pbx in made:
        pbx.close()


def _beside(template: Template, module: Path) -> Template:
    if isinstance(template, Path) or (isinstance(template, str) and "<" not in template):
        near = module.parent / template
        return near if near.is_file() else Path(template)
    return template
