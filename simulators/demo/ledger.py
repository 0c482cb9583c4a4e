"""The counts of the last line, from the clients' logs and the simulators' journals alone.

The seed says what there should be; the gateway's tables are never read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.model.digest import content_sha256
from gateway.wires import canonical
from gateway.wires import contract as c
from simulators.demo import cast
from simulators.demo.clients import sent_digest
from simulators.demo.expected import sstu_document
from simulators.demo.journals import Journal
from simulators.faults import STORES
from simulators.seed import forms
from simulators.sstu.store import digest, fold

if TYPE_CHECKING:
    from simulators.demo.office import Office
    from simulators.demo.script import Script
    from simulators.demo.senders import Senders
    from simulators.demo.stage import Stage
    from simulators.seed.appeals import Appeal

CONTRACT: Final = frozenset({"zeep", "soap11", "soap12", "rest", "batch", "xml"})
"""Channels whose messages are documents of our own contract, so that anybody can digest them."""


class Ledger:
    """Holds the seed against what was written down outside the gateway."""

    def __init__(self, stage: Stage, script: Script, senders: Senders, office: Office) -> None:
        self.script = script
        self.wrong: list[str] = []
        self._stage = stage
        self._senders = senders
        self._office = office
        self._heard: dict[str, list[str]] = {}

    def hear(self) -> int:
        """Let the senders read what became of their appeals; return how many changes that were."""
        self._heard = self._senders.hear()
        return sum(map(len, self._heard.values()))

    def count(self) -> dict[str, int]:
        """Return accepted, delivered, rejected, duplicates, conflicts; gather what is wrong."""
        first, logged = self._accepted()
        seconds = {row.external_id for _, row in self.script.twins}
        letters = set(first) - seconds
        repeats = sum(1 for line in logged if line["receipt"] and line["operation"] == "submit")
        expected = len(self.script.appeals)
        if len(first) != expected:
            missing = sorted(set(self.script.appeals) - set(first))[:5]
            self.wrong.append(f"принято {len(first)} из {expected}: нет {missing}")
        delivered = self._delivered(letters)
        if delivered != len(letters):
            self.wrong.append(f"доставлено {delivered} из {len(letters)}")
        return {
            "accepted": len(letters),
            "delivered": delivered,
            "rejected": len(self._senders.wrong_rows) + len(self._senders.refused),
            "duplicates": repeats - len(letters),
            "conflicts": sum(line["code"] == "conflict" for line in logged),
        }

    def merged(self) -> int:
        """Return how many twins the СЭД was told of once: of two receipts only one was shown."""
        told = self._office.told
        count = 0
        for letter, row in self.script.twins:
            receipts = [self.receipt(letter), self.receipt(row)]
            count += len(set(receipts)) == 2 and sum(r in told for r in receipts) == 1
        return count

    def extra_stores(self) -> int:
        """Return how often the node stored more than it was owed, and the hook another effect.

        Owed: one document after registration, one after each report of the СЭД and amendment.
        """
        stored = {fold(key): found for key, found in self._journal("sstu").stored().items()}
        extra = 0
        for appeal in self._routed("sstu"):
            digests = stored.get(fold(self.number(appeal) or ""), [])
            extra += max(0, len(digests) - self._owed(appeal))
        keys = [b["id"] for b in self._journal("webhook").bodies()]
        return extra + len(keys) - len(set(keys))

    def number(self, appeal: Appeal) -> str:
        """Return the number under which the node knows an appeal, empty when there is none."""
        if appeal.letter:
            return appeal.letter.number
        known = self._office.registered.get(self.receipt(appeal))
        return known.number if known else ""

    def quiet_numbers(self) -> list[str]:
        """Return the numbers of appeals that nothing more will happen to, in the seed's order."""
        return [
            self.number(a)
            for a in self._routed("sstu")
            if a.fate == "work" and a.letter is None and self.number(a)
        ]

    def receipt(self, appeal: Appeal) -> str:
        """Return the receipt number that an appeal's sender got, empty without one."""
        reply = self._senders.replies.get(appeal.external_id)
        return reply.receipt.get("receiptNumber", "") if reply else ""

    def eventful(self) -> Appeal:
        """Return an answered appeal whose last document the node stored without an answer."""
        silent = {
            fold(record["key"])
            for record in self._journal("sstu").sent
            if record["stored"] and record["fault"] in STORES
        }
        answered = [
            a
            for a in self._routed("sstu")
            if a.fate in {"supported", "explained"} and a.letter is None
        ]
        return next((a for a in answered if fold(self.number(a)) in silent), answered[0])

    def document(self, number: str) -> dict[str, Any]:
        """Return the document that the node holds under a number, by the seed."""
        appeal = next(a for a in self._routed("sstu") if self.number(a) == number)
        return self._expected(self.script.final(appeal.external_id))

    def _expected(self, appeal: Appeal) -> dict[str, Any]:
        known = self._office.registered[self.receipt(appeal)]
        return sstu_document(
            appeal,
            number=known.number,
            day=known.day,
            department=cast.DEPARTMENT,
            work=self._office.done.get(appeal.external_id),
            guids=cast.GUIDS,
        )

    def _accepted(self) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """Return the first receipt of each appeal whose content was the seed's, and every line."""
        first: dict[str, dict[str, Any]] = {}
        logged: list[dict[str, Any]] = []
        digests = {
            key: sent_digest(forms.contract(appeal)) for key, appeal in self.script.appeals.items()
        }
        for peer in cast.SENDERS:
            path = self._stage.path(f"client-{peer}.jsonl")
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            lines = [line for line in lines if line["operation"] != "change"]
            logged += lines
            for line in lines:
                key = line.get("external_id", "")
                known = line["sent_sha256"] == digests.get(key)
                if line["receipt"] and known and line["operation"] == "submit":
                    first.setdefault(key, line)
                    self._understood(self.script.appeals[key], line["receipt"])
        return first, logged

    def _understood(self, appeal: Appeal, receipt: dict[str, str]) -> None:
        """Hold the digest in a receipt against the one that the contract's rule gives the seed."""
        if appeal.channel not in CONTRACT:
            return
        given = msgspec.convert(forms.contract(appeal), c.AppealIn)
        told = canonical.submission(given).appeal
        if told is None or content_sha256(told) != receipt["contentSha256"]:
            self.wrong.append(f"{appeal.external_id}: в квитанции дайджест другого содержания")

    def _delivered(self, letters: set[str]) -> int:
        """Return how many appeals lie, whole, at every destination their route names."""
        stored = {fold(key): digests[-1] for key, digests in self._journal("sstu").stored().items()}
        hooked = self._hooked()
        good = 0
        for key in sorted(letters):
            appeal = self.script.final(key)
            wrong = []
            if not self._is_plain(appeal):
                wrong += self._at_node(appeal, stored)
                if "Registered" not in self._office.told.get(self.receipt(appeal), ()):
                    wrong.append("СЭД")
            if "Registered" not in self._heard.get(self.receipt(appeal), ()):
                wrong.append("отправитель не узнал о регистрации")
            if self._is_hooked(appeal):
                wrong += self._at_hook(appeal, hooked)
            if wrong:
                self.wrong.append(f"{key}: {', '.join(wrong)}")
            good += not wrong
        return good

    def _at_node(self, appeal: Appeal, stored: dict[str, str]) -> list[str]:
        found = stored.get(fold(self.number(appeal)))
        if found is None or self.receipt(appeal) not in self._office.registered:
            return ["нет в узле ССТУ"]
        same = found == digest(self._expected(appeal))
        return [] if same else ["в узле ССТУ другое содержание"]

    def _hooked(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for body in self._journal("webhook").bodies():
            found.setdefault(body["subject"], []).append(body)
        return found

    def _at_hook(self, appeal: Appeal, hooked: dict[str, list[dict[str, Any]]]) -> list[str]:
        """The hook must know topics and the place, and no name, phone or letter."""
        bodies = hooked.get(self.receipt(appeal), [])
        events = [body["type"] for body in bodies]
        if "ru.appeals.Registered" not in events:
            return ["нет у управляющей организации"]
        text = json.dumps(bodies, ensure_ascii=False)
        secret = (appeal.author.family, appeal.author.email, appeal.author.phone, appeal.text)
        wrong = ["личное ушло наружу" for word in secret if word and word in text]
        for body in bodies:
            told = body["data"]["appeal"]
            codes = [t["code"] for q in told["questions"] for t in q.get("topics", ())]
            places = [told.get("problemAddress", {}).get("oktmo", "")]
            if codes != [q.code for q in appeal.questions if q.code]:
                wrong.append("темы в событии другие")
            if appeal.channel != "sstu" and places != [appeal.place.oktmo]:
                wrong.append("место в событии другое")
        return wrong

    def _owed(self, appeal: Appeal) -> int:
        work = self._office.done.get(appeal.external_id)
        words = set(work.words.items()) if work else set()
        split = bool(work and len(set(work.words.values())) > 1)
        reports = len(words) if split else bool(words)
        return 1 + int(reports) + (appeal.external_id in self.script.amended)

    def _routed(self, destination: str) -> list[Appeal]:
        assert destination == "sstu"
        seconds = {row.external_id for _, row in self.script.twins}
        return [
            a
            for a in self.script.appeals.values()
            if not self._is_plain(a) and a.external_id not in seconds
        ]

    @staticmethod
    def _is_plain(appeal: Appeal) -> bool:
        return appeal.regime == "message"

    def _is_hooked(self, appeal: Appeal) -> bool:
        topics = any(q.code.startswith(cast.HOOK_TOPIC) for q in appeal.questions)
        return self._is_plain(appeal) or topics

    def _journal(self, name: str) -> Journal:
        return Journal(self._stage.path(f"{name}.jsonl"))
