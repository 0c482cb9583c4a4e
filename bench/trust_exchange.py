"""smev-exchange: messages through the stand of СМЭВ while replies are lost and calls fail.

Requests go there and answers come back: half of the messages each. What is counted lies outside of
both sides: the stand's journal says what was sent, how often it was given and acknowledged; the
ledger of each side, what it took for a message of its own. Lost is what was sent and is in no
ledger; twice is what is in one more than once; the queues have to be empty at the end.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from bench.command import say
from bench.figures import Figure, Void
from bench.trust_office import Office, Talker
from simulators.process import Running, running
from simulators.smev.keys import Files, Ring, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.command import Plan

COUNT: Final = 50_000
QUICK: Final = 500
TARGET: Final = 0
WORKERS: Final = 3
REDELIVER: Final = 2.0
"""Seconds without Ack until a message is given again; a quarter of an hour is waited for here."""
LINE: Final = {"reset": 2, "reset_after": 3, "error": 2, "busy": 1, "garbage": 2}
"""Of each hundred calls: lost before they were stored, and after; refused; answered by rubbish."""
TROUBLES: Final = (
    ("again_early", "", 0.05), ("again_late", "Ack", 0.05), ("twice", "", 0.01),
    ("failure", "", 0.01), ("cut", "", 0.01),
)  # fmt: skip
"""One in ten is given again without need; beside, by every reply to Get… that was lost."""
GROWTH: Final = 96 * 1024
"""KiB by which our own memory may grow after a fifth of the run."""
_KINDS: Final = ("Ask", "Tell")
_NAMESPACE: Final = "urn://appeals-gateway/bench"
_TELL: Final = 30.0
_STALL: Final = 300.0
"""Seconds without any progress after which it is given up."""


class Outcome(NamedTuple):
    """What the journal and the ledgers say together."""

    sent: int
    lost: int
    twice: int
    unknown: int
    left: int
    facts: dict[str, int]
    failed: dict[str, int]


def measure(plan: Plan) -> list[Figure]:
    """Pass the messages through and return how many were lost, twice, or left in a queue."""
    count = QUICK if plan.quick else COUNT
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        place = Path(folder)
        arguments = (
            "--keys", str(place / "keys"), "--journal", str(place / "journal.jsonl"),
            "--issue", "ASKING", "--issue", "TELLING", "--kind", f"{_NAMESPACE} Ask",
            "--redeliver", str(REDELIVER),
        )  # fmt: skip
        try:
            with running("smev", *arguments) as stand:
                return [_figure(plan, count, place, stand)]
        except RuntimeError as error:
            raise Void(f"the stand did not start: {error}") from error


def _figure(plan: Plan, count: int, place: Path, stand: Running) -> Figure:
    offices = _offices(stand, place)
    _trouble(stand)
    begun = time.monotonic()
    with _Traffic(offices, count // 2) as traffic:
        memory = _watch(traffic, stand)
    seconds = time.monotonic() - begun
    for office in offices:
        office.close()
    told = outcome(place, int(stand.control(counts=True)["open"]))
    growth = memory[-1] - memory[0]
    say(f"{told.sent} messages in {seconds:.0f} s: {told.facts}; failed {told.failed}")
    say(f"lost {told.lost}, twice {told.twice}, left {told.left}; memory {memory} KiB")
    wrong = told.lost + told.twice + told.unknown + told.left + abs(count - told.sent)
    return Figure(
        figure="smev-exchange",
        unit=f"messages of {count} lost, twice, or left in a queue",
        ours=wrong,
        peer=None,
        limit=None,
        ratio_peer=None,
        ratio_limit=None,
        target=TARGET,
        met=wrong == 0 and growth < GROWTH,
        judged="ours",
        at_most=True,
        provisional=plan.run.provisional,
        at=plan.run.at,
        detail={
            **told._asdict(),
            "seconds": round(seconds),
            "messages_per_second": round(told.sent / seconds, 1),
            "calls": sum(office.calls for office in offices),
            "refusals": dict(sum((office.refusals for office in offices), Counter())),
            "memory_growth_kib": growth,
            "stand_peak_kib": _memory(stand.process.pid, "VmHWM"),
        },
    )


def _offices(stand: Running, place: Path) -> tuple[Office, Office]:
    """Return who asks and who answers, each with a key and a ledger of its own."""
    issued = {
        name: Files(Path(pair["cert"]), Path(pair["key"]))
        for name, pair in stand.facts["issued"].items()
    }
    ring = opened(issued, Path(stand.facts["authority"]))
    kinds = [[_NAMESPACE, one] for one in _KINDS]
    stand.control(service={"kind": kinds[0], "providers": ["TELLING"], "answers": [kinds[1]]})
    asking, telling = (_office(stand, place, ring, name) for name in ("ASKING", "TELLING"))
    return asking, telling


def _office(stand: Running, place: Path, ring: Ring, name: str) -> Office:
    def talker() -> Talker:
        signer = ring.signer(name, datetime.now(UTC))
        return Talker(stand.facts["endpoints"]["1.3"], signer, ring.signing)

    return Office(name, place / f"{name}.db", talker)


def _trouble(stand: Running) -> None:
    stand.control(mix={"shares": LINE})
    for kind, operation, rate in TROUBLES:
        stand.control(trouble={"kind": kind, "operation": operation, "rate": rate, "times": 0})


class _Traffic:
    """The threads of both offices: some ask, some answer, some hear what was answered."""

    def __init__(self, offices: tuple[Office, Office], pairs: int) -> None:
        self.asking, self.telling = offices
        self.pairs = pairs
        self.errors: list[BaseException] = []
        self._numbers = iter(range(pairs))
        self._lock, self._stop = threading.Lock(), threading.Event()
        works = [self._ask] * WORKERS + [self._tell] * WORKERS + [self._hear] * WORKERS
        self._threads = [
            threading.Thread(target=self._run, args=(work,), daemon=True) for work in works
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_TELL)

    @property
    def taken(self) -> int:
        """How many messages were taken for the first time, by both."""
        return self.asking.taken + self.telling.taken

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self.errors.append(error)

    def _ask(self) -> None:
        with closing(self.asking.talker()) as talker:
            while not self._stop.is_set():
                with self._lock:
                    number = next(self._numbers, None)
                if number is None:
                    return
                self.asking.send(talker, _content("Ask", number))

    def _tell(self) -> None:
        with closing(self.telling.talker()) as talker:
            while not self._stop.is_set():
                got = self.telling.take(talker, "Request")
                if got is not None and got.fresh:
                    self.telling.send(talker, _content("Tell", got.number), to=got.reply_to)

    def _hear(self) -> None:
        with closing(self.asking.talker()) as talker:
            while not self._stop.is_set():
                self.asking.take(talker, "Response")


def _watch(traffic: _Traffic, stand: Running) -> list[int]:
    """Wait until every request was answered and every queue is empty; return KiB of our memory.

    Raise Void when nothing moves any more.
    """
    memory, seen, since, told = [_memory("self", "VmRSS")], -1, time.monotonic(), 0.0
    whole = 2 * traffic.pairs
    while True:
        taken = traffic.taken
        if taken != seen:
            seen, since = taken, time.monotonic()
        if taken * 5 < whole:
            memory[0] = _memory("self", "VmRSS")
        if taken >= whole and not stand.control(counts=True)["open"]:
            return [*memory, _memory("self", "VmRSS")]
        if traffic.errors:
            raise Void(f"a worker failed: {traffic.errors[0]!r}") from traffic.errors[0]
        if time.monotonic() - since > _STALL:
            raise Void(f"nothing moved for {_STALL:.0f} s; {taken} of {whole} taken")
        if time.monotonic() - told > _TELL:
            told = time.monotonic()
            say(f"{taken} of {whole}")
        time.sleep(0.5)


def outcome(place: Path, left: int) -> Outcome:
    """Compare the journal with both ledgers. left: messages that still wait in a queue."""
    facts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    sent: dict[str, str] = {}
    acked: set[str] = set()
    with (place / "journal.jsonl").open("rb") as lines:
        for line in lines:
            told: dict[str, Any] = json.loads(line)
            if fault := told.get("fault"):
                failed[fault] += 1
            if "what" in told:
                facts[told["what"]] += 1
                if told["what"] == "sent":
                    sent[told["message"]] = told["recipient"]
                elif told["what"] == "accepted":
                    acked.add(told["message"])
    kept = {name: _ledger(place / f"{name}.db") for name in ("ASKING", "TELLING")}
    lost = {one for one, recipient in sent.items() if not kept[recipient][one]}
    lost |= sent.keys() - acked
    return Outcome(
        sent=len(sent),
        lost=len(lost),
        twice=sum(times > 1 for ledger in kept.values() for times in ledger.values()),
        unknown=sum(message not in sent for ledger in kept.values() for message in ledger),
        left=left,
        facts=dict(facts),
        failed=dict(failed),
    )


def _ledger(path: Path) -> Counter[str]:
    with closing(sqlite3.connect(path)) as ledger:
        return Counter(row[0] for row in ledger.execute("SELECT message FROM done"))


def _content(root: str, number: int) -> str:
    """Return a content of a usual size: an appeal's text and its number."""
    text = (
        f"Обращение {number}: во дворе третью неделю не вывозят мусор; просим принять меры. " * 12
    )
    return f'<{root} xmlns="{_NAMESPACE}" number="{number}"><Text>{text}</Text></{root}>'


def _memory(pid: int | str, field: str) -> int:
    """Return KiB of a process: VmRSS now, VmHWM at most."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0
