"""`gateway register`: a person registers appeals, or annuls a registration."""

from __future__ import annotations

import datetime as dt
import getpass
import re
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import psycopg
import typer

from gateway import acts, policies
from gateway.commands import context, output
from gateway.commands.context import Opened
from gateway.errors import ConfigurationError, NotFoundError, ValidationError
from gateway.model.facts import RegistrationFacts
from gateway.model.fold import number_key
from gateway.store import lookup, organisations
from gateway.store.registers import RegisterKey
from gateway.triage.build import Rules

app = output.app("register", "Регистрация обращений · Registration of appeals", default="add")

_LOGIN: Final = re.compile(r"[\w.@+-]{1,64}")

By = Annotated[
    str,
    typer.Option("--by", metavar="ЛОГИН", help="Кто регистрирует, не ФИО · Who; a login, no name"),
]
Body = Annotated[
    str, typer.Option("--organisation", metavar="ОРГАН", help="Чей номер · Whose number")
]


@app.command()
def add(
    receipts: Annotated[list[str], typer.Argument(metavar="НОМЕР…", help="Номера квитанций")],
    *,
    organisation: Body = "",
    register: Annotated[str, typer.Option(metavar="КОД", help="Журнал · Register")] = "",
    date: Annotated[
        str, typer.Option(metavar="ГГГГ-ММ-ДД", help="Дата, иначе сегодня · Date, else today")
    ] = "",
    by: By = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Зарегистрировать под следующими номерами журнала · Register under the next numbers."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        rules = policies.rules(gw.settings)
        body = organisation or gw.settings.organisation
        if not body:
            raise ConfigurationError("no organisation to register for", todo="give --organisation")
        zone = zone_of(db, body, rules.zone)
        day = read_day(date) if date else gw.now().astimezone(zone).date()
        key = RegisterKey(body, register or gw.settings.register, day.year)
        found = [lookup.one(db, receipt) for receipt in dict.fromkeys(receipts)]
        todo = [acts.registration(one.id, key, day, acts.person(login(by))) for one in found]
        given = _perform(gw, db, todo, rules._replace(zone=zone), commit=commit)
    numbers = {one.appeal_id: one.number for one in given}
    rows = [
        {
            "receipt_number": one.receipt_number, "external_id": one.external_id,
            "peer": one.peer, "number": numbers.get(one.id, ""), "date": day,
        }
        for one in found
    ]  # fmt: skip
    if as_json:
        output.document({"organisation": body, "committed": commit, "registered": rows})
        return
    output.table(
        f"Регистрация · Registration: {body}, {key.code}, {key.year}",
        ("Квитанция", "Система", "Внешний номер", "Рег. номер", "Дата"),
        [
            (r["receipt_number"], r["peer"], r["external_id"], r["number"] or "…", r["date"])
            for r in rows
        ],
    )
    output.planned(commit=commit)


@app.command()
def annul(
    number: Annotated[str, typer.Argument(metavar="НОМЕР", help="Регистрационный номер")],
    *,
    ground: Annotated[str, typer.Option(metavar="ОСНОВАНИЕ", help="Почему · Why")],
    organisation: Body = "",
    by: By = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Аннулировать номер; снова его не дадут никогда · Annul a number, which is never reused."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        rules = policies.rules(gw.settings)
        body = organisation or gw.settings.organisation
        found = lookup.one(db, number)
        with db.transaction():
            facts = acts.read_facts(db, [found.id], gw.now())
            registered = registered_as(facts.states[found.id], number, body)
            act = acts.annulment(found.id, registered, ground, acts.person(login(by)), facts.now)
            acts.plan(act, facts, rules)
            if commit:
                acts.perform(db, [act], facts, rules)
    told = {
        "receipt_number": found.receipt_number, "number": registered.number,
        "organisation": registered.organisation, "committed": commit,
    }  # fmt: skip
    if as_json:
        output.document(told)
        return
    done = "Аннулирован · Annulled" if commit else "Будет аннулирован · Would be annulled"
    output.say(f"{done}: {registered.number} ({found.receipt_number})")
    output.planned(commit=commit)


def _perform(
    gw: Opened, db: psycopg.Connection[Any], todo: list[acts.Act], rules: Rules, *, commit: bool
) -> list[acts.Numbered]:
    """Judge every act; with `commit`, write them all in one transaction."""
    with db.transaction():
        facts = acts.read_facts(db, [act.appeal_id for act in todo], gw.now())
        if commit:
            return acts.perform(db, todo, facts, rules)
        for act in todo:
            acts.plan(act, facts, rules)
    return []


def registered_as(state: Any, number: str, body: str) -> RegistrationFacts:
    """Return the registration that a number means, in whatever spelling; raise NotFoundError."""
    folded = number_key(number)
    for question in state.questions:
        for told in question.registrations:
            known: RegistrationFacts = told
            same = (known.number_key or number_key(known.number)) == folded
            if same and (not body or known.organisation == body):
                return known
    raise NotFoundError(
        "the appeal has no such registration", found=f"{body} {number}", todo="give --organisation"
    )


def zone_of(db: psycopg.Connection[Any], body: str, default: ZoneInfo) -> ZoneInfo:
    """Return the zone of a body: the year of a register is the body's own."""
    record = organisations.read_all(db).get(body)
    return ZoneInfo(record.zone) if record else default


def login(given: str) -> str:
    """Return who acts: the login given, or that of the account; a name of a person is refused."""
    who = given or getpass.getuser()
    if not _LOGIN.fullmatch(who):
        raise ConfigurationError(
            "who acts is a login or a staff number, never a full name", found=who, where="--by"
        )
    return who


def read_day(text: str) -> dt.date:
    """Read a calendar date of the command line; raise ValidationError."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValidationError(f"not a date: {text} (YYYY-MM-DD)") from error
