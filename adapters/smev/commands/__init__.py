"""`gateway smev …`: for the engineer who hunts a digest that does not match.

Needs settings and files, no database: it may run on any machine where the package is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.smev.commands import checking, making
from gateway import screen

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer


def attach(app: typer.Typer, opened: Callable[[], Any]) -> None:  # noqa: ARG001 - it takes no database
    """Add the commands."""
    group = screen.app(
        "smev", "Подпись СМЭВ: преобразовать, подписать, проверить · Signatures of СМЭВ"
    )
    making.add(group)
    checking.add(group)
    app.add_typer(group, name="smev")
