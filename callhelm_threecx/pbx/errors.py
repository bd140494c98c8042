"""What can go wrong in the engine, one family with plain sentences."""

from __future__ import annotations


class PbxError(Exception):
    """Anything that the engine refuses or cannot do."""


class EvaluationError(PbxError):
    """An expression that throws on a PBX: a member of null, an unknown method, a bad format.

    The request that the expression belongs to is not made (reported from live PBXs).
    """


class StrictError(PbxError):
    """Something that a PBX swallows without a word; raised in strict mode only."""


class ParameterError(PbxError):
    """A parameter that the template does not declare, or a value that does not fit its type."""


class ScenarioError(PbxError):
    """The template has no scenario for what is asked of it."""


class ExchangeError(PbxError):
    """A request that did not come to an answer: refused, timed out, redirected, an HTTP error."""
