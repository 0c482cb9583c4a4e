"""«Инцидент»: codec of messages, the feed, answers under them, answers to pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.incident.client import Monitor, State
from adapters.incident.codes import tables
from adapters.incident.decode import decode
from adapters.incident.encode import Writing, encode
from adapters.incident.reply import reply
from adapters.incident.restore import restore
from gateway import secretfile
from gateway.adapter import (
    Batch,
    Decoded,
    EncodeContext,
    Health,
    Inbound,
    Receipt,
    RemoteState,
    Reply,
    Taken,
    Verdict,
    Window,
    Wire,
)
from gateway.errors import ConfigurationError
from gateway.model.base import moment
from gateway.model.fold import number_key
from gateway.options_read import flag, number, words
from gateway.pages import JSON, ROWS, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

PAGE: Final = 50
_KINDS: Final = {"answer": "answered", "first_reaction": "reacted", "interim": "reacted",
                 "closed": "closed"}  # fmt: skip
_BEGUN: Final = frozenset({"registered", "reacted"})


class Incident:
    """One monitoring system. Thread-safe, as its `Outbound` is.

    base: absolute address of its interface. outbound None makes a codec only: pushes and files.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        self.writing = Writing(
            tables(str(options.get("tables", ""))),
            words(options, "tags"),
            flag(options, "citizen_before"),
            flag(options, "in_order"),
        )
        self._page = int(number(options, "page", PAGE, most=ROWS))
        self._monitor: Monitor | None = None
        if outbound is not None:
            key = secretfile.read(options, "key_file") if options.get("key_file") else b""
            self._monitor = Monitor(outbound, base, key.decode("ascii", "replace"))

    def decode(self, wire: Wire) -> Decoded:
        """Return the messages of a push, or the one of a page."""
        return decode(wire, self.writing.tables)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return what is put under the message; raise UnsupportedError, ValidationError."""
        return encode(appeal, event, ctx, self.writing)

    def restore(self, item: Inbound) -> Wire:
        """Return an item as the message that it came in."""
        return restore(item)

    def reply(self, verdict: Verdict) -> Reply:
        """Return what to say to a push: one result a message."""
        return reply(verdict)

    def receive(self, cursor: str) -> Batch:
        """Return the messages after the cursor, each by itself; raise DeliveryError."""
        page = self._reach().feed(cursor, self._page)
        return Batch(
            messages=tuple(
                Taken(wire=Wire(media_type=JSON, body=bytes(raw)), token=str(n))
                for n, raw in enumerate(page.items)
            ),
            cursor=page.cursor or cursor,
            more=page.follows(cursor),
        )

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Do nothing: the feed is read by a cursor, and wants no word."""

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Send once; the key is known there, so a repeat gets the first reference."""
        answer, taken = self._reach().put(wire.body, key)
        return Receipt(
            final=True, status=answer.status, reference=taken.reference, body=answer.body[:4096]
        )

    def settle(self, wire: Wire, key: str) -> Receipt | None:  # noqa: ARG002 - the key is enough
        """Say what became of an answer, by its key; None: it is not there."""
        found = self._reach().find(key)
        if found is None:
            return None
        answer, taken = found
        return Receipt(
            final=True, status=answer.status, reference=taken.reference, body=answer.body[:4096]
        )

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """List the messages whose state changed within the window.

        A row that cannot be read comes with an empty `key_folded` and says why: a person sees it.
        """
        start, end = window.start.isoformat(), window.end.isoformat()
        return listed(lambda after: self._reach().states(start, end, after), _remote)

    def expected(self, wire: Wire) -> RemoteState:
        """Return how the feed's list will show the message of what was sent, or of its state."""
        sent: dict[str, Any] = msgspec.json.decode(wire.body)
        word = _KINDS.get(sent["kind"]) or str(sent.get("state", ""))
        return RemoteState(
            key=sent["id"], key_folded=number_key(sent["id"]), states={"1": _stage(word)}
        )

    def lists(self, organisation: str) -> bool:  # noqa: ARG002 - its list is of all bodies
        """Whether `reconcile` reads the messages of this body."""
        return True

    def probe(self) -> Health:
        """Ask for one message of the feed: that changes nothing, and shows whether the key fits."""

        def ask() -> str:
            self._reach().feed("", 1)
            return ""

        return Health.of(ask, "Проверьте адрес ленты, ключ (key_file) и список разрешённых адресов")

    def _reach(self) -> Monitor:
        if self._monitor is None:
            raise ConfigurationError(
                "this peer has no address", where="address", todo="name the feed's address"
            )
        return self._monitor


def _stage(word: str) -> str:
    """Return the stage that both registers have: the feed has several words for work begun."""
    return "in_work" if word in _BEGUN else word


def _remote(raw: bytes) -> RemoteState:
    state = msgspec.json.decode(raw, type=State)
    return RemoteState(
        key=state.id,
        key_folded=number_key(state.id),
        states={"1": _stage(state.state)},
        modified_at=moment(state.modified) if state.modified else None,
        raw=raw,
    )
