"""What `gateway doctor` says of signing: what signs, which keys and lists end soon."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from gateway.errors import ConfigurationError, GatewayError
from gateway.gost import open_signing
from gateway.gost.keyring import Keyring
from gateway.gost.trust import Believed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.settings import Settings
    from gateway.signing import Signing

Told = tuple[Literal["ok", "warn", "fail"], str, str]
"""Level, what, what to do: the shape of `gateway.jobs.Told`."""
SOON: Final = timedelta(days=30)
"""A qualified certificate takes a visit to its authority, and СМЭВ and ЕСИА their own time."""
LIST_SOON: Final = timedelta(hours=12)
_PROBE: Final = b"gateway doctor"
_GUIDE: Final = "docs/howto/signing.md"


def check(settings: Settings, _url: str, now: datetime) -> Iterator[Told]:
    """Yield findings; nothing where nothing signs and nobody is trusted."""
    if not (settings.signing_keys or settings.trusted_authorities or settings.seal_with):
        return
    try:
        signing = open_signing(settings)
    except ConfigurationError as error:
        found = "; ".join(part for part in (error.where, error.found) if part)
        yield "fail", f"{error.message}: {found}", error.todo or _GUIDE
        return
    certified = "" if signing.backend.name == "external" else ", не СКЗИ · not certified"
    yield "ok", f"подписывает · signs: {signing.backend.name}{certified}", ""
    yield from _keys(signing, now)
    yield from _authorities(signing, settings, now)
    if settings.seal_with and settings.seal_with not in signing.keys.names():
        yield "fail", f"seal_with: нет ключа · no key: {settings.seal_with}", "signing_keys"


def _keys(signing: Signing, now: datetime) -> Iterator[Told]:
    for name in signing.keys.names():
        try:
            key = signing.keys.current(name, now)
            signature = signing.backend.sign(key, _PROBE)
            fits = signing.backend.verify(key.certificate.der, _PROBE, signature)
        except GatewayError as error:
            found = f": {error.found}" if error.found else ""
            yield "fail", f"{name}: {error.message}{found}", error.todo or _GUIDE
            continue
        until = key.certificate.not_after
        what = f"{name}: {key.certificate.kind}, до · until {until:%Y-%m-%d}"
        if not fits:
            yield "fail", f"{what}: подпись не подходит · its signature does not fit", _GUIDE
        elif until - now < SOON:
            yield "warn", what, f"дней · days: {(until - now).days}; закажите новый · order another"
        elif not key.certificate.may_sign:
            yield "warn", f"{what}: KeyUsage", "сертификат не для подписи · not for signing"
        else:
            yield "ok", what, ""
    if isinstance(signing.keys, Keyring):
        for key in signing.keys.all():
            if key.certificate.not_before > now:
                since = f"{key.certificate.not_before:%Y-%m-%d}"
                yield "ok", f"{key.name}: следующий с · the next one from {since}", ""


def _authorities(signing: Signing, settings: Settings, now: datetime) -> Iterator[Told]:
    if not isinstance(signing.trust, Believed):
        return
    if not settings.trusted_authorities:
        yield (
            "warn",
            "никакому УЦ не доверяют · no authority is believed",
            f"trusted_authorities ({_GUIDE})",
        )
    for each in signing.trust.authorities():
        if not each.holds(now + SOON):
            until = f"{each.not_after:%Y-%m-%d}"
            yield "warn", f"УЦ до · authority until {until}: {each.subject}", "trusted_authorities"
    for revoked in signing.trust.revocations():
        if revoked.until is None or revoked.until < now + LIST_SOON:
            name = revoked.issuer.rfc4514_string()
            level: Literal["warn", "fail"] = "warn"
            if settings.revocation_required and (revoked.until is None or revoked.until < now):
                level = "fail"
            what = f"список отозванных до · revocation list until {revoked.until}: {name}"
            yield level, what, "revocation_lists: возьмите новый · fetch a new one"
    if not settings.revocation_required:
        yield (
            "warn",
            "отозванные не проверяются · certificates are believed without a list",
            "revocation_required = true",
        )
