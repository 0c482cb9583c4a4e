"""`gateway smev …`: for the engineer who hunts a digest that does not match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer


def attach(app: typer.Typer, opened: Callable[[], Any]) -> None:
    """Add the commands."""
    del app, opened
