"""`gateway peer`: who talks with us, and their keys; other proofs are in `proofs`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from gateway.commands import callback, context, hindrances, output, proofs
from gateway.disclosure import Level, level_of
from gateway.errors import ConfigurationError, NotFoundError
from gateway.model.peer import Peer
from gateway.options import CHANNELS, LOCAL, given
from gateway.options import callback_host as checked
from gateway.store import deliveries, peers

if TYPE_CHECKING:
    from gateway.settings import Settings

app = output.app("peer", "Системы и организации, с которыми связан шлюз · Peers and their keys")

SKIPPED: Final = "накопилось, пока система была отключена"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_STANDING: Final = {
    "blocked": "Пока ничего не отправляется · Nothing is sent yet",
    "only_takes": "Только приём · Only takes",
}
NAMED: Final = "уровень назван при добавлении · the level was named when it was added"
"""The ground of a lower level: with one the row decides what is sent, not the manifest."""
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

Options = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="ИМЯ=ЗНАЧЕНИЕ", help="Настройка канала · Option"),
]
Code = Annotated[str, typer.Argument(metavar="КОД", help="Код · Code of the peer")]


@app.command()
def add(
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="Название · Title")] = "",
    adapter: Annotated[
        str, typer.Option(help="Адаптер или канал: sstu, webhook, soap, file, pull · Adapter")
    ] = "",
    role: Annotated[str, typer.Option(help="Роль · Role")] = "partner",
    disclosure: Annotated[
        str | None,
        typer.Option(
            help="full | problem_only | reference_only; без неё – уровень адаптера · "
            "without it the adapter's own level"
        ),
    ] = None,
    disclosure_ground: Annotated[
        str, typer.Option(help="Основание для full · Ground for full")
    ] = "",
    callback_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST[:PORT]",
            help="Куда можно слать ответы, см. peer hosts · Where answers may go",
        ),
    ] = None,
    option: Options = None,
    test: Annotated[bool, typer.Option("--test", help="Тестовый · A test system")] = False,
    with_key: Annotated[
        bool, typer.Option("--key/--no-key", help="Сразу выдать ключ · Mint a key at once")
    ] = True,
    as_json: output.Json = False,
) -> None:
    """Добавить систему и выдать ей ключ · Add a peer and mint its key."""
    if disclosure is not None and disclosure != Level.FULL:
        disclosure_ground = disclosure_ground or NAMED
    disclosure = disclosure or Level.REFERENCE_ONLY.value
    level_of(disclosure, disclosure_ground)
    if not _CODE.fullmatch(code):
        raise ConfigurationError(
            "a code is small Latin letters, digits, dots and dashes",
            found=code,
            expected=_CODE.pattern,
        )
    settings = context.settings()
    peer = Peer(
        code=code,
        name=name or code,
        adapter=adapter,
        role=role,
        test=test,
        disclosure=disclosure,
        disclosure_ground=disclosure_ground,
        callback_hosts=[checked(host) for host in callback_host or ()],
    )
    peer = msgspec.structs.replace(peer, options=_given(settings, peer, option or []))
    with context.opened(settings) as gw, gw.connection() as db, db.transaction():
        peers.add(db, peer, gw.now())
        key = peers.new_key(db, code, gw.now()) if with_key else ""
    _told(
        code,
        key,
        as_json=as_json,
        text=f"Добавлен · Added: {code}",
        standing=_standing(settings, peer),
    )


@app.command("list")
def listed(*, as_json: output.Json = False) -> None:
    """Показать системы · List the peers."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        rows = peers.read_all(db)
        keys, answers, held = peers.keys_of(db), peers.answers(db), peers.held(db)
    if as_json:
        output.document(
            [
                msgspec.to_builtins(peer)
                | {"answers": answers[code], "keys": [k._asdict() for k in keys.get(code, ())]}
                | {"proofs": [h._asdict() for h in held.get(code, ()) if h.kind != "key"]}
                for code, peer in rows.items()
            ]
        )
        return
    output.table(
        "Системы · Peers",
        ("Код", "Название", "Адаптер", "Роль", "Раскрытие", "Вкл.", "Тест", "Требует", "Чем"),
        [
            (
                p.code, p.name, p.adapter, p.role, _level(p), "да" if p.enabled else "нет",
                "да" if p.test else "", p.require, proofs.shown(held.get(p.code, [])),
            )
            for p in rows.values()
        ],
    )  # fmt: skip


def _level(peer: Peer) -> str:
    """Return what is shown to a peer; one with an adapter is sent what its manifest says."""
    if peer.adapter in LOCAL or peer.adapter in CHANNELS or peer.disclosure_ground:
        return peer.disclosure
    return f"{peer.disclosure}, отправка: по адаптеру · sent: the adapter's"


@app.command()
def key(
    code: Code,
    disable: Annotated[
        str, typer.Option(metavar="ID", help="Отключить этот ключ · Disable that key")
    ] = "",
    *,
    as_json: output.Json = False,
) -> None:
    """Выдать ещё один ключ или отключить старый · Mint another key, or disable an old one."""
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        if disable:
            peers.disable_key(db, code, disable, gw.now())
            _told(code, "", as_json=as_json, text=f"Ключ отключён · Key disabled: {disable}")
            return
        minted = peers.new_key(db, code, gw.now())
    _told(code, minted, as_json=as_json, text=f"Ключ выдан · Key minted: {code}")


