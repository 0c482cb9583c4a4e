"""Lets a peer fail in every way and says what a channel must make of it.

A failure is told apart by what the peer did with the message, which is all that matters: a "no", a
"later", a silence before or after it was stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from gateway.errors import DeliveryError, PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.adapter import Receipt, Wire
    from gateway.lent import Lent
    from gateway.registry import Adapter

TIMEOUT: Final = 0.5
"""Seconds that a channel of the suite waits; the peers of the suite hang longer."""
HANG: Final = 1.2


class Way(NamedTuple):
    """One way of failing. raises: what `deliver` may raise; stored: whether the peer has it."""

    raises: tuple[type[DeliveryError], ...]
    stored: bool


DOUBT: Final = (PeerDoubtful,)
WAYS: Final[dict[str, Way]] = {
    "refuse": Way((PeerRefused,), stored=False),
    "error": Way((PeerDoubtful,), stored=False),
    "busy": Way((PeerUnavailable,), stored=False),
    "hang_before": Way(DOUBT, stored=False),
    "hang_after": Way(DOUBT, stored=True),
    "drip": Way(DOUBT, stored=True),
    "garbage": Way(DOUBT, stored=True),
    "reset": Way(DOUBT, stored=False),
    "reset_after": Way(DOUBT, stored=True),
}
"""By the kind of `simulators.faults`. A 500 is a doubt: nobody knows what was done before it."""


def channel(
    adapter: Adapter,
    options: Mapping[str, Any],
    timeout: float = TIMEOUT,
    lent: Lent | None = None,
) -> tuple[Any, Outbound]:
    """Return an adapter's channel to a peer on this machine, and its client, to be closed.

    options: what the peer's row says. lent: for adapters whose manifest asks for it.
    """
    given = {**adapter.manifest.options, **options}
    url = str(given.get("url", ""))
    outbound = Outbound(
        allowed_hosts=[urlsplit(url).netloc] if url else [],
        allow_private=("127.0.0.1",),
        timeout=timeout,
    )
    more = {"lent": lent} if lent is not None else {}
    return adapter.make(given, base=url, outbound=outbound, **more), outbound


def deliver(made: Any, wire: Wire, key: str) -> Receipt | DeliveryError:
    """Send once; return the receipt, or what a failure was taken for."""
    try:
        receipt: Receipt = made.deliver(wire, key)
    except DeliveryError as error:
        return error
    return receipt


def settle(made: Any, wire: Wire, key: str) -> Receipt | DeliveryError | None:
    """Ask what became of a delivery."""
    try:
        told: Receipt | None = made.settle(wire, key)
    except DeliveryError as error:
        return error
    return told
