"""An appeal with everything in it travels as JSON and has a schema; so does any part of it."""

import subprocess
import sys

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from gateway.model.appeal import Appeal
from gateway.model.digest import canonical_json
from gateway.model.message import Delivery, DeliveryState, Message
from gateway.model.question import Question
from tests.unit.model.appeals import entity, filled

APPEALS = entity(Appeal)


def test_a_full_appeal_comes_back_from_json():
    appeal = filled(Appeal)

    wire = msgspec.json.encode(appeal)

    assert msgspec.json.decode(wire, type=Appeal) == appeal
    assert all(getattr(appeal, name) not in (None, ()) for name in appeal.__struct_fields__)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(APPEALS)
def test_any_appeal_comes_back_from_json(appeal):
    back = msgspec.json.decode(msgspec.json.encode(appeal), type=Appeal)

    assert back == appeal
    assert canonical_json(back) == canonical_json(appeal)


def test_an_empty_appeal_says_nothing():
    assert msgspec.json.encode(Appeal()) == b"{}"
    assert msgspec.json.encode(Question(ordinal=1, state=str(b"received", "ascii"))) == b"{}"


def test_the_schema_names_every_entity():
    schema = msgspec.json.schema(Appeal)
    properties = schema["$defs"]["Appeal"]["properties"]

    assert set(properties) == set(Appeal.__struct_fields__)
    assert {"Applicant", "Question", "Registration", "ReferralIn", "ExternalRef", "Extra"} <= set(
        schema["$defs"]
    )
    assert schema["$defs"]["Registration"]["properties"]["date"]["anyOf"][0]["format"] == "date"


def test_states_of_a_delivery_are_the_nine_of_the_design():
    assert [str(state) for state in DeliveryState] == [
        "ready", "sending", "retry", "unknown", "sent", "acknowledged", "refused", "dead",
        "skipped",
    ]  # fmt: skip
    assert Delivery().state is DeliveryState.READY
    assert not Delivery().may_reach_citizen
    assert msgspec.json.decode(msgspec.json.encode(Message(peer="p")), type=Message).peer == "p"


@pytest.mark.parametrize(
    "module", ["gateway.model", "gateway.model.digest", "gateway.model.intake"]
)
def test_the_model_loads_no_driver_network_or_framework(module):
    heavy = "lxml psycopg sqlalchemy litestar uvicorn urllib3 zeep spyne asyncio socket http ssl"
    script = f"import sys, {module}; print(*[m for m in {heavy.split()!r} if m in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ""
