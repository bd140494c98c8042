"""``callhelm-threecx demo``, as a newcomer runs it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from callhelm_threecx.cli import app
from callhelm_threecx.demo import story

COMMAND = [sys.executable, "-u", "-m", "callhelm_threecx", "demo"]


def test_the_whole_demo_goes_well_on_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--exit"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"All \d+ steps did what they should\.", done.stdout)
    assert " failed " not in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == [], "nothing outside its own folder is touched"


def test_it_goes_on_serving_and_says_what_to_try(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen(
        [*COMMAND, "--folder", str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "/stats" in line:
                break
        output = "".join(lines)
        base = re.search(r"The server goes on at (\S+) until", output)
        key = re.search(r"Organization key: (3cx_\S+)", output)
        assert base
        assert key
        answer = httpx.get(
            f"{base[1]}/contacts/search?query=patel", headers={"x-api-key": key[1]}, trust_env=False
        )
        assert len(answer.json()["contacts"]) >= 1
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert key[1] not in (folder / "server.log").read_text()


def test_a_step_that_goes_wrong_is_exit_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "STRANGER", story.star().phones[0].number)
    result = CliRunner().invoke(app, ["demo", "--exit", "--folder", str(tmp_path / "demo")])
    assert result.exit_code == 1, result.output
    assert "1 of " in result.output
    assert "server.log" in result.output


def test_the_story_is_told_in_this_process_too(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--exit", "--folder", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output


def test_a_folder_in_use_is_refused_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    result = CliRunner().invoke(app, ["demo", "--exit", "--folder", str(tmp_path)])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "is not empty" in result.stderr
