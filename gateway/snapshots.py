"""Appeals as they are to be told: the stored content with what has happened to it since.

Dispatch encodes at the time of sending, so a delivery that waited for hours tells today's state.
Everything for a batch of deliveries is read in a few statements, outside any transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from gateway import additions, places
from gateway.adapter import EncodeContext
from gateway.disclosure import files_of
from gateway.dispatch.ports import Snapshot
from gateway.errors import BusyError, PeerUnavailable, TooLargeError
from gateway.lifecycle import fold
from gateway.limits import FORWARDED_FILE_BYTES
from gateway.model.answer import Outcome, Result
from gateway.model.appeal import Appeal
from gateway.model.assignment import TransferOut
from gateway.model.base import Code
from gateway.model.events import EventType
from gateway.model.organisation import Organisation, OrganisationId
from gateway.model.question import AssignedBy, Topic
from gateway.model.registration import Registration
from gateway.store import blobs as blob_store
from gateway.store import history
from gateway.store.arrays import TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from uuid import UUID

    from psycopg import Connection

    from gateway.lifecycle import AppealState, QuestionState
    from gateway.model.base import Day, ExternalRef
    from gateway.model.events import Event
    from gateway.model.question import Question
    from gateway.store.blobs import BlobDirectory
    from gateway.store.lanes import Delivery
    from gateway.store.pool import Pool
    from gateway.store.verdicts import Verdicts

OURS = "gateway"
"""The system of numbers of our own contract, and of the ids of our directory."""

HEADS = """
SELECT a.id, a.receipt_number, a.external_id, a.peer, c.bytes
FROM appeal a LEFT JOIN content c ON c.appeal_id = a.id AND c.id = a.content_id
WHERE a.id = ANY($1::uuid[])
"""

QUESTIONS = "SELECT appeal_id, ordinal, id FROM question WHERE appeal_id = ANY($1::uuid[])"

ORGANISATIONS = """
SELECT o.id, o.full_name, i.system, i.value
FROM organisation o LEFT JOIN organisation_id i ON i.organisation = o.id
WHERE o.id = ANY($1::text[])
"""

SETTINGS = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_seqscan', 'off', true)
"""
"""Rows are looked up by key, some dozens at a time; planning that anew costs more than doing it."""

_APPEAL = msgspec.json.Decoder(Appeal)


class StoredSnapshots:
    """Reads snapshots from the store; the port that dispatch is given.

    verdicts: let only clean files out; None lets everything out.
    """

    def __init__(
        self,
        pool: Pool,
        blobs: BlobDirectory,
        options: Callable[[str], Mapping[str, Any]],
        clock: Callable[[], datetime],
        verdicts: Verdicts | None = None,
    ) -> None:
        self._pool = pool
        self._blobs = blobs
        self._verdicts = verdicts
        self._options = options
        self._clock = clock

    def load(self, deliveries: Sequence[Delivery]) -> dict[UUID, Snapshot]:
        """Return a snapshot by delivery id."""
        ids = sorted({i for d in deliveries for i in (d.appeal_id, d.through) if i is not None})
        with self._pool.connection() as connection:
            with connection.pipeline():  # which is a transaction too
                connection.execute(SETTINGS)
                named = UuidArray.of(ids)
                found = connection.execute(HEADS, (named,), binary=True)
                asked = connection.execute(QUESTIONS, (named,), binary=True)
                events = history.load(connection, ids)
            questions: dict[UUID, dict[int, UUID]] = defaultdict(dict)
            for appeal_id, ordinal, id_ in asked.fetchall():
                questions[appeal_id][ordinal] = id_
            texts = additions.texts(connection, events)
            states = {appeal_id: fold(past) for appeal_id, past in events.items()}
            bodies = _organisations(connection, _bodies_in(states.values()))
            appeals: dict[UUID, Appeal] = {
                (i := head[0]): _told(head, states[i], events[i], texts, bodies, questions[i])
                for head in found.fetchall()
            }
            known = additions.known_files(connection, appeals, events)
        whole = {
            appeal_id: additions.with_files(
                appeal, additions.attached(events[appeal_id], texts), known[appeal_id]
            )
            for appeal_id, appeal in appeals.items()
        }
        there = {id_: files_of(appeal) & known[id_].keys() for id_, appeal in whole.items()}
        now = self._clock()
        return {
            d.id: Snapshot(
                # Taken apart since, the other is none of the destination's business any more.
                Appeal(id=d.appeal_id) if _parted(d, states) else whole[d.appeal_id],
                next((e for e in events[d.appeal_id] if e.seq == d.event_seq), None),
                EncodeContext(
                    now=now,
                    files=_Files(self._read, _named(there, d.appeal_id, d.through)),
                    options=self._options(d.destination),
                ),
                # Its own may have gone with its month; then nothing is shown in its place.
                whole.get(d.through, Appeal(id=d.through)) if d.through else None,
            )
            for d in deliveries
            if d.appeal_id in appeals
        }

    def _read(self, digest: str) -> bytes:
        with self._pool.connection() as connection:
            size = blob_store.size(connection, bytes.fromhex(digest))
            if size > FORWARDED_FILE_BYTES:
                raise TooLargeError(
                    "the file is too large to be forwarded",
                    found=f"{size} bytes",
                    expected=f"at most {FORWARDED_FILE_BYTES} bytes",
                    where=digest,
                    todo="tell the receiver another way, and skip this delivery",
                )
            data = blob_store.read(connection, self._blobs, bytes.fromhex(digest))
        if self._verdicts is not None:
            try:
                self._verdicts.require_clean(bytes.fromhex(digest), len(data), lambda: [data])
            except BusyError as error:
                # The store is not away: only what carries this file has to wait.
                raise PeerUnavailable(error.message, where=error.where) from error
        return data


