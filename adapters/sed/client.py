"""The exchange by a directory: messages appear whole, receipts are kept, repeats are harmless.

A receipt of the partner is no message of an appeal: `receive` keeps it below `state/receipts`, and
`settle` looks there. What we tell him ourselves (receipts, refusals) has uids made of his message's
uid, so that a repeat after a crash writes the same folder, which is there already.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from bisect import bisect_right
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from adapters.sed import tree
from adapters.sed.about import about
from adapters.sed.codes import NOTICE, RECEIPT
from adapters.sed.decode import kind_of, uid_of
from adapters.sed.folder import CARD, ENVELOPE, envelope, listed_in, of_files, pack, unpack
from adapters.sed.prune import SETTLED, Pruner
from adapters.sed.reader import Reader
from adapters.sed.replies import Replies, reason_of
from adapters.sed.spool import Spool, Waiting, is_name
from gateway import limits
from gateway.adapter import Batch, Health, Receipt, RemoteState, Taken
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    TooLargeError,
)
from gateway.model.fold import number_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.sed.codes import Reasons
    from adapters.sed.settings import Settings
    from adapters.sed.tree import Card
    from gateway.adapter import Verdict, Window, Wire

_LOOKS: Final = 4
"""So many folders for each message of a batch are looked at in one call."""
_HOUR: Final = 3600.0
_TODO: Final = (
    "Проверьте, что папка обмена есть, доступна шлюзу и на диске есть место"
    " · check that the directory is there, belongs to the gateway and has room"
)


class Exchange:
    """One partner's directory."""

    def __init__(self, settings: Settings, reasons: Reasons) -> None:
        self._settings = settings
        self._replies = Replies(settings, reasons)
        self._pruner = Pruner(settings.prune_days, waits=settings.ack == "receipt")

    def receive(self, cursor: str) -> Batch:
        """Return what lies in `in/`, the oldest first; keep receipts, which are no messages.

        A folder that lacks what its envelope lists is left alone until `incomplete_seconds`. The
        cursor is where to go on when there is more than one call may look at; it is empty once
        everything was looked at, and the next call begins anew.
        """
        spool = self._spool()
        taken: list[Taken] = []
        looks = read = 0
        try:
            spool.make()
            waiting, since = spool.waiting()
            self._pruner.step(spool, since)
            last = Waiting.at(cursor)
            for one in waiting[bisect_right(waiting, last) :]:
                full = len(taken) == self._settings.batch or read > limits.DOCUMENT_FILE_BYTES
                if full or looks == _LOOKS * self._settings.batch:
                    return Batch(messages=tuple(taken), cursor=last.place, more=True)
                name, last, looks = os.fsdecode(one.name), one, looks + 1
                wire, size = self._one(spool, name)
                read += size
                if wire is not None:
                    taken.append(Taken(wire=wire, token=name))
        except OSError as error:
            raise self._unreadable(error) from error
        return Batch(messages=tuple(taken))

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Tell the partner what was taken, and move the folders out of `in/`.

        What may be taken later stays where it is and comes again. A folder that cannot be answered
        for or moved holds up no other; it comes again too. Raises PeerUnavailable for the first.
        """
        spool = self._spool()
        failed: OSError | None = None
        for verdict in verdicts:
            if verdict.error is None or verdict.error.retry == "never":
                try:
                    self._end(spool, verdict)
                except OSError as error:
                    failed = failed or error
        if failed is not None:
            raise self._unreadable(failed) from failed

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Let the folder appear in `out/`.

        Called again it lets the folder appear again, unless it lies there still or the partner has
        accepted it: whoever sends again has asked before, or decided for the partner's silence or
        refusal.

        Raises PeerUnavailable when the directory cannot be written and nothing appeared,
        PeerDoubtful when it appeared and that could not be noted.
        """
        spool, (name, files) = self._spool(), self._outgoing(wire)
        settled = self._settings.ack == "write"
        appeared = False
        try:
            spool.make()
            told = spool.kept("receipts", name)
            if told is not None and _accepts(_card({CARD: told})):
                return self._told(told, name)
            for ledger in ("receipts", SETTLED) if told is not None else ():
                spool.drop(ledger, name)
            appeared = spool.appear(name, files)
            if appeared or spool.kept("sent", name) is None:
                note = json.dumps({"key": key, **_noted(files)}, ensure_ascii=False)
                spool.keep("sent", name, note.encode())
        except OSError as error:
            if appeared:
                raise PeerDoubtful(
                    f"the folder appeared and could not be noted: {error.strerror}", where=name
                ) from error
            raise self._unreadable(error) from error
        return Receipt(final=settled, reference=name)

    def settle(self, wire: Wire, key: str) -> Receipt | None:  # noqa: ARG002 - the uid is the key
        """Say what became of a message: by its receipt, else by its having been written.

        A refusing receipt is a receipt with the partner's words. Raises PeerDoubtful when none came
        within `receipt_hours`.
        """
        spool, (name, _) = self._spool(), self._outgoing(wire)
        try:
            told = spool.kept("receipts", name)
            if told is not None:
                if spool.kept(SETTLED, name) is None:
                    spool.keep(SETTLED, name, b"")
                return self._told(told, name)
            there = spool.kept("sent", name) is not None or (spool.outgoing / name).is_dir()
            if not there:
                if not spool.outgoing.is_dir():
                    raise PeerUnavailable("the directory is not there", where=name, todo=_TODO)
                return None
            hours = spool.kept_since("sent", name) / _HOUR
        except OSError as error:
            raise self._unreadable(error) from error
        if self._settings.ack == "receipt" and hours > self._settings.receipt_hours:
            raise PeerDoubtful(
                "квитанции нет · no receipt came",
                where=name,
                found=f"{hours:.0f} h",
                expected=f"{self._settings.receipt_hours:.0f} h",
                todo="ask the partner by its uid, then confirm or replay",
            )
        return Receipt(final=self._settings.ack == "write", reference=name)

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """List the newest notification of each document, as far as it came within the window."""
        for uid, body in self._spool().all_kept("states"):
            told: dict[str, Any] = json.loads(body)
            at = dt.datetime.fromisoformat(told["at"])
            if window.start <= at < window.end:
                yield RemoteState(
                    key=told["number"] or uid,
                    key_folded=number_key(told["number"] or uid),
                    organisation=told["source"],
                    states={"": told["state"]},
                    modified_at=at,
                    raw=body,
                )

    def probe(self) -> Health:
        """Say whether the directories can be read and written, and have room."""
        begun = monotonic()
        try:
            spool = self._spool()
        except ConfigurationError as error:
            todo = "Укажите directory, или in_directory и out_directory, в строке участника"
            return Health(ok=False, seconds=0.0, detail=error.message, todo=todo)
        for place in spool.places():
            if not (place.is_dir() and os.access(place, os.R_OK | os.W_OK | os.X_OK)):
                return Health(ok=False, seconds=monotonic() - begun, detail=str(place), todo=_TODO)
        free = min(shutil.disk_usage(place).free for place in spool.places())
        waiting = len(spool.waiting()[0])
        return Health(
            ok=free >= limits.FREE_BYTES,
            seconds=monotonic() - begun,
            detail=f"Во входящих: {waiting}; свободно {free // limits.MB} МБ",
            todo="" if free >= limits.FREE_BYTES else _TODO,
        )

    def _spool(self) -> Spool:
        s = self._settings
        root = Path(s.directory or s.in_directory or s.out_directory)
        if not (s.directory or (s.in_directory and s.out_directory)):
            raise ConfigurationError(
                "папка обмена не указана · the peer's row names no directory",
                where="options.directory",
                todo="`gateway peer option … directory=…`",
            )
        if not s.directory:
            root = Path(s.in_directory).parent
        incoming = Path(s.in_directory) if s.in_directory else root / "in"
        outgoing = Path(s.out_directory) if s.out_directory else root / "out"
        return Spool(incoming, outgoing, root, settle=s.settle_seconds)

    def _one(self, spool: Spool, name: str) -> tuple[Wire | None, int]:
        """One folder of `in/` as a wire, and how many bytes were read of it.

        No wire when it is no message, or not whole yet.
        """
        age = spool.age(name)
        if age is None:
            return None, 0
        try:
            files = spool.read(name)
        except FileNotFoundError:
            return None, 0
        except TooLargeError as error:
            spool.move(name, "error", f"{error}\n")
            return None, limits.ZIP_MEMBER_BYTES
        card, size = _card(files), sum(map(len, files.values()))
        if (card is None or _lacks(files)) and age < self._settings.incomplete_seconds:
            return None, size
        if card is not None and kind_of(card) == RECEIPT:
            self._keep_receipt(spool, card, files)
            spool.move(name, "done")
            return None, size
        shown = name.encode("utf-8", "replace").decode()
        return pack(shown, files), size

    def _keep_receipt(self, spool: Spool, card: Card, files: dict[str, bytes]) -> None:
        """Keep a receipt by the uid of the message that it names; an accepting one stays."""
        uid = card.values.get("acknowledgment/@uid", "").strip().lower()
        if not is_name(uid):
            return
        before = spool.kept("receipts", uid)
        if before is None or not _accepts(_card({CARD: before})):
            spool.keep("receipts", uid, of_files("", files).body)

    def _told(self, body: bytes, name: str) -> Receipt:
        card = _card({CARD: body})
        if card is None:
            raise PeerDoubtful("the receipt that was kept is unreadable", where=name)
        if not _accepts(card):
            why = card.values.get("acknowledgment/comment", "").strip()
            return Receipt(final=False, reference=name, refused=why or "accepted=false")
        at = Reader(card, self._settings.zone).moment("acknowledgment/time")
        return Receipt(final=True, reference=name, body=body[: limits.KB * 4], at=at)

    def _outgoing(self, wire: Wire) -> tuple[str, dict[str, bytes]]:
        """The name and the files of a message of ours."""
        folder = unpack(wire)
        card = _card(folder.files)
        name = (uid_of(card) if card else "") or folder.name
        if not is_name(name):
            raise PeerRefused("a message of ours has no uid to be called by", found=name[:100])
        files = dict(folder.files)
        if not folder.envelope:
            told = about(files)
            subject = told.subject if told else name
            names = (folder.card, *(n for n in files if n != folder.card))
            files[ENVELOPE] = envelope(f"ЭСД МЭДО ({subject})", self._settings.mailbox, names)
        return name, files

    def _end(self, spool: Spool, verdict: Verdict) -> None:
        """Answer for one message and move it away; gone already: it was done before."""
        name = verdict.token
        if not is_name_of_folder(name) or not (spool.incoming / name).is_dir():
            return
        files, error = spool.read(name), verdict.error
        card = _card(files)
        if card is not None and card.root == tree.ROOT and kind_of(card) == NOTICE:
            self._keep_state(spool, card)
        marks = self._answer(spool, files, verdict)
        spool.move(name, "error" if error else "done", "" if error is None else reason_of(error))
        for mark in marks:
            spool.drop("told", mark)

    def _answer(self, spool: Spool, files: dict[str, bytes], verdict: Verdict) -> list[str]:
        """Let what is said of a message appear; return the marks of it.

        A mark says that the folder appeared: the partner may have taken it before a crash.
        """
        done = []
        for reply in self._replies.to(files, verdict):
            if spool.kept("told", reply.name) is None:
                spool.appear(reply.name, reply.files)
                spool.keep("told", reply.name, b"")
            done.append(reply.name)
        return done

    def _keep_state(self, spool: Spool, card: Card) -> None:
        """Keep the newest notification of a document, for reconciliation."""
        reader = Reader(card, self._settings.zone)
        uid = reader.peek("notification/@uid").lower()
        around = reader.around("notification", "time")
        at = reader.moment(f"{around}/time") or reader.moment("header/@created")
        if not is_name(uid) or at is None:
            return
        told = {
            "number": reader.peek(f"{around}/foundation/num/number"),
            "source": reader.peek("header/source/@uid"),
            "state": reader.peek("notification/@type"),
            "at": at.isoformat(),
        }
        before = spool.kept("states", uid)
        if before is None or dt.datetime.fromisoformat(json.loads(before)["at"]) <= at:
            spool.keep("states", uid, json.dumps(told, ensure_ascii=False).encode())

    def _unreadable(self, error: OSError) -> PeerUnavailable:
        return PeerUnavailable(
            f"папка обмена недоступна · the directory cannot be used: {error.strerror}",
            where=str(error.filename or self._settings.directory),
            todo=_TODO,
        )


def is_name_of_folder(name: str) -> bool:
    """Whether a token names a folder of `in/` and nothing beside it."""
    return bool(name) and name not in {".", ".."} and "/" not in name and "\0" not in name


def _card(files: dict[str, bytes]) -> Card | None:
    """The card of a folder; None when there is none that can be read."""
    try:
        root, note = tree.parse(of_files("", files).body)
        return tree.card(root, note)
    except GatewayError:
        return None


def _accepts(card: Card | None) -> bool:
    told = card.values.get("acknowledgment/accepted", "") if card else ""
    return told.strip().lower() in {"true", "1"}


def _lacks(files: dict[str, bytes]) -> bool:
    """Whether the envelope lists what is not there: the partner is still writing, perhaps."""
    folder = of_files("", files)
    if not folder.envelope:
        return False
    there = {name.lower() for name in files}
    return any(name.lower() not in there for name in listed_in(files[folder.envelope]))


def _noted(files: dict[str, bytes]) -> dict[str, str]:
    """What a message of ours is about, for the note of its having been sent."""
    told = about(files)
    if told is None:
        return {}
    kind = told.card.values.get("header/@type", "") or told.card.root
    return {"kind": kind, "uid": told.uid, "number": told.number}
