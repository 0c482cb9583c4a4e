"""The peer of accept: the usual Python answer, spyne and the SQLAlchemy ORM, a transaction a call.

It publishes the same contract (its classes are made from `gateway.wires.contract`), validates with
lxml, checks the same API key, and writes the same rows through classes mapped on the same tables.
Keys, digests and canonical forms are computed by our own functions, which costs it less than
anything it would have of its own. A WSGI application: `bench.peers.spyne_orm:application`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import six
import sqlalchemy as sa
from sqlalchemy import orm

from bench.peers.soap_spyne import reader, spyne, wsgi
from bench.stand import SENDER
from gateway import ingest
from gateway.access import keys
from gateway.model.ids import uuid7
from gateway.store import tables
from gateway.wires import canonical
from gateway.wires import contract as c
from gateway.wires.service import receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.entries import Entry, NewAppeal

URL: Final = os.environ.get("BENCH_DATABASE_URL", "")

_registry = orm.registry()


def _mapped(table: sa.Table) -> type:
    cls = type(table.name.capitalize(), (), {})
    _registry.map_imperatively(cls, table, eager_defaults=False)
    return cls


LEDGER, MESSAGE, APPEAL, QUESTION, EVENT, CONTENT, WORK = (
    _mapped(table)
    for table in (
        tables.ledger, tables.message, tables.appeal, tables.question, tables.event,
        tables.content, tables.work,
    )
)  # fmt: skip


def _of(cls: type, row: Any) -> Any:
    made = cls()
    for name, value in row._asdict().items():
        if value is not None:
            setattr(made, name, value)
    return made


def _ledger(entry: Entry) -> Any:
    message, made = entry.message, LEDGER()
    assert entry.new is not None
    made.peer, made.kind, made.key, made.slot = entry.place
    made.revision = entry.revision
    made.message_id, made.appeal_id = message.id, message.appeal_id
    made.receipt_number = entry.new.appeal.receipt_number
    made.accepted_at = message.recorded_at
    made.content_sha256, made.body_sha256 = message.content_sha256, message.body_sha256
    made.digest_version = 1
    return made


def _appeal(entry: Entry, new: NewAppeal) -> Any:
    made = _of(APPEAL, new.appeal)
    made.changed_at = entry.message.recorded_at
    return made


def _work(entry: Entry) -> Any:
    made = WORK()
    made.message_id, made.appeal_id = entry.message.id, entry.message.appeal_id
    made.due = entry.message.recorded_at
    return made


def store(engine: sa.Engine, entry: Entry) -> None:
    """Write the rows of one submission in one transaction."""
    new = entry.new
    assert new is not None
    with orm.Session(engine, expire_on_commit=False) as session:
        session.add(_ledger(entry))
        session.add(_of(MESSAGE, entry.message))
        session.add(_appeal(entry, new))
        session.add_all(_of(QUESTION, row) for row in new.questions)
        session.add_all(_of(EVENT, row) for row in new.events)
        session.add_all(_of(CONTENT, row) for row in new.contents)
        session.add(_work(entry))
        session.commit()


class _Peer:
    """What one process of the peer holds: its pool of connections and the keys of its callers."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"), pool_size=32, max_overflow=32
        )
        with self.engine.connect() as connection:
            self.keys = {
                row.id: row.secret_sha256
                for row in connection.execute(sa.select(tables.credential))
            }

    def require_key(self, given: str) -> None:
        """Refuse a caller without the right key."""
        shown = keys.presented("", given)
        if shown is None or not keys.matches(shown, self.keys.get(shown.id, b"")):
            raise spyne.Fault("Client.Access", "the credential is not accepted")

    def submit(self, env: dict[str, Any], appeal: Any) -> c.Receipt:
        """Store one appeal and return its receipt."""
        self.require_key(env.get("HTTP_X_API_KEY", ""))
        inbound = canonical.submission(reader(c.AppealIn)(appeal))
        arrival = ingest.Arrival(
            peer=SENDER,
            wire="soap11",
            correlation=uuid7().hex,
            now=datetime.now(UTC),
            body=env["bench.body"],
            media_type=env.get("CONTENT_TYPE", ""),
        )
        entry = ingest.entry(arrival, inbound, None)  # type: ignore[arg-type]
        store(self.engine, entry)
        return _receipt(entry)


def _receipt(entry: Entry) -> c.Receipt:
    from gateway.store.accept import _receipt as accepted

    return receipt(accepted(entry))


def _application(peer: _Peer) -> Callable[..., Any]:
    application = wsgi(peer.submit, "parameters")

    def keeping(env: dict[str, Any], start_response: Any) -> Any:
        """Read the body once, because it is archived too."""
        size = int(env.get("CONTENT_LENGTH") or 0)
        body = env["wsgi.input"].read(size) if size else b""
        env["bench.body"] = body
        env["wsgi.input"] = six.BytesIO(body)
        return application(env, start_response)

    return keeping


if URL:
    application = _application(_Peer(URL))
