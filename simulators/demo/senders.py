"""The sending part of the story: every sender at once, each over its own wire, with its own log."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.demo import cast
from simulators.demo.clients import Client, Log, Reply, Rest, Soap
from simulators.demo.drops import Drop, Wrong, numbered, rows_of
from simulators.demo.script import PEER
from simulators.demo.zeep_client import Zeep
from simulators.seed import forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.demo.script import Script
    from simulators.demo.stage import Stage
    from simulators.seed.appeals import Appeal

BATCH = 20


class Repeated(NamedTuple):
    """A repeat: what the first call got, and what the second got."""

    first: Reply
    second: Reply

    @property
    def same(self) -> bool:
        """Whether the second got the first receipt."""
        names = ("receiptNumber", "contentSha256", "externalId", "revision")
        one, other = self.first.receipt, self.second.receipt
        return bool(one) and all(one.get(name) == other.get(name) for name in names)


class Senders:
    """All senders of the story and what they were answered."""

    def __init__(self, stage: Stage, script: Script, keys: dict[str, str]) -> None:
        self.script = script
        self.replies: dict[str, Reply] = {}
        """External id of the seed → the first answer."""
        self.repeated: list[Repeated] = []
        self.amended: list[Reply] = []
        self.conflicts: list[Reply] = []
        self.wrong_rows: list[Wrong] = []
        self.refused: list[Wrong] = []
        """What other files than the old table were told is wrong."""
        self._stage = stage
        self._lock = threading.Lock()
        self._errors: list[str] = []
        self._logs = {peer: Log(stage.path(f"client-{peer}.jsonl")) for peer in cast.SENDERS}
        logs, address = self._logs, stage.address
        self.rest = Rest(address, "site", keys["site"], logs["site"])
        self.soap11 = Soap(address, "epgu", keys["epgu"], logs["epgu"], "1.1")
        self.soap12 = Soap(address, "epgu", keys["epgu"], logs["epgu"], "1.2")
        self.portal = Rest(address, "epgu", keys["epgu"], logs["epgu"])
        self._keys = keys
        self._made: Zeep | None = None

    def whose(self, receipt: str) -> Appeal | None:
        """Return the appeal that a receipt number was given for, None while no log says so."""
        with self._lock:
            for external_id, reply in self.replies.items():
                if reply.receipt.get("receiptNumber") == receipt:
                    return self.script.appeals[external_id]
        return None

    def run(self) -> None:
        """Send everything; raise RuntimeError when a sender itself failed."""
        parts: list[Callable[[], None]] = [self._soap, self._rest, self._zeep, self._files]
        threads = [threading.Thread(target=self._guarded, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._errors:
            raise RuntimeError("; ".join(self._errors))

    def hear(self) -> dict[str, list[str]]:
        """Let every sender read and acknowledge its changes; return receipt number → events.

        The portal reads by its generated SOAP client, the others over REST.
        """
        heard: dict[str, list[str]] = {}
        for peer in cast.SENDERS:
            made = peer == "epgu" and self._made
            log = self._logs[peer]
            client = made or Client(self._stage.address, peer, self._keys[peer], log)
            for receipt, event in client.changes():
                heard.setdefault(receipt, []).append(event)
                log.write(peer=peer, operation="change", receipt_number=receipt, event=event)
        return heard

    def close(self) -> None:
        """Close the logs."""
        for log in self._logs.values():
            log.close()

    def _guarded(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001 - told by run, in the thread that waits
            self._errors.append(f"{part.__name__}: {type(error).__name__}: {error}")

    def _got(self, appeal: Appeal, reply: Reply) -> None:
        with self._lock:
            self.replies[appeal.external_id] = reply

    def _soap(self) -> None:
        for channel, client in (("soap11", self.soap11), ("soap12", self.soap12)):
            for appeal in self.script.of(channel):
                self._got(appeal, client.submit(forms.contract(appeal)))
        self._again({"soap11": self.soap12, "soap12": self.portal})
        self._change({"soap12": self.soap12})
        self._contradict({"soap11": self.soap11})

    def _rest(self) -> None:
        for appeal in self.script.of("rest"):
            self._got(appeal, self.rest.submit(forms.contract(appeal)))
        listed = self.script.of("batch")
        for start in range(0, len(listed), BATCH):
            part = listed[start : start + BATCH]
            answers = self.rest.submit_many([forms.contract(a) for a in part])
            for appeal, reply in zip(part, answers, strict=True):
                self._got(appeal, reply)
        self._again({"rest": self.rest})
        self._change({"rest": self.rest})
        self._contradict({"batch": self.rest})

    def _zeep(self) -> None:
        address = self._stage.address
        client = self._made = Zeep(address, "epgu", self._keys["epgu"], self._logs["epgu"])
        for appeal in self.script.of("zeep"):
            self._got(appeal, client.submit(forms.contract(appeal)))
        self._contradict({"zeep": self.soap12})

    def _again(self, over: dict[str, Any]) -> None:
        """Repeat submissions; those of SOAP over another wire than the first time."""
        for appeal in self.script.repeats:
            if appeal.channel in over:
                second = over[appeal.channel].submit(forms.contract(appeal))
                with self._lock:
                    self.repeated.append(Repeated(self.replies[appeal.external_id], second))

    def _change(self, over: dict[str, Any]) -> None:
        for appeal in self.script.amended.values():
            if appeal.channel in over:
                reply = over[appeal.channel].amend(forms.contract(appeal, revision=2))
                with self._lock:
                    self.amended.append(reply)

    def _contradict(self, over: dict[str, Any]) -> None:
        for appeal in self.script.conflicts.values():
            if appeal.channel in over:
                reply = over[appeal.channel].submit(forms.contract(appeal))
                with self._lock:
                    self.conflicts.append(reply)

    def _files(self) -> None:
        self._packages()
        self._tables()
        self._bundles()
        self._old_table()

    def _drop(self, peer: str) -> Drop:
        return Drop(self._stage.inbox(peer), peer, self._logs[peer])

    def _keep(self, replies: dict[str, Reply]) -> None:
        with self._lock:
            self.replies.update(replies)

    def _packages(self) -> None:
        """УРОГ's documents: most in a package, with one that has no question; some alone."""
        drop, appeals = self._drop("urog"), self.script.of("sstu")
        packed, alone = appeals[:-4], appeals[-4:]
        documents = [forms.sstu_document(a, cast.DEPARTMENT) for a in packed]
        empty = documents[0] | {"number": "А26-00-00000000-СО1", "questions": []}
        data = forms.package([*documents, empty])
        drop.put("otchet001.zip", data)
        drop.answered("otchet001.zip")
        first = drop.note(numbered(packed), drop.receipts("otchet001.zip"), "otchet001.zip")
        self._keep(first)
        self.refused += drop.wrong("otchet001.zip")
        for number, appeal in enumerate(alone, 1):
            name = f"pismo-{number}.json"
            drop.put(name, forms.document(appeal, cast.DEPARTMENT))
            drop.answered(name)
            self._keep(drop.note([(1, appeal)], drop.receipts(name), name))
        drop.put("povtor001.zip", data)
        drop.answered("povtor001.zip")
        again = drop.note(numbered(packed), drop.receipts("povtor001.zip"), "povtor001.zip")
        self.repeated += [Repeated(first[a.external_id], again[a.external_id]) for a in packed]

    def _tables(self) -> None:
        drop, appeals = self._drop("archive"), self.script.of("csv")
        half = len(appeals) // 2
        for name, part in (("reestr-1.csv", appeals[:half]), ("reestr-2.csv", appeals[half:])):
            drop.put(name, forms.table(part))
            drop.answered(name)
            self._keep(drop.note(rows_of(part), drop.receipts(name), name))
            self.refused += drop.wrong(name)

    def _bundles(self) -> None:
        """XML bundles; in the second one item lacks its number."""
        drop, appeals = self._drop("mfc"), self.script.of("xml")
        half = len(appeals) // 2
        for name, part in (("paket-1.xml", appeals[:half]), ("paket-2.xml", appeals[half:])):
            spoilt = "<AppealIn><Text>Без номера</Text></AppealIn>" if "2" in name else ""
            drop.put(name, forms.bundle(part, spoilt))
            drop.answered(name)
            self._keep(drop.note(numbered(part), drop.xml_receipts(name), name))
            self.refused += drop.wrong(name)

    def _old_table(self) -> None:
        drop, script = self._drop("legacy"), self.script
        name = "vygruzka.csv"
        drop.put(name, forms.legacy_table(script.legacy_rows))
        drop.answered(name)
        receipts = drop.receipts(name, "cp1251")
        self._keep(drop.note(list(script.legacy_places.items()), receipts, name))
        self.wrong_rows = drop.wrong(name, "cp1251")


def peer_of(appeal: Appeal) -> str:
    """Return the code of the peer that sends an appeal."""
    return PEER[appeal.channel]
