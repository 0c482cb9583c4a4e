"""How many callers without a credential may be listened to, of one address.

Whoever proves itself in the message is a stranger until the message was read. Reading costs us, so
an address has so many of them a minute that come to nothing; who was proven does not count. Past
that its strangers are asked for a credential before anything of theirs is read, as everybody is
who calls where no peer proves itself in a message. Used from any thread.

Of IPv6 a customer has a /64 at least and a site a /48, which holds 65,536 of those: both are
counted. A flood from more networks than are counted shares buckets by chance and by kind, so that
one of IPv6 keeps out nobody of IPv4, and few of its own.
"""

from __future__ import annotations

import ipaddress
import secrets
import threading
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.access.proxies import parse

if TYPE_CHECKING:
    from collections.abc import Callable

PER_ADDRESS: Final = 300
"""Above the connections of one address, each of which may have a stranger waiting."""
PER_SITE: Final = 10
"""So many times as much for a /48 of IPv6, where many customers may be one site."""
ADDRESSES: Final = 20_000
"""Counted at once, of each kind; those of a flood from more of them share buckets."""
BUCKETS: Final = 1_000
SECONDS: Final = 60.0


class _Key(NamedTuple):
    """What is counted: a kind (an address, a network of so many bits) and which of it."""

    kind: str
    name: str
    times: int = 1


class Strangers:
    """Counts those who came to nothing. clock: seconds, never back."""

    def __init__(self, clock: Callable[[], float], per_address: int = PER_ADDRESS) -> None:
        self._clock = clock
        self._per_address = per_address
        self._lock = threading.Lock()
        self._since = float("-inf")
        self._salt = secrets.token_hex(8)
        self._unproven: dict[str, Counter[str]] = {}

    def admit(self, address: str) -> bool:
        """Count one in, or say that the address has had enough of them."""
        keys = _keys(address)
        with self._lock:
            now = self._clock()
            if now - self._since >= SECONDS:
                self._since = now
                self._unproven.clear()
            slots = [self._slot(key) for key in keys]
            if any(
                counted[name] >= key.times * self._per_address
                for (counted, name), key in zip(slots, keys, strict=True)
            ):
                return False
            for counted, name in slots:
                counted[name] += 1
            return True

    def proven(self, address: str) -> None:
        """Count one out: it has said who it is."""
        with self._lock:
            for counted, name in map(self._slot, _keys(address)):
                if counted.get(name, 0) > 0:
                    counted[name] -= 1

    def _slot(self, key: _Key) -> tuple[Counter[str], str]:
        """Return where a key is counted: by itself, or among others when there are too many."""
        counted = self._unproven.setdefault(key.kind, Counter())
        if key.name in counted or len(counted) < ADDRESSES:
            return counted, key.name
        others = self._unproven.setdefault(f"{key.kind}, others", Counter())
        return others, str(hash((self._salt, key.name)) % BUCKETS)


def _keys(address: str) -> list[_Key]:
    """Return what an address counts as, with how many times as much each may have."""
    kinds = ("48", "64") if len(names := networks(address)) > 1 else (_kind(address),)
    return [
        _Key(kind, name, PER_SITE if kind == "48" else 1)
        for kind, name in zip(kinds, names, strict=True)
    ]


@lru_cache(1024)
def networks(address: str) -> tuple[str, ...]:
    """Return what an address counts as: of IPv6 its site and the network of its customer.

    The narrowest stands last; of anything else it is the address itself.
    """
    found = parse(address)
    if not isinstance(found, ipaddress.IPv6Address):
        return (address,)
    return tuple(str(ipaddress.ip_network((found, bits), strict=False)) for bits in (48, 64))


def _kind(address: str) -> str:
    return "4" if parse(address) is not None else "none"
