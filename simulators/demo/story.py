"""The story, step by step. Each step is printed with what was planted and what was found."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from simulators.channels import chapter, crew
from simulators.demo import cast, register, visitors
from simulators.demo import script as plan
from simulators.demo.clients import Client, Log
from simulators.demo.deliveries import Deliveries
from simulators.demo.differences import Differences
from simulators.demo.journals import Journal, shares
from simulators.demo.ledger import Ledger
from simulators.demo.office import Office
from simulators.demo.road import tell_road
from simulators.demo.senders import Senders
from simulators.demo.stage import until
from simulators.demo.tell import Step, Teller
from simulators.seed.appeals import ZONE

if TYPE_CHECKING:
    from simulators.demo.stage import Stage
    from simulators.process import Running

WAIT_SECONDS: Final = 30.0
KILL_AFTER_CALLS: Final = 60
"""Calls at the node after which the worker is killed: deliveries are then well under way."""


class Story:
    """One run from the first process to the last line."""

    def __init__(self, stage: Stage, teller: Teller, seed: int) -> None:
        self.stage = stage
        self.teller = teller
        self.seed = seed
        self.today = datetime.now(ZONE).date()
        self.script = plan.write(seed, self.today)

    def tell(self) -> dict[str, int]:
        """Run everything and return the last line."""
        sstu, hook, keys = self._open()
        self.senders = Senders(self.stage, self.script, keys)
        log = Log(self.stage.path("client-sed.jsonl"))
        self.office = Office(
            Client(self.stage.address, "sed", keys["sed"], log),
            self.senders.whose,
            lambda appeal: plan.transfer_to(self.script, appeal),
        )
        self.deliveries = Deliveries(self.stage, self.teller)
        try:
            return self._acts(sstu, hook)
        finally:
            self.office.stop()
            self.senders.close()
            log.close()

    def _open(self) -> tuple[Running, Running, dict[str, str]]:
        teller, stage = self.teller, self.stage
        teller.say(f"Каталог: {stage.root}", "directory, logs are there")
        sstu = stage.simulator("sstu", "--seed", str(self.seed))
        hook = stage.simulator("webhook", "--bodies", "--seed", str(self.seed))
        self.provider = visitors.raise_provider(stage, self.seed)
        cast.configure(
            stage,
            adapters=tuple(crew.present("sstu")),
            options=visitors.options(self.provider),
            more=visitors.settings(self.provider, secrets.token_hex(32)),
        )
        stage.start_gateway()
        teller.say(f"Шлюз с базой: {stage.address}", "the gateway with its database")
        keys = cast.introduce(stage, sstu, hook)
        teller.say(f"Системы: {', '.join(keys)}; узлы: sstu, hook", "peers; nodes")
        register.load(stage, teller, self.seed)
        for simulator in (sstu, hook):
            cast.fail(simulator)
        return sstu, hook, keys

    def _acts(self, sstu: Running, hook: Running) -> dict[str, int]:
        self.office.start()
        killed = self._send()
        ledger = Ledger(self.stage, self.script, self.senders, self.office)
        self._letters(ledger)
        self._intake()
        self._settle()
        register.tell(self.stage, self.teller, self.script, ledger, 10)
        self._survival(ledger, killed)
        self._refusal()
        self.office.stop()
        self.teller.say(
            f"Отправители прочли и подтвердили изменений: {ledger.hear()}",
            "senders pulled and acknowledged their changes",
        )
        journals = [Journal(self.stage.path(f"{name}.jsonl")) for name in ("sstu", "webhook")]
        self._ways(journals)
        for simulator in (sstu, hook):
            simulator.control(clear_faults=True)
        counts = ledger.count()
        for line in ledger.wrong[:10]:
            self.teller.fault(line)
        differences = Differences(self.stage, ledger, sstu)
        result = differences.story(self.teller, self.deliveries, self.office)
        tell_road(self.stage, self.teller, ledger)
        chapter.tell(self.stage, self.teller, self.seed, 9)
        visitors.tell(self.stage, self.teller, self.provider, 11)
        return counts | {
            "planted": result.planted,
            "found": result.found,
            "false": result.false,
            "unreconciled": result.left,
        }

    def _send(self) -> int:
        """Send everything; kill the worker in the middle of it. Return what was killed."""
        import threading

        appeals = self.script.appeals
        questions = sum(len(a.questions) for a in appeals.values())
        files = sum(len(a.files) for a in appeals.values())
        self.teller.say(
            f"Посылаем {len(appeals)} писем, вопросов {questions}, вложений {files}",
            "letters, questions, attachments over SOAP, REST, CSV, XML, ССТУ",
        )
        sending = threading.Thread(target=self._sending, name="sending")
        sending.start()
        journal = self.stage.path("sstu.jsonl")
        until(60, lambda: len(Journal(journal).sent) >= KILL_AFTER_CALLS, "вызовы узла ССТУ")
        killed = self.stage.kill_worker()
        self.teller.say(
            f"Рабочий процесс {killed} убит (SIGKILL) посреди доставки", "worker killed in mid-air"
        )
        sending.join()
        if self._trouble:
            self.teller.fault(self._trouble)
        return killed

    _trouble = ""

    def _sending(self) -> None:
        try:
            self.senders.run()
        except RuntimeError as error:
            self._trouble = str(error)

    def _intake(self) -> None:
        """Steps 2 to 5: everything that the senders' own logs can tell."""
        senders, step = self.senders, self.teller.step
        step(Step(
            2, "повтор получает первую квитанцию, и по другому каналу тоже",
            "a repeat gets the first receipt, over another wire too",
            len(self.script.repeats) + len(self.script.of("sstu")) - 4,
            sum(r.same for r in senders.repeated),
        ))  # fmt: skip
        step(Step(
            3, "правка с большей редакцией принята", "an amendment is applied",
            len(self.script.amended),
            sum(r.accepted and r.receipt["revision"] == "2" for r in senders.amended),
        ))  # fmt: skip
        step(Step(
            4, "тот же ключ и редакция с другим содержанием — конфликт",
            "one key with other content at the same revision is a conflict",
            len(self.script.conflicts),
            sum(r.code == "conflict" for r in senders.conflicts),
        ))  # fmt: skip
        named = {(w.row, w.column, w.rule) for w in senders.wrong_rows}
        bad = {tuple(row) for row in self.script.bad_rows}
        landed = [self.senders.replies.get(a.external_id) for a in self.script.of("legacy")]
        step(Step(
            5, "плохие строки windows-1251 названы по строке и столбцу, остальные приняты",
            "bad rows of a cp1251 file are named by row and column, the rest lands",
            len(bad) + len(landed),
            len(bad & named) - len(named - bad) + sum(bool(r and r.accepted) for r in landed),
        ))  # fmt: skip
        for wrong in senders.wrong_rows[:2]:
            column = wrong.column or "вся строка"
            self.teller.note(f"строка {wrong.row}, {column}: {wrong.reason}")

    def _settle(self) -> None:
        """Wait until nothing is on its way; replay, by the command, what was refused by chance."""
        self.teller.say(
            "Ждём, пока всё дойдёт; отказы узлов повторяем командой",
            "until everything has arrived; chance refusals are replayed by the command",
        )
        self.deliveries.drain(self.office)
        self.teller.note(
            f"gateway deliveries replay: {self.deliveries.replayed} отказов повторено · replayed"
        )

    def _letters(self, ledger: Ledger) -> None:
        until(WAIT_SECONDS, lambda: not self.deliveries.triaging(), "разбор принятого")
        seen = until(WAIT_SECONDS, ledger.merged, "рассказ СЭД о письмах УРОГ")
        self.teller.step(Step(
            1, "письмо УРОГ по ССТУ и файлом стало одним обращением",
            "the same УРОГ letter by ССТУ and by file is one appeal",
            len(self.script.twins), seen,
        ))  # fmt: skip

    def _survival(self, ledger: Ledger, killed: int) -> None:
        names = ("sstu", "webhook")
        silent = sum(Journal(self.stage.path(f"{name}.jsonl")).silent for name in names)
        self.teller.step(Step(
            6, f"процесс {killed} убит, узлы сохраняли и молчали: каждый раз действие одно",
            "worker killed, stored without an answer: one effect each time",
            silent, silent - ledger.extra_stores(),
        ))  # fmt: skip

    def _refusal(self) -> None:
        """Step 7: a question forwarded to a body whose identifier in ССТУ nobody knows."""
        refused = self.deliveries.refused_by_rule()
        expected = len(self.script.unmapped)
        self.teller.step(Step(
            7, "отказ ССТУ до отправки: у органа-получателя нет GUID; исправлено командой",
            "refused before sending: the receiver has no GUID; repaired by a command",
            expected, len(refused),
        ))  # fmt: skip
        if refused:
            self.teller.note(refused[0]["error"][:150])
        guid = cast.GUIDS[cast.UNMAPPED]
        self.stage.command("org", "map", "sstu", guid, cast.UNMAPPED)
        self.deliveries.replay([r["id"] for r in refused])
        self.deliveries.drain(self.office)
        left = len(self.deliveries.refused_by_rule())
        self.teller.note(f"gateway org map sstu {guid} {cast.UNMAPPED}; gateway deliveries replay")
        if left:
            self.teller.fault(f"шаг 7: после исправления отказов {left}")

    def _ways(self, journals: list[Journal]) -> None:
        """Say how often the simulators failed, in which ways; each way must have its share."""
        sent = [call for journal in journals for call in journal.sent]
        asked = [call for journal in journals for call in journal.asked]
        found = shares(sent)
        listed = ", ".join(f"{kind} {found.get(kind, 0):.1f} %" for kind in cast.KINDS)
        self.teller.say(
            f"Отправок к узлам {len(sent)}; сбои: {listed}", "sends and how they failed"
        )
        self.teller.note(
            f"вопросов об исходе {len(asked)}, из них без ответа "
            f"{sum(shares(asked).values()):.0f} % · asked, without an answer"
        )
        for kind in cast.KINDS:
            if found.get(kind, 0) < cast.LEAST_SHARE:
                self.teller.fault(f"{kind}: {found.get(kind, 0):.1f} % < {cast.LEAST_SHARE} %")


def last_line(counts: dict[str, Any]) -> str:
    """Return the last line of the demo."""
    names = (
        "accepted", "delivered", "rejected", "duplicates", "conflicts", "planted", "found",
        "false", "unreconciled",
    )  # fmt: skip
    return json.dumps({name: counts[name] for name in names}, separators=(",", ":"))
