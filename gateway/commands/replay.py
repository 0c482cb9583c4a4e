"""`gateway replay`: messages that came in and could not be worked on, once more.

Parked messages go back on the queue of triage. Messages that could not be decoded are decoded
again, after a mapping or profile was mended, and accepted as if they came now; the old and the new
message name each other. Deliveries are replayed by `gateway deliveries replay`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, NamedTuple, cast
from uuid import UUID

import psycopg
import typer

from gateway import contracts, ingest, masking
from gateway.access.policy import Caller
from gateway.commands import context, foreign, output, redecode
from gateway.commands.context import Opened
from gateway.errors import GatewayError, InputError, ValidationError
from gateway.store import messages, peers
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.entries import Accepted, Entry
from gateway.wires import service
from gateway.wires.reader import Reader
from import_export.acks import Result
from import_export.known import Begun, Latest, StoreKnown
from import_export.landing import Landing, Source
from import_export.lines import Line

app = output.app("replay", "Разобрать ещё раз принятое, но не понятое · Replay what came in")

STAGES = ("parked", "undecodable")

Word = Literal["queued", "accepted", "repeat", "readable", "failed", "skipped"]
WORDS: dict[str, str] = {
    "queued": "в очереди · queued",
    "accepted": "принято · accepted",
    "repeat": "уже принято · repeat",
    "readable": "читается · readable now",
    "failed": "не читается · still not readable",
    "skipped": "не требуется · nothing to replay",
}


class Outcome(NamedTuple):
    """What became of one message. new: those it was accepted as."""

    message: UUID
    word: Word
    new: tuple[UUID, ...] = ()
    detail: str = ""


@app.command()
def replay(
    message: Annotated[
        list[UUID] | None, typer.Argument(metavar="ID…", help="Номера сообщений · Ids")
    ] = None,
    *,
    stage: Annotated[str, typer.Option(help="parked | undecodable")] = "",
    peer: Annotated[
        str, typer.Option(metavar="КОД", help="Только от неё · Only of this peer")
    ] = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Разобрать ещё раз принятое, но не понятое · Work once more on what could not be."""
    if stage and stage not in STAGES:
        raise ValidationError(f"not a stage that can be replayed: {stage} ({' | '.join(STAGES)})")
    if bool(message) == bool(stage):
        raise ValidationError("name messages, or --stage")
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if peer:
            peers.require(db, peer)
        ids = sorted(message) if message else messages.waiting(db, stage, peer)
        found = [messages.one(db, each) for each in ids]
        outcomes = _run(gw, db, found, commit=commit)
    outcomes.sort()
    _print(outcomes, commit=commit, as_json=as_json)
    if any(outcome.word == "failed" for outcome in outcomes):
        raise typer.Exit(output.FOUND)


def _run(
    gw: Opened, db: psycopg.Connection[Any], found: Sequence[Any], *, commit: bool
) -> list[Outcome]:
    parked = [row.id for row in found if row.stage == "parked"]
    if commit and parked:
        messages.unpark(db, parked, gw.now())
    outcomes = [Outcome(each, "queued") for each in parked]
    undecodable = [
        row for row in found if row.stage == "undecodable" and "replayed_as" not in (row.note or {})
    ]
    chosen = {*parked, *(row.id for row in undecodable)}
    outcomes += [Outcome(row.id, "skipped", (), row.stage) for row in found if row.id not in chosen]
    if not undecodable:
        return outcomes
    with _committer(gw, commit=commit) as committer:
        replaying = _Replaying(gw, db, committer, commit=commit)
        outcomes += replaying.files([r for r in undecodable if r.wire == redecode.FILE])
        outcomes += [replaying.one(row) for row in undecodable if row.wire != redecode.FILE]
    return outcomes


class _Recording(Committer):
    """A committer that remembers what it accepted; `dry`: it accepts in words only."""

    def __init__(self, url: str, *, dry: bool) -> None:
        super().__init__(url)
        self._dry = dry
        self.accepted: list[Accepted] = []

    async def submit(self, entry: Entry) -> Accepted:
        """Commit an entry, or say what would be accepted."""
        accepted = _as_accepted(entry) if self._dry else await super().submit(entry)
        self.accepted.append(accepted)
        return accepted

    def taken(self) -> list[Accepted]:
        """Return what was accepted since the last call."""
        taken, self.accepted = self.accepted, []
        return taken


