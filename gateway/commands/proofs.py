"""`gateway peer secret | certificate | require | reseal`: what proves a peer, beside its keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.access import certificates
from gateway.access.needs import ANSWERS, KINDS, REQUIRE, missing
from gateway.access.seals import Seals
from gateway.commands import context, output
from gateway.errors import ConfigurationError
from gateway.settings import Settings
from gateway.store import peers
from gateway.store.peers import Held

Code = Annotated[str, typer.Argument(metavar="КОД", help="Код · Code of the peer")]
Disable = Annotated[
    str, typer.Option("--disable", metavar="ID", help="Отключить · Disable the one of this id")
]


def secret(
    code: Code,
    *,
    disable: Disable = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Выдать секрет для PasswordDigest или отключить · Mint a digest secret, or disable one."""
    settings = context.settings()
    if disable:
        _disable(settings, code, "digest", disable, commit=commit, as_json=as_json)
        return
    with context.opened(settings) as gw, gw.connection() as db, db.transaction():
        minted = peers.new_secret(db, code, seals_of(settings), gw.now())
    if as_json:
        output.document({"peer": code, "secret": minted})
        return
    output.say(f"Секрет выдан · Secret minted: {code}")
    output.say("Он показан один раз · It is shown this once; user name · имя: " + code)
    output.say(minted)


def certificate(
    code: Code,
    file: Annotated[
        Path | None, typer.Argument(metavar="ФАЙЛ", help="PEM или DER · PEM or DER")
    ] = None,
    *,
    disable: Disable = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Записать за системой сертификат или отключить · Register a certificate, or disable one."""
    settings = context.settings()
    if disable:
        _disable(settings, code, "certificate", disable, commit=commit, as_json=as_json)
        return
    if file is None:
        raise ConfigurationError(
            "назовите файл сертификата · name the file of the certificate", expected="FILE.pem"
        )
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"файл не читается · the file cannot be read: {error.strerror}", found=str(file)
        ) from error
    with context.opened(settings) as gw, gw.connection() as db, db.transaction():
        found = certificates.from_file(text, str(file), gw.now())
        id_ = peers.add_certificate(db, code, found, gw.now())
    sha256 = certificates.fingerprint(found.der)
    starts, ends = _day(found.not_before), _day(found.not_after)
    if as_json:
        told = {"peer": code, "id": id_, "subject": found.subject, "sha256": sha256}
        output.document(told | {"not_before": starts, "not_after": ends})
        return
    output.say(f"Сертификат записан · Certificate registered: {code}, {id_}")
    output.say(f"Владелец · Subject: {found.subject}")
    output.say(f"SHA-256: {sha256}")
    output.say(f"Действует · In force: {starts:%d.%m.%Y} – {ends:%d.%m.%Y}")


def require(
    code: Code,
    word: Annotated[
        str, typer.Argument(metavar="ЧТО", help="key | basic | digest | certificate | signature")
    ],
    *,
    answers: Annotated[
        str | None,
        typer.Option(help="Что несут ответы · What answers carry: timestamp | signature | none"),
    ] = None,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Чем система доказывает, кто она · What a peer must prove itself by, on every port."""
    if word not in REQUIRE:
        raise ConfigurationError(
            "так система доказать себя не может · a peer cannot prove itself by this",
            found=word,
            expected=" | ".join(REQUIRE),
        )
    carried = "" if answers == "none" else answers
    if carried is not None and carried not in ANSWERS:
        raise ConfigurationError(
            "ответы такого не несут · answers do not carry this",
            found=carried,
            expected="timestamp | signature | none",
        )
    settings = context.settings()
    with context.opened(settings) as gw, gw.connection() as db, db.transaction():
        before = peers.require_there(db, code).require
        hindered = missing(settings, word, peers.held(db).get(code, []), gw.now())
        if carried == "signature" and not (settings.sign_key and settings.sign_cert):
            hindered.append("нечем подписывать ответы · answers cannot be signed: sign_key")
        if commit:
            peers.ask(db, code, word, carried)
    if as_json:
        told = {"peer": code, "before": before, "require": word, "missing": hindered}
        output.document(told | {"committed": commit})
        return
    done = "Требуется · Required" if commit else "Будет требоваться · Would be required"
    output.say(f"{done}: {code}, {before} → {word}")
    for line in hindered:
        output.say(f"Пока вызовы отклоняются · Its calls are refused so far: {line}")
    output.planned(commit=commit)


def reseal(*, commit: output.Commit = False, as_json: output.Json = False) -> None:
    """Запечатать секреты новым seal_key · Seal all secrets anew, after seal_key was changed."""
    settings = context.settings()
    with (
        context.opened(settings) as gw,
        gw.connection() as db,
        db.transaction(force_rollback=not commit),
    ):
        done, failed = peers.seal_anew(db, seals_of(settings))
    if as_json:
        output.document({"sealed": done, "failed": failed, "committed": commit})
        return
    output.say(f"Запечатано · Sealed: {done}")
    for code in failed:
        output.say(f"Секрет не открылся · A secret could not be opened: {code}")
    output.planned(commit=commit)


def seals_of(settings: Settings) -> Seals:
    """Return what the settings seal secrets with."""
    return Seals(settings.seal_key, settings.seal_key_old)


def shown(held: list[Held]) -> str:
    """Return what proves a peer, in a cell of a table: kinds, their number, the last day."""
    live = [h for h in held if h.disabled_at is None]
    cells = []
    for kind, title in KINDS.items():
        of_kind = [h for h in live if h.kind == kind]
        ends = max((h.not_after for h in of_kind if h.not_after is not None), default=None)
        if of_kind:
            until = f" до · until {ends:%d.%m.%Y}" if ends else ""
            cells.append(f"{title}: {len(of_kind)}{until}")
    return "\n".join(cells)


def _disable(
    settings: Settings, code: str, kind: str, id_: str, *, commit: bool, as_json: bool
) -> None:
    with (
        context.opened(settings) as gw,
        gw.connection() as db,
        db.transaction(force_rollback=not commit),
    ):
        peers.disable_credential(db, code, kind, id_, gw.now())
    if as_json:
        output.document({"peer": code, "disabled": id_, "committed": commit})
        return
    done = "Отключён · Disabled" if commit else "Будет отключён · Would be disabled"
    output.say(f"{done}: {code}, {KINDS[kind]}, {id_}")
    output.planned(commit=commit)


def _day(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
