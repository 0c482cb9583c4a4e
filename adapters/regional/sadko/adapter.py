"""САДКО.ОГ: codec, channel of its outbox, source over its inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from adapters.regional.sadko import inbox
from adapters.regional.sadko.client import Credential, Site
from adapters.regional.sadko.codes import JSON, tables
from adapters.regional.sadko.decode import Reading, decode
from adapters.regional.sadko.encode import encode
from adapters.regional.sadko.restore import restore
from gateway import limits, secretfile
from gateway.adapter import (
    Batch,
    Decoded,
    EncodeContext,
    Health,
    Inbound,
    Receipt,
    RemoteState,
    Taken,
    Verdict,
    Window,
    Wire,
)
from gateway.errors import (
    ConfigurationError,
    DeliveryError,
    PeerRefused,
    UnsupportedError,
)
from gateway.options_read import number, zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

AHEAD = timedelta(days=2)
"""How far ahead of the site's time a stamp of its list may be: zones differ."""
BATCH_BYTES = limits.BODIES_BYTES_OF_PEER
"""Items held at once; the last may go past it."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The peer's `[options]` (README). batch: items of one asking. overlap: see `inbox`."""

    reading: Reading
    officer: str = ""
    batch: int = 20
    overlap: timedelta = timedelta(hours=1)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Options:
        """Read the table; raise ConfigurationError naming the key that is wrong."""
        return cls(
            reading=Reading(
                zone=zone(table),
                classifier=str(table.get("classifier", "sstu")),
                tables=tables(str(table.get("tables", ""))),
            ),
            officer=str(table.get("officer", "")),
            batch=int(number(table, "batch", 20)),
            overlap=timedelta(seconds=number(table, "overlap", 3600, least=0)),
        )


class Sadko:
    """One site of САДКО.ОГ. Thread-safe, as its `Outbound` is.

    base: absolute address of its interface. outbound None makes a codec only.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        self.options = Options.of(options)
        self._site: Site | None = None
        if outbound is not None:
            credential = Credential(
                str(options.get("client_id", "")),
                lambda: secretfile.read(options, "client_secret_file"),
                str(options.get("scope", "")),
            )
            self._site = Site(outbound, base, credential)

    def decode(self, wire: Wire) -> Decoded:
        """Return what a card, a letter or a document of the outbox holds."""
        return decode(wire, self.options.reading)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the document of the outbox that tells of an event."""
        options = self.options
        return encode(appeal, event, ctx, options.reading, officer=options.officer)

    def restore(self, item: Inbound) -> Wire:
        """Return an item as the document that it came in."""
        return restore(item, self.options.reading)

    def deliver(self, wire: Wire, key: str) -> Receipt:  # noqa: ARG002 - the outbox knows no key
        """Send once; a 2xx is the only "yes" known."""
        site = self._reach()
        answer = site.put(wire, site.deadline())
        return Receipt(final=True, status=answer.status, body=answer.body[:4096])

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Raise UnsupportedError: no address is known that tells what the outbox took."""
        raise UnsupportedError(
            "САДКО.ОГ cannot be asked what it took",
            found=f"{wire.media_type} {key}",
            todo="look at the card there, then confirm or replay by hand",
        )

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: no list of what was sent is known."""
        raise UnsupportedError(
            "САДКО.ОГ shows no list of what it took", found=window.start.isoformat()
        )

    def probe(self) -> Health:
        """Ask for a token and for the list of the inbox, which changes nothing."""

        def ask() -> str:
            site = self._reach()
            count = len(inbox.entries(site.inbox(site.deadline())[0]))
            return f"Во входящих записей: {count}"

        return Health.of(ask, "Проверьте адрес, client_id, client_secret_file и сертификат")

    def receive(self, cursor: str) -> Batch:
        """Return what is new in the inbox, one item a message, at most `batch` of them.

        An item that the site will not give is asked for again next time; in the end it comes as its
        line of the list, which nothing can be read from: it is refused, and a person sees it.
        Raises DeliveryError when nothing was fetched, unless the cursor has to note what failed:
        an item that always fails stands in nobody's way.
        """
        site, options = self._reach(), self.options
        until = site.deadline()
        told, at = site.inbox(until)
        listed = inbox.entries(told)
        known = inbox.Cursor.of(cursor).within(listed)
        fresh = known.fresh(listed, options.overlap)
        got = self._fetched(site, known, fresh[: options.batch], until)
        noted = known.owed.keys() >= {entry.guid for entry in got.failed}
        if got.error is not None and not (got.taken or got.refused) and noted:
            raise got.error
        moved = known.moved(
            [entry for entry, _ in got.taken],
            options.overlap,
            got.refused,
            got.failed,
            latest=at + AHEAD if at is not None else inbox.LAST,
        )
        settled = len(got.taken) + len(got.refused) + len(got.failed)
        return Batch(
            messages=tuple(
                Taken(wire=Wire(media_type=JSON, body=body), token=entry.guid)
                for entry, body in got.taken
            ),
            cursor=moved.text(),
            more=bool(got.taken) and settled < len(fresh),
        )

    @staticmethod
    def _fetched(
        site: Site, known: inbox.Cursor, entries: Sequence[inbox.Entry], until: float
    ) -> inbox.Fetched:
        """Ask for items until the time is over, or BATCH_BYTES of them are held."""
        got = inbox.Fetched()
        held = 0
        for entry in entries:
            if held >= BATCH_BYTES or monotonic() >= until:
                break
            try:
                body = site.item(entry.kind, entry.guid, until) if entry.kind else entry.line
            except PeerRefused:
                if not known.last_try(entry):
                    got.refused.append(entry)
                    continue
                body = entry.line
            except DeliveryError as error:
                got.error = error
                if not (got.taken and known.last_try(entry)):
                    got.failed.append(entry)
                    continue
                body = entry.line
            held += len(body)
            got.taken.append((entry, body))
        return got

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Do nothing: the inbox knows no word for it, and the cursor is ours."""

    def _reach(self) -> Site:
        if self._site is None:
            raise ConfigurationError(
                "this peer has no address", where="address", todo="name the site's address"
            )
        return self._site
