"""What the simulated bus takes and refuses of our events, without a broker."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.amqp.adapter import Amqp
from gateway.adapter import EncodeContext
from gateway.model.appeal import Appeal
from simulators.amqp import rules
from simulators.amqp.broker import MissingError, program

OPTIONS = tomllib.loads(Path("adapters/amqp/manifest.toml").read_text("utf-8"))["options"]


def sent(mode="structured", **more):
    options = {**OPTIONS, "mode": mode}
    context = EncodeContext(now=datetime(2026, 4, 1, tzinfo=UTC), key="k-1", options=options)
    appeal = Appeal(receipt_number="2026-00017", **more)
    wire = Amqp(options).encode(appeal, None, context)
    prefix = "cloudevents:"
    headers = {
        f"cloudEvents:{name.removeprefix(prefix)}": value
        for name, value in wire.headers.items()
        if name.startswith(prefix)
    }
    return rules.event_of(wire.media_type, headers, wire.body)


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_an_event_of_either_mode_is_taken(mode):
    assert rules.refusals(sent(mode), "k-1", persistent=True) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "Нет атрибута id"),
        ({"specversion": "0.3"}, "Версия"),
        ({"type": "com.example"}, "Неизвестный вид"),
        ({"time": "вчера"}, "Неверное время"),
        ({"time": "2026-04-01T00:00:00"}, "без пояса"),
        ({"subject": "2026-00018"}, "subject"),
        ({"data": None}, "нет обращения"),
    ],
)
def test_an_event_that_breaks_a_rule_is_refused_with_the_reason(change, reason):
    found = rules.refusals({**sent(), **change}, "k-1", persistent=True)
    assert any(reason in line for line in found), found


def test_another_message_id_a_transient_message_and_personal_data_are_refused():
    event = json.loads(json.dumps(sent()))
    event["data"]["appeal"]["applicants"] = [{"phone": "+7 900 000-00-01"}]
    assert len(rules.refusals(event, "k-2", persistent=False)) == 3


def test_where_rabbitmq_is_not_installed_its_package_is_named():
    with pytest.raises(MissingError, match="rabbitmq-server"):
        program("no-such-program-of-rabbitmq")
