"""The outermost command: how errors end it, and which part of it is loaded late."""

from typing import Any, Final

import typer
from typer.core import TyperGroup

EXAMPLES: Final = (
    "A first look: `callhelm-threecx demo`. A real start: `org create acme`, "
    "`contacts import people.csv --org acme`, `serve`."
)


class Root(TyperGroup):
    """Ends every error of ours with one line, and loads the engine when it is asked for.

    The contexts are ``Any`` because typer brings its own click or uses the other, by its version.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command; ``pbx`` was a name and a sentence until now."""
        if args and args[0] == "pbx":
            from callhelm_threecx.cli import pbx

            return "pbx", typer.main.get_group(pbx.app), args[1:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what this package raises on purpose becomes a line and status 1."""
        from callhelm_threecx.errors import ThreeCXError

        try:
            return super().invoke(ctx)
        except ThreeCXError as ex:
            typer.echo(" ".join(ex.message.split()), err=True)
            raise typer.Exit(1) from None
