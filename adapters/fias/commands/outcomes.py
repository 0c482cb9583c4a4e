"""`gateway fias outcomes`: what became of the addresses of appeals, in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway import screen
from gateway.store import places

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import typer

TITLES: Final = {
    "exact": "точно · exact", "street_only": "только улица · street only",
    "ambiguous": "несколько · ambiguous", "not_found": "не найден · not found",
    "none": "адреса больше нет · no address any more",
}  # fmt: skip


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the command; `opened` lends the database while it runs."""

    @group.command("outcomes")
    def outcomes(*, as_json: screen.Json = False) -> None:
        """Сколько адресов обращений найдено и как · How many addresses were found, and how."""
        with opened() as gw, gw.connection() as db:
            found = places.outcomes(db)
        if as_json:
            screen.document([row._asdict() for row in found])
            return
        screen.table(
            "Адреса обращений · Addresses of appeals",
            ("Итог · Outcome", "Сколько · Count", "Решили люди · By people", "Ждут · In doubt"),
            [(TITLES.get(r.outcome, r.outcome), r.addresses, r.by_people, r.doubts) for r in found],
        )
