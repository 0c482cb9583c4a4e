"""The reckoning: the clients' log and the peers' journals against each other and the store."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.survive.stand import ASKED, PEERS, REPEATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.survive.calls import Receipt
    from tests.survive.stand import Stand


class Reckoning(NamedTuple):
    """What was found; everything but the first seven must be nothing."""

    acknowledged: int
    deliveries: int
    at_peers: int
    stored_and_silent: int
    asked: int
    sent_again: int
    registered: int
    missing: int
    twice: int
    receipts_changed: int
    strangers: int
    undelivered: int
    delivered_twice: int
    sent_again_after_stored: int
    never_asked: int
    gaps: int
    faults: int

    @property
    def wrong(self) -> dict[str, int]:
        """What must be nothing and is not; a run in which no doubt arose proved nothing either."""
        found = {name: n for name, n in list(self._asdict().items())[7:] if n}
        return found if self.stored_and_silent else {**found, "no_doubt_arose": 1}


def reckon(
    stand: Stand, acknowledged: Mapping[str, list[Receipt]], repeats: Mapping[str, list[Receipt]]
) -> Reckoning:
    """Count everything; the gateway must be quiet. repeats: the receipts of asking once more."""
    with stand.store() as store:
        stored = Counter(dict(store.rows("SELECT external_id, count(*) FROM appeal GROUP BY 1")))
        numbers = dict(store.rows("SELECT external_id, receipt_number FROM appeal"))
        sent = {
            code: {
                str(id_)
                for (id_,) in store.rows(f"SELECT id FROM delivery WHERE destination = '{code}'")
            }
            for code in PEERS
        }
        given = [
            int(n.split("-")[1].split("/")[0])
            for (n,) in store.rows("SELECT number FROM registration WHERE is_ours")
        ]
    changed = sum(
        len({*receipts, *repeats.get(name, [])}) != 1 or receipts[0].number != numbers.get(name)
        for name, receipts in acknowledged.items()
    )
    peers = {code: Peer(records(stand.journals[code])) for code in PEERS}
    held = {code: {item["key"] for item in stand.peers[code].holds()} for code in PEERS}
    expected = len(acknowledged)
    asked = peers[ASKED]
    return Reckoning(
        acknowledged=expected,
        deliveries=sum(map(len, sent.values())),
        at_peers=sum(map(len, held.values())),
        stored_and_silent=len(asked.silent),
        asked=len(asked.asked),
        sent_again=sum(n - 1 for n in peers[REPEATED].posts.values()),
        registered=len(given),
        missing=sum(name not in stored for name in acknowledged),
        twice=sum(count > 1 for count in stored.values()),
        receipts_changed=changed,
        strangers=sum(name not in acknowledged for name in stored),
        undelivered=sum(
            len(sent[code] ^ held[code]) + abs(len(sent[code]) - expected) for code in PEERS
        ),
        delivered_twice=sum(n > 1 for n in asked.stored.values()) + peers[REPEATED].clashes,
        sent_again_after_stored=asked.after_stored,
        never_asked=len(asked.silent - asked.asked),
        gaps=len(set(range(1, expected + 1)) ^ set(given)) + len(given) - len(set(given)),
        faults=sum(json.loads(stand.gateway("verify", "--json"))["faults"].values()),
    )


class Peer:
    """One peer's journal, read in order.

    posts, stored: key → how often it was sent, how often that was kept. silent: keys that were kept
    although the answer was planned never to come whole. asked: keys it was asked about.
    after_stored: sends of a key that was kept already. clashes: sends of a key with other content.
    """

    def __init__(self, lines: Iterable[dict[str, Any]]) -> None:
        self.posts: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self.silent: set[str] = set()
        self.asked: set[str] = set()
        self.after_stored = 0
        self.clashes = 0
        for line in lines:
            key = line["key"]
            if line["method"] == "GET":
                self.asked.add(key.removeprefix("ask:"))
                continue
            self.posts[key] += 1
            self.after_stored += self.stored[key] > 0
            self.clashes += line["status"] == 409
            if line["stored"]:
                self.stored[key] += 1
                if line["fault"] in {"hang_after", "reset_after", "garbage"}:
                    self.silent.add(key)


def records(path: Any) -> list[dict[str, Any]]:
    """Read a journal."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
