"""`gateway fias`: load the register of addresses, ask it, take an address apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from adapters.fias.commands import asking, choosing, loading, outcomes, parsing, refreshing

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def attach(app: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the commands to a Typer application; `opened` lends the database while one runs."""
    group = typer.Typer(
        name="fias",
        help="ФИАС/ГАР: загрузка, поиск и разбор адресов · Load, ask, take addresses apart",
        no_args_is_help=True,
    )
    for module in (loading, refreshing, asking, parsing, choosing, outcomes):
        module.add(group, opened)
    app.add_typer(group, name="fias")
