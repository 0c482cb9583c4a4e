"""What the simulated СЭД holds and does: the folder loop, its script, its failures."""

from __future__ import annotations

import os
import shutil
import threading
import time
from random import Random
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from simulators.peer import clock
from simulators.sed import messages as m
from simulators.sed import rules
from simulators.seed.appeals import Source
from simulators.seed.files import letter_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulators.faults import Fault, Faults
    from simulators.peer import Journal

ODD: Final = ("version", "extension", "encoding", "half", "duplicate")
"""What may be wrong with a document that is dropped on purpose."""
_NS: Final = f"{{{rules.NS}}}"
_TICK: Final = 0.05


class Store:
    """The СЭД. One lock for all it holds; a thread walks the directory and the script.

    directory: `in/` is what the gateway reads, `out/` what it writes. step: seconds between two
    notifications about one document. refuse: share of documents whose registration is refused.
    """

    def __init__(
        self, directory: Path, journal: Journal, faults: Faults, *, seed: int, step: float,
        refuse: float,
    ) -> None:  # fmt: skip
        self.directory = directory
        self._in, self._out = directory / "in", directory / "out"
        self._journal, self._faults = journal, faults
        self._draw = Random(seed)
        self.step, self._refuse = step, refuse
        self._lock = threading.RLock()
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._held: dict[str, dict[str, Any]] = {}
        self._bodies: dict[str, bytes] = {}
        self._later: dict[str, float] = {}
        self._emitted = 0
        self._registered = 0
        for place in (self._in, self._out):
            place.mkdir(parents=True, exist_ok=True)

    def loop(self, stop: threading.Event) -> None:
        """Walk until told to stop."""
        while not stop.wait(_TICK):
            try:
                self.walk()
            except OSError as error:
                self._journal.write(error=str(error))

    def walk(self) -> None:
        """Read what lies in `out/`, and do what is due."""
        with self._lock:
            now = time.monotonic()
            due = [job for job in self._due if job[0] <= now]
            self._due = [job for job in self._due if job[0] > now]
            for _, do in due:
                do()
            for path in sorted(self._out.iterdir()):
                if path.is_dir() and not path.name.startswith("."):
                    self._read(path)

    def holds(self) -> list[dict[str, Any]]:
        """What was received about each document, ours and theirs."""
        with self._lock:
            return [dict(item) for item in self._held.values()]

    def rows(self) -> list[dict[str, Any]]:
        """What a person sees on the page, newest first."""
        whose = {"ours": "СЭД · ours", "theirs": "шлюза · theirs"}
        receipts = {"true": "принято · accepted", "false": "отказано · refused"}
        return [
            {
                "number": item["number"] or item["uid"],
                "whose": whose[item["whose"]],
                "statuses": item["statuses"],
                "answers": item["answers"],
                "receipt": receipts.get(item["receipt"], item["receipt"]),
                "uid": item["uid"],
            }
            for item in self.holds()[::-1]
        ]

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Obey `POST /_control`.

        `{"holds": true}` · `{"emit": n, "seed": s, "odd": word, "replace": key}` · `{"step": s}` ·
        `{"refuse": share}`. Raises ValueError for anything else.
        """
        match command:
            case {"holds": True}:
                self.walk()  # what lies there already counts as received
                return {"items": self.holds()}
            case {"emit": int(count)}:
                return {"keys": self._emit(count, command)}
            case {"step": int() | float() as step}:
                self.step = float(step)
                return {"set": True}
            case {"refuse": int() | float() as share}:
                self._refuse = float(share)
                return {"set": True}
        raise ValueError("unknown command")

    def _emit(self, count: int, command: dict[str, Any]) -> list[str]:
        """Drop documents into `in/`; return their external ids as a gateway would name them."""
        odd = str(command.get("odd", ""))
        if odd and odd not in ODD:
            raise ValueError(f"odd is one of {', '.join(ODD)}")
        source = Source(int(command.get("seed", 0)), clock(m.ZONE).date())
        keys = []
        with self._lock:
            for _ in range(count):
                appeal = source.appeal("epgu")
                self._emitted += 1
                uid, number = m.new_uid(self._draw), f"ОГ-{self._emitted}/26"
                replaced = self._held.get(str(command.get("replace", "")))
                if replaced:
                    uid, number = replaced["uid"], replaced["number"]
                files = m.document(
                    appeal, m.new_uid(self._draw), uid, number, replaces=replaced is not None
                )
                key = f"{m.UID}/{uid}"
                self._hold(key, uid, number, "ours")
                self._drop_odd(files, odd)
                keys.append(key)
        return keys

    def _drop_odd(self, files: m.Files, odd: str) -> None:
        card = files["document.xml"]
        if odd == "version":
            files["document.xml"] = card.replace(b'xdms:version="2.6"', b'xdms:version=""')
        elif odd == "encoding":
            files["document.xml"] = card.replace(b"windows-1251", b"utf-8", 1)
        elif odd == "extension":
            for name in [n for n in files if n.startswith("scan")]:
                stem = name.rpartition(".")[0].encode()
                card = card.replace(b'"%s"' % name.encode(), b'"%s"' % stem)
            files["document.xml"] = card
        self._drop(files, half=1.0 if odd == "half" else 0.0)
        if odd == "duplicate":
            self._drop(files)

    def _drop(self, files: m.Files, *, half: float = 0.0) -> None:
        """Let a message appear in `in/`; half: seconds until its last file is written."""
        name = m.new_uid(self._draw)
        draft = self._in / f".{name}"
        draft.mkdir()
        last = list(files)[-1] if half and len(files) > 2 else ""
        for member, data in files.items():
            if member != last:
                (draft / member).write_bytes(data)
        draft.rename(self._in / name)
        if last:
            self._at(half, lambda: _write(self._in / name / last, files[last]))

    def _at(self, seconds: float, do: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, do))

    def _hold(self, key: str, uid: str, number: str, whose: str) -> dict[str, Any]:
        fresh = {
            "key": key, "uid": uid, "number": number, "whose": whose, "statuses": [], "answers": 0,
            "receipt": None,
        }  # fmt: skip
        return self._held.setdefault(key, fresh)

    def _read(self, path: Path) -> None:
        """Take one folder of the gateway's, or fail as planned."""
        files = {p.name: p.read_bytes() for p in path.iterdir() if p.is_file()}
        root = _parsed(files.get("document.xml", b""))
        mid = root[0].get(f"{_NS}uid", "") if root is not None and len(root) else ""
        kind = root[0].get(f"{_NS}type", "") if root is not None and len(root) else ""
        key = _number(root) if root is not None else path.name
        if self._later.get(path.name, 0.0) > time.monotonic():
            return
        fault = None if kind == "Квитанция" else self._take_fault(path.name, key)
        if fault and fault.kind in {"busy", "error", "hang_before"}:
            self._later[path.name] = time.monotonic() + fault.seconds
            self._journal.write(key=key, folder=path.name, fault=fault.kind, stored=None)
            return
        shutil.rmtree(path)
        if fault and fault.kind == "reset":
            self._journal.write(key=key, folder=path.name, fault="reset", stored=None)
            return
        wrong = rules.refusals(files)
        if fault and fault.kind == "refuse":
            wrong = [fault.text or "отказано по плану испытания"]
        if mid in self._bodies and self._bodies[mid] != files["document.xml"]:
            wrong = [*wrong, f"uid {mid} уже был с другим содержанием"]
        repeat = mid in self._bodies
        if root is not None and not wrong and not repeat:
            self._bodies[mid] = files["document.xml"]
            self._store(root, kind)
        self._journal.write(
            key=key, folder=path.name, kind=kind, repeat=repeat, refused=wrong,
            fault=fault.kind if fault else None, stored=None if wrong else mid,
        )  # fmt: skip
        if kind != "Квитанция" and mid:
            self._receipt(mid, wrong, fault)

    def _take_fault(self, name: str, key: str) -> Fault | None:
        """The failure of a folder, drawn once: one that waited is read at its second turn."""
        if name in self._later:
            return None
        return self._faults.take(key)

    def _receipt(self, mid: str, wrong: list[str], fault: Fault | None) -> None:
        """Send the receipt: none, twice, unreadable or in two pieces, as the failure says."""
        kind = fault.kind if fault else ""
        if kind == "hang_after":
            return
        files = m.receipt(
            m.new_uid(self._draw), mid, accepted=not wrong, comment="; ".join(wrong)[:2000]
        )
        if kind == "garbage":
            files["document.xml"] = files["document.xml"][:200]
        seconds = fault.seconds if fault and kind == "drip" else 0.0
        if seconds:
            files = {"envelope.ini": files["envelope.ini"], "document.xml": files["document.xml"]}
            files = {**files, "sign.p7s": b"0\x80synthetic"}
            text = files["envelope.ini"].decode("cp1251") + "1=sign.p7s\r\n"
            files["envelope.ini"] = text.encode("cp1251")
        self._drop(files, half=seconds)
        if kind == "reset_after":
            self._drop(files)

    def _store(self, root: etree._Element, kind: str) -> None:
        """Keep what a message says."""
        body = root[1]
        if kind == "Квитанция":
            for item in self._held.values():
                if item["whose"] == "ours" and item["receipt"] is None:
                    item["receipt"] = body.findtext("x:accepted", "", rules.X)
                    return
        elif kind == "Уведомление":
            uid = body.get(f"{_NS}uid", "")
            item = self._hold(f"{m.UID}/{uid}", uid, "", "ours")
            item["statuses"].append(body.get(f"{_NS}type", ""))
        elif kind == "Документ":
            self._take_document(body)

    def _take_document(self, body: etree._Element) -> None:
        uid = body.get(f"{_NS}uid", "")
        number = body.findtext("x:num/x:number", "", rules.X)
        for link in body.iterfind("x:links/x:link", rules.X):
            answered = self._held.get(f"{m.UID}/{link.get(f'{_NS}uid', '')}")
            if answered:
                answered["answers"] += 1
                answered["statuses"].append("Ответ")
                return
        known = uid in self._held
        item = self._hold(uid, uid, number, "theirs")
        item["statuses"].append("Получен")
        if not known:
            self._script(item, (uid, number))

    def _script(self, item: dict[str, Any], about: tuple[str, str]) -> None:
        """Plan what will be told of a document: registered to answered, or refused."""
        draw = self._draw
        self._registered += 1
        number = f"ВХ-{self._registered}"
        mids = [m.new_uid(draw) for _ in range(7)]
        if draw.random() < self._refuse:
            reason = draw.choice(rules.reasons())
            steps = [("Отказано в регистрации", lambda: m.refused(mids[0], about, reason))]
        else:
            sent = f"ИСХ-{self._registered}"
            scan = letter_scan(f"Answer {self._registered}")
            steps = [
                ("Зарегистрирован", lambda: m.accepted(mids[0], about, number)),
                ("Назначен исполнитель", lambda: m.assigned(mids[1], about)),
                ("Исполнение", lambda: m.course(mids[2], about)),
                ("Доклад подготовлен", lambda: m.prepared(mids[3], about)),
                ("Доклад направлен", lambda: m.sent(mids[4], about, sent)),
                ("Ответ", lambda: m.answer(mids[5], m.new_uid(draw), about, sent, scan)),
                ("Опубликование", lambda: m.published(mids[6], about, sent)),
            ]
        for n, (word, make) in enumerate(steps, 1):
            self._at(self.step * n, self._teller(item, word, make))

    def _teller(
        self, item: dict[str, Any], word: str, make: Callable[[], m.Files]
    ) -> Callable[[], None]:
        def tell() -> None:
            self._drop(make())
            item["statuses"].append(word)
            item["answers"] += word == "Ответ"
            self._journal.write(key=item["number"], told=word)

        return tell


def _parsed(body: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None


def _number(root: etree._Element) -> str:
    """What failures are planned for: the document's number, else the uid that is told of."""
    number = root.findtext("x:document/x:num/x:number", "", rules.X)
    told = root.find("x:notification", rules.X)
    return number or (told.get(f"{_NS}uid", "") if told is not None else "")


def _write(path: Path, data: bytes) -> None:
    """Write a file through, unless its folder was taken away meanwhile."""
    if path.parent.is_dir():
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
