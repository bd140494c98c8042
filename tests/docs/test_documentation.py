"""The documents say what is."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
from typer.main import get_command

from callhelm_threecx.cli.pbx_group import FileFirst
from tests.docs import settings_table

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:\$ )?callhelm-threecx ([a-z][a-z -]*[a-z])", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_readme_lists_every_setting() -> None:
    assert settings_table.written() == settings_table.table()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [
        link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    from callhelm_threecx.cli import app

    root = get_command(app)
    shown = COMMAND.findall(page.read_text("utf-8"))
    assert [words for words in shown if not _exists(root, words.split())] == []


def _exists(command: Any, words: list[str]) -> bool:
    """Whether the words lead from group to group to a command; what follows are its arguments."""
    for word in words:
        if not hasattr(command, "resolve_command") or isinstance(command, FileFirst):
            return True
        try:
            command = command.resolve_command(click.Context(command), [word])[1]
        except click.UsageError:
            return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_sample_compiles(page: Path) -> None:
    for sample in PYTHON.findall(page.read_text("utf-8")):
        compile(sample.replace("…", "..."), page.name, "exec")


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES[2:] if f"docs/{page.name}" not in readme] == []
