"""The watcher: takes settled files from inboxes, lands them, answers, and puts them away.

Order, for every file: claim by rename → copy what is there into the store → land its rows → write
the acknowledgement and the error file → move it to done/ or error/. Killed anywhere, the next
watcher finds the file in work/ and reads it again; idempotency keys give the rows that landed their
first receipts.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from gateway.errors import BusyError, ConfigurationError, StateError
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
    from import_export.known import Known, Sender

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
    names. Raises BusyError when the store is away; the file being read waits in work/ then. Raises
    ConfigurationError when the sender or the profile is not there, StateError when the sender is
    disabled: nothing was touched then.
    """
    directories = Directories(inbox.path)
    with directories.exclusive() as mine:
        if not mine:
            return Report(held=True)
        sender = _sender(inbox.peer, known)
        stop = stop or threading.Event()
        reading = Reading(
            inbox, directories, committer, blobs, known=known, sender=sender, now=now, stop=stop,
            codec=codec,
        )  # fmt: skip
        directories.sweep()
        return Report(files=tuple(_files(inbox, directories, reading, sightings, now, stop)))


def _sender(peer: str, known: Known | None) -> Sender | None:
    """Return who drops files; raise unless we know the peer and it may."""
    if known is None:
        return None
    sender = known.sender(peer)
    if sender is None:
        raise ConfigurationError(
            "нет такой системы, файлы не берутся · no such peer, its files are not taken",
            found=peer,
            where="peer",
            todo=f"`gateway peer list`; `gateway peer add {peer}`",
        )
    if not sender.enabled:
        raise StateError(
            f"система {peer} отключена, файлы ждут · the peer is disabled, its files wait",
            current_state="disabled",
            todo=f"`gateway peer enable {peer} --commit`",
        )
    return sender


class FileDrop:
    """Watches all inboxes until it is told to stop; for one thread of `gateway work`.

    A trouble that stays the same is logged once, not at every look.
    """

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
        self._said: dict[FileInbox, str] = {}

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
        except ConfigurationError as error:
            self._say(inbox, log.error, "filedrop.refused", error)
        except StateError as error:
            self._say(inbox, log.warning, "filedrop.disabled", error)
        except BusyError as error:
            self._say(inbox, log.warning, "filedrop.busy", error)
        except OSError as error:
            self._say(inbox, log.error, "filedrop.unreachable", error)
        except Exception:  # the file waits in work/, and after TRIES a person sees it in error/
            log.exception("filedrop.defect", inbox=str(inbox.path))
        else:
            if self._said.pop(inbox, ""):
                log.info("filedrop.resumed", inbox=str(inbox.path), peer=inbox.peer)
            for found in report.files:
                told = msgspec.to_builtins(found)
                del told["reason"]  # it may hold words of the file
                log.info("filedrop.file", inbox=str(inbox.path), **told)

    def _say(
        self, inbox: FileInbox, write: Callable[..., Any], event: str, error: Exception
    ) -> None:
        """Log a trouble when it is another than at the look before."""
        reason = str(error)
        if self._said.get(inbox) != reason:
            self._said[inbox] = reason
            write(event, inbox=str(inbox.path), peer=inbox.peer, reason=reason)


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