class _Now(StoreKnown):
    """The store's memory as it is now, not as it was when the file came."""

    def latest(self, peer: str, keys: Sequence[str], before: UUID) -> Mapping[str, Latest]:
        """Return the newest revision of each key that is known."""
        return super().latest(peer, keys, max(before, messages.END))


class _Service(service.Service):
    """The operations, without keeping a second time what is still not understood."""

    async def keep(self, context: service.Context, error: GatewayError, operation: str) -> None:
        """Keep nothing: it is kept already."""


class _Replaying:
    """Replays messages that could not be decoded, each by its wire."""

    def __init__(
        self, gw: Opened, db: psycopg.Connection[Any], committer: _Recording, *, commit: bool
    ) -> None:
        self._gw, self._db, self._committer, self._commit = gw, db, committer, commit
        self._blobs = BlobDirectory(gw.settings.blobs)
        self._peers = peers.read_all(db)
        self._service = _Service(
            committer,
            self._blobs,
            cast("Reader", None),
            contract_sha256=contracts.contract_sha256(),
        )

    def one(self, row: Any) -> Outcome:
        """Replay one message of SOAP, REST or an adapter."""
        body = messages.body(self._db, self._blobs, row.id)
        try:
            messages.require_whole(row)
            if row.wire in redecode.HTTP:
                self._call(row, body)
            else:
                self._decode(row, body)
        except GatewayError as error:
            self._committer.taken()
            return Outcome(row.id, "failed", (), masking.text(str(error)))
        return self._done(row, self._committer.taken())

    def files(self, found: Sequence[Any]) -> list[Outcome]:
        """Replay rows of files, each file read once."""
        outcomes: list[Outcome] = []
        by_file: dict[UUID, list[Any]] = {}
        for row in found:
            if "file" in (row.note or {}):
                by_file.setdefault(UUID(row.note["file"]), []).append(row)
            else:
                by_file.setdefault(row.id, []).append(row)
        for file_id, rows in by_file.items():
            try:
                outcomes += self._file(file_id, rows)
            except GatewayError as error:
                detail = masking.text(str(error))
                outcomes += [Outcome(row.id, "failed", (), detail) for row in rows]
        return outcomes

    def _call(self, row: Any, body: bytes) -> None:
        """Carry out a call once more."""
        foreign.check(body, row.media_type, self._gw.settings)
        peer, beside = self._peers.get(row.peer), messages.beside(row)
        request = redecode.request(body, row.media_type, row.operation, self._gw.now(), beside)
        if not isinstance(request, redecode.WRITES):
            raise InputError("the call leaves nothing here", found=type(request).__name__)
        response = asyncio.run(
            self._service.call(
                request,
                service.Context(
                    caller=Caller(peer=row.peer, test=bool(peer and peer.test)),
                    wire=row.wire,
                    correlation=row.correlation,
                    now=self._gw.now(),
                    body=body,
                    media_type=row.media_type,
                    parts=redecode.parts(body, row.media_type, beside),
                ),
            )
        )
        for item in getattr(response, "items", ()):
            if item.error is not None:
                raise InputError(item.error.message, found=item.external_id or "")

    def _decode(self, row: Any, body: bytes) -> None:
        """Decode a message of an adapter once more."""
        peer = self._peers.get(row.peer)
        codec = redecode.codec_of(self._gw.settings, peer, row.wire)
        arrival = ingest.Arrival(
            peer=row.peer,
            wire=row.wire,
            correlation=row.correlation,
            now=self._gw.now(),
            body=body,
            media_type=row.media_type,
            test=bool(peer and peer.test),
        )
        found = redecode.documents(body, row.media_type, codec, messages.beside(row))
        for inbound in found.items:
            asyncio.run(self._committer.submit(ingest.entry(arrival, inbound, self._blobs)))
        redecode.require_read(found)

    def _file(self, file_id: UUID, rows: Sequence[Any]) -> list[Outcome]:
        """Read a file once more and land the rows that are wanted; of a whole file, all."""
        whole = next((row for row in rows if row.id == file_id), None)
        file = whole or messages.one(self._db, file_id)
        by_row = {} if whole else {int(row.note["row"]): row for row in rows}
        body = messages.body(self._db, self._blobs, file_id)
        note = file.note or {}
        reader = redecode.open_file(self._gw.settings, file.peer, body, note)
        lines = [line for line in reader if whole or line.row in by_row]
        results = self._land(file, note, [line for line in lines if line.inbound is not None])
        if whole is not None:
            accepted = [r.accepted for r in results.values() if r.accepted is not None]
            if len(accepted) < len(lines) or not lines:
                detail = f"строк · rows: {len(lines)}, читается · readable: {len(accepted)}"
                return [Outcome(whole.id, "failed", (), detail)]
            return [self._done(whole, accepted)]
        outcomes = []
        for number, row in by_row.items():
            result = results.get(number)
            if result is not None and result.accepted is not None:
                outcomes.append(self._done(row, [result.accepted]))
            else:
                error = str(result.error) if result and result.error else _problems(lines, number)
                outcomes.append(Outcome(row.id, "failed", (), masking.text(error)))
        return outcomes

    def _land(self, file: Any, note: dict[str, Any], lines: list[Line]) -> dict[int, Result]:
        known = _Now(self._gw.url)
        profile = redecode.profile_of(self._gw.settings, file.peer, note)
        try:
            source = Source(
                id=file.id,
                peer=file.peer,
                now=self._gw.now(),
                media_type=file.media_type,
                profile=profile.name if profile else "",
                by_content=bool(profile and profile.revision_by_content),
                test=bool(file.peer in self._peers and self._peers[file.peer].test),
                begun=Begun(stored=True, rows=frozenset(line.row for line in lines)),
            )
            results: dict[int, Result] = {}

            def settle(result: Result) -> None:
                results[result.line.row] = result

            Landing(self._committer, self._blobs, source, known=known).land(lines, settle)
            self._committer.taken()
            return results
        finally:
            known.close()

    def _done(self, row: Any, accepted: Sequence[Accepted]) -> Outcome:
        new = tuple(a.message_id for a in accepted)
        if not self._commit:
            return Outcome(row.id, "readable")
        fresh = [a.message_id for a in accepted if not a.repeat]
        messages.replayed(self._db, row.id, new, fresh, self._gw.now())
        return Outcome(row.id, "accepted" if fresh else "repeat", new)


