"""``callhelm-threecx pbx``: lint a template, run it, trace it, put it under load.

Exit status: 0 all went well and something was found; 1 a fault, a failure, a dropped result or
nothing found; 2 the command, the template or a parameter is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from callhelm_threecx.cli import pbx_show as show
from callhelm_threecx.cli.pbx_group import FileFirst
from callhelm_threecx.cli.pbx_lint import Format, Level, lint_files
from callhelm_threecx.pbx.calls import Agent, Call, Journal
from callhelm_threecx.pbx.errors import ParameterError, PbxError, ScenarioError
from callhelm_threecx.pbx.phone import Pbx
from callhelm_threecx.pbx.results import Answer
from callhelm_threecx.pbx.storm import Plan, Storm, read_numbers
from callhelm_threecx.template.errors import TemplateError

app = typer.Typer(help="Read, check and run 3CX CRM templates without a PBX.", no_args_is_help=True)

Template = Annotated[Path, typer.Argument(metavar="FILE", help="The template, an XML file.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the template; repeatable."),
]
Base = Annotated[
    str | None,
    typer.Option(help="Send every request to this origin, whatever origin the template names."),
]
MaxLength = Annotated[
    str, typer.Option(help='The PBX\'s "match the last N digits", read as [MaxLength].')
]
Strict = Annotated[bool, typer.Option(help="Fail on everything that a PBX swallows.")]
Culture = Annotated[str, typer.Option(help="The PBX's culture, such as de-DE.")]
TimeLimit = Annotated[float, typer.Option(min=0.1, help="Seconds that one request may take.")]
Extension = Annotated[str, typer.Option(help="The extension of the agent.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Insecure = Annotated[bool, typer.Option(help="Do not verify TLS certificates.")]


@dataclass(frozen=True)
class Console3CX:
    """What the actions below ``run`` and ``trace`` work with."""

    pbx: Pbx
    as_json: bool
    trace: bool

    def end(self, action: Callable[[], Answer | Call | Journal]) -> NoReturn:
        """Carry an action out, print what came of it, and exit with its status."""
        try:
            result = action()
        except ScenarioError as problem:
            usage(str(problem))
        except PbxError as problem:
            show.error(str(problem))
            raise typer.Exit(1) from None
        finally:
            self.pbx.close()
        if self.as_json:
            typer.echo(json.dumps(show.as_data(result), ensure_ascii=False, indent=2))
        else:
            show.result(result, trace=self.trace)
        raise typer.Exit(0 if show.succeeded(result) else 1)


def usage(message: str) -> NoReturn:
    """Say what is wrong with the command, and exit with status 2."""
    show.error(message)
    raise typer.Exit(2)


def open_pbx(file: Path, settings: list[str] | None, **options: object) -> Pbx:
    """Make a PBX of the options of the command line; whatever is wrong with them ends it."""
    parameters: dict[str, object] = {}
    for setting in settings or []:
        name, equals, value = setting.partition("=")
        if not equals:
            usage(f'--set takes NAME=VALUE, not "{setting}".')
        parameters[name.strip()] = value
    try:
        return Pbx(file, parameters, **options)  # type: ignore[arg-type]
    except OSError as problem:
        usage(f"{file}: {problem.strerror or problem}.")
    except (TemplateError, ParameterError) as problem:
        usage(f"{file}: {problem}")


@app.command()
def lint(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Templates; - is standard input.")
    ],
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.text,
    fail_on: Annotated[Level, typer.Option(help="Exit 1 from this severity on.")] = Level.error,
) -> None:
    """Check templates: what will a PBX do with them, and what not?"""
    raise typer.Exit(lint_files(files, form, fail_on))


def _actions(*, trace: bool, about: str) -> typer.Typer:
    """Make the command ``run`` or ``trace``; both have the same actions."""
    group = typer.Typer(help=about, no_args_is_help=True, cls=FileFirst)

    @group.callback()
    def start(
        context: typer.Context,
        file: Template,
        *,
        settings: Settings = None,
        base: Base = None,
        max_length: MaxLength = "",
        strict: Strict = False,
        culture: Culture = "",
        time_limit: TimeLimit = 10.0,
        extension: Extension = "100",
        as_json: AsJson = False,
        insecure: Insecure = False,
    ) -> None:
        pbx = open_pbx(
            file,
            settings,
            base=base,
            max_length=max_length,
            strict=strict,
            culture=culture,
            time_limit=time_limit,
            extension=extension,
            verify=not insecure,
        )
        context.obj = Console3CX(pbx, as_json, trace)

    group.command()(ring)
    group.command()(dial)
    group.command()(search)
    group.command()(create)
    group.command()(journal)
    group.command()(chat)
    group.command()(email)
    group.command()(cfd)
    return group


Number = Annotated[str, typer.Argument(help="The outside party's number.")]


def ring(context: typer.Context, number: Number) -> None:
    """A call comes in: who is it?"""
    console: Console3CX = context.obj
    console.end(lambda: console.pbx.ring(number))


def dial(context: typer.Context, number: Number) -> None:
    """An agent dials out: who is it?"""
    console: Console3CX = context.obj
    console.end(lambda: console.pbx.dial(number))


def search(context: typer.Context, text: str) -> None:
    """An agent types in the contact search."""
    console: Console3CX = context.obj
    console.end(lambda: console.pbx.search(text))


def email(context: typer.Context, address: str) -> None:
    """Name the party of an e-mail or a chat."""
    console: Console3CX = context.obj
    console.end(lambda: console.pbx.lookup_email(address))


def create(
    context: typer.Context,
    *,
    first_name: str = "",
    last_name: str = "",
    number: str = "",
    address: Annotated[str, typer.Option("--email")] = "",
    company: str = "",
) -> None:
    """An agent presses "create contact"."""
    console: Console3CX = context.obj
    console.end(
        lambda: console.pbx.create_contact(
            first_name=first_name,
            last_name=last_name,
            number=number,
            email=address,
            company=company,
        )
    )


def journal(
    context: typer.Context,
    number: Number,
    *,
    outbound: Annotated[bool, typer.Option(help="The agent called.")] = False,
    missed: Annotated[bool, typer.Option(help="Nobody answered.")] = False,
    talk: Annotated[float, typer.Option(min=0, help="Seconds of the conversation.")] = 60.0,
    queue: Annotated[str, typer.Option(help="The queue's extension.")] = "",
    recording_url: str = "",
    transcription: str = "",
    summary: str = "",
    sentiment: str = "",
) -> None:
    """A call from its lookup to its report."""
    console: Console3CX = context.obj

    def story() -> Journal:
        pbx = console.pbx
        call = pbx.dial(number) if outbound else pbx.ring(number, queue=queue)
        if console.trace and not console.as_json:
            show.result(call, trace=True)
        return pbx.hang_up(
            call,
            answered=not missed,
            talk=talk,
            recording_url=recording_url,
            transcription=transcription,
            summary=summary,
            sentiment=sentiment,
        )

    console.end(story)


def chat(
    context: typer.Context,
    messages: Annotated[list[str], typer.Argument(help="The messages, one after the other.")],
    number: str = "",
    address: Annotated[str, typer.Option("--email")] = "",
    name: str = "",
) -> None:
    """A chat was dealt with: report it."""
    console: Console3CX = context.obj
    console.end(lambda: console.pbx.chat(messages, number=number, email=address, name=name))


def cfd(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="number, id or query")],
    value: str,
) -> None:
    """A call flow asks; it is handed the raw answer."""
    console: Console3CX = context.obj
    console.end(lambda: console.pbx.cfd_lookup(kind, value))


app.add_typer(_actions(trace=False, about="Let a PBX with this template do one thing."), name="run")
app.add_typer(
    _actions(trace=True, about="The same, and show every request and its answer, keys masked."),
    name="trace",
)


@app.command()
def storm(
    file: Template,
    *,
    calls: Annotated[int, typer.Option(min=1, help="How many calls.")] = 200,
    concurrency: Annotated[int, typer.Option(min=1, help="Calls up at the same time.")] = 10,
    duration: Annotated[float, typer.Option(min=0, help="Seconds in which they come.")] = 20.0,
    numbers: Annotated[
        Path | None,
        typer.Option(help="CSV: Number and Known (yes or no), or a contact export."),
    ] = None,
    unknown: Annotated[float, typer.Option(min=0, max=1, help="Share of unknown callers.")] = 0.2,
    repeats: Annotated[float, typer.Option(min=0, max=1, help="Share of reports sent again.")] = (
        0.02
    ),
    seed: Annotated[int, typer.Option(help="The same seed gives the same calls.")] = 1,
    settings: Settings = None,
    base: Base = None,
    max_length: MaxLength = "",
    time_limit: TimeLimit = 10.0,
    as_json: AsJson = False,
    insecure: Insecure = False,
) -> None:
    """Many calls at once, each looked up, hung up and journaled; then an account of them."""
    pbx = open_pbx(
        file,
        settings,
        base=base,
        max_length=max_length,
        time_limit=time_limit,
        verify=not insecure,
        agent=Agent(),
    )
    try:
        known, strangers = read_numbers(numbers) if numbers else ((), ())
    except ParameterError as problem:
        usage(str(problem))
    plan = Plan(
        calls=calls,
        concurrency=concurrency,
        duration=duration,
        known=known,
        unknown=strangers,
        unknown_share=unknown,
        repeats=repeats,
        seed=seed,
    )
    if not pbx.engine.has("report_call"):
        usage("The template has no ReportCall, so no call could be journaled.")
    load = Storm(pbx, plan)
    with pbx:
        tally = load.run() if as_json else show.watch(load, Console(stderr=True))
    if as_json:
        typer.echo(json.dumps(tally.to_dict(), indent=2))
    else:
        show.account(tally)
    raise typer.Exit(0 if tally.ok else 1)
