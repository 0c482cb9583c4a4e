"""`gateway fias`: a person's choices in doubtful cases, and what they have taught.

Lists show no personal data. The address of one appeal is shown to who asks for it, and that is
recorded, as every reading in full is.
"""

from __future__ import annotations

import getpass
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from gateway import acts, audit, choosing, learning, limits, places, policies, screen
from gateway.errors import ConfigurationError, ValidationError
from gateway.merging import Decision
from gateway.model.base import NIL
from gateway.model.fold import clean_text
from gateway.store import lookup, readings, synonyms
from gateway.store import places as store
from gateway.store.committer import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from gateway.choosing import Chosen, Doubt
    from gateway.store.places import Listed

REASON_CHARS: Final = 300
OUTCOMES: Final = {
    "exact": "точно", "street_only": "только улица", "ambiguous": "несколько",
    "not_found": "не найден",
}  # fmt: skip
_LOGIN: Final = re.compile(r"[\w.@+-]{1,64}")

Number = Annotated[
    str, typer.Argument(metavar="НОМЕР", help="Квитанция, внешний или рег. номер · Any number")
]
By = Annotated[
    str, typer.Option("--by", metavar="ЛОГИН", help="Кто решил, не ФИО · Who; a login, no name")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Не больше · At most")]


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the commands; `opened` lends the database while one runs."""
    _doubts(group, opened)
    _choose(group, opened)
    _of_house(group, opened)
    _again(group, opened)
    names = typer.Typer(
        name="synonyms",
        help="Что люди называют иначе, чем справочник · What people call otherwise",
        no_args_is_help=True,
    )
    _list(names, opened)
    _add(names, opened)
    _revoke(names, opened)
    group.add_typer(names, name="synonyms")


def _doubts(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("doubts")
    def doubts(
        number: Annotated[
            str,
            typer.Argument(metavar="[НОМЕР]", help="Что может значить его адрес · One's address"),
        ] = "",
        *,
        limit: Limit = 50,
        as_json: screen.Json = False,
    ) -> None:
        """Обращения, чей дом под вопросом: решает человек · Places in doubt; you decide."""
        with opened() as gw, gw.connection() as db:
            if not number:
                found = store.doubts(db, limit)
                _say_listed("Дом под вопросом · In doubt", found, as_json=as_json)
                if found and not as_json:
                    screen.say("Варианты · choices: gateway fias doubts НОМЕР; выбрать · choose: "
                         "gateway fias choose НОМЕР 2 --commit")  # fmt: skip
                return
            one = lookup.one(db, number)
            _recorded(gw, one.receipt_number)
            with db.transaction():
                doubt = choosing.doubt(db, one.id, gw.now())
        _say_doubt(one.receipt_number, doubt, as_json=as_json)


def _choose(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("choose")
    def choose(
        number: Number,
        which: Annotated[
            str, typer.Argument(metavar="[ГУИД|N]", help="Объект или номер варианта · Which")
        ] = "",
        *,
        none: Annotated[bool, typer.Option("--none", help="Ни один · None of them")] = False,
        remember: Annotated[
            bool, typer.Option("--remember", help="Запомнить написание · Remember the spelling")
        ] = False,
        reason: Annotated[
            str, typer.Option("--reason", metavar="ПОЧЕМУ", help="Без перс. данных · Why")
        ] = "",
        by: By = "",
        commit: screen.Commit = False,
        as_json: screen.Json = False,
    ) -> None:
        """Сказать, о каком доме обращение · Say which house an appeal is about."""
        if bool(which) == none:
            raise ValidationError("назовите вариант или --none · name a choice, or --none")
        with opened() as gw, gw.connection() as db:
            one = lookup.one(db, number)
            decision = Decision(by=acts.person(_login(by)), ground=_ground(reason), now=gw.now())
            rules = policies.rules(gw.settings)
            _recorded(gw, one.receipt_number)
            with db.transaction(force_rollback=not commit):
                made = choosing.choose(db, one.id, which, decision, rules, remember=remember)
                db.execute(f"NOTIFY {CHANNEL}".encode())
        if as_json:
            screen.document(
                {"receipt_number": one.receipt_number} | _plain(made) | {"committed": commit}
            )
            return
        _say_chosen(one.receipt_number, made, remember=remember)
        screen.planned(commit=commit)


def _of_house(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("appeals")
    def appeals(
        guid: Annotated[str, typer.Argument(metavar="ГУИД", help="Дома · Of the house")],
        *,
        limit: Limit = 50,
        as_json: screen.Json = False,
    ) -> None:
        """Обращения об одном доме, новые первыми · Appeals about one house, the newest first."""
        with opened() as gw, gw.connection() as db:
            found = store.of_house(db, _guid(guid), limit)
        _say_listed("Обращения о доме · Appeals about the house", found, as_json=as_json)


def _again(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("again")
    def again(
        *,
        doubts: Annotated[
            bool, typer.Option("--doubts", help="И те, что под вопросом · Those in doubt too")
        ] = False,
        commit: screen.Commit = False,
        as_json: screen.Json = False,
    ) -> None:
        """Искать адреса открытых обращений, ещё без итога · Ask about what was never asked."""
        counts: Counter[str] = Counter()
        with opened() as gw, gw.connection() as db:
            rules, after = policies.rules(gw.settings), NIL
            while ids := store.unasked(db, after, limits.TRIAGE_BATCH, doubts=doubts):
                after = ids[-1]
                with db.transaction(force_rollback=not commit):
                    counts.update(choosing.again(db, ids, gw.now(), rules).values())
                    db.execute(f"NOTIFY {CHANNEL}".encode())
        if as_json:
            screen.document({"outcomes": counts, "committed": commit})
            return
        told = ", ".join(f"{OUTCOMES.get(o, o)}: {n}" for o, n in counts.items())
        screen.say(told or "Нечего искать · Nothing to ask")
        screen.planned(commit=commit)


def _list(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("list")
    def listed(*, limit: Limit = 200, as_json: screen.Json = False) -> None:
        """Показать синонимы, отозванные тоже · List synonyms, revoked ones too."""
        with opened() as gw, gw.connection() as db:
            found = synonyms.every(db, limit)
        if as_json:
            screen.document([row._asdict() for row in found])
            return
        screen.table(
            "Синонимы · Synonyms",
            ("N", "Регион", "В", "Написание", "Значит", "Уровень", "Кто", "Когда", "Раз", "Отозван"
             ),
            [
                (r.id, r.region, r.scope or "весь регион", r.key, r.target, r.level, r.author,
                 f"{r.noted_at:%Y-%m-%d}", r.uses,
                 f"{r.revoked_at:%Y-%m-%d} {r.revoked_by}" if r.revoked_at else "")
                for r in found
            ],
        )  # fmt: skip


def _add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("add")
    def add_one(
        text: Annotated[
            str, typer.Argument(metavar="НАПИСАНИЕ", help="Имя без типа, или номер дома")
        ],
        target: Annotated[str, typer.Argument(metavar="ГУИД", help="Что это значит · The object")],
        *,
        within: Annotated[
            str, typer.Option("--within", metavar="ГУИД", help="Где это так · Where it means so")
        ] = "",
        by: By = "",
        commit: screen.Commit = False,
        as_json: screen.Json = False,
    ) -> None:
        """Запомнить, что люди зовут объект иначе · Keep what people call an object."""
        scope = str(_guid(within)) if within else ""
        with opened() as gw, gw.connection() as db, db.transaction(force_rollback=not commit):
            new = learning.said(db, text, str(_guid(target)), scope)
            number = synonyms.add(db, new, _login(by), gw.now())
        if as_json:
            screen.document(new._asdict() | {"id": number if commit else None, "committed": commit})
            return
        screen.say(f"«{new.key}» → {new.target} ({new.scope or 'регион ' + new.region})")
        screen.planned(commit=commit)


def _revoke(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("revoke")
    def revoke(
        number: Annotated[int, typer.Argument(metavar="N", help="Из list · Of the list")],
        *,
        by: By = "",
        commit: screen.Commit = False,
        as_json: screen.Json = False,
    ) -> None:
        """Отозвать синоним; строка остаётся · Take a synonym back; its row stays."""
        with opened() as gw, gw.connection() as db, db.transaction(force_rollback=not commit):
            synonyms.revoke(db, number, _login(by), gw.now())
        if as_json:
            screen.document({"id": number, "committed": commit})
            return
        screen.say(f"Отозван · Revoked: {number}")
        screen.planned(commit=commit)


def _recorded(gw: Any, receipt: str) -> None:
    """Record that the address of an appeal is read, before it is."""
    now, who, what = gw.now(), getpass.getuser(), "fias doubts"
    audit.record(gw.settings.data_dir, audit.Reading(at=now, who=who, what=what, subject=receipt))
    with gw.connection() as db:
        readings.record(db, at=now, who=who, role="command", what=what, subject=receipt)


def _login(given: str) -> str:
    who = given or getpass.getuser()
    if not _LOGIN.fullmatch(who):
        raise ConfigurationError(
            "кто решает: логин, не ФИО · who decides is a login, never a full name",
            found=who,
            where="--by",
        )
    return who


def _ground(reason: str) -> str:
    ground = clean_text(reason, "--reason").strip()
    if len(ground) > REASON_CHARS or "\n" in ground:
        raise ValidationError(f"--reason: одна строка до {REASON_CHARS} знаков · one line")
    return ground


def _guid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValidationError(f"не ГУИД · no GUID: {text[:60]}") from error


def _say_listed(title: str, found: Sequence[Listed], *, as_json: bool) -> None:
    if as_json:
        screen.document([row._asdict() for row in found])
        return
    screen.table(
        title,
        ("Квитанция", "Система", "Состояние", "Адрес", "Уверенность", "С", "Правило", "Кому"),
        [
            (r.receipt_number, f"{r.peer} {r.external_id}", r.state,
             OUTCOMES.get(r.outcome, r.outcome),
             "" if r.confidence is None else f"{r.confidence:.2f}",
             f"{r.at:%Y-%m-%d %H:%M}", r.rule, r.executor)
            for r in found
        ],
    )  # fmt: skip


def _say_doubt(receipt: str, doubt: Doubt, *, as_json: bool) -> None:
    address = places.spelled(doubt.address) if doubt.address else ""
    if as_json:
        screen.document(
            {
                "receipt_number": receipt,
                "address": address,
                "facts": doubt.facts,
                "notes": doubt.found.notes if doubt.found else (),
                "choices": doubt.choices,
            }
        )
        return
    outcome = OUTCOMES.get(doubt.facts.outcome, "") if doubt.facts else "не искали · not asked"
    screen.say(f"{receipt}: {address} · {outcome}")
    for note in doubt.found.notes if doubt.found else ():
        screen.say(f"  {note}")
    screen.table(
        "Варианты · Choices",
        ("N", "Адрес", "Уверенность", "ОКТМО", "ГУИД"),
        [
            (n, p.label, f"{p.confidence:.2f}", p.oktmo, p.guid)
            for n, p in enumerate(doubt.choices, 1)
        ],
    )


def _say_chosen(receipt: str, made: Chosen, *, remember: bool) -> None:
    screen.say(f"{receipt}: {made.place.label if made.place else 'ни один · none'}")
    if made.routed is not None:
        screen.say(f"→ {made.routed.organisation}: {made.routed.reason}")
    else:
        screen.say("Ни одно правило не подошло · No rule matched")
    for _, new in made.learned:
        screen.say(f"Запомнено · Remembered: «{new.key}» → {new.target}")
    if remember and not made.learned:
        screen.say("Запоминать нечего: справочник знает это написание · Nothing to remember")


def _plain(made: Chosen) -> dict[str, Any]:
    return {
        "place": made.place,
        "routed": made.routed,
        "state": made.state.value,
        "learned": [new._asdict() for _, new in made.learned],
    }
