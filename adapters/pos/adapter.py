"""ПОС: codec of items, events and e-mails, the channel of updates, the feed, answers to pushes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.pos import codes, mail
from adapters.pos.client import Platform, State
from adapters.pos.decode import decode
from adapters.pos.encode import ANSWER_CHARS, FILE_BYTES, encode
from adapters.pos.reply import reply, result_of
from adapters.pos.restore import restore
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
from gateway.errors import ConfigurationError, PeerRefused
from gateway.model.base import moment
from gateway.model.fold import number_key
from gateway.options_read import choice, number, zone
from gateway.pages import ROWS, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from adapters.pos import client
    from adapters.pos.codes import Tables
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound, Response

PAGE: Final = 50
_REGIMES: Final = ("message", "fz59")
_SAME: Final = {"rework": "execution", "refused": "closed"}
"""What the platform tells apart and we do not: where an item waits after a return or a refusal."""


class _Names(msgspec.Struct):
    """What names an item or an event; a page's item may lack any of it."""

    id: str = ""
    version: int = 0
    event_id: str = msgspec.field(name="eventId", default="")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The peer's `[options]` (README); raises ConfigurationError naming the one that is wrong."""

    tables: Tables
    zone: ZoneInfo
    mail_regime: str = "message"
    page: int = PAGE

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Options:
        """Read the table."""
        for name, default in (("answer_chars", ANSWER_CHARS), ("file_bytes", FILE_BYTES)):
            number(table, name, default)
        return cls(
            tables=codes.tables(str(table.get("tables", ""))),
            zone=zone(table),
            mail_regime=choice(table, "mail_regime", _REGIMES),
            page=int(number(table, "page", PAGE)),
        )


class Pos:
    """One platform. Thread-safe, as its `Outbound` is.

    base: absolute address of its interface. outbound None makes a codec only: files, pushes and
    e-mails without a network.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        self.options = Options.of(options)
        self._platform: Platform | None = None
        if outbound is not None:
            key = secretfile.read(options, "key_file") if options.get("key_file") else b""
            self._platform = Platform(outbound, base, key.decode("ascii", "replace"))

    def decode(self, wire: Wire) -> Decoded:
        """Return what an item, an event, lines of them, or an e-mail holds."""
        own = self.options
        return decode(wire, own.tables, own.zone, own.mail_regime)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the update that tells of an event; raise UnsupportedError, ValidationError."""
        return encode(appeal, event, ctx, self.options.tables)

    def restore(self, item: Inbound) -> Wire:
        """Return the document that a decoded item came in."""
        return restore(item, self.options.tables)

    def leaves(self, wire: Wire) -> dict[str, Any] | None:
        """Return what an e-mail says as places and values; None for JSON, which is its own."""
        return mail.leaves(wire.body, self.options.tables) if mail.looks_like_mail(wire) else None

    def reply(self, verdict: Verdict) -> Reply:
        """Return what to say to a push: one result an item, in the platform's form."""
        return reply(verdict)

    def receive(self, cursor: str) -> Batch:
        """Return the items after the cursor, each by itself; raise DeliveryError."""
        page = self._reach().items(cursor, min(self.options.page, ROWS))
        return Batch(
            messages=tuple(
                Taken(
                    wire=Wire(media_type="application/json", body=bytes(raw)),
                    token=f"{n}:{_named(bytes(raw))}",
                )
                for n, raw in enumerate(page.items)
            ),
            cursor=page.cursor or cursor,
            more=page.follows(cursor),
        )

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Tell the platform of each item what was stored and what refused, and why."""
        told = []
        for verdict in verdicts:
            names: dict[str, Any] = msgspec.json.decode(verdict.token.partition(":")[2] or "{}")
            if names:
                told.append({**names, **result_of(verdict)})
        if told:
            self._reach().acknowledge(told)

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Send one update; the platform knows the key, so a repeat gets the first reference."""
        answer, taken = self._reach().update(wire.body, key)
        return _receipt(answer, taken)

    def settle(self, wire: Wire, key: str) -> Receipt | None:  # noqa: ARG002 - the key is enough
        """Say what became of an update, by its key; None: it is not there."""
        found = self._reach().updated(key)
        return _receipt(*found) if found else None

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """List the items whose state changed within the window.

        A row that cannot be read comes with an empty `key_folded` and says why: a person sees it.
        """
        start, end = window.start.isoformat(), window.end.isoformat()
        return listed(lambda after: self._reach().states(start, end, after), _remote)

    def expected(self, wire: Wire) -> RemoteState:
        """How the platform's list will show the item of an update, or of a whole state."""
        sent: dict[str, Any] = msgspec.json.decode(wire.body)
        return RemoteState(
            key=sent["id"],
            key_folded=number_key(sent["id"]),
            states={"1": _stage(sent["stage"])},
        )

    def lists(self, organisation: str) -> bool:  # noqa: ARG002 - its list is of all bodies
        """Whether `reconcile` reads the items of this body."""
        return True

    def probe(self) -> Health:
        """Ask for one item: that changes nothing, and shows whether the key is good."""

        def ask() -> str:
            self._reach().items("", 1)
            return ""

        return Health.of(ask, "Проверьте адрес платформы, ключ (key_file), сеть и список адресов")

    def _reach(self) -> Platform:
        if self._platform is None:
            raise ConfigurationError(
                "this peer has no address", where="address", todo="name the platform's address"
            )
        return self._platform


def _stage(word: str) -> str:
    """Return the stage that two registers are compared by: some have more words for one."""
    return _SAME.get(word, word)


def _named(raw: bytes) -> str:
    """Return what names an item as JSON; empty for one that has no name to acknowledge it by."""
    try:
        names = msgspec.json.decode(raw, type=_Names)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    if not names.id:
        return ""
    own = {"eventId": names.event_id} if names.event_id else {"version": names.version}
    return msgspec.json.encode({"id": names.id, **own}).decode()


def _receipt(answer: Response, taken: client.Taken) -> Receipt:
    if taken.result == "refused":
        raise PeerRefused("ПОС refused the update", found=taken.reason)
    return Receipt(
        final=True, status=answer.status, reference=taken.reference, body=answer.body[:4096]
    )


def _remote(raw: bytes) -> RemoteState:
    state = msgspec.json.decode(raw, type=State)
    return RemoteState(
        key=state.id,
        key_folded=number_key(state.id),
        states={"1": _stage(state.stage)},
        modified_at=moment(state.modified) if state.modified else None,
        exception_message=state.error,
        raw=raw,
    )
