"""The example store works as a package of its own, and the documentation shows what it is."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "contrib" / "example_store"


def install(folder: Path) -> None:
    """What pip leaves of the package's metadata: its name, and the entry points of its project
    file (whose sections are plain enough for an INI parser)."""
    project = configparser.ConfigParser()
    project.read(EXAMPLE / "pyproject.toml")
    stores = project['project.entry-points."callhelm_threecx.contact_stores"']
    info = folder / "callhelm_threecx_json_store-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: callhelm-threecx-json-store\n")
    lines = [f"{name} = {value.strip(chr(34))}" for name, value in stores.items()]
    points = "\n".join(["[callhelm_threecx.contact_stores]", *lines])
    (info / "entry_points.txt").write_text(points + "\n")


def test_the_example_passes_its_own_tests(tmp_path: Path) -> None:
    install(tmp_path)
    path = os.pathsep.join([str(tmp_path), str(EXAMPLE), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "skipped" not in run.stdout


@pytest.mark.parametrize("name", ["json_store.py", "pyproject.toml", "tests/test_json_store.py"])
def test_the_documentation_shows_the_example_as_it_is(name: str) -> None:
    page = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    language = "toml" if name.endswith(".toml") else "python"
    code = (EXAMPLE / name).read_text(encoding="utf-8")
    assert f"```{language}\n{code}```\n" in page
