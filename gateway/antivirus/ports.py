"""What an antivirus is to the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(NamedTuple):
    """What an antivirus says of a file. infected: the name of what it found, empty when clean."""

    infected: str = ""


class Scanner(Protocol):
    """An antivirus that listens somewhere. Thread-safe: every question has its own connection."""

    def scan(self, pieces: Iterable[bytes], size: int) -> Verdict:
        """Return the verdict on a file of that many bytes.

        Raise BusyError when the antivirus cannot be asked now, ConfigurationError when it does not
        take such a file or answers in a way that is none of its protocol.
        """
        ...
