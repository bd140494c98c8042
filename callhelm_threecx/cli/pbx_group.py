"""A command group with a FILE in front of its options: ``run FILE --set A=1 ring NUMBER``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class FileFirst(TyperGroup):
    """Lets the options of a group stand behind its FILE, and not only before it.

    The context is ``Any`` because typer brings its own click or uses the other, by its version.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move the options between FILE and the action in front of FILE."""
        if args and not args[0].startswith("-"):
            taken = 1 + self._options(ctx, args[1:])
            args = [*args[1:taken], args[0], *args[taken:]]
        return super().parse_args(ctx, args)

    def _options(self, ctx: Any, args: list[str]) -> int:
        """Count the arguments that are this group's options and their values."""
        flags = {
            name: bool(getattr(each, "is_flag", False))
            for each in self.get_params(ctx)
            for name in (*each.opts, *each.secondary_opts)
        }
        place = 0
        while place < len(args) and args[place].startswith("-"):
            name, equals, _ = args[place].partition("=")
            place += 1 if equals or flags.get(name, True) else 2
        return min(place, len(args))
