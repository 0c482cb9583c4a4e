"""A whole round over every channel: appeals in, statuses and answers back out, counted outside.

Nothing is read from the gateway's tables. What was given out and what came back is what the
simulated peers hold; how often they failed is what their journals say.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from simulators.channels import crew
from simulators.channels.office import Office
from simulators.demo.clients import Client, Log, Rest
from simulators.demo.deliveries import Deliveries
from simulators.demo.journals import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller
    from simulators.process import Running

CHUNK: Final = 250
"""Appeals that a simulator is told to make at once."""
QUIET_SECONDS: Final = 4.0
"""Nothing has moved for so long: the round has come to its end."""
OPERATOR_SECONDS: Final = 3.0
"""How often the operator looks at what waits for a person."""
DOUBT_SECONDS: Final = 15.0
"""A doubt of which the peer has said nothing for so long is the operator's."""
LIMIT_SECONDS: Final = 120.0
"""Nothing has moved for so long although something is still to come: it has failed."""
TRIES: Final = 20
ORDERED: Final = {
    "regime": "fz59",
    "applicants": [{"person": {"fullName": "Выдуманов В."}}],
    "questions": [
        {"text": "Отопление", "topics": [{"system": "sstu", "code": "0005.0005.0056.1147"}]}
    ],
}
"""What is submitted for a peer without a road of its own."""
_QUEUES: Final = ("triage", "delivery")


class Counted(NamedTuple):
    """One channel's account.

    given: appeals that its peer gave out; back: those whose number and answer its peer has. calls:
    of its journal, folders and messages of a queue among them; ways: in which some of them failed.
    """

    given: int
    back: int
    missing: tuple[str, ...]
    calls: int
    ways: Counter[str]

    @property
    def failed(self) -> int:
        """How many of the calls failed."""
        return self.ways.total()