def _parted(delivery: Delivery, states: Mapping[UUID, AppealState]) -> bool:
    own = states.get(delivery.through) if delivery.through else None
    return own is not None and own.merged_into != delivery.appeal_id


def _named(there: Mapping[UUID, AbstractSet[str]], *ids: UUID | None) -> set[str]:
    return {digest for i in ids if i is not None for digest in there.get(i, ())}


class _Files(Mapping[str, bytes]):
    """Files of an appeal and its answers by digest, each read when it is asked for.

    Dispatch takes those of one appeal at a time, and only what its destination may see.
    """

    def __init__(self, read: Callable[[str], bytes], digests: Iterable[str]) -> None:
        self._read = read
        self._digests = frozenset(digests)

    def __getitem__(self, digest: str) -> bytes:
        if digest not in self._digests:
            raise KeyError(digest)
        return self._read(digest)

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


def _told(
    head: Any,
    state: AppealState,
    events: Sequence[Event],
    texts: Mapping[str, dict[str, str]],
    bodies: Mapping[str, Organisation],
    ids: Mapping[int, UUID],
) -> Appeal:
    """Return the content of an appeal with everything its events added.

    ids: of its questions by ordinal, by which peers name them.
    """
    appeal_id, receipt, _external, peer, stored = head
    appeal = _attributed(_APPEAL.decode(stored), peer) if stored else Appeal(source_peer=peer)
    appeal = places.told(appeal, events, texts)
    told = {q.ordinal: q for q in state.questions}
    known = {r.number for r in appeal.registrations}
    added = {
        r.number: Registration(
            organisation=_body(r.organisation, bodies),
            register=r.register,
            number=r.number,
            number_key=r.number_key,
            date=r.date,
        )
        for q in state.questions
        for r in q.registrations
        if r.number and r.number not in known
    }
    return replace(
        appeal,
        id=appeal_id,
        receipt_number=receipt,
        questions=tuple(
            replace(
                q,
                id=ids.get(q.ordinal, q.id),
                **_happened(q, told[q.ordinal], bodies, _declined_on(events, q.ordinal))
                if q.ordinal in told
                else {},
            )
            for q in appeal.questions
        ),
        registrations=(*appeal.registrations, *added.values()),
        answers=(
            *appeal.answers,
            *(letter.answer for letter in additions.letters(events, texts)),
        ),
        transfers=(*appeal.transfers, *_transfers(state, bodies)),
        feedback=(*appeal.feedback, *additions.feedback(events, texts)),
        moderations=(*appeal.moderations, *additions.moderations(events, texts)),
        clarifications=(*appeal.clarifications, *additions.clarifications(events, texts)),
    )


