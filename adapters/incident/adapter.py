"""«Инцидент»: codec of messages, the feed, answers under them, answers to pushes."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.incident.client import Monitor, State
from adapters.incident.codes import JSON, tables
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
from gateway.errors import (
    ConfigurationError,
    DeliveryError,
    GatewayError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
)
from gateway.model.base import moment
from gateway.model.fold import number_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

PAGE: Final = 50
_MOST: Final = 1_000
_KINDS: Final = {"answer": "answered", "first_reaction": "reacted", "interim": "reacted",
                 "closed": "closed"}  # fmt: skip
_BEGUN: Final = frozenset({"registered", "reacted"})
_PAGES: Final = 100_000
"""Pages of states that one reconciliation reads."""


class Incident:
    """One monitoring system. Thread-safe, as its `Outbound` is.

    base: absolute address of its interface. outbound None makes a codec only: pushes and files.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        self.writing = Writing(
            tables(str(options.get("tables", ""))),
            _words(options, "tags"),
            _flag(options, "citizen_before"),
            _flag(options, "in_order"),
        )
        self._page = _count(options, "page", PAGE)
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
                Taken(wire=Wire(media_type=JSON, body=bytes(raw)), token=str(number))
                for number, raw in enumerate(page.items)
            ),
            cursor=page.cursor or cursor,
            more=page.more and bool(page.items) and page.cursor != cursor,
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
        try:
            found = self._reach().find(key)
        except PeerRefused:
            raise
        except DeliveryError as error:
            raise PeerDoubtful(
                f"the feed cannot be asked: {error.message}", found=error.found, todo=error.todo
            ) from error
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
        after = ""
        for _ in range(_PAGES):
            page = self._reach().states(window.start.isoformat(), window.end.isoformat(), after)
            for raw in page.states:
                yield _remote(bytes(raw))
            if not page.more or page.cursor in ("", after):
                return
            after = page.cursor
        raise PeerUnavailable("the states do not end", found=str(_PAGES))

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
        started = monotonic()
        try:
            self._reach().feed("", 1)
        except GatewayError as error:
            return Health(
                ok=False,
                seconds=monotonic() - started,
                detail=str(error),
                todo="Проверьте адрес ленты, ключ (key_file) и список разрешённых адресов",
            )
        return Health(ok=True, seconds=monotonic() - started)

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
    try:
        state = msgspec.json.decode(raw, type=State)
        return RemoteState(
            key=state.id,
            key_folded=number_key(state.id),
            states={"1": _stage(state.state)},
            modified_at=moment(state.modified) if state.modified else None,
            raw=raw,
        )
    except (msgspec.MsgspecError, ValueError, GatewayError, RecursionError) as error:
        return RemoteState(key="", key_folded="", exception_message=str(error)[:500], raw=raw)


def _words(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = options.get(name, ())
    if not isinstance(found, list | tuple) or not all(isinstance(word, str) for word in found):
        raise ConfigurationError("a list of words", found=str(found), where=f"options.{name}")
    return tuple(found)


def _flag(options: Mapping[str, Any], name: str) -> bool:
    found = options.get(name, False)
    if not isinstance(found, bool):
        raise ConfigurationError("true or false", found=str(found), where=f"options.{name}")
    return found


def _count(options: Mapping[str, Any], name: str, default: int) -> int:
    found = options.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1 <= found <= _MOST:
        raise ConfigurationError(
            f"a number from 1 to {_MOST}", found=str(found), where=f"options.{name}"
        )
    return int(found)
