"""The pytest plugin, in test suites of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pbx.crm import lookup, template

pytest_plugins = ["pytester"]

SUITE = """
import json
from pathlib import Path

def crm(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    found = {"id": 1, "first": "Ann", "phone": "+14155550100", "url": "http://crm/1"}
    return [json.dumps({"people": [found]}).encode()]

def test_screen_pop(threecx_pbx):
    pbx = threecx_pbx("crm.xml", {"Key": "k"}, app=crm)
    assert pbx.ring("+14155550100").screen_pop == "http://crm/1"

def test_dropped(threecx_pbx):
    assert threecx_pbx(Path("crm.xml"), app=crm).ring("+1999").dropped

def test_text(threecx_pbx):
    assert threecx_pbx("<Crm/>").template.name is None
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # Named below, the plugin must not be loaded by its entry point as well.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    text = template(lookup(), parameters='<Parameter Name="Key" Type="Password"/>')
    pytester.makefile(".xml", crm=text)
    pytester.makepyfile(SUITE)
    return pytester


def run(suite: pytest.Pytester, *options: str) -> pytest.RunResult:
    plugins = ("-p", "callhelm_threecx.pbx.pytest_plugin", "-p", "no:cacheprovider")
    return suite.runpytest_inprocess(*plugins, *options)


def test_a_crm_is_tested_in_three_lines(suite: pytest.Pytester) -> None:
    run(suite).assert_outcomes(passed=3)


def test_strict_mode_is_an_option_of_the_run(suite: pytest.Pytester) -> None:
    result = run(suite, "--threecx-strict")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*StrictError: A PBX drops this result*"])


def test_a_template_is_found_beside_the_test_and_else_where_pytest_runs(
    suite: pytest.Pytester,
) -> None:
    inner = suite.mkdir("inner")
    (inner / "test_inner.py").write_text(SUITE)
    run(suite, str(inner)).assert_outcomes(passed=3)


def test_the_fixture_explains_itself(suite: pytest.Pytester) -> None:
    result = run(suite, "--fixtures")
    result.stdout.fnmatch_lines(["threecx_pbx*", "*Make PBXs for one test*"])


def test_nothing_of_the_engine_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, callhelm_threecx.pbx.pytest_plugin as plugin;"
        "heavy = {'httpx', 'falcon', 'sqlalchemy', 'xmltodict', 'callhelm_threecx.pbx.phone'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"