def _attributed(appeal: Appeal, peer: str) -> Appeal:
    """Say whose the numbers are that came by our own contract: the sender's."""
    return replace(
        appeal,
        refs=tuple(_of(ref, peer) for ref in appeal.refs),
        questions=tuple(
            replace(q, refs=tuple(_of(ref, peer) for ref in q.refs)) if q.refs else q
            for q in appeal.questions
        ),
    )


def _of(ref: ExternalRef, peer: str) -> ExternalRef:
    return replace(ref, peer=peer) if ref.peer == OURS else ref


def _happened(
    question: Question,
    state: QuestionState,
    bodies: Mapping[str, Organisation],
    declined_on: Day | None,
) -> dict[str, Any]:
    """Return what events made of a question, by field."""
    outcome = state.answer.outcome if state.answer else None
    executor = state.executor.facts.organisation if state.executor else ""
    return {
        "state": state.state.value,
        "extended": "extended" in state.flags,
        "registration_date": question.registration_date or state.registered_on,
        "response_date": question.response_date
        or (declined_on if state.answer is None and not state.state.is_open else None),
        "outcome": Outcome(
            result=Result(outcome.result) if outcome.result else None,
            actions_taken=outcome.actions_taken,
            on=state.answer.date if state.answer else None,
        )
        if outcome
        else question.outcome,
        "topics": _topics(question, state),
        "owner_org": question.owner_org or (_body(executor, bodies) if executor else None),
    }


def _topics(question: Question, state: QuestionState) -> tuple[Topic, ...]:
    """Return the topics of a question with those that were given since, by rule, person or peer.

    In one classifier the last word counts; what the question came with stays where nobody has said
    anything since.
    """
    if not state.topics:
        return question.topics
    given = {t.system: t for t in state.topics}
    came = {(t.code.system, t.code.value): t for t in question.topics}
    return (
        *(t for t in question.topics if t.code.system not in given),
        *(
            came.get((t.system, t.code))
            or Topic(
                code=Code(system=t.system, value=t.code, version=t.version),
                assigned_by=AssignedBy(t.by) if t.by in _BY else AssignedBy.PEER,
            )
            for t in given.values()
        ),
    )


_BY = frozenset(AssignedBy)


def _declined_on(events: Sequence[Event], ordinal: int) -> Day | None:
    """Return the day on which a question was left without an answer on the merits, or withdrawn."""
    found = None
    for event in events:
        if event.type in (EventType.DECLINED, EventType.WITHDRAWN) and event.question in (
            None,
            ordinal,
        ):
            at = event.occurred_at
            found = at.date() if isinstance(at, datetime) else at
    return found


def _transfers(state: AppealState, bodies: Mapping[str, Organisation]) -> list[TransferOut]:
    return [
        TransferOut(
            questions=(q.ordinal,),
            to_org=_body(q.transfer.organisation, bodies),
            date=q.transfer.date,
            number=q.transfer.number,
            copy=q.transfer.copy,
        )
        for q in state.questions
        if q.transfer is not None
    ]


def _bodies_in(states: Iterable[AppealState]) -> list[str]:
    """Return our ids of the bodies that appeals name: registrars, executors, receivers."""
    named: set[str] = set()
    for state in states:
        for q in state.questions:
            named.update(r.organisation for r in q.registrations)
            if q.executor is not None:
                named.add(q.executor.facts.organisation)
            if q.transfer is not None:
                named.add(q.transfer.organisation)
    return sorted(named)


def _organisations(connection: Connection[Any], codes: Sequence[str]) -> dict[str, Organisation]:
    """Return bodies of the directory by our ids, with the identifiers their peers know them by."""
    if not codes:
        return {}
    names: dict[str, str] = {}
    ids: dict[str, list[OrganisationId]] = {}
    for code, name, system, value in connection.execute(ORGANISATIONS, (TextArray.of(codes),)):
        names[code] = name
        if system is not None:
            ids.setdefault(code, []).append(OrganisationId(system=system, value=value))
    return {
        code: Organisation(
            full_name=name, ids=(OrganisationId(system=OURS, value=code), *ids.get(code, ()))
        )
        for code, name in names.items()
    }


def _body(code: str, bodies: Mapping[str, Organisation]) -> Organisation | None:
    """Return a body of the directory, or one that is known by its name or identifier only."""
    if not code:
        return None
    return bodies.get(code) or Organisation(full_name=code)
