"""Brings the lines of one file into the store, in order, many commits in flight.

The lines go through the same group commit as every other wire, two chunks at a time: while one is
being written, the next is decoded. A row's message holds the row's own bytes and points at the
message that holds the file. A row that is wrong is kept too, so that it can be replayed once its
profile was mended.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway import ingest
from gateway.errors import BusyError, GatewayError, InternalError
from gateway.model.digest import content_sha256
from gateway.store.entries import KEEP, Accepted, Entry
from import_export.acks import Result, conflict_problems
from import_export.known import Begun
from import_export.lines import Line
from import_export.reasons import as_error, problems_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gateway.store.blobs import BlobDirectory
    from gateway.store.committer import Committer
    from gateway.store.entries import MessageRow
    from import_export.known import Known

WIRE: Final = "file"
CHUNK_LINES: Final = 200
CHUNK_BYTES: Final = 8 * 1024 * 1024
TRIES: Final = 10
UNIQUE: Final = "23505"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The file that lines come from: its message id, sender, reader's profile or adapter."""

    id: UUID
    peer: str
    now: datetime
    media_type: str
    profile: str = ""
    codec: str = ""
    by_content: bool = False
    test: bool = False
    begun: Begun = Begun(stored=False, rows=frozenset())


class _Prepared(NamedTuple):
    """A line with what the committer has to write for it; no entry: kept already."""

    line: Line
    entry: Entry | None
    error: GatewayError | None