class Round:
    """One round on a stage whose gateway runs. seed: of everything made up."""

    def __init__(
        self, stage: Stage, teller: Teller, running: Mapping[str, Running], seed: int
    ) -> None:
        self.stage = stage
        self.teller = teller
        self.running = running
        self.seed = seed
        self.keys = crew.introduce(stage, running)
        self.replayed = 0
        self.decided = 0
        self._queued = 0
        self._over = threading.Event()
        self._receipts: dict[str, dict[str, str]] = {}
        self._messages: dict[str, str] = {}
        """External id → number of the message that brought it, where the peer has such numbers."""
        self.given: dict[str, list[str]] = {name: [] for name in running}
        self._log = Log(stage.path("client-channels.jsonl"))
        self.office = Office(self._client(crew.OFFICE))
        self.deliveries = Deliveries(stage, teller, tuple(map(crew.code, running)))

    def play(self, count: int) -> dict[str, Counted]:
        """Let every channel bring its share of so many appeals, and return the account."""
        self.office.start()
        consumer = threading.Thread(target=self._consume, name="channels-consumer", daemon=True)
        if "amqp" in self.running:
            consumer.start()
        bringers = [name for name in self.running if crew.PLAYERS[name].brings != "nothing"]
        share, rest = divmod(count, len(bringers))
        for n, name in enumerate(bringers):
            self._bring(name, share + (n < rest))
        self._settle(sum(map(len, self.given.values())))
        self.office.stop()
        self._over.set()
        if consumer.is_alive():
            consumer.join()
        for row in self.deliveries.refused_by_rule()[:5]:
            self.teller.fault(f"{row['destination']}: {row['error']}")
        self._log.close()
        return {name: self._count(name) for name in bringers}

    def _consume(self) -> None:
        """Take from the bus what the gateway published, and come again after each failure."""
        while not self._over.is_set():
            with suppress(OSError):
                self._queued = self.running["amqp"].control(drain=True)["left"]
            self._over.wait(0.1)

    def _client(self, name: str) -> Client:
        return Client(self.stage.address, crew.code(name), self.keys[name], self._log)

    def _bring(self, name: str, count: int) -> None:
        simulator, player = self.running[name], crew.PLAYERS[name]
        for start in range(0, count, CHUNK):
            many = min(CHUNK, count - start)
            if player.brings == "submits":
                self._submit(name, [f"РЗ-{self.seed}-{start + n}" for n in range(many)])
                continue
            command: dict[str, Any] = {"emit": many, "seed": self.seed + start}
            if player.brings == "pushes":
                to = {
                    "address": self.stage.address,
                    "key": self.keys[name],
                    "user": crew.code(name),
                }
                command = {"push": {**to, "count": many, "seed": self.seed + start}}
            told = simulator.control(**command)
            self.given[name] += told["keys"]
            self._messages |= zip(told["keys"], told.get("ids", ()), strict=False)

    def _submit(self, name: str, keys: list[str]) -> None:
        """Submit over REST what a peer without a road of its own into the gateway gave out."""
        sender = Rest(self.stage.address, crew.code(name), self.keys[name], self._log)
        now = datetime.now(UTC).isoformat()
        self.given[name] += keys
        for key in keys:
            if name == "asdou":
                self.running[name].control(assignment={"importId": key, "responsible": True})
            own = {"externalId": key, "text": f"По поручению {key}.", "receivedAt": now}
            reply = sender.submit({**ORDERED, **own})
            if not reply.accepted:
                self.teller.fault(f"{name} {key}: {reply.status} {reply.code}")

    def reconcile(self) -> dict[str, int]:
        """Compare registers with every peer that shows a list; return how many differences."""
        found = {}
        for name in crew.LISTING:
            if name not in self.running:
                continue
            for _ in range(TRIES):  # its list fails as often as everything else
                told = self.stage.command("reconcile", crew.code(name), ok=(0, 1, 2))
                if told is not None:
                    break
            else:
                self.teller.fault(f"{name}: список не прочитан · its list could not be read")
                continue
            found[name] = told["differences"]
            if told["differences"]:
                self.teller.fault(f"{name}: расхождения · differences {told['by_class']}")
        return found

    def _settle(self, expected: int) -> None:
        """Wait until every appeal came, was answered, and nothing is on its way any more.

        What a peer refused by chance is sent again, as an operator does.
        """
        moved, before = time.monotonic(), (-1, -1, -1.0)
        acted = 0.0
        while True:
            if time.monotonic() - acted > OPERATOR_SECONDS:
                self.replayed += self.deliveries.replay_refused()
                self.decided += self._decide()
                if "amqp" in self.running:
                    self.running["amqp"].control(redrive=True)
                acted = time.monotonic()
            waiting = self.deliveries.waiting()
            busy = sum(n for (queue, _, _), n in waiting.items() if queue in _QUEUES)
            now = (
                len(self.office.registered),
                sum(self.office.answered.values()),
                busy + self._queued,
            )
            if now != before:
                moved, before = time.monotonic(), now
            quiet = time.monotonic() - moved
            still = not (self.deliveries.busy() or self._queued)
            if now[0] >= expected and still and quiet > QUIET_SECONDS:
                return
            if quiet > LIMIT_SECONDS:
                self.teller.fault(f"за {LIMIT_SECONDS:.0f} с ничего не сдвинулось · stuck: {now}")
                return
            time.sleep(0.5)

    def _decide(self) -> int:
        """Settle by hand what may have arrived at a peer that can neither be asked nor trusted.

        The operator looks at what the peer shows, and confirms the delivery or sends it again.
        """
        decided: dict[str, list[str]] = {"confirm": [], "replay": []}
        shown: dict[str, dict[str, dict[str, Any]]] = {}
        for row in self.deliveries.doubts(DOUBT_SECONDS):
            peer = row["destination"]
            if peer not in shown:
                shown[peer] = self._shown(peer)
            there = shown[peer].get(row["receipt_number" if peer == "amqp" else "external_id"])
            told = there and (there.get("answers") or row["event"] != "Answered")
            decided["confirm" if told else "replay"].append(row["id"])
        for word, ids in decided.items():
            self._tell(word, ids)
        return sum(map(len, decided.values()))

    def _tell(self, word: str, ids: list[str]) -> None:
        """Carry out one decision about deliveries, of which some may have settled by themselves."""
        if not ids or self.stage.command("deliveries", word, *ids, "--commit", ok=(0, 2)):
            return
        left = self.deliveries.still("unknown", ids)
        if len(left) == len(ids) > 1:  # one of them is being asked about at this moment
            middle = len(ids) // 2
            self._tell(word, ids[:middle])
            left = ids[middle:]
        if len(ids) > 1:
            self._tell(word, left)

    def _shown(self, peer: str) -> dict[str, dict[str, Any]]:
        """Return what a peer shows, by key; nothing of a folder: a known uid may come again."""
        if peer == crew.code("sed"):
            return {}
        return {one["key"]: one for one in self.running[peer].holds()}

    def _count(self, name: str) -> Counted:
        if crew.PLAYERS[name].brings == "pushes":
            self.running[name].control(poll=True)
        held = (
            self._heard()
            if name == "smev"
            else {row["key"]: row for row in self.running[name].holds()}
        )
        missing = [key for key in self.given[name] if not self._back(name, key, held)]
        journal = Journal(self.stage.path(f"{name}.jsonl"))
        calls = [r for r in journal.records if "fault" in r]
        ways = Counter(r["fault"] for r in calls if r["fault"])
        given = len(self.given[name])
        return Counted(given, given - len(missing), tuple(missing), len(calls), ways)

    def _heard(self) -> dict[str, dict[str, Any]]:
        """Let the body behind СМЭВ read what came for it; return what it knows, by external id."""
        stand = self.running["smev"]
        stand.control(answer=True)
        heard = stand.control(heard=True)["heard"]
        rows = {}
        for key, number in self._messages.items():
            told = heard.get(number, [])
            statuses = [one for one in told if one == "RequestStatus"]
            rows[key] = {"key": key, "statuses": statuses, "answers": told.count("Answer")}
        return rows

    def _back(self, name: str, key: str, held: Mapping[str, dict[str, Any]]) -> bool:
        """Whether a peer has the number and the answer of an appeal that it gave out."""
        row = held.get(self._named(name, key))
        if row is not None and row.get("type") == "blackbox":
            # Its token tells nothing, by the standard: what the office did is all there is to see.
            return self.office.answered.get(self._receipt(name, key), 0) > 0
        return _told(row)

    def _named(self, name: str, key: str) -> str:
        """Return how a peer names an appeal.

        The bus is told of it by the receipt's number, a node of ССТУ by that of the registration.
        """
        if name not in {"amqp", "sstu"}:
            return key
        receipt = self._receipt(name, key)
        return self.office.numbers.get(receipt, "") if name == "sstu" else receipt

    def _receipt(self, name: str, key: str) -> str:
        """Return the receipt number that we gave an appeal of a peer, empty without one."""
        if name not in self._receipts:
            self._receipts[name] = dict(self._registered(name))
        return self._receipts[name].get(key, "")

    def _registered(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield external id and receipt number of everything that a peer sent us."""
        client, cursor = self._client(name), ""
        while True:
            more = f"&cursor={quote(cursor)}" if cursor else ""
            _, page = client.json("GET", f"/api/v1/appeals?max=1000{more}")
            for line in page["items"]:
                yield line["externalId"], line["receiptNumber"]
            cursor = page.get("nextCursor") or ""
            if not page["items"] or not cursor:
                return


def _told(row: dict[str, Any] | None) -> bool:
    """Whether a peer was told of its appeal's registration and has its answer."""
    if row is None or not row["statuses"]:
        return False
    return bool(row["answers"] > 0 or str(row["statuses"][-1]).startswith("closed"))
