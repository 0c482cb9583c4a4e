"""What an adapter is lent by the house when its manifest asks for it (`lent = true`).

A channel keeps nothing of its own in a process that may be killed: what it has to know again
(ids of messages made before they were sent, opaque return addresses) goes into its memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from gateway.signing import Signing


class Memory(Protocol):
    """A durable table of one peer: kind and key → a JSON object. Each call is a transaction.

    Raises BusyError when the store is away.
    """

    def get(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """Return what is remembered, None for nothing."""
        ...

    def add(self, kind: str, key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Remember unless something is remembered already; return that, None when it was new."""
        ...

    def put(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Remember instead of whatever was remembered."""
        ...

    def since(self, kind: str, start: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what was remembered or changed from an instant on, oldest first."""
        ...

    def forget(self, kind: str, before: datetime) -> int:
        """Forget what was last changed before an instant; return how many."""
        ...


class Lent(NamedTuple):
    """What an adapter is given beside its options, as the argument `lent` of its constructor.

    signing: opens the backend, keys and trust when first called, and raises ConfigurationError
    where they cannot be had. now: the clock of the process.
    """

    memory: Memory
    signing: Callable[[], Signing]
    now: Callable[[], datetime]
