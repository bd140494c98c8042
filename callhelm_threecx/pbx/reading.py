"""What a scenario takes out of an answer: records by its Rules, values by its Variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from callhelm_threecx.pbx.documents import Document, Place, text_of, walk_path
from callhelm_threecx.pbx.evaluate import Evaluator
from callhelm_threecx.template.model import Rule, Scenario, Variable

_TESTS: dict[str, Callable[[str, str], bool]] = {
    "Any": lambda text, _wanted: text != "",
    "Equals": lambda text, wanted: text == wanted,
    "NotEquals": lambda text, wanted: text != wanted,
    "Contains": lambda text, wanted: wanted in text,
    "NotContains": lambda text, wanted: wanted not in text,
    "StartsWith": lambda text, wanted: text.startswith(wanted),
    "EndsWith": lambda text, wanted: text.endswith(wanted),
    "Empty": lambda text, _wanted: text == "",
    "NotEmpty": lambda text, _wanted: text != "",
}


@dataclass(frozen=True)
class Reader:
    """Reads one answer for one scenario. ``swallow`` is told what a PBX would pass over."""

    document: Document
    evaluator: Evaluator
    swallow: Callable[[str], None]
    empty_array_passes: bool = False

    def records(self, scenario: Scenario) -> list[Place]:
        """Give a place for every record that satisfies all Rules; without a Rule, the root.

        ``Any`` on a field selects every record in which it is not empty (3CX documentation). On
        an array it selects the array's elements; whether it passes on an empty array differs
        between reports, ``empty_array_passes`` chooses.
        """
        places: list[Place] = [{}]
        for rule in scenario.rules:
            places = [kept for place in places for kept in self._passing(rule, place)]
        return places

    def values(self, scenario: Scenario, place: Place) -> dict[str, str]:
        """Read all Variables within one record."""
        return {
            variable.name: self._value(variable, place)
            for variable in scenario.variables
            if variable.name and (variable.skip or "").lower() != "true"
        }

    def _passing(self, rule: Rule, place: Place) -> list[Place]:
        test = _TESTS.get(rule.type or "")
        if test is None:
            self.swallow(f'Rule Type "{rule.type}" is not known; the rule never passes.')
            return []
        self._refuse_index(rule.path)
        wanted = self.evaluator.text(rule.ethalon or "")
        ends = walk_path(self.document, rule.path, place, empty_arrays=self.empty_array_passes)
        return [found for found, leaf in ends if test(text_of(leaf), wanted)]

    def _value(self, variable: Variable, place: Place) -> str:
        path = variable.response_path
        self._refuse_index(path)
        rules = [rule for each in variable.filters for rule in each.rules]
        places = [place]
        for rule in rules:
            places = [kept for each in places for kept in self._passing(rule, each)]
        leaves = [
            text_of(leaf)
            for each in (places[:1] if rules else places)
            for _, leaf in walk_path(self.document, path, each)
        ]
        if (variable.is_array or "").lower() == "true":
            return ",".join(leaves)
        if len(leaves) > 1:
            self.swallow(
                f"Variable {variable.name}: {path} has {len(leaves)} ends and no Filter picks one;"
                " it stays empty."
            )
            return ""
        return leaves[0] if leaves else ""

    def _refuse_index(self, path: str) -> None:
        if "[" in path:
            self.swallow(f'Path "{path}": positional indexes are not supported, nothing is found.')
