"""Seals the days by the key that settings name, and says what is wrong with a seal's signature."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from gateway.errors import ConfigurationError, TrustError
from gateway.gost import open_signing
from gateway.store import seals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from psycopg import Connection

    from gateway.settings import Settings
    from gateway.signing import Signing
    from gateway.store.seals import Seal

APART: Final = timedelta(minutes=5)
"""What the time that is told of a signature, and the one inside it, may differ by."""
log = structlog.get_logger(__name__)


def signer(settings: Settings, now: datetime) -> Callable[[bytes], bytes]:
    """Return what signs seals and case files; raise ConfigurationError where no key is named."""
    if not settings.seal_with:
        raise ConfigurationError(
            "ключ печатей не назван, поэтому печатей нет · no key of seals is named, so there are"
            " none",
            where="seal_with",
            todo="name one of signing_keys (docs/howto/evidence.md)",
        )
    signing = open_signing(settings)
    key = signing.keys.current(settings.seal_with, now)
    return lambda data: signing.backend.cms_sign(key, data, now)


def seal_days(
    connection: Connection[Any], settings: Settings, zone: ZoneInfo, now: datetime
) -> Iterator[Seal]:
    """Make the seals of all days that are over and not sealed; yield each as it is made."""
    sign = signer(settings, now)
    while (made := seals.make(connection, sign, zone, now)) is not None:
        log.info("seals.made", day=str(made.day), messages=made.messages, events=made.events)
        yield made


def believer(signing: Signing | None, *, trusted: bool) -> Callable[[Seal], str]:
    """Return what says what is wrong with the signature of a seal; empty for nothing.

    trusted: its certificate must be of an authority of ours, and hold when the seal was made.
    """

    def believe(seal: Seal) -> str:
        if signing is None:
            return "its signature cannot be checked: there is no backend"
        return signature_fault(signing, seal.cms, seal.body, seal.sealed_at, trusted=trusted)

    return believe


def signature_fault(
    signing: Signing, cms: bytes, data: bytes, at: datetime, *, trusted: bool
) -> str:
    """Say what is wrong with a detached signature over data, made at an instant."""
    try:
        signed = signing.backend.cms_verify(cms, data)
        if trusted:
            signing.trust.check(signed.certificate.der, at)
    except TrustError as error:
        return f"its signature is not believed: {error}"
    if signed.signed_at is not None and abs(signed.signed_at - at) > APART:
        return f"it was signed at {signed.signed_at}, and is said to be of {at}"
    return ""


def opened(settings: Settings) -> Signing | None:
    """Return what checks signatures; None where no backend is installed."""
    try:
        return open_signing(settings)
    except ConfigurationError:
        return None


def check(settings: Settings, url: str, now: datetime) -> Iterator[tuple[Any, str, str]]:
    """Yield what `gateway doctor` should say of seals."""
    del url
    if not settings.seal_with:
        yield (
            "warn" if settings.signing_keys else "ok",
            "дневные печати не ставятся: seal_with пуст · no daily seals are made",
            "docs/howto/evidence.md",
        )
        return
    try:
        signer(settings, now)
    except ConfigurationError as error:
        yield "fail", f"дневные печати · daily seals: {error}", "docs/howto/evidence.md"
