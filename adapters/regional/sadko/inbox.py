"""The inbox as a source: what is new in its list, and where to go on next time.

The list names Guid, Created and Type; whether it forgets what was read is not known. The cursor
holds the latest `Created` that was taken and the Guids taken within `overlap` before it, because
an item may be written after a later one: what the list shows twice is fetched once. An item that
the site refused to give is asked for again after all others, `TRIES` times in all; so is one that
it fails to give while it gives others.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway import limits
from gateway.errors import PeerUnavailable
from gateway.model.base import LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.errors import DeliveryError

KINDS: Final = ("InboxResol", "InboxLetter")
TRIES: Final = 5
_STEPS: Final = (".", "..")
"""What is no name within an address, however it is spelled (RFC 3986 §5.2.4)."""
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
LAST: Final = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
"""Until when a stamp is believed where the site tells no time of its own."""


class Entry(NamedTuple):
    """One line of the list. kind: empty when the line cannot be read. line: as it stands."""

    created: datetime
    guid: str
    kind: str
    line: bytes


class Fetched:
    """What came of asking for items: given with their bytes, refused, failed and by what error."""

    def __init__(self) -> None:
        self.taken: list[tuple[Entry, bytes]] = []
        self.refused: list[Entry] = []
        self.failed: list[Entry] = []
        self.error: DeliveryError | None = None


class Cursor(msgspec.Struct, frozen=True):
    """Where the inbox was left.

    at: latest Created taken. seen: Guid → its Created, near `at`. owed: Guid → how often the site
    has refused to give it, or has failed to while it gave others.
    """

    at: str = ""
    seen: dict[str, str] = {}
    owed: dict[str, int] = {}

    @classmethod
    def of(cls, text: str) -> Cursor:
        """Read a kept cursor; one that cannot be read begins anew, repeats get first receipts."""
        try:
            found = msgspec.json.decode(text or "{}", type=cls)
            for stamp in filter(None, (found.at, *found.seen.values())):
                datetime.fromisoformat(stamp)
        except (msgspec.MsgspecError, ValueError):
            return cls()
        return found

    def text(self) -> str:
        """Return the cursor as it is kept."""
        return msgspec.json.encode(self, order="deterministic").decode()

    def last_try(self, entry: Entry) -> bool:
        """Whether an item that is refused once more is given up."""
        return self.owed.get(entry.guid, 0) + 1 >= TRIES

    def moved(
        self,
        taken: list[Entry],
        overlap: timedelta,
        refused: Sequence[Entry] = (),
        failed: Sequence[Entry] = (),
        *,
        latest: datetime = LAST,
    ) -> Cursor:
        """Return the cursor once these are taken, those refused, and those failed.

        latest: a stamp after it is no time of a list that was read now; it moves nothing, or one
        line of the year 9999 would be the last that is ever taken. What failed counts as a try
        where others were given.
        """
        ended = {entry.guid for entry in taken}
        owed = {guid: tries for guid, tries in self.owed.items() if guid not in ended}
        owed |= {entry.guid: self.owed.get(entry.guid, 0) + 1 for entry in refused}
        owed |= {entry.guid: self.owed.get(entry.guid, 0) + bool(taken) for entry in failed}
        stamps = [entry.created.isoformat() for entry in taken if entry.kind]
        at = max([self.at, *(stamp for stamp in stamps if stamp <= latest.isoformat())])
        seen = self.seen | {entry.guid: _stamp(entry) for entry in taken}
        if not at:
            return Cursor(at, seen, owed)
        edge = _before(at, overlap).isoformat()
        near = {g: stamp for g, stamp in seen.items() if not stamp or stamp >= edge}
        return Cursor(at, near, owed)

    def within(self, entries: Sequence[Entry]) -> Cursor:
        """Return the cursor without what the list shows no more and no stamp would ever end."""
        listed = {entry.guid for entry in entries}
        return Cursor(
            self.at,
            {g: stamp for g, stamp in self.seen.items() if g in listed or "" < stamp <= self.at},
            {g: tries for g, tries in self.owed.items() if g in listed},
        )

    def fresh(self, entries: list[Entry], overlap: timedelta) -> list[Entry]:
        """Return what is not taken yet, oldest first, and last what was not given before.

        A line that cannot be read counts as new.
        """
        edge = _before(self.at, overlap) if self.at else _FIRST
        new = [
            entry
            for entry in entries
            if entry.guid not in self.seen
            and (not entry.kind or entry.created >= edge or entry.guid in self.owed)
        ]
        return sorted(new, key=lambda e: (e.guid in self.owed, e.created, e.guid))


def entries(listed: Any) -> list[Entry]:
    """Return the lines of the list; raise PeerUnavailable for what is no list."""
    if not isinstance(listed, list):
        raise PeerUnavailable("the inbox is no list", found=type(listed).__name__)
    if len(listed) > limits.LIST_ROWS:
        raise PeerUnavailable(
            "the inbox is too long", found=str(len(listed)), expected=str(limits.LIST_ROWS)
        )
    return list({entry.guid: entry for entry in _entries(listed)}.values())


def _entries(listed: list[Any]) -> Iterator[Entry]:
    for value in listed:
        line = msgspec.json.encode(value)
        try:
            guid, created, kind = value["Guid"], _instant(value["Created"]), value["Type"]
            if kind not in KINDS or not isinstance(guid, str) or not 0 < len(guid) <= 100:
                raise ValueError(kind)
            if guid in _STEPS:
                raise ValueError(guid)
        except (TypeError, KeyError, ValueError, OverflowError):
            yield Entry(_FIRST, f"line:{sha256(line).hexdigest()}", "", line)
        else:
            yield Entry(created, guid, kind, line)


def _instant(text: Any) -> datetime:
    """Read a stamp as if it were UTC: stamps are only held against each other."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _before(stamp: str, overlap: timedelta) -> datetime:
    moment = _instant(stamp)
    return moment - overlap if moment - _FIRST > overlap else _FIRST


def _stamp(entry: Entry) -> str:
    return entry.created.isoformat() if entry.kind else ""
