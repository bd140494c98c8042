"""The pages on the engine: every command, example and number in them is run and compared."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from typer.testing import CliRunner

from callhelm_threecx.cli.pbx import app

DOCS = Path(__file__).parents[2] / "docs"
AUTHORS = (DOCS / "template-authors.md").read_text(encoding="utf-8")
PLUGIN = (DOCS / "pytest-plugin.md").read_text(encoding="utf-8")
BASE = "http://127.0.0.1:8765"

pytest_plugins = ["pytester"]


def blocks(page: str, *languages: str) -> list[tuple[str, str]]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [(language, text) for language, text in found if language in languages]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def garden() -> Iterator[str]:
    """The CRM of the page, on a free port."""
    ((_, source),) = blocks(AUTHORS, "python")
    names: dict[str, Any] = {"__name__": "garden"}
    exec(compile(source, "garden.py", "exec"), names)  # noqa: S102 - it is our own page
    server = make_server("127.0.0.1", 0, names["app"], handler_class=Quiet)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_page_for_authors_shows_what_the_commands_print(
    garden: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "crm.xml"
    commands = 0
    for language, text in blocks(AUTHORS, "xml", "console", "diff"):
        if language == "xml":
            file.write_text(text, encoding="utf-8")
        elif language == "diff":
            file.write_text(patched(file.read_text(encoding="utf-8"), text), encoding="utf-8")
        else:
            command, _, expected = text.partition("\n")
            assert printed(command, garden) == expected.strip()
            commands += 1
    assert commands == 6


def printed(command: str, base: str) -> str:
    arguments = shlex.split(command.removeprefix("$ callhelm-threecx pbx "))
    replaced = [base if each == BASE else each for each in arguments]
    output = CliRunner().invoke(app, replaced).output
    return re.sub(r"in \d+ ms", "in 7 ms", output).strip()


def patched(text: str, change: str) -> str:
    """Replace each run of lines marked - by the run marked + behind it."""
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", change, re.MULTILINE):
        before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def test_the_example_of_the_pytest_page_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for language, text in blocks(PLUGIN, "xml", "python"):
        name = text.partition("\n")[0].strip("#<!- >\n")
        body = text.partition("\n")[2] if language == "xml" else text
        pytester.path.joinpath(name).write_text(body, encoding="utf-8")
    plugins = ("-p", "callhelm_threecx.pbx.pytest_plugin", "-p", "no:cacheprovider")
    pytester.runpytest_inprocess(*plugins).assert_outcomes(passed=5)
