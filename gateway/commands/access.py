"""`gateway access`: people who log in, what they may do, where they are logged in.

No account exists until somebody makes it here, and none has a password that anybody else knows for
longer than its first login: `add` prints a one-time password once, which must be changed then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Final

import psycopg
import typer

from gateway import roles
from gateway.access import passwords
from gateway.access.logins import fold_login
from gateway.access.seals import Seals
from gateway.cabinet.mount import rules_of
from gateway.commands import access_told, context, output, security, times
from gateway.errors import ConfigurationError, NotFoundError
from gateway.settings import Settings
from gateway.store import accounts, organisations, sessions
from gateway.store.accounts import Account
from gateway.syslog import Kind

app = output.app("access", "Люди: учётные записи, роли, сеансы · People: accounts, roles, sessions")

ONE_TIME_DAYS: Final = 3
IDLE: Final = (
    "Так он ничего не может: роли действуют в организации · may do nothing so:"
    " give --role and --organisation"
)
ANY: Final = "*"

Login = Annotated[str, typer.Argument(metavar="ЛОГИН", help="Логин · Login")]
Named = Annotated[
    list[str] | None,
    typer.Option("--role", metavar="РОЛЬ", help="Роль, можно несколько · A role, repeatable"),
]
Body = Annotated[
    str, typer.Option("--organisation", metavar="ID", help="Организация из справочника · Its body")
]
Provider = Annotated[str, typer.Option(help="Чем входит · By which provider")]


class _Desk:
    """What a command works with; its events are told when all of it is done."""

    def __init__(self, gw: context.Opened, db: psycopg.Connection[Any]) -> None:
        self.gw = gw
        self.db = db
        self.events: list[tuple[Kind, str, str]] = []

    def note(self, kind: Kind, what: str, reason: str) -> None:
        """Remember a security event of whoever runs the command."""
        self.events.append((kind, what, reason))

    def end(self, account: Account) -> int:
        """End every session of an account."""
        ended = sessions.end_others(self.db, account=account.id)
        if ended:
            self.note("session_ended", account.login, f"{ended}")
        return ended


@contextmanager
def _desk() -> Iterator[_Desk]:
    """Open the database for a change: all of it or nothing."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        desk = _Desk(gw, db)
        with db.transaction():
            yield desk
        if desk.events:
            security.tell(gw, db, *desk.events)


@app.command("list")
def listed(*, as_json: output.Json = False) -> None:
    """Показать учётные записи и кого впускает провайдер · List accounts and bindings."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        rows, let_in = accounts.read_all(db), accounts.bindings(db)
        zone, now = times.zone_of(gw.settings), gw.now()
    access_told.say_accounts(rows, let_in, zone, now, as_json=as_json)


@app.command()
def add(
    login: Login,
    *,
    role: Named = None,
    organisation: Body = "",
    name: Annotated[str, typer.Option(help="Имя для страницы · Name to show")] = "",
    provider: Provider = "",
    oid: Annotated[
        str, typer.Option(metavar="OID", help="Номер человека у провайдера · His id there")
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Завести учётную запись · Add an account; prints its one-time password once.

    С --provider и --oid пароля нет: человек входит через провайдера.
    """
    held, login = tuple(role or ()), fold_login(login)
    if not login or any(letter.isspace() or not letter.isprintable() for letter in login):
        raise ConfigurationError(
            "логин пуст или с пробелами · the login is empty or has blanks", found=repr(login)
        )
    with _desk() as desk:
        _require(desk, held, organisation)
        subject = _mark(desk.gw.settings, provider, oid) if provider or oid else None
        password = "" if subject else passwords.one_time()
        until = desk.gw.now() + timedelta(days=ONE_TIME_DAYS)
        accounts.add(
            desk.db, login, desk.gw.now(), name=name, organisation=organisation, roles=held,
            password=passwords.Passwords().hash(password) if password else "",
            password_until=until if password else None, subject=subject,
            provider=provider if subject else "",
        )  # fmt: skip
        desk.note("access_changed", login, f"added: {', '.join(held) or 'no role'}")
        idle = roles.is_idle(rules_of(desk.gw.settings).roles, held, organisation)
    _given(login, password, as_json=as_json)
    if idle and not as_json:
        output.say(IDLE)


