"""What other packages bring along: factories that are found by name through entry points."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from callhelm_threecx.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Plugins:
    """One entry-point group, and how a wrong name in its setting is answered.

    ``setting`` is the environment variable that names one of the group; ``noun`` is what the group
    holds, in the words of an error.
    """

    group: str
    setting: str
    noun: str

    def installed(self) -> dict[str, list[EntryPoint]]:
        """The installed factories by name; more than one under a name is a conflict."""
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            same_name = found.setdefault(point.name, [])
            if point.value not in {other.value for other in same_name}:
                same_name.append(point)
        return found

    def make(self, name: str, *arguments: Any) -> Any:
        """What the factory of this name gives for the arguments.

        Raises `SettingsError` for a name that is unknown or claimed twice, and for a factory that
        cannot be imported or called; one that it raises itself passes as it is.
        """
        points = self.installed().get(name, [])
        if not points:
            raise self.refusal(f"there is no {self.noun} {name!r}")
        if len(points) > 1:
            claims = " and ".join(sorted(point.value for point in points))
            raise self.refusal(f"{name!r} is claimed by {claims}")
        try:
            return points[0].load()(*arguments)
        except SettingsError:
            raise
        except Exception as ex:  # another's code may fail in any way; all stop the start
            reason = " ".join(f"{type(ex).__name__}: {ex}".split())
            raise self.refusal(f"the {self.noun} {name!r} does not load ({reason})") from ex

    def home_of(self, name: str) -> str:
        """Where the factory of an installed name is: ``module:attribute``."""
        return self.installed()[name][0].value

    def refusal(self, reason: str) -> SettingsError:
        """An error that names the setting and lists what is installed, in one line."""
        known = ", ".join(sorted(self.installed())) or "none"
        return SettingsError(f"{self.setting}: {reason}. Installed: {known}.")
