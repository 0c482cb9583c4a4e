"""`gateway smev verify` and `gateway smev explain`: every step of a check, a line each."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from adapters.smev.commands import reading
from gateway import screen, xmldsig
from gateway.errors import TrustError

if TYPE_CHECKING:
    from adapters.smev.commands.reading import Sealed
    from gateway.signing import Signing

_STEPS: Final = {
    "structure": "строение · structure",
    "reference": "ссылка · reference",
    "certificate": "сертификат · certificate",
    "signature": "подпись · signature",
    "digest": "дайджест · digest",
    "trust": "доверие · trust",
}
_REASONS: Final = {
    "signature_missing": "подписи нет",
    "signature_wrapped": "подписан не этот элемент, или Id не один",
    "signature_wrong": "значение подписи не подходит: SignedInfo изменён или ключ другой",
    "digest_mismatch": "элемент изменён после подписи",
    "algorithm_refused": "алгоритм не принимается или не для этого ключа",
    "certificate_unreadable": "сертификат не читается",
    "certificate_unknown": "удостоверяющий центр неизвестен",
    "certificate_expired": "сертификат не действует",
    "certificate_revoked": "сертификат отозван",
}
_WIDTH: Final = 25


def add(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("verify")(verify)
    group.command("explain")(explain)


def verify(
    file: reading.File,
    *,
    trust: Annotated[
        bool, typer.Option(help="Проверить и цепочку сертификатов · ask for the chain too")
    ] = True,
) -> None:
    """Проверить все подписи файла: код 0 или 1 · Check every signature, exit 0 or 1."""
    if not _check(file, trust=trust, whole=False):
        raise typer.Exit(screen.FOUND)


def explain(file: reading.File) -> None:
    """Показать все промежуточные значения · Show every value between."""
    if not _check(file, trust=True, whole=True):
        raise typer.Exit(screen.FOUND)


def _check(file: str, *, trust: bool, whole: bool) -> bool:
    root = reading.message(reading.content(file))
    found = reading.signatures(root)
    if not found:
        screen.say("Подписей нет · there is no signature")
        return False
    settings = reading.house()
    signing = reading.opened(settings)
    asked = trust and bool(settings.trusted_authorities)
    results = [_one(each, signing, asked=asked, whole=whole) for each in found]
    return all(results)


def _one(sealed: Sealed, signing: Signing, *, asked: bool, whole: bool) -> bool:
    screen.say(reading.plain(f"{sealed.name} {sealed.uri or '(URI?)'}"))
    if sealed.target is None:
        _line("reference", f"нет элемента с таким Id · no element has this Id: {sealed.uri}")
        return False
    target = reading.whole(sealed.target)
    explained = xmldsig.explain(sealed.signature, target, signing.backend)
    for step in explained.steps:
        _line(step.name, _why(step.error))
        if whole:
            for name, value in step.found.items():
                _value(name, value)
    if whole and explained.transformed:
        _value("transformed", explained.transformed.decode())
    if explained.fits and asked:
        return _trusted(sealed, signing)
    if explained.fits:
        _line("trust", "не проверялось · not asked", mark="--")
    return explained.fits


def _trusted(sealed: Sealed, signing: Signing) -> bool:
    assert sealed.target is not None
    signed = xmldsig.verify(sealed.signature, sealed.target, signing.backend)
    now = datetime.now(UTC)  # noqa: TID251 - a command reads the clock for those behind it
    try:
        signing.trust.check(signed.certificate, now)
    except TrustError as error:
        _line("trust", _why(error))
        return False
    _line("trust", f"{signed.info.subject}", mark="ok")
    return True


def _why(error: TrustError | None) -> str:
    if error is None:
        return ""
    told = _REASONS.get(error.reason, "не верим")
    return f"{told} · {error.reason}: {error}"


def _line(step: str, text: str, mark: str = "") -> None:
    mark = mark or ("НЕТ" if text else "ok")
    screen.say(f"  {mark:<4}{_STEPS[step]:<{_WIDTH}} {reading.plain(text)}".rstrip())


def _value(name: str, value: str | bytes) -> None:
    if isinstance(value, str):
        screen.say(f"        {name}: {reading.plain(value)}")
    elif name == "signed_info":
        screen.say(f"        {name}: {reading.plain(value.decode())}")
    else:
        screen.say(f"        {name}: {b64encode(value).decode()} = {value.hex()}")
