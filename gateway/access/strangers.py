"""How many callers without a credential may be listened to, of one address.

Whoever proves itself in the message is a stranger until the message was read. Reading costs us, so
an address has so many of them a minute that come to nothing; who was proven does not count. Past
that its strangers are asked for a credential before anything of theirs is read, as everybody is
who calls where no peer proves itself in a message. Used from any thread.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.access.proxies import parse

if TYPE_CHECKING:
    from collections.abc import Callable

PER_ADDRESS: Final = 300
"""Above the connections of one address, each of which may have a stranger waiting."""
ADDRESSES: Final = 20_000
"""Counted at once; a flood from more of them is counted as one."""
SECONDS: Final = 60.0
_OTHERS: Final = "others"


class Strangers:
    """Counts those who came to nothing. clock: seconds, never back."""

    def __init__(self, clock: Callable[[], float], per_address: int = PER_ADDRESS) -> None:
        self._clock = clock
        self._per_address = per_address
        self._lock = threading.Lock()
        self._since = float("-inf")
        self._unproven: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count one in, or say that the address has had enough of them."""
        network = _network(address)
        with self._lock:
            now = self._clock()
            if now - self._since >= SECONDS:
                self._since = now
                self._unproven.clear()
            if network not in self._unproven and len(self._unproven) >= ADDRESSES:
                network = _OTHERS
            if self._unproven[network] >= self._per_address:
                return False
            self._unproven[network] += 1
            return True

    def proven(self, address: str) -> None:
        """Count one out: it has said who it is."""
        network = _network(address)
        with self._lock:
            if self._unproven.get(network, 0) > 0:
                self._unproven[network] -= 1


def _network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network that a customer is given."""
    found = parse(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address
