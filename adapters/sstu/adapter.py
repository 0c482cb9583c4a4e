"""The channel of ССТУ.РФ: sends one appeal a POST, settles doubts and reconciles by the list."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from adapters.sstu import analytics
from adapters.sstu.bounds import Limits
from adapters.sstu.client import Node
from adapters.sstu.codes import GUID, UNNUMBERED
from adapters.sstu.decode import decode
from adapters.sstu.encode import encode, is_unnumbered
from adapters.sstu.fields import parse
from adapters.sstu.restore import restore
from gateway import limits
from gateway.adapter import (
    SENT_AT,
    Decoded,
    EncodeContext,
    Health,
    Receipt,
    RemoteState,
    Window,
    Wire,
)
from gateway.errors import (
    ConfigurationError,
    DeliveryError,
    MalformedError,
    PeerDoubtful,
    UnsupportedError,
)
from gateway.model.fold import number_key
from gateway.options_read import choice, number, zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from gateway.adapter import Inbound
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound


LIST_BYTES: Final = 1024 * limits.MB
"""About a million and a half rows."""
LIST_SECONDS: Final = 600.0
_ALIKE: Final = 20
"""Rows of one number that are told of: a list may hold any number of them."""
AWAITS: Final = "ждёт пакета и результата · waits for a package and its result"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The peer's `[options]`, those that the channel itself needs.

    departments: GUIDs of the bodies whose lists are read. mode: `offline` when documents go to a
    closed network in packages that a person carries. ack: `accept` when the node's 2xx settles
    a delivery, `upload` when only its upload to the portal does. zone: of the node's timestamps.
    clock_skew: by how much the node's clock may be behind ours. list_bytes: the largest list of one
    body that is read. list_seconds: how long reconciliation reads one. limits: what the node
    takes at most.
    """

    departments: tuple[str, ...] = ()
    mode: Literal["http", "offline"] = "http"
    ack: Literal["accept", "upload"] = "accept"
    zone: ZoneInfo
    clock_skew: timedelta = timedelta(seconds=300)
    list_bytes: int = LIST_BYTES
    list_seconds: float = LIST_SECONDS
    limits: Limits

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Options:
        """Read the table; raise ConfigurationError naming the key that is wrong."""
        departments = tuple(table.get("departments") or filter(None, [table.get("department_id")]))
        for guid in departments:
            if not GUID.fullmatch(str(guid)):
                raise ConfigurationError("not a GUID", found=str(guid), where="options.departments")
        for key, words in (
            ("extended_as", ("status", "flag")),
            ("withdrawn_as", ("Explained", "LeftWithoutAnswer")),
        ):
            choice(table, key, words)
        return cls(
            departments=departments,
            mode=choice(table, "mode", ("http", "offline")),
            ack=choice(table, "ack", ("accept", "upload")),
            zone=zone(table),
            clock_skew=timedelta(seconds=number(table, "clock_skew", 300, least=0)),
            list_bytes=int(number(table, "list_bytes", LIST_BYTES, least=0)),
            list_seconds=number(table, "list_seconds", LIST_SECONDS, least=0),
            limits=Limits.of(table),
        )


