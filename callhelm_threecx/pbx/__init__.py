"""A PBX of our own: executes any vendor's 3CX CRM template against a live server.

The names are looked up when they are used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callhelm_threecx.pbx.calls import Agent, Call, Journal
    from callhelm_threecx.pbx.errors import (
        EvaluationError,
        ExchangeError,
        ParameterError,
        PbxError,
        ScenarioError,
        StrictError,
    )
    from callhelm_threecx.pbx.phone import Pbx
    from callhelm_threecx.pbx.results import Answer, Contact, Dropped, Failure

__all__ = [
    "Agent",
    "Answer",
    "Call",
    "Contact",
    "Dropped",
    "EvaluationError",
    "ExchangeError",
    "Failure",
    "Journal",
    "ParameterError",
    "Pbx",
    "PbxError",
    "ScenarioError",
    "StrictError",
]

_MODULES = {
    "calls": ("Agent", "Call", "Journal"),
    "phone": ("Pbx",),
    "results": ("Answer", "Contact", "Dropped", "Failure"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next((each for each, names in _MODULES.items() if name in names), "errors")
    return getattr(import_module(f"{__name__}.{module}"), name)
