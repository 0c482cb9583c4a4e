"""How commands speak: tables for people, one JSON document for machines, errors on one line.

Commands of the house and those that adapters join by entry points speak alike. People read Russian
first with the English beside it. With `--json` nothing but the document goes
to standard output; the log and errors go to standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import psycopg
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOUND = 1
"""Exit code of a command that did its work and found something wrong."""
FAILED = 2
"""Exit code of a command that could not do its work."""

PIPED_WIDTH = 240
"""Columns when the output goes to a file or another program: ids must not be broken."""

Json = Annotated[bool, typer.Option("--json", help="Для программ · For machines")]
Commit = Annotated[
    bool,
    typer.Option("--commit", help="Выполнить; без него только показать · Act; otherwise only show"),
]


class Group(TyperGroup):
    """A group of commands that tells an error of ours on one line instead of a traceback."""

    default = ""
    """Command that is meant when none is named; empty for none."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that name no command."""
        first = args[0] if args else ""
        if self.default and first != "--help" and first not in self.commands:
            args = [self.default, *args]
        return super().parse_args(ctx, args)  # type: ignore[no-any-return,unused-ignore]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the options of the default command too: they may stand right behind the group."""
        super().format_help(ctx, formatter)
        if self.default:
            command = self.commands[self.default]
            inner = command.context_class(command, parent=ctx, info_name=self.default)
            command.format_help(inner, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a GatewayError ends it with exit code 2."""
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            console(stderr=True).print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
            for violation in getattr(error, "violations", ()):
                place = f"{violation.path}:{violation.line}" if violation.line else violation.path
                line = f"  {place}: {violation.message} ({violation.found})"
                console(stderr=True).print(escape(line), soft_wrap=True)
        except psycopg.OperationalError as error:
            text = f"busy: база данных недоступна · the database is away: {error}"
            console(stderr=True).print(f"[red]{escape(text)}[/]", soft_wrap=True)
        raise typer.Exit(FAILED)


def app(name: str, title: str, *, default: str = "") -> typer.Typer:
    """Return an empty group of commands; default: the command meant when none is named."""
    kind = type(f"{name.title()}Group", (Group,), {"default": default})
    return typer.Typer(
        name=name, help=title, cls=kind, no_args_is_help=not default, add_completion=False
    )


def console(*, stderr: bool = False) -> Console:
    """Return a console on the stream as it is now."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made.width = PIPED_WIDTH
    return made


def say(text: str) -> None:
    """Print one line for a person; the text is taken as it is."""
    console().print(escape(text), soft_wrap=True)


def document(value: Any) -> None:
    """Print one JSON document for a machine."""
    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; cells are text, lines break within their columns."""
    made = Table(title=title, box=box.SIMPLE, title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    console().print(made)


def planned(*, commit: bool) -> None:
    """Remind that nothing was done without `--commit`."""
    if not commit:
        say("Ничего не изменено, повторите с --commit · Nothing was changed, repeat with --commit")
