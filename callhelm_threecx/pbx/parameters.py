"""The values of a template's parameters, as an administrator fills them in."""

from __future__ import annotations

from collections.abc import Mapping

from callhelm_threecx.pbx.errors import ParameterError
from callhelm_threecx.pbx.values import Value
from callhelm_threecx.template.model import Crm, Parameter

_LINE_BREAK = "[LineBreak]"
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})


def parameter_values(crm: Crm, given: Mapping[str, object]) -> dict[str, Value]:
    """Join what is given with the defaults of the template.

    ``[LineBreak]`` in a default becomes a line break (3CX documentation). Raises
    :class:`ParameterError` for a name that the template does not declare and a value that does not
    fit the type.
    """
    declared = {each.name: each for each in crm.parameters if each.name}
    for name in given:
        if name not in declared:
            offered = ", ".join(declared) or "none"
            raise ParameterError(f'The template has no parameter "{name}"; it has {offered}.')
    return {
        name: _fitted(parameter, given[name])
        if name in given
        else _fitted(parameter, (parameter.default or "").replace(_LINE_BREAK, "\n"))
        for name, parameter in declared.items()
    }


def _fitted(parameter: Parameter, value: object) -> Value:
    text = "" if value is None else str(value)
    if parameter.type == "Boolean":
        return _boolean(parameter, text)
    if parameter.type in ("Integer", "Double") and text.strip():
        _check_number(parameter, text)
    return text


def _boolean(parameter: Parameter, text: str) -> str:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ParameterError(f'Parameter "{parameter.name}" is True or False, not "{text}".')
    return "True" if word in _TRUE else "False"


def _check_number(parameter: Parameter, text: str) -> None:
    try:
        int(text) if parameter.type == "Integer" else float(text)
    except ValueError:
        message = f'Parameter "{parameter.name}" is of type {parameter.type}, not "{text}".'
        raise ParameterError(message) from None