@app.command()
def disable(code: Code, *, commit: output.Commit = False, as_json: output.Json = False) -> None:
    """Отключить систему и все её ключи · Disable a peer and all its keys."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if code not in peers.read_all(db):
            raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")
        alive = sum(k.disabled_at is None for k in peers.keys_of(db).get(code, ()))
        if commit:
            with db.transaction():
                peers.disable(db, code, gw.now())
        waiting = deliveries.waiting(db, code)
    if as_json:
        output.document({"peer": code, "keys": alive, "waiting": waiting, "committed": commit})
        return
    done = "Отключена · Disabled" if commit else "Будет отключена · Would be disabled"
    output.say(f"{done}: {code}, ключей · keys: {alive}, доставок ждёт · waiting: {waiting}")
    output.say("Причитающееся копится и уйдёт после включения · What it is owed is kept for it")
    output.planned(commit=commit)


@app.command()
def enable(
    code: Code,
    *,
    skip_waiting: Annotated[
        bool,
        typer.Option("--skip-waiting", help="Накопленное не отправлять · Send nothing kept for it"),
    ] = False,
    with_key: Annotated[
        bool, typer.Option("--key/--no-key", help="Сразу выдать ключ · Mint a key at once")
    ] = False,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Включить снова; накопленное уйдёт · Enable a peer again; what was kept for it goes out."""
    key, skipped = "", 0
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if code not in peers.read_all(db):
            raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")
        if commit and skip_waiting:
            skipped = sum(deliveries.skip_unsent(db, code, gw.now(), SKIPPED))
        waiting = deliveries.waiting(db, code)
        if commit:
            with db.transaction():
                peers.enable(db, code)
                key = peers.new_key(db, code, gw.now()) if with_key else ""
    if as_json:
        told = {"peer": code, "waiting": waiting, "skipped": skipped, "committed": commit}
        output.document(told | ({"key": key} if key else {}))
        return
    done = "Включена · Enabled" if commit else "Будет включена · Would be enabled"
    output.say(f"{done}: {code}, ждёт · waiting: {waiting}, пропущено · skipped: {skipped}")
    _say_key(key)
    output.planned(commit=commit)


@app.command()
def option(
    code: Code,
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="ИМЯ=ЗНАЧЕНИЕ…", help="Что изменить · Changes")
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="ИМЯ", help="Убрать · Remove an option")
    ] = None,
    *,
    as_json: output.Json = False,
) -> None:
    """Показать или изменить настройки канала · Show or change a peer's options."""
    settings = context.settings()
    with context.opened(settings) as gw, gw.connection() as db, db.transaction():
        row = peers.read_all(db).get(code)
        if row is None:
            raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")
        if pairs:
            peers.set_options(db, code, _given(settings, row, pairs))
        if unset:
            _require_there(row, unset)
            peers.unset_options(db, code, unset)
        found = peers.read_all(db)[code]
    standing = _standing(settings, found)
    if as_json:
        output.document({"peer": code, "options": found.options} | standing)
        return
    output.table(
        f"Настройки · Options: {code}",
        ("Имя", "Значение"),
        [(n, msgspec.json.encode(v).decode()) for n, v in sorted(found.options.items())],
    )
    _say_standing(standing)


for _command in (proofs.secret, proofs.certificate, proofs.require, proofs.reseal, callback.hosts):
    app.command()(_command)


def _given(settings: Settings, row: Peer, pairs: list[str]) -> dict[str, Any]:
    """Return the options that a person gives a peer, as `options.given` reads each.

    Refuse an adapter that is not there, and options that nobody reads or that do not fit. Only what
    is given is looked at: an old mistake in the row must not keep it from being mended.
    """
    found: dict[str, Any] = {}
    with closing(hindrances.builder(settings, [row])) as made:
        made.require_adapter(row)
        known = made.known(row)
        for pair in pairs:
            name, equals, text = pair.partition("=")
            if not equals or not name:
                raise ConfigurationError("an option is NAME=VALUE", found=pair)
            found[name] = given(text, known.get(name))
        for error in made.wrong(msgspec.structs.replace(row, options=found)):
            raise error
    return found


def _require_there(row: Peer, names: list[str]) -> None:
    for name in names:
        if name not in row.options:
            raise NotFoundError(
                f"{name}: такой настройки у системы нет · the peer has no such option",
                found=name,
                expected=", ".join(sorted(row.options)),
            )


def _standing(settings: Settings, row: Peer) -> dict[str, str]:
    """Say why nothing is sent to a peer, if so: by choice, or because its row lacks something."""
    why = hindrances.told(hindrances.of(settings, [row]).get(row.code))
    if not why:
        return {}
    by_choice = row.enabled and hindrances.only_takes(settings, row)
    return {"only_takes": why} if by_choice else {"blocked": why}


def _told(
    code: str, minted: str, *, as_json: bool, text: str, standing: Mapping[str, str] = _NOTHING
) -> None:
    """Tell what was done; a key is shown here and never again."""
    if as_json:
        told = {"peer": code, "key": minted, **standing}
        output.document({name: value for name, value in told.items() if value})
        return
    output.say(text)
    _say_key(minted)
    _say_standing(standing)


def _say_standing(standing: Mapping[str, str]) -> None:
    for what, why in standing.items():
        output.say(f"{_STANDING[what]}: {why}")


def _say_key(minted: str) -> None:
    if minted:
        output.say("Ключ показан один раз · The key is shown this once:")
        output.say(minted)
