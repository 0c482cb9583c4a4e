"""`gateway fias`: load a delivery, and say what is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import typer


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the commands; `opened` lends the database while one runs."""