@app.command()
def bind(
    login: Annotated[str, typer.Argument(metavar="[ЛОГИН]", help="Чей вход · Whose")] = "",
    *,
    provider: Provider = "esia",
    oid: Annotated[
        str, typer.Option(metavar="OID", help="Номер у провайдера · Id at the provider")
    ],
    provider_role: Annotated[
        str, typer.Option(metavar="РОЛЬ", help="Роль там, * – любая · Role there, * for any")
    ] = ANY,
    role: Named = None,
    organisation: Body = "",
    remove: Annotated[bool, typer.Option("--remove", help="Больше не впускать · Shut out")] = False,
    commit: output.Commit = False,
) -> None:
    """Связать вход через провайдера · Bind a person's login, or let an organisation's people in.

    С логином oid – человека. Без логина oid – организации: её люди входят с ролями --role.
    """
    with _desk() as desk:
        if login:
            account = accounts.require(desk.db, fold_login(login))
            if remove and not commit:
                output.planned(commit=False)
                return
            mark = None if remove else _mark(desk.gw.settings, provider, oid)
            desk.db.execute(accounts.BIND, (account.id, mark, "" if remove else provider))
            desk.end(account)
            desk.note("access_changed", account.login, "unbound" if remove else "bound")
        elif remove:
            _shut_out(desk, provider, oid, provider_role, commit=commit)
            if not commit:
                return
        else:
            held = tuple(role or ())
            if not held or not organisation:
                raise ConfigurationError("нужны --role и --organisation · both are needed")
            _require(desk, held, organisation)
            _send_out(desk, provider, oid)
            values = (provider, oid, provider_role, organisation, list(held), desk.gw.now())
            desk.db.execute(accounts.LET_IN, values)
            desk.note("access_changed", f"{provider}:{oid}", f"let in: {', '.join(held)}")
    output.say("Готово · Done")


@app.command("role")
def role_(
    login: Login,
    *,
    role: Named = None,
    organisation: Annotated[
        str | None, typer.Option("--organisation", metavar="ID", help="Организация · Its body")
    ] = None,
    commit: output.Commit = False,
) -> None:
    """Заменить роли и организацию · Replace roles and body; ends the person's sessions."""
    with _desk() as desk:
        account = accounts.require(desk.db, fold_login(login))
        held = account.roles if role is None else list(role)
        body = account.organisation if organisation is None else organisation
        _require(desk, held, body)
        output.say(f"{', '.join(account.roles) or '–'} → {', '.join(held) or '–'}")
        output.say(f"{account.organisation or '–'} → {body or '–'}")
        if commit:
            desk.db.execute(accounts.GRANT, (account.id, held, body))
            desk.end(account)
            desk.note("access_changed", account.login, f"roles: {', '.join(held)}; {body}")
        if roles.is_idle(rules_of(desk.gw.settings).roles, held, body):
            output.say(IDLE)
    output.planned(commit=commit)


@app.command()
def disable(login: Login, *, commit: output.Commit = False) -> None:
    """Отключить: сеансы кончаются сразу · Disable; the sessions end at once."""
    _switch(login, commit=commit, enabled=False)


@app.command()
def enable(login: Login, *, commit: output.Commit = False) -> None:
    """Включить снова · Enable again."""
    _switch(login, commit=commit, enabled=True)


