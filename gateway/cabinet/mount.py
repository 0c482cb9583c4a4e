"""Puts the cabinet together from settings: roles, providers, sessions, the record of readings."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import gost, registry, roles
from gateway.access.logins import Logins
from gateway.access.passwords import Passwords
from gateway.access.people import People, Rules
from gateway.access.seals import Seals
from gateway.cabinet.appeals import Appeals
from gateway.cabinet.face import Cabinet
from gateway.cabinet.mine import Mine
from gateway.errors import ConfigurationError
from gateway.lent import Lent
from gateway.store.memory import StoredMemory
from gateway.store.pool import Pool
from gateway.syslog import SecurityEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.access.policy import Refused
    from gateway.identity import IdentityProvider
    from gateway.settings import Settings
    from gateway.syslog import Syslog
    from gateway.wires.edge import Edge

KIND = "identity"
_POOL = 8


class Mounted:
    """The cabinet of one process, with what it must start and stop."""

    def __init__(
        self,
        settings: Settings,
        url: str,
        edge: Edge,
        *,
        now: Callable[[], datetime],
        syslog: Syslog,
        refused: Callable[[Refused], None],
        providers: Mapping[str, IdentityProvider] | None = None,
    ) -> None:
        self._pool = Pool(url, size=_POOL)
        people = People(self._pool, rules_of(settings), now, tell=syslog.tell, refused=refused)
        if providers is None:
            providers = providers_of(settings, self._pool, now)
        seals = Seals(settings.seal_key, settings.seal_key_old)
        logins = Logins(people, Passwords(), seals, providers)
        mine = Mine(Appeals(edge, people), settings)
        self.face = Cabinet(edge, settings, people, logins, mine)

    def start(self) -> None:
        """Open the store."""
        self._pool.open()

    def stop(self) -> None:
        """Let threads and the store go."""
        self.face.close()
        self._pool.close()


def rules_of(settings: Settings) -> Rules:
    """Return what settings say of people; raise ConfigurationError."""
    held = roles.read_roles(Path(settings.roles_file) if settings.roles_file else None)
    return Rules(
        roles=held,
        idle=timedelta(minutes=settings.session_minutes),
        longest=timedelta(hours=settings.session_hours),
        totp_roles=frozenset(settings.totp_roles),
        keep=timedelta(days=settings.keep_readings_days),
    )


def providers_of(
    settings: Settings, pool: Pool, now: Callable[[], datetime]
) -> dict[str, IdentityProvider]:
    """Return what people log in by, in the order of the settings; raise ConfigurationError."""
    signing = cache(lambda: gost.open_signing(settings))
    found: dict[str, IdentityProvider] = {}
    for name, adapter in registry.load(settings.login_providers).items():
        if KIND not in adapter.manifest.kinds:
            raise ConfigurationError(
                "людей этот адаптер не узнаёт · this adapter knows no people",
                found=name,
                expected=f'kinds = ["{KIND}"]',
                where="login_providers",
            )
        lent = Lent(StoredMemory(pool, name, now), signing, now)
        given = registry.options(adapter, settings.adapter_options)
        found[name] = adapter.make(given, lent=lent)
    return found


def of_refusal(refused: Refused, at: datetime) -> SecurityEvent | None:
    """Return the security event of a machine's refusal; what people caused was told already."""
    if refused.told:
        return None
    proof = any(word in refused.reason for word in ("certificate", "WS-Security", "signature"))
    return SecurityEvent(
        kind="trust_refused" if proof else "call_refused", at=at, who=refused.peer,
        address=refused.address, reason=refused.reason, path=refused.path,
        correlation=refused.correlation,
    )  # fmt: skip