class Sstu:
    """Codec and channel of one node. Thread-safe, as its `Outbound` is.

    base: absolute address of the node's interface. outbound None makes a codec only: files and
    packages without a network.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        self.options = Options.of(options)
        self._table = dict(options)
        self._node = Node(outbound, base) if outbound else None

    def decode(self, wire: Wire) -> Decoded:
        """Return what a document, a package, a list or an overview holds."""
        return decode(wire, self.options.zone)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the document; every event sends the whole appeal again, as the node expects.

        What happened before there is a number is passed over with UnsupportedError: the event of
        the registration tells it all. Without an event every rule speaks.
        """
        if event is not None and is_unnumbered(appeal):
            raise UnsupportedError(UNNUMBERED, found=event.type)
        return encode(appeal, ctx)

    def restore(self, item: Inbound) -> Wire:
        """Return an item that `decode` made in the form in which it came."""
        return restore(item)

    def deliver(self, wire: Wire, key: str) -> Receipt:  # noqa: ARG002 - the node knows no key
        """Send once. The node's 2xx is the first of three stages; `ack` says which one settles.

        Offline nothing leaves here: the document is whole and sendable, and its delivery waits for
        the package (`gateway sstu pack`) and for the result that comes back.
        """
        if self._offline:
            return Receipt(final=False, reference=wire.name, body=AWAITS.encode())
        answer = self._reach().put(wire)
        return Receipt(
            final=self.options.ack == "accept", status=answer.status, body=answer.body[:4096]
        )

    def settle(self, wire: Wire, key: str) -> Receipt | None:  # noqa: ARG002
        """Say what became of a delivery: by department, folded number and question codes.

        The row counts as ours when it shows what we sent and was changed after the attempt
        (`SENT_AT`, where the wire carries it). None: it is not there, or an older version is.
        Raises PeerDoubtful when several rows match or the node cannot be asked. Offline there is
        nobody to be asked, and nothing that could be in doubt: it still waits for a result.
        """
        if self._offline:
            return Receipt(final=False, reference=wire.name, body=AWAITS.encode())
        sent = _Sent.of(wire)
        same: list[analytics.Row] = []
        unreadable = 0
        try:
            for row in self._list(sent.department):
                if not isinstance(row, analytics.Row):
                    unreadable += 1
                elif row.state.key_folded == sent.key and sorted(row.codes) == sorted(sent.codes):
                    same.append(row)
                    if len(same) == _ALIKE:
                        break
        except DeliveryError as e:
            raise PeerDoubtful(
                f"the list cannot be read: {e.message}", found=e.found, todo=e.todo
            ) from e
        if len(same) > 1:
            ids = ", ".join(row.request_id for row in same)
            raise PeerDoubtful(
                "several rows of the list have this number and these questions",
                found=ids,
                where=sent.number,
                todo="compare the rows with what was sent and settle by hand",
            )
        if not same and unreadable:
            raise PeerDoubtful(
                "rows of the list cannot be read, one of them may be ours",
                found=str(unreadable),
                where=sent.number,
            )
        if not same or same[0].state.digest != sent.digest or self._older(same[0], wire):
            return None
        return self._receipt(same[0])

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """List what the node holds of our bodies and changed within the window.

        A row that cannot be read comes with an empty `key_folded` and says why in
        `exception_message`: it matches nothing, and a person sees it. Offline the list comes as a
        file: UnsupportedError.
        """
        if self._offline:
            raise UnsupportedError(
                "the node stands in a closed network: its list comes as a file",
                todo="`gateway sstu result FILE`, `gateway sstu month YYYY-MM --list FILE`",
            )
        for department in self.options.departments:
            for row in self._list(department, seconds=self.options.list_seconds):
                state = row.state if isinstance(row, analytics.Row) else row
                changed = state.modified_at
                if changed is None or window.start <= changed < window.end:
                    yield state

    def digest(self, wire: Wire) -> str:
        """What `RemoteState.digest` will be when the node shows this document."""
        return _Sent.of(wire).digest

    def expected(self, wire: Wire) -> RemoteState:
        """How the node's list will show this document; reconciliation holds the list against it."""
        sent = _Sent.of(wire)
        return RemoteState(
            key=sent.number,
            key_folded=sent.key,
            organisation=sent.department,
            states=sent.states,
            digest=sent.digest,
            reported_on=sent.created,
        )

    def lists(self, organisation: str) -> bool:
        """Whether `reconcile` reads the list of this body."""
        return organisation.lower() in {known.lower() for known in self.options.departments}

    def probe(self) -> Health:
        """Read the list of one body: the only address of a node that changes nothing."""
        if self._offline:
            return Health(ok=True, seconds=0.0, detail="Обмен файлами: gateway sstu pack, result")
        if not self.options.departments:
            return Health(
                ok=False,
                seconds=0.0,
                detail="Не указан ни один орган",
                todo="Впишите GUID органа в options.department_id",
            )
        first = self.options.departments[0]
        return Health.of(
            lambda: f"Записей в списке: {sum(1 for _ in self._list(first))}",
            "Проверьте адрес узла АРМ ЕС ОГ, сеть и список разрешённых адресов",
        )

    @property
    def _offline(self) -> bool:
        return self.options.mode == "offline"

    def _reach(self) -> Node:
        if self._node is None:
            raise ConfigurationError(
                "this peer has no address", where="address", todo="name the node's address"
            )
        return self._node

    def _list(
        self, department: str, seconds: float | None = None
    ) -> Iterator[analytics.Row | RemoteState]:
        """Yield the rows of a list as they come, those that cannot be read too."""
        pieces = self._reach().listing(department, self.options.list_bytes, seconds=seconds)
        try:
            with closing(pieces):
                yield from analytics.read(pieces, self.options.zone)
        except MalformedError as e:
            raise PeerDoubtful(f"the node's list is unreadable: {e.message}", found=e.found) from e

    def _older(self, row: analytics.Row, wire: Wire) -> bool:
        sent_at, changed = wire.headers.get(SENT_AT), row.state.modified_at
        if not sent_at or changed is None:
            return False
        return changed < datetime.fromisoformat(sent_at) - self.options.clock_skew

    def _receipt(self, row: analytics.Row) -> Receipt:
        """The receipt a row gives under `ack`; the node's exception ends a wait for the upload."""
        state, uploaded = row.state, row.state.stages.get("uploaded")
        failed = state.exception_message if self.options.ack == "upload" else ""
        accepted = self.options.ack == "accept"
        return Receipt(
            final=accepted or uploaded is not None,
            reference=row.request_id,
            body=state.raw,
            at=state.stages.get("received") if accepted else uploaded,
            refused=failed,
        )


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """What identifies a document in the list, read back from the bytes that were sent."""

    department: str
    number: str
    key: str
    codes: tuple[str, ...]
    states: Mapping[str, str]
    created: str
    digest: str

    @classmethod
    def of(cls, wire: Wire) -> _Sent:
        document = parse(wire.body, "the stored document")
        questions = [
            (q.get("code", ""), q["status"], q.get("incomingDate", ""))
            for q in document["questions"]
        ]
        number = document["number"]
        return cls(
            department=document["departmentId"],
            number=number,
            key=number_key(number),
            codes=tuple(code for code, _, _ in questions),
            states=analytics.states(questions),
            created=document.get("createDate", ""),
            digest=analytics.digest(number, questions, document),
        )