@contextmanager
def _committer(gw: Opened, *, commit: bool) -> Iterator[_Recording]:
    committer = _Recording(gw.url, dry=not commit)
    committer.start()
    try:
        yield committer
    finally:
        committer.stop()


def _as_accepted(entry: Entry) -> Accepted:
    message = entry.message
    return Accepted(
        receipt_number="",
        external_id=entry.key,
        revision=entry.revision,
        accepted_at=message.recorded_at,
        content_sha256=message.content_sha256 or message.body_sha256,
        message_id=message.id,
        appeal_id=message.appeal_id,
        repeat=False,
    )


def _problems(lines: Sequence[Line], number: int) -> str:
    found = [p for line in lines if line.row == number for _, p in line.problems]
    return (
        "; ".join(f"{p.column}: {p.ru} · {p.en}" for p in found)
        or "строки нет в файле · no such row"
    )


def _print(outcomes: Sequence[Outcome], *, commit: bool, as_json: bool) -> None:
    if as_json:
        output.document(
            {
                "committed": commit,
                "messages": [outcome._asdict() for outcome in outcomes],
                **{word: sum(o.word == word for o in outcomes) for word in WORDS},
            }
        )
        return
    if outcomes:
        output.table(
            "Ещё раз · Replay",
            ("Сообщение", "Что", "Теперь", "Почему"),
            [(o.message, WORDS[o.word], ", ".join(map(str, o.new)), o.detail) for o in outcomes],
        )
    else:
        output.say("Повторять нечего · Nothing to replay")
    output.planned(commit=commit or not outcomes)