class Landing:
    """Lands the lines of one file; `land` gives each line's result in the order of the file."""

    def __init__(
        self,
        committer: Committer,
        blobs: BlobDirectory,
        source: Source,
        *,
        known: Known | None,
        stop: threading.Event | None = None,
    ) -> None:
        self._committer = committer
        self._blobs = blobs
        self._source = source
        self._known = known
        self._stop = stop or threading.Event()

    def land(self, lines: Iterable[Line], settle: Callable[[Result], None]) -> None:
        """Store every line and tell `settle` what became of it, after its commit.

        Raises BusyError when the store stays away or the watcher shall stop: what was stored stays
        stored, and a second reading of the file gets the first receipts.
        """
        waiting: deque[tuple[list[_Prepared], Future[list[Any]]]] = deque()
        with ThreadPoolExecutor(1, "file-drop-commit") as pool:
            for chunk in _chunks(lines):
                if self._stop.is_set():
                    raise BusyError("the file drop is stopping", where="filedrop")
                prepared = self._prepare(chunk)
                waiting.append((prepared, pool.submit(self._commit, prepared)))
                if len(waiting) > 1:
                    self._settle(*waiting.popleft(), settle)
            while waiting:
                self._settle(*waiting.popleft(), settle)

    def store(self, entry: Entry) -> None:
        """Store one entry that only keeps something; a second time is no error."""
        outcome = self._commit(
            [_Prepared(line=Line(row=0, last=0, raw=b""), entry=entry, error=None)]
        )[0]
        if isinstance(outcome, Exception) and not _kept_before(outcome):
            raise outcome

    def _prepare(self, chunk: Sequence[Line]) -> list[_Prepared]:
        revisions = self._revisions(chunk) if self._source.by_content else {}
        return [self._prepared(line, revisions.get(line.row)) for line in chunk]

    def _prepared(self, line: Line, revision: int | None) -> _Prepared:
        arrival = ingest.Arrival(
            peer=self._source.peer,
            wire=WIRE,
            correlation=str(self._source.id),
            now=self._source.now,
            body=line.raw,
            media_type=self._source.media_type,
            test=self._source.test,
        )
        inbound = line.inbound
        if inbound is None:
            error = as_error(tuple(found for _, found in line.problems), line.reason)
        else:
            if revision is not None and inbound.appeal is not None:
                appeal = msgspec.structs.replace(inbound.appeal, revision=revision)
                inbound = msgspec.structs.replace(inbound, revision=revision, appeal=appeal)
            try:
                entry = ingest.entry(arrival, inbound, self._blobs)
            except GatewayError as refused:
                error = refused
            else:
                return _Prepared(line, self._pointing(entry, line), None)
        if line.row in self._source.begun.rows:
            return _Prepared(line, None, error)
        kept = ingest.kept(arrival, error, "submit", self._blobs)
        return _Prepared(line, self._pointing(kept, line), error)

    def _pointing(self, entry: Entry, line: Line) -> Entry:
        """Return the entry with a message that says where in which file it stood."""
        note = msgspec.json.decode(entry.message.note) if entry.message.note else {}
        note |= {"file": str(self._source.id), "row": line.row, "last": line.last}
        if self._source.profile:
            note["profile"] = self._source.profile
        if self._source.codec:
            note["codec"] = self._source.codec
        text = msgspec.json.encode(note).decode().replace("\\u0000", "")
        entry.message = entry.message._replace(note=text)
        return entry

    def _revisions(self, chunk: Sequence[Line]) -> Mapping[int, int]:
        """Return row → revision: the known one for known content, else the next one."""
        told = [
            (line.row, line.inbound.external_id, line.inbound.appeal)
            for line in chunk
            if line.inbound is not None and line.inbound.appeal is not None
        ]
        if self._known is None:
            raise InternalError("revisions by content need the store's memory", where="filedrop")
        latest = self._known.latest(
            self._source.peer, sorted({key for _, key, _ in told}), self._source.id
        )
        revisions = {}
        for row, key, appeal in told:
            before = latest.get(key)
            if before is not None:
                same = before.content_sha256.hex() == content_sha256(appeal)
                revisions[row] = before.revision if same else before.revision + 1
        return revisions

    def _commit(self, prepared: Sequence[_Prepared]) -> list[Any]:
        """Commit what is prepared; wait while the store is busy or away."""
        outcomes: list[Any] = [None] * len(prepared)
        todo = [n for n, item in enumerate(prepared) if item.entry is not None]
        for attempt in range(TRIES):
            entries = [prepared[n].entry for n in todo]
            for n, outcome in zip(todo, asyncio.run(self._submit(entries)), strict=True):
                outcomes[n] = outcome
            todo = [n for n in todo if isinstance(outcomes[n], BusyError)]
            if not todo or self._stop.wait(min(0.05 * 2**attempt, 2.0)):
                break
            for n in todo:
                self._renew(prepared[n])
        if todo:
            raise outcomes[todo[0]]
        return outcomes

    async def _submit(self, entries: Sequence[Any]) -> list[Any]:
        outcomes: list[Any] = await asyncio.gather(
            *(self._committer.submit(entry) for entry in entries), return_exceptions=True
        )
        return outcomes

    @staticmethod
    def _renew(item: _Prepared) -> None:
        """Make an entry ready to be submitted again."""
        assert item.entry is not None
        item.entry.outcome = item.entry.error = None

    def _settle(
        self,
        prepared: Sequence[_Prepared],
        future: Future[list[Any]],
        settle: Callable[[Result], None],
    ) -> None:
        for item, outcome in zip(prepared, future.result(), strict=True):
            settle(_result(item, outcome))


def _result(item: _Prepared, outcome: Any) -> Result:
    line = item.line
    if item.error is not None:
        if isinstance(outcome, Exception) and not _kept_before(outcome):
            raise outcome
        problems = line.problems or tuple((line.row, p) for p in problems_of(item.error))
        return Result(line, "rejected", error=item.error, problems=problems)
    if isinstance(outcome, Accepted):
        assert item.entry is not None
        word = "amended" if item.entry.amended else "accepted"
        return Result(line, "repeat" if outcome.repeat else word, accepted=outcome)
    if isinstance(outcome, GatewayError):
        word = "conflict" if outcome.code == "conflict" else "rejected"
        return Result(line, word, error=outcome, problems=conflict_problems(line.row, outcome))
    raise InternalError(f"the store gave no answer: {type(outcome).__name__}") from outcome


def _kept_before(outcome: Exception) -> bool:
    """Whether the store refused a message because it holds this very id.

    A connection may be lost after the commit; what was kept is then there already.
    """
    return isinstance(outcome, InternalError) and outcome.where == UNIQUE


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    size = 0
    for line in lines:
        if chunk and (len(chunk) >= CHUNK_LINES or size + len(line.raw) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line.raw)
    if chunk:
        yield chunk


def keep_entry(message: MessageRow) -> Entry:
    """Return an entry that only keeps a message."""
    return Entry(kind=KEEP, key="", revision=0, message=message)
