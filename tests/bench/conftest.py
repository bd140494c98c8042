"""The benchmark's modules, which stand beside a runner that is a script."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "contrib" / "bench"
NAMES = ("dataset", "duel", "filling", "report", "wrk")


@pytest.fixture(scope="session")
def modules() -> Iterator[dict[str, ModuleType]]:
    """Imported as the runner imports them, and forgotten at the end: their names are short."""
    before = set(sys.modules)
    sys.path.insert(0, str(BENCH))
    try:
        yield {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(BENCH))
        for name in set(sys.modules) - before:
            if str(BENCH) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


@pytest.fixture
def dataset(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["dataset"]


@pytest.fixture
def filling(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["filling"]


@pytest.fixture
def report(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["report"]


@pytest.fixture
def duel(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["duel"]


@pytest.fixture
def wrk(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["wrk"]
