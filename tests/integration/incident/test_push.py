"""Messages that the simulated system pushes to a served gateway."""

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from adapters.incident.adapter import Incident
from gateway.adapter import EncodeContext
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.events import Actor, Event, EventType
from simulators.process import running

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
CONTENT = """
SELECT c.bytes FROM appeal a JOIN content c ON c.appeal_id = a.id AND c.id = a.content_id
WHERE a.external_id = $1
"""


@pytest.fixture(scope="module")
def gate(own_house):
    made = own_house("incident", GATEWAY_ADAPTERS="incident")
    with made.database() as db:
        db.execute("UPDATE peer SET adapter = 'incident' WHERE code = 'sed'")
    yield made
    assert not made.defects()


@pytest.fixture(scope="module")
def system():
    with running("incident") as simulator:
        yield simulator


def push(system, gate, **order):
    where = {"address": f"{gate.address}/api/v1/inbox", "user": "sed", "key": gate.keys["sed"]}
    return system.control(push={**where, **order})


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_everything_that_is_pushed_gets_a_receipt_and_lies_in_the_store(system, gate, form):
    told = push(system, gate, count=4, seed=11, **{"as": form})

    results = [result for answer in told["answers"] for result in answer["results"]]
    assert set(told["statuses"]) == {200}
    assert [result["id"] for result in results] == told["keys"]
    assert all(result["receipt"] and not result["repeat"] for result in results)
    for key in told["keys"]:
        ((body,),) = gate.messages(key, "body")
        assert json.loads(body)["id"] == key


def test_a_repeat_gets_the_first_receipt_and_other_content_is_refused(system, gate):
    (key,) = push(system, gate, count=1, seed=12)["keys"]
    ((body,),) = gate.messages(key, "body")
    changed = json.dumps({**json.loads(body), "text": "Совсем другое"}).encode()
    higher = json.dumps({**json.loads(body), "version": 2, "text": "Исправлено"}).encode()

    again = gate.post("/inbox", bytes(body), peer="sed")
    other = gate.post("/inbox", changed, peer="sed")
    amended = gate.post("/inbox", higher, peer="sed")

    assert (again.status, again.json["results"][0]["repeat"]) == (200, True)
    assert (other.status, other.json["results"][0]["error"]["code"]) == (422, "conflict")
    assert (amended.status, amended.json["results"][0]["accepted"]) == (200, True)


def test_a_line_that_cannot_be_read_is_named_and_harms_no_other(system, gate):
    good = {"id": "own-1", "version": 1, "network": "vk", "text": "Текст",
            "published_at": "2026-03-02T08:15:00+03:00"}  # fmt: skip
    lines = [json.dumps(good), json.dumps({**good, "id": "own-2", "network": ""})]

    answer = gate.post("/inbox", "\n".join(lines).encode(), peer="sed",
                       Content_Type="application/x-ndjson")  # fmt: skip

    taken, refused = answer.json["results"]
    assert answer.status == 207
    assert (taken["id"], taken["accepted"]) == ("own-1", True)
    assert (refused["line"], refused["error"]["violations"][0]["path"]) == ("2", "/network")


def test_what_lies_in_the_store_can_be_answered(system, gate):
    (key,) = push(system, gate, count=1, seed=13)["keys"]
    ((stored,),) = gate.rows(CONTENT, key)
    appeal = msgspec.json.decode(stored, type=Appeal)
    event = Event(appeal_id=UUID(int=1), seq=2, type=EventType.TAKEN_TO_WORK, occurred_at=NOW,
                  recorded_at=NOW, actor=Actor(kind="rule"), payload=f.NoFacts())  # fmt: skip

    wire = Incident({}).encode(appeal, event, EncodeContext(now=NOW))

    assert json.loads(wire.body) == {"id": key, "kind": "state", "state": "in_work"}
