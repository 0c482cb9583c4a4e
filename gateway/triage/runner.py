"""The second room: accepted messages become facts, in batches, each batch one transaction.

For every message the plan is made in memory by pure functions (life cycle, routing, terms,
subscriptions) and written at the end: events, projections, lanes, and last of all the counters of
registers, so that a counter is held for the shortest time (design §2.10). No network. A failing
item is isolated by a savepoint, counted, and parked after five times, where a person sees it.

Addresses of new appeals are looked up for the whole batch at once (`gateway.triage.lookup`).
Places kept for later rooms, in this order: duplicates, the clock's ticking.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import psycopg
import structlog

from gateway import duplicates, limits, rights
from gateway.errors import GatewayError
from gateway.lifecycle import fold
from gateway.store import (
    arrays,
    files,
    history,
    lanes,
    letters,
    numbers,
    organisations,
    peers,
    places,
    projected,
    projections,
    registers,
    synonyms,
    topics,
)
from gateway.store import work as queue
from gateway.store.committer import CHANNEL, TRANSIENT
from gateway.triage import questions
from gateway.triage.build import Facts, Plan, Rules
from gateway.triage.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.model.peer import Peer
    from gateway.store.work import Item

log = structlog.get_logger(__name__)


class Done(NamedTuple):
    """What one run did."""

    items: int
    failed: int
    events: int
    deliveries: int


class _Spoiled(Exception):
    """A batch that cannot be applied because of one of its items; its cause is chained."""

    def __init__(self, items: int) -> None:
        super().__init__(items)
        self.items = items


class Triage:
    """Applies what was accepted; any number may run on one database."""

    def __init__(
        self,
        url: str,
        rules: Rules,
        clock: Callable[[], datetime],
        *,
        batch: int = limits.TRIAGE_BATCH,
    ) -> None:
        self._url = url
        self._rules = rules
        self._clock = clock
        self._batch = batch
        self._connection: psycopg.Connection[Any] | None = None
        self._singly = 0
        self._topics = topics.Kept()

    def run_once(self) -> Done:
        """Work through one batch; all zeros when nothing was due.

        A batch that cannot be written is taken again item by item, so that the one that spoils it
        is found, counted and put off alone.
        """
        connection = self._connect()
        try:
            with connection.transaction():
                done = self._run(connection, 1 if self._singly else self._batch)
        except _Spoiled as spoiled:
            log.warning("triage.one_by_one", items=spoiled.items, exc_info=spoiled.__cause__)
            self._singly = spoiled.items
            return self.run_once()
        except TRANSIENT as error:
            log.info("triage.again", reason=type(error).__name__)
            return self.run_once()
        except psycopg.OperationalError:
            self.close()
            raise
        self._singly = max(0, self._singly - 1)
        if done.deliveries:
            # After the commit, never inside it: dispatch need not wait for its next look.
            connection.execute(f"NOTIFY {CHANNEL}".encode())
        return done

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, connection: psycopg.Connection[Any], batch: int) -> Done:
        now = self._clock()
        items = queue.claim(connection, now, batch)
        if not items:
            return Done(0, 0, 0, 0)
        self._rules.lookup.warm(connection)
        try:
            with connection.transaction() if len(items) == 1 else nullcontext():
                return self._apply(connection, items, now)
        except psycopg.OperationalError:
            raise
        except Exception as error:
            if len(items) > 1:
                raise _Spoiled(len(items)) from error
            self._put_off(connection, items[0], error, now)
            return Done(1, 1, 0, 0)

    def _apply(
        self, connection: psycopg.Connection[Any], items: Sequence[Item], now: datetime
    ) -> Done:
        facts = self._facts(connection, items, now)
        plans, failed = self._plans(connection, items, facts)
        events, deliveries = self._write(connection, plans, facts)
        return Done(len(items), failed, events, deliveries)

    def _facts(
        self, connection: psycopg.Connection[Any], items: Sequence[Item], now: datetime
    ) -> Facts:
        """Read, in a few statements, everything that planning the batch needs; heads are locked.

        Letters are locked first, because who holds one must be locked too: otherwise what happens
        to the holder at this moment would reach nobody who sent the letter by another channel.
        """
        ids = {item.appeal_id for item in items if item.appeal_id is not None}
        rows = peers.read_all(connection)
        held = self._letters(connection, items, rows)
        into = queue.merged_into(connection, ids)
        heads = history.lock(connection, ids | set(into.values()) | held.holders())
        contents = queue.contents(connection, heads.values())
        histories = history.load(connection, list(heads))
        facts = Facts(
            heads=heads,
            states={appeal_id: fold(events) for appeal_id, events in histories.items()},
            contents=contents,
            peers=rows,
            letters=held,
            merged=queue.merged_sources(connection, heads),
            questions=named(queue.question_ids(connection, heads), contents),
            now=now,
            histories=histories,
            topics=self._topics.read(connection),
        )
        return facts._replace(places=self._rules.lookup.read(connection, items, facts))

    @staticmethod
    def _letters(
        connection: psycopg.Connection[Any], items: Sequence[Item], rows: Mapping[str, Peer]
    ) -> duplicates.Letters:
        """Read and lock the covering letters of new appeals, and whoever holds the same ones."""
        new = [
            item.appeal_id
            for item in items
            if item.operation == "submit" and item.appeal_id is not None
        ]
        found: dict[UUID, duplicates.Letter] = {}
        for appeal_id, content in queue.founding_contents(connection, new).items():
            # A content that cannot be read is found out, and put off, by `plan`.
            told = duplicates.read(content) if content is not None else None
            letter = duplicates.letter(told, test=False) if told is not None else None
            if letter is not None:
                found[appeal_id] = letter
        senders = {item.peer for item in items if item.appeal_id in found}
        friends = {
            code
            for code, peer in rows.items()
            if found and any(rights.same_letters(peer, rows.get(sender)) for sender in senders)
        }
        return letters.read(connection, found, friends)

    def _plans(
        self, connection: psycopg.Connection[Any], items: Sequence[Item], facts: Facts
    ) -> tuple[list[Plan], int]:
        """Plan each item against the state the one before it left; what fails is put off alone."""
        plans: list[Plan] = []
        failed = 0
        for item in items:
            try:
                made = plan(item, facts, self._rules)
            except Exception as error:  # noqa: BLE001 - one bad item must not stop the others
                failed += 1
                self._put_off(connection, item, error, facts.now)
                continue
            plans.append(made)
            facts.take(made)
        return plans, failed

    def _put_off(
        self, connection: psycopg.Connection[Any], item: Item, error: Exception, now: datetime
    ) -> None:
        code = error.code if isinstance(error, GatewayError) else "internal"
        log.warning(
            "triage.put_off",
            message=str(item.message_id),
            correlation=item.correlation,
            code=code,
            exc_info=error if code == "internal" else None,
        )
        queue.put_off(connection, item, _words(error), now)

    def _write(
        self, connection: psycopg.Connection[Any], plans: list[Plan], facts: Facts
    ) -> tuple[int, int]:
        plans = write(connection, plans, facts, self._rules)
        bodies = [(body, made.item.message_id) for made in plans for body in made.unmapped]
        organisations.queue_unknown(connection, bodies, facts.now)
        codes = [(seen, made.item.message_id) for made in plans for seen in made.unknown]
        topics.queue_unknown(connection, codes, facts.now)
        synonyms.used(connection, [number for made in plans for number in made.synonyms])
        queue.finish(
            connection,
            [(m.item.message_id, m.stage, msgspec.json.encode(m.note).decode()) for m in plans],
        )
        return sum(len(m.events) for m in plans), sum(len(m.deliveries) for m in plans)

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                application_name="gateway triage",
                connect_timeout=5,
            )
            arrays.register(self._connection)
        return self._connection


def write(
    connection: psycopg.Connection[Any], plans: list[Plan], facts: Facts, rules: Rules
) -> list[Plan]:
    """Write lanes, then take the counters, last, and write what both decided.

    Returns the plans with their registration numbers. The heads in `facts` are locked.
    """
    owed = [delivery for made in plans for delivery in made.deliveries]
    lanes.enqueue(connection, [lanes.NewDelivery(*item) for item in owed], facts.now)  # type: ignore[arg-type]
    queue.expect_all(
        connection,
        [(made.item.peer, made.remote) for made in plans if made.remote is not None],
        [reference.value_key for made in plans for reference in made.references],
        facts.now,
    )
    for made in plans:
        _side(connection, made)
    letters.write(connection, {m.item.appeal_id: m.letter for m in plans if m.letter is not None})  # type: ignore[misc]
    plans = _number(connection, plans, rules)
    events = [event for made in plans for event in made.events]
    contents = [content for made in plans for content in made.contents]
    chain = history.append(connection, facts.heads, events, contents)
    states = {
        made.item.appeal_id: made.state
        for made in plans
        if made.item.appeal_id is not None and made.state is not None
    }
    projections.write_all(
        connection,
        [(appeal_id, state, chain[appeal_id]) for appeal_id, state in states.items()],
        facts.now,
        projected.of_body(rules.organisation),
    )
    data = {content.digest: content.data for content in contents}
    places.write(
        connection,
        [(m.item.appeal_id, places.rows_of(m.events, data)) for m in plans if m.item.appeal_id],
    )
    return plans


def _side(connection: psycopg.Connection[Any], made: Plan) -> None:
    """Write what belongs to a plan beside its events."""
    item = made.item
    if item.appeal_id is None:
        return
    numbers.refer(connection, item.appeal_id, made.references)
    if made.new_content is not None:
        queue.replace_content(connection, item.appeal_id, *made.new_content)
    if made.files is not None:
        files.share(connection, made.files)


def _number(connection: psycopg.Connection[Any], plans: list[Plan], rules: Rules) -> list[Plan]:
    """Give registration numbers: one block a register for the whole batch.

    A later plan for the same appeal was made on the state with the number's place empty; its own
    state is made anew from its events.
    """
    wanted = [made.register for made in plans if made.register is not None]
    if not wanted:
        return plans
    given = iter(registers.take(connection, wanted))
    spelled: dict[Any, str] = {}
    result = []
    for made in plans:
        if made.register is not None:
            spelled[made.item.appeal_id] = rules.spell(made.register, next(given))
        number = spelled.get(made.item.appeal_id)
        result.append(made.numbered(number) if number else made)
    return result


def _words(error: Exception) -> str:
    """What is kept of a failure: without the values found, and without the database's DETAIL.

    Both repeat what people wrote; the message itself is kept whole, and the log has the traceback.
    """
    if isinstance(error, GatewayError):
        return "; ".join(part for part in (error.code, error.message, error.where) if part)
    if isinstance(error, psycopg.Error):
        return f"{type(error).__name__}: {error.diag.message_primary or ''}"
    return f"{type(error).__name__}: {error}"[:500]


def named(
    ids: Mapping[UUID, Mapping[str, int]], contents: Mapping[UUID, bytes | None]
) -> dict[UUID, questions.Names]:
    """Return how the questions of appeals are named: by us, and by their senders."""
    return {
        appeal_id: questions.read(named, contents.get(appeal_id))
        for appeal_id, named in ids.items()
    }