@app.command()
def reset(
    login: Login,
    *,
    totp: Annotated[
        bool, typer.Option("--totp", help="Снять второй фактор, не пароль · The factor only")
    ] = False,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Выдать новый разовый пароль или снять второй фактор · A new one-time password."""
    password = ""
    with _desk() as desk:
        account = accounts.require(desk.db, fold_login(login))
        if commit and totp:
            desk.db.execute(accounts.ENROL, (account.id, None, 0, []))
        elif commit:
            password = passwords.one_time()
            until = desk.gw.now() + timedelta(days=ONE_TIME_DAYS)
            phc = passwords.Passwords().hash(password)
            desk.db.execute(accounts.SET_PASSWORD, (account.id, phc, True, until))
        if commit:
            desk.end(account)
            desk.note("access_changed", account.login, "totp reset" if totp else "password reset")
    if password:
        _given(account.login, password, as_json=as_json)
    output.planned(commit=commit)


@app.command()
def unlock(login: Login) -> None:
    """Снять паузу после неверных попыток · End the pause after wrong tries."""
    with _desk() as desk:
        account = accounts.require(desk.db, fold_login(login))
        desk.db.execute(accounts.UNLOCK, (account.id,))
        desk.note("access_changed", account.login, "unlocked")
    output.say("Готово · Done")


@app.command("sessions")
def sessions_(
    login: Annotated[str, typer.Argument(metavar="[ЛОГИН]", help="Чьи · Whose")] = "",
    *,
    as_json: output.Json = False,
) -> None:
    """Показать, кто сейчас вошёл и откуда · List who is logged in, and from where."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        names = {row.id: row.login for row in accounts.read_all(db)}
        found = sessions.read_all(db, gw.now())
        zone = times.zone_of(gw.settings)
    rows = [
        (
            names.get(one.account, "") if one.account
            else f"citizen:{bytes(one.subject or b'').hex()[:access_told.MARK_CHARS]}",
            one.provider or "local", one.address, one.created_at, one.seen_at, one.ends_at,
        )
        for one in found
    ]  # fmt: skip
    rows = [row for row in rows if not login or row[0] == fold_login(login)]
    if as_json:
        keys = ("who", "by", "address", "since", "seen", "ends")
        output.document([dict(zip(keys, row, strict=True)) for row in rows])
        return
    output.table(
        times.titled("Сеансы · Sessions", zone),
        ("Кто", "Как вошёл", "Откуда", "С", "Был", "До"),
        [(*row[:3], *(times.shown(at, zone) for at in row[3:])) for row in rows],
    )


@app.command()
def end(login: Login, *, commit: output.Commit = False) -> None:
    """Завершить все сеансы человека · End every session of a person."""
    with _desk() as desk:
        account = accounts.require(desk.db, fold_login(login))
        found = sessions.of_person(desk.db, desk.gw.now(), account=account.id, subject=None)
        output.say(f"Сеансов · Sessions: {len(found)}")
        if commit:
            desk.end(account)
    output.planned(commit=commit)


@app.command()
def who_may(
    action: Annotated[str, typer.Argument(metavar="ДЕЙСТВИЕ", help="appeal.read, …")],
    *,
    organisation: Body = "",
    login: Annotated[str, typer.Option(metavar="ЛОГИН", help="Только он · Only of this one")] = "",
    as_json: output.Json = False,
) -> None:
    """Объяснить, кому можно и почему · Explain who may do a thing, and why."""
    if action not in roles.ACTIONS:
        raise ConfigurationError(
            "нет такого действия · no such action",
            found=action,
            expected=", ".join(sorted(roles.ACTIONS)),
        )
    settings = context.settings()
    held = rules_of(settings).roles
    with context.opened(settings) as gw, gw.connection() as db:
        people = [accounts.require(db, fold_login(login))] if login else accounts.read_all(db)
        parents = accounts.parents(db)
    rows = []
    for one in people:
        who = roles.principal(
            held, str(one.id), one.login, one.roles, organisation=one.organisation, parents=parents
        )
        found = roles.may(who, action, roles.Resource(organisation=organisation))
        if not one.enabled:
            found = roles.Decision(allowed=False, why="отключён · disabled")
        rows.append((one.login, found.allowed, found.why, ", ".join(one.roles), one.organisation))
    if as_json:
        keys = ("login", "allowed", "why", "roles", "organisation")
        output.document([dict(zip(keys, row, strict=True)) for row in rows])
        return
    output.table(
        f"{action} {organisation}",
        ("Логин", "Можно", "Почему", "Роли", "Организация"),
        [(row[0], "да" if row[1] else "нет", *row[2:]) for row in rows],
    )


@app.command()
def log(
    *,
    who: Annotated[str, typer.Option(metavar="ЛОГИН", help="Кто или о ком · By or about")] = "",
    since: Annotated[str, typer.Option(metavar="КОГДА", help="2h | 2026-11-21 | instant")] = "7d",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Не больше · At most")] = 100,
    as_json: output.Json = False,
) -> None:
    """Показать события безопасности, сначала новые · List security events, the newest first."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        start = times.read(since, gw.now(), zone) or gw.now() - timedelta(days=7)
        rows = accounts.told(db, start, fold_login(who), limit)
    if as_json:
        output.document([row._asdict() for row in rows])
        return
    output.table(
        times.titled("События · Events", zone),
        ("Когда", "Что", "Кто", "Откуда", "О ком", "Почему"),
        [(times.shown(row.at, zone), *row[1:]) for row in rows],
    )


def _switch(login: str, *, commit: bool, enabled: bool) -> None:
    with _desk() as desk:
        account = accounts.require(desk.db, fold_login(login))
        output.say(f"{account.login}: {'включить · enable' if enabled else 'отключить · disable'}")
        if commit:
            desk.db.execute(accounts.ENABLE, (account.id, enabled))
            desk.end(account)
            desk.note("access_changed", account.login, "enabled" if enabled else "disabled")
    output.planned(commit=commit)


def _shut_out(desk: _Desk, provider: str, oid: str, word: str, *, commit: bool) -> None:
    known = {(one.provider, one.external, one.role) for one in accounts.bindings(desk.db)}
    if (provider, oid, word) not in known:
        raise NotFoundError(
            "такой связи нет · no such binding", found=f"{provider} {oid} {word}",
            todo="`gateway access list`",
        )  # fmt: skip
    if commit:
        _send_out(desk, provider, oid)
        desk.db.execute(accounts.SHUT_OUT, (provider, oid, word))
        desk.note("access_changed", f"{provider}:{oid}", "shut out")
    output.planned(commit=commit)


def _send_out(desk: _Desk, provider: str, oid: str) -> None:
    """End the sessions of whom a binding let in: what they may do is asked at their next login."""
    bodies = {
        one.organisation
        for one in accounts.bindings(desk.db)
        if (one.provider, one.external) == (provider, oid)
    }
    for body in sorted(bodies):
        for account in accounts.members(desk.db, provider, body):
            desk.end(account)


def _require(desk: _Desk, held: Any, organisation: str) -> None:
    """Raise ConfigurationError or NotFoundError for a role or body that there is not."""
    roles.require_known(rules_of(desk.gw.settings).roles, held)
    if organisation and organisation not in organisations.read_all(desk.db):
        raise NotFoundError(
            "нет такой организации · no such organisation", found=organisation,
            todo="`gateway org list`",
        )  # fmt: skip


def _mark(settings: Settings, provider: str, oid: str) -> bytes:
    if not provider or not oid:
        raise ConfigurationError("нужны --provider и --oid · both are needed")
    return Seals(settings.seal_key, settings.seal_key_old).marks(f"{provider}\0{oid}")[0]


def _given(login: str, password: str, *, as_json: bool) -> None:
    if as_json:
        output.document({"login": login, "oneTimePassword": password})
        return
    output.say(f"Учётная запись · Account: {login}")
    if password:
        output.say(
            f"Разовый пароль, показан один раз, годен {ONE_TIME_DAYS} дня"
            f" · One-time password, shown this once, good for {ONE_TIME_DAYS} days"
        )
        output.say(password)
