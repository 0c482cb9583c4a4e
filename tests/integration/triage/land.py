"""A room with a made-up register of addresses, keepers of houses and a body of the land."""

from __future__ import annotations

import pytest

from gateway import acts, choosing, policies
from gateway.keepers import Keeper, Territory
from gateway.merging import Decision
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal
from gateway.model.question import Question
from gateway.settings import Settings
from gateway.store import keepers
from tests.integration.register import load

OURS = "gzhi"
ROUTING = """
[[rule]]
id = "house"
executor = "@management"
destinations = ["hook"]
reason = "Дом: кто управляет"
when = { words = ["подъезд"] }

[[rule]]
id = "place"
executor = "@territory"
destinations = ["archive"]
reason = "Территория"
when = { words = ["дорог"] }
"""
EXACT = "г Воронеж, ул 9 Января 68к2 кв 15"
LESNAYA = "Воронежская обл, Берёзовка, ул. Лесная, д. 1"


@pytest.fixture
def city(room, tmp_path):
    """A room with the register of one region, the keeper of a house and a body of the land."""
    path = tmp_path / "by-house.toml"
    path.write_text(ROUTING)
    room.rules = policies.rules(
        Settings(organisation=OURS, register_channels=("*",), routing_file=str(path))
    )
    with room.connection() as db:
        room.land = load(db)
        kept = [
            Keeper(house_guid=house(room, "68к2"), service="management", organisation="uk"),
            Keeper(house_guid=lesnaya(room, 1), service="management", organisation="tsj"),
        ]
        keepers.write(db, [], kept, [], room.now)
        land = [Territory(oktmo="20701", organisation="town")]
        keepers.write_territories(db, [], land, room.now)
    return room


def house(room, label: str) -> str:
    return next(row.guid for row in room.land.houses if row.label == f"д. {label}")


def lesnaya(room, which: int) -> str:
    """Return house 1 of the street Лесная in one of the three places called Берёзовка."""
    streets = [row.id for row in room.land.objects.values() if row.name == "Лесная"]
    rows = [r for r in room.land.houses if r.parent in streets and r.key == "1"]
    return rows[which].guid


def write(room, external_id: str, raw: str = "", text: str = "Грязь в подъезде", **more):
    place = Address(role=AddressRole.PROBLEM, raw=raw, **more)
    appeal = Appeal(text=text, addresses=(place,), questions=(Question(ordinal=1),))
    room.submit_appeal(external_id, appeal)
    room.work_off()


def events(room, kind: str = "AddressResolved"):
    rows = room.rows(
        "SELECT convert_from(body, 'UTF8')::jsonb FROM event WHERE type = %s ORDER BY recorded_at,"
        " appeal_id, seq",
        kind,
    )
    return [body["payload"] for (body,) in rows]


def rows(room):
    return room.rows(
        "SELECT a.external_id, p.outcome, p.house_guid::text, p.by, p.doubt FROM place p"
        " JOIN appeal a ON a.id = p.appeal_id ORDER BY 1"
    )


def routed(room, external_id: str = "a"):
    return room.rows(
        "SELECT a.executor, a.route_rule, q.state FROM appeal a JOIN question q"
        " ON q.appeal_id = a.id WHERE external_id = %s",
        external_id,
    )[0]


def sent(room):
    return sorted(room.rows("SELECT destination, event_type FROM delivery"))


def choose(room, wanted: str, external_id: str = "a", **more):
    appeal_id = room.rows("SELECT id FROM appeal WHERE external_id = %s", external_id)[0][0]
    decision = Decision(by=acts.person("ivanova"), ground="по фото", now=room.now)
    with room.connection() as db, db.transaction():
        return choosing.choose(db, appeal_id, wanted, decision, room.rules, **more)


def whole(room) -> bool:
    return not room.verified().faults


def house_of(room, street: str, kind: str, number: str) -> str:
    named = [o.id for o in room.land.objects.values() if (o.name, o.type) == (street, kind)]
    return next(r.guid for r in room.land.houses if r.parent in named and r.key == number)
