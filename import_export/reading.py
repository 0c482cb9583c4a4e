"""Reads one claimed file from its first byte to its place in done/ or error/."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.errors import BusyError, GatewayError, InternalError
from gateway.store.entries import MessageRow
from import_export import profile as profiles
from import_export.acks import Answers, Result, Style, whole_file
from import_export.bundle import Bundle
from import_export.csvfile import Table, require_profile
from import_export.documents import Documents
from import_export.known import Begun
from import_export.landing import WIRE, Landing, Source, keep_entry
from import_export.reasons import refuse
from import_export.snapshot import Snapshot, is_xml, take

if TYPE_CHECKING:
    import threading
    from datetime import datetime

    from gateway.adapter import Codec
    from gateway.settings import FileInbox
    from gateway.store.blobs import BlobDirectory
    from gateway.store.committer import Committer
    from import_export.inbox import Claim, Directories
    from import_export.known import Known, Sender

TRIES: Final = 5
"""Readings of one file that may die before it is put into error/ for a person."""
OPERATION: Final = "file"
"""Operation of the message that holds a whole file."""
WORDS: Final = ("accepted", "amended", "repeat", "conflict", "rejected")


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file. place: `done` or `error`; the counts are of its lines.

    file_id: id of the message that holds the file as received. error: code of gateway.errors when
    the file could not be read as a whole, reason: why, in Russian and English with what was found,
    which may be words of the file.
    """

    name: str
    file_id: str
    place: str
    accepted: int = 0
    amended: int = 0
    repeat: int = 0
    conflict: int = 0
    rejected: int = 0
    error: str = ""
    reason: str = ""

    @property
    def landed(self) -> int:
        """How many lines the store holds now."""
        return self.accepted + self.amended + self.repeat


