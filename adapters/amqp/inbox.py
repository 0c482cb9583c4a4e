"""Takes messages from a queue and acknowledges them only after the gateway has stored them.

A message that was taken and not acknowledged comes again when the connection ends; the gateway
knows it by its key and gives the first receipt, so nothing is lost and nothing counts twice.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.amqp import replies
from adapters.amqp.client import Door, Message, Session
from adapters.amqp.codes import JSON, TYPE
from gateway import limits
from gateway.adapter import Batch, Taken, Wire
from gateway.errors import BusyError, DeliveryError, PeerDoubtful, PeerRefused
from gateway.model.fold import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.amqp.client import Got
    from adapters.amqp.options import Options
    from gateway.adapter import Verdict

BATCH_BYTES: Final = 16 * limits.MB
"""Bodies that one `receive` holds; the last message may go past it."""
_SHARE: Final = 0.75
"""Of the time of a call in which messages are taken; they are handed over in the rest."""
_HEADERS: Final = 60
_VALUE_CHARS: Final = 2_000
_ID_BYTES: Final = 255
"""Of a short string, as every property of text is one."""


class _Pending(NamedTuple):
    """What is remembered of a message until its verdict."""

    tag: int
    message_id: str
    correlation_id: str
    reply_to: str


class Inbox:
    """The queue of one peer's row. Thread-safe; one batch is under way at a time."""

    def __init__(self, options: Options, table: Mapping[str, Any], seconds: float) -> None:
        self._options = options
        self._door = Door(options, table)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._opened = 0
        self._pending: dict[str, _Pending] = {}

    def receive(self, cursor: str) -> Batch:
        """Return up to `batch` messages; raise PeerUnavailable.

        What an earlier batch left without a verdict is given back first and comes again.
        """
        with self._lock:
            begun = monotonic()
            if self._pending:
                self._drop()
            session = self._living(begun + self._seconds)
            try:
                taken, more = self._taken(session, begun)
            except BaseException:
                self._drop()
                raise
            if not taken:
                self._drop()  # a connection that nobody listens to dies of its heartbeat
            return Batch(messages=tuple(taken), cursor=cursor, more=more)

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Acknowledge what was stored or refused; give back what has to come again.

        A refusal is told to `reply_to`, when the row allows that queue, else to `errors`. Raises
        PeerUnavailable when the connection broke: what is left comes again; PeerRefused or
        PeerDoubtful when a reason could not be told, after everything is acknowledged.
        """
        with self._lock:
            session, untold = self._session, None
            if session is None:
                return
            deadline = monotonic() + self._seconds
            try:
                for verdict in verdicts:
                    pending = self._pending.get(verdict.token)
                    if pending is None:
                        continue
                    error = verdict.error
                    # a defect of ours comes no better again: the message is kept, as a refused one
                    again = isinstance(error, BusyError)
                    if not again:
                        untold = self._tell(session, verdict, pending, deadline) or untold
                    session.done(pending.tag, deadline, again=again)
                    del self._pending[verdict.token]
            except BaseException:
                self._drop()
                raise
            if untold is not None:
                raise untold

    def close(self) -> None:
        """Give back what was not acknowledged, and close."""
        with self._lock:
            self._drop()

    def _taken(self, session: Session, begun: float) -> tuple[list[Taken], bool]:
        taken: list[Taken] = []
        size, enough = 0, begun + self._seconds * _SHARE
        while len(taken) < self._options.batch and size < BATCH_BYTES and monotonic() < enough:
            got = session.take(self._options.inbox, begun + self._seconds)
            if got is None:
                return taken, False
            token = f"{self._opened}:{got.tag}"
            size += len(got.body)
            self._pending[token] = _pending(got)
            taken.append(Taken(wire=wire_of(got.properties, got.body), token=token))
            if not got.left:
                return taken, False
        return taken, True

    def _tell(
        self, session: Session, verdict: Verdict, pending: _Pending, deadline: float
    ) -> DeliveryError | None:
        """Tell what became of a message; return what kept us from it.

        A queue that takes nothing keeps nobody's message: it is the sender's own, as `reply_to`.
        Raises PeerRefused when the broker closed the channel.
        """
        asked = self._options.may_reply(pending.reply_to) if pending.reply_to else False
        queue = pending.reply_to if asked else self._options.errors if verdict.error else ""
        if not queue:
            return None
        media, body = replies.document(verdict)
        own = f"reply-{pending.message_id}" if pending.message_id else ""
        try:
            session.publish(
                Message(
                    exchange="",
                    routing_key=queue,
                    body=body,
                    content_type=media,
                    message_id=own if len(own.encode()) <= _ID_BYTES else "",
                    correlation_id=pending.correlation_id or pending.message_id,
                    type=replies.type_of(verdict),
                ),
                deadline,
            )
        except (PeerRefused, PeerDoubtful) as error:
            if not session.is_open:
                raise
            return error
        return None

    def _living(self, deadline: float) -> Session:
        if self._session is not None:
            if self._session.is_alive(deadline):
                return self._session
            self._drop()
        self._session = self._door.open(deadline)
        self._opened += 1
        if self._options.declare:
            try:
                self._session.declare_inbox(self._options, deadline)
            except DeliveryError:
                self._drop()
                raise
        return self._session

    def _drop(self) -> None:
        session, self._session = self._session, None
        self._pending.clear()
        if session is not None:
            session.close()


def _pending(got: Got) -> _Pending:
    told = got.properties
    return _Pending(
        tag=got.tag,
        message_id=_text(told.message_id),
        correlation_id=_text(told.correlation_id),
        reply_to=_text(told.reply_to),
    )


def _text(told: str | bytes | None) -> str:
    """Return a property; what is no text, and stays bytes with pika, names nothing."""
    return "" if not isinstance(told, str) or FORBIDDEN.search(told) else told


def wire_of(properties: Any, body: bytes) -> Wire:
    """Return a message as a wire: properties and headers of text, names in lower case."""
    headers = {
        f"amqp-{name.replace('_', '-')}": value
        for name in ("message_id", "correlation_id", "reply_to")
        if (value := _text(getattr(properties, name)))
    }
    for name, value in list((properties.headers or {}).items())[:_HEADERS]:
        if isinstance(value, str) and len(value) <= _VALUE_CHARS:
            headers[_word(name).lower()] = _word(value)
    if properties.content_encoding:
        headers["amqp-content-encoding"] = _word(properties.content_encoding)
    if properties.type:
        headers[TYPE] = _word(properties.type)
    media = _word(properties.content_type) if properties.content_type else JSON
    return Wire(media_type=media, body=body, headers=headers)


def _word(told: str | bytes) -> str:
    """Return a property as text that can be stored; what is replaced makes it no other word."""
    text = told if isinstance(told, str) else told.decode("utf-8", "replace")
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
