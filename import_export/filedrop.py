"""The watcher: takes settled files from inboxes, lands them, answers, and puts them away.

Order, for every file: claim by rename → copy what is there into the store → land its rows → write
the acknowledgement and the error file → move it to done/ or error/. Killed anywhere, the next
watcher finds the file in work/ and reads it again; idempotency keys give the rows that landed their
first receipts.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import structlog

from gateway.errors import BusyError, ConfigurationError
from import_export.inbox import Directories, Sightings
from import_export.known import StoreKnown
from import_export.reading import FileReport, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.adapter import Codec
    from gateway.settings import FileInbox
    from gateway.store.blobs import BlobDirectory
    from gateway.store.committer import Committer
    from import_export.known import Known

log = structlog.get_logger(__name__)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at an inbox did. held: another watcher has the inbox."""

    files: tuple[FileReport, ...] = ()
    held: bool = False


def run_once(
    inbox: FileInbox,
    committer: Committer,
    blobs: BlobDirectory,
    now: datetime,
    *,
    known: Known | None = None,
    sightings: Sightings | None = None,
    stop: threading.Event | None = None,
    codec: Codec | None = None,
) -> Report:
    """Process what was left behind and what has settled in one inbox.

    known: the store's memory; without it revisions by content are refused and a reading after a
    crash keeps refused rows twice. sightings: what earlier calls saw; without it a file's own time
    of last change decides whether it has settled. codec: reads files of the adapter that the inbox
    names. Raises BusyError when the store is away; the file being read waits in work/ then.
    """
    directories = Directories(inbox.path)
    with directories.exclusive() as mine:
        if not mine:
            return Report(held=True)
        directories.sweep()
        stop = stop or threading.Event()
        reading = Reading(
            inbox, directories, committer, blobs, known=known, now=now, stop=stop, codec=codec
        )
        return Report(files=tuple(_files(inbox, directories, reading, sightings, now, stop)))


class FileDrop:
    """Watches all inboxes until it is told to stop; for one thread of `gateway work`."""

    def __init__(
        self,
        inboxes: Sequence[FileInbox],
        committer: Committer,
        blobs: BlobDirectory,
        *,
        url: str,
        clock: Callable[[], datetime],
        poll_seconds: float = 1.0,
        codecs: Mapping[str, Codec] | None = None,
    ) -> None:
        self._inboxes = tuple(inboxes)
        self._codecs = {"": None, **(codecs or {})}
        for inbox in self._inboxes:
            if inbox.codec not in self._codecs:
                raise ConfigurationError(
                    "no adapter of this name reads files",
                    found=inbox.codec,
                    expected=", ".join(filter(None, self._codecs)),
                    where=f"inboxes: {inbox.path}",
                )
        self._committer = committer
        self._blobs = blobs
        self._known = StoreKnown(url)
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._sightings = [Sightings() for _ in self._inboxes]

    def run(self, stop: threading.Event) -> None:
        """Look at every inbox in turn; a trouble with one does not stop the others."""
        try:
            while not stop.is_set():
                for inbox, sightings in zip(self._inboxes, self._sightings, strict=True):
                    self._look(inbox, sightings, stop)
                stop.wait(self._poll_seconds)
        finally:
            self._known.close()

    def _look(self, inbox: FileInbox, sightings: Sightings, stop: threading.Event) -> None:
        try:
            report = run_once(
                inbox,
                self._committer,
                self._blobs,
                self._clock(),
                known=self._known,
                sightings=sightings,
                stop=stop,
                codec=self._codecs[inbox.codec],
            )
        except BusyError as error:
            log.warning("filedrop.busy", inbox=str(inbox.path), reason=str(error))
        except OSError as error:
            log.warning("filedrop.unreachable", inbox=str(inbox.path), reason=str(error))
        except Exception:  # the file waits in work/, and after TRIES a person sees it in error/
            log.exception("filedrop.defect", inbox=str(inbox.path))
        else:
            for found in report.files:
                log.info("filedrop.file", inbox=str(inbox.path), **msgspec.to_builtins(found))


def _files(
    inbox: FileInbox,
    directories: Directories,
    reading: Reading,
    sightings: Sightings | None,
    now: datetime,
    stop: threading.Event,
) -> Iterator[FileReport]:
    """Read what was left behind, then what has settled; the lock must be held."""
    for claim in directories.abandoned(reading.marker):
        report = reading.read(claim, again=True)
        if report is not None:
            yield report
    arrivals = directories.arrivals(reading.marker)
    if sightings is not None:
        sightings.forget_all_but({path for path, _ in arrivals})
    for path, status in arrivals:
        if stop.is_set():
            return
        seconds = inbox.settle_seconds
        if sightings is not None:
            ready = sightings.settled(path, status, seconds, now)
        else:
            changed = max(status.st_mtime, status.st_ctime)
            ready = seconds <= 0 or now.timestamp() - changed >= seconds
        claimed = directories.claim(path, reading.marker) if ready else None
        report = reading.read(claimed, again=False) if claimed is not None else None
        if report is not None:
            yield report
