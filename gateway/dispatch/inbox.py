"""What one thread leaves for another, in bulk."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue whose reader is woken when there is enough in it; how much, the reader says.

    Waking a thread for everything that comes would cost more than most of it is worth: the reader
    has one transaction for all of it in any case.
    """

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._bell = threading.Event()
        self.enough = 1

    def put(self, item: T) -> None:
        """Leave something for the reader."""
        self._items.append(item)
        if len(self._items) >= self.enough:
            self.ring()

    def put_all(self, items: Iterable[T]) -> None:
        """Leave several things, and wake the reader."""
        self._items.extend(items)
        self.ring()

    def ring(self) -> None:
        """End a `wait`, or the next one."""
        if not self._bell.is_set():
            self._bell.set()

    def wait(self, seconds: float) -> None:
        """Sleep until the bell rings, at most so long."""
        self._bell.wait(seconds)
        self._bell.clear()

    def take(self) -> list[T]:
        """Return everything that is here."""
        found: list[T] = []
        while self._items:
            found.append(self._items.popleft())
        return found
