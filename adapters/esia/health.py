"""What `gateway doctor` says of the login: our certificate, the provider's keys, who answers."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from adapters.esia.adapter import Esia
from adapters.esia.portal import Portal
from gateway import registry
from gateway.errors import GatewayError
from gateway.gost import open_signing
from gateway.lent import Lent
from gateway.store.memory import StoredMemory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.jobs import Told
    from gateway.settings import Settings

SOON: Final = timedelta(days=30)
"""A certificate is ordered, made and linked at the portal in weeks."""
_PAGE: Final = "docs/howto/esia.md"


def check(settings: Settings, url: str, now: datetime) -> Iterator[Told]:  # noqa: ARG001 - no database
    """Yield findings: level, what, what to do. Nothing where nobody logs in by this adapter."""
    if "esia" not in settings.login_providers:
        return
    adapter = registry.load(("esia",))["esia"]
    lent = Lent(
        StoredMemory(None, "esia", lambda: now), lambda: open_signing(settings), lambda: now
    )
    try:
        given = registry.options(adapter, settings.adapter_options)
        with closing(Esia(given, lent=lent)) as made:
            provider = made.provider
            if isinstance(provider, Portal):
                yield _ours(provider, now)
                yield _theirs(provider, now)
            else:
                found = provider.keys(now)
                yield "ok", f"вход: поставщик отвечает · the provider answers: {found} keys", ""
    except GatewayError as error:
        yield "fail", f"вход невозможен · nobody can log in: {error.message}", error.todo or _PAGE


def _ours(provider: Portal, now: datetime) -> Told:
    """Say how long our certificate holds."""
    until = provider.key(now).certificate.not_after
    told = f"вход: наш сертификат действует до · our certificate holds until {until:%Y-%m-%d}"
    if until - now > SOON:
        return "ok", told, ""
    return "warn", told, "закажите новый сертификат и привяжите его на технологическом портале"


def _theirs(provider: Portal, now: datetime) -> Told:
    """Say how many keys of ЕСИА are in force, and until when the last of them is."""
    held = [key for key in provider.published() if key.holds(now)]
    ends = max((key.until for key in held if key.until), default=None)
    told = f"вход: действующих ключей ЕСИА · keys of ЕСИА in force: {len(held)}"
    if ends:
        told += f", последний до · the last until {ends:%Y-%m-%d}"
    if held and (ends is None or ends - now > SOON):
        return "ok", told, ""
    return "warn", told, "скачайте esia.zip заново и положите рядом (docs/howto/esia.md)"
