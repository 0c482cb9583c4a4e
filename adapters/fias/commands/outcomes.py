"""`gateway fias outcomes`: what became of the addresses of appeals, in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway import screen
from gateway.store import places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from gateway.store.places import Listed

TITLES: Final = {
    "exact": "точно · exact", "street_only": "только улица · street only",
    "ambiguous": "несколько · ambiguous", "not_found": "не найден · not found",
    "none": "адреса больше нет · no address any more",
}  # fmt: skip


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the command; `opened` lends the database while it runs."""

    @group.command("outcomes")
    def outcomes(
        *,
        each: Annotated[bool, typer.Option("--each", help="По обращениям · By appeal")] = False,
        limit: Annotated[int, typer.Option("--limit", min=1, help="Не больше · At most")] = 1000,
        as_json: screen.Json = False,
    ) -> None:
        """Сколько адресов обращений найдено и как · How many addresses were found, and how."""
        with opened() as gw, gw.connection() as db:
            if each:
                _each(places.each(db, limit), as_json=as_json)
                return
            found = places.outcomes(db)
        if as_json:
            screen.document([row._asdict() for row in found])
            return
        screen.table(
            "Адреса обращений · Addresses of appeals",
            ("Итог · Outcome", "Сколько · Count", "Решили люди · By people", "Ждут · In doubt"),
            [(TITLES.get(r.outcome, r.outcome), r.addresses, r.by_people, r.doubts) for r in found],
        )


def _each(rows: Sequence[Listed], *, as_json: bool) -> None:
    if as_json:
        screen.document([row._asdict() for row in rows])
        return
    screen.table(
        "Адреса обращений · Addresses of appeals",
        ("Квитанция", "Система", "Итог", "Уверенность", "Кому"),
        [
            (r.receipt_number, f"{r.peer} {r.external_id}", TITLES.get(r.outcome, r.outcome),
             "" if r.confidence is None else f"{r.confidence:.2f}", r.executor)
            for r in rows
        ],
    )  # fmt: skip