class Reading:
    """Everything one look at an inbox needs to read its files.

    sender: who drops there; None: not asked. Raises ConfigurationError for a profile that is not
    there or wrong, before any file was touched.
    """

    def __init__(
        self,
        inbox: FileInbox,
        directories: Directories,
        committer: Committer,
        blobs: BlobDirectory,
        *,
        known: Known | None,
        sender: Sender | None = None,
        now: datetime,
        stop: threading.Event,
        codec: Codec | None = None,
    ) -> None:
        self._peer = inbox.peer
        self._test = sender is not None and sender.test
        self._codec = codec
        self._codec_name = inbox.codec if codec is not None else ""
        self._document_bytes = inbox.document_bytes
        self._directories = directories
        self._committer = committer
        self._blobs = blobs
        self._known = known
        self._now = now
        self._stop = stop
        self._profile = profiles.load(inbox.profile) if inbox.profile else None

    @property
    def marker(self) -> str:
        """Ending of the companion file without which a file is not taken; empty: none."""
        return self._profile.table.marker if self._profile else ""

    def read(self, claim: Claim, *, again: bool) -> FileReport | None:
        """Read a claimed file; None when it was given back because it is still being written.

        again: an earlier reading died. Raises BusyError when the store is away: the file stays in
        work/.
        """
        if claim.begin_try() > TRIES:
            return self._refuse(claim, None, InternalError("the file cannot be read"), again=again)
        try:
            return self._read(claim, again=again)
        except BusyError:
            claim.forget_tries()
            raise

    def _read(self, claim: Claim, *, again: bool) -> FileReport | None:
        limit = (self._profile.table if self._profile else profiles.Table()).max_bytes
        try:
            snapshot = take(claim.path, self._blobs, limit)
        except GatewayError as error:
            return self._refuse(claim, None, error, again=again)
        with snapshot:
            if snapshot.changed(claim.path):
                self._give_back(claim)
                return None
            try:
                reader = self._reader(claim, snapshot)
            except GatewayError as error:
                return self._refuse(claim, snapshot, error, again=again)
            return self._land(claim, snapshot, reader, again=again)

    def _reader(self, claim: Claim, snapshot: Snapshot) -> Table | Bundle | Documents:
        """Open the file as what it is; raise GatewayError when it cannot be read at all."""
        if self.marker:
            snapshot.check_marker(claim.marker, self.marker)
        if is_xml(claim.name, snapshot.start):
            return Bundle(snapshot.file)
        if self._codec is not None:
            return Documents(snapshot.file, self._codec, claim.name, self._document_bytes)
        return Table(snapshot.file, require_profile(self._profile), peer=self._peer, now=self._now)

    def _land(
        self, claim: Claim, snapshot: Snapshot, reader: Table | Bundle | Documents, *, again: bool
    ) -> FileReport | None:
        xml = isinstance(reader, Bundle)
        source = self._source(claim, again=again, xml=xml)
        if isinstance(reader, Documents):
            source = msgspec.structs.replace(source, media_type=reader.media_type)
        landing = self._landing(source)
        if not source.begun.stored:
            landing.store(keep_entry(self._file_row(claim, source, snapshot, None)))
        counts = dict.fromkeys(WORDS, 0)
        with Answers(self._directories.out, claim.name, xml=xml, style=_style(reader)) as out:

            def settle(result: Result) -> None:
                counts[result.word] += 1
                out.add(result)

            landing.land(reader, settle)
            if snapshot.changed(claim.path):
                self._give_back(claim)
                return None
            nothing = None if any(counts.values()) else refuse("no_rows")
            wrong = whole_file(nothing) if nothing is not None else ()
            for row, problem in wrong:
                out.refuse(row, problem)
            out.finish()
        landed = counts["accepted"] + counts["amended"] + counts["repeat"]
        place = self._directories.done if landed else self._directories.error
        claim.move(place)
        report = FileReport(
            name=claim.name,
            file_id=str(claim.id),
            place=place.name,
            error=nothing.code if nothing is not None else "",
            reason="; ".join(str(problem) for _, problem in wrong),
        )
        return msgspec.structs.replace(report, **counts)

    def _refuse(
        self, claim: Claim, snapshot: Snapshot | None, error: GatewayError, *, again: bool
    ) -> FileReport:
        """Keep a file that cannot be read as a whole, say why, and put it into error/."""
        xml = is_xml(claim.name, snapshot.start if snapshot else b"")
        source = self._source(claim, again=again, xml=xml)
        if not source.begun.stored:
            row = self._file_row(claim, source, snapshot, error)
            self._landing(source).store(keep_entry(row))
        style, wrong = Style(), whole_file(error)
        if self._profile is not None and not xml and self._profile.table.encoding != "auto":
            table = self._profile.table
            style = Style(table.encoding, self._profile.delimiter, table.quote)
        with Answers(self._directories.out, claim.name, xml=xml, style=style) as out:
            for row_number, problem in wrong:
                out.refuse(row_number, problem)
            out.finish()
        claim.move(self._directories.error)
        return FileReport(
            name=claim.name,
            file_id=str(claim.id),
            place="error",
            error=error.code,
            reason="; ".join(str(problem) for _, problem in wrong),
        )

    def _give_back(self, claim: Claim) -> None:
        """Return a file that is still being written to in/, to be taken when it stands still."""
        if claim.marker.exists():
            claim.marker.rename(self._directories.incoming / f"{claim.name}{self.marker}")
        claim.move(self._directories.incoming)

    def _source(self, claim: Claim, *, again: bool, xml: bool) -> Source:
        profile = None if xml else self._profile
        known = self._known
        begun = known.begun(self._peer, claim.id) if known is not None and again else None
        return Source(
            id=claim.id,
            peer=self._peer,
            now=self._now,
            media_type="application/xml" if xml else "text/csv",
            profile=profile.name if profile else "",
            codec="" if xml else self._codec_name,
            by_content=bool(profile and profile.revision_by_content),
            test=self._test,
            begun=begun or Begun(stored=False, rows=frozenset()),
        )

    def _landing(self, source: Source) -> Landing:
        return Landing(self._committer, self._blobs, source, known=self._known, stop=self._stop)

    def _file_row(
        self, claim: Claim, source: Source, snapshot: Snapshot | None, error: GatewayError | None
    ) -> MessageRow:
        """Return the message that holds the file; of one past the limits only its name and size."""
        note: dict[str, object] = {"name": claim.name.encode("utf-8", "replace").decode()}
        note["size"] = snapshot.size if snapshot else claim.path.lstat().st_size
        if source.profile:
            note["profile"] = source.profile
        if source.codec:
            note["codec"] = source.codec
        if error is not None:
            note |= {"code": error.code, "message": error.message, "where": error.where}
            note["violations"] = [v._asdict() for v in getattr(error, "violations", ())]
        text = msgspec.json.encode(note).decode().replace("\\u0000", "")
        return MessageRow(
            id=claim.id,
            peer=self._peer,
            wire=WIRE,
            operation=OPERATION,
            key="",
            revision=0,
            recorded_at=self._now,
            correlation=str(claim.id),
            media_type=source.media_type,
            body=snapshot.body if snapshot else b"",
            blob=snapshot.blob if snapshot else None,
            body_sha256=snapshot.sha256 if snapshot else sha256(b"").digest(),
            content_sha256=None,
            decoded=None,
            appeal_id=None,
            stage="undecodable" if error else "applied",
            note=text,
        )


def _style(reader: Table | Bundle | Documents) -> Style:
    if not isinstance(reader, Table):
        return Style()
    return Style(reader.encoding, reader.profile.delimiter, reader.profile.table.quote)
