"""Numbers of messages, what each fault means, and what the row of a peer may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters.smev import ids, retry
from adapters.smev.messages.types import Fault
from adapters.smev.options import Options
from adapters.smev.outbox import receipt
from gateway.errors import ConfigurationError, PeerRefused, PeerUnavailable
from gateway.testing.memory import FakeMemory

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


@pytest.fixture
def memory():
    seconds = iter(range(10_000))
    return FakeMemory(lambda: NOW + timedelta(seconds=next(seconds)))


def test_a_number_is_of_version_1_small_and_tells_no_address_of_a_machine():
    made = [ids.new() for _ in range(50)]
    assert len(set(made)) == 50
    for number in made:
        read = UUID(number)
        assert (read.version, number) == (1, number.lower())
        assert read.node >> 40 & 1
    assert len({UUID(number).node for number in made}) > 1


def test_a_delivery_keeps_its_number_however_often_it_begins(memory):
    first = ids.begin(memory, "d-1", "a")
    assert ids.begin(memory, "d-1", "a") == first == ids.known(memory, "d-1")
    assert ids.begin(memory, "d-2", "a").id != first.id
    assert memory.get(ids.NUMBER, first.id) == {"key": "d-1", "appeal": "a"}


def test_a_stale_number_is_kept_beside_the_new_one_and_still_leads_to_the_appeal(memory):
    first = ids.begin(memory, "d-1", "a")
    second = ids.renew(memory, "d-1", first, "a")
    assert (second.before, second.state) == ((first.id,), "made")
    assert ids.known(memory, "d-1") == second
    for number in (first.id, second.id):
        assert memory.get(ids.NUMBER, number)["appeal"] == "a"


def test_a_refusal_is_not_taken_back_by_a_late_success(memory):
    record = ids.begin(memory, "d-1", "a")
    refused = ids.settle(memory, "d-1", record, "refused", "нет получателя")
    assert ids.settle(memory, "d-1", refused, "queued") == refused
    told = receipt(ids.known(memory, "d-1"))
    assert (told.final, told.refused) == (True, "нет получателя")


def test_every_fault_that_has_to_be_mended_says_how():
    told = {name for name, action in retry.ACTIONS.items() if action not in ("done", "renew")}
    assert told - {"InvalidMessageIdFormat"} == set(retry.TODO)


@pytest.mark.parametrize("name", [n for n, a in retry.ACTIONS.items() if a == "later"])
def test_what_passes_by_itself_is_tried_again(name):
    error = retry.error(Fault(name=name, code="SMEV-1", description="полна"), "SendRequest")
    assert isinstance(error, PeerUnavailable)
    assert "SMEV-1 полна" in error.found


@pytest.mark.parametrize("name", ["AccessDenied", "InvalidContent", "NobodyKnowsThis"])
def test_what_a_person_has_to_mend_is_not_tried_again(name):
    details = (("ValidationError", "cvc-1"),)
    error = retry.error(Fault(name=name, text="нет", details=details), "SendRequest")
    assert isinstance(error, PeerRefused)
    assert "ValidationError: cvc-1" in error.found


def test_a_fault_without_a_name_may_pass():
    assert retry.action(Fault(text="proxy"), "SendRequest") == "later"


def test_a_message_that_is_not_there_is_success_for_its_acknowledgement_alone():
    fault = Fault(name="TargetMessageIsNotFound")
    assert retry.action(fault, "Ack") == "done"
    assert retry.action(fault, "SendResponse") == "refused"
    assert retry.action(Fault(name="MessageIsAlreadySent"), "SendResponse") == "done"


def test_nothing_named_asks_for_anything():
    (one,) = Options.of({"key": "k", "node_id": "N1"}).selectors(NOW)
    assert (one.namespace, one.local_name, one.node_id) == ("", "", "N1")


def test_each_kind_is_asked_for_by_its_root():
    found = Options.of({"kinds": ["urn://a/1 One", "urn://b/1 Two"]}).selectors(NOW)
    assert [(one.namespace, one.local_name) for one in found] == [
        ("urn://a/1", "One"),
        ("urn://b/1", "Two"),
    ]


@pytest.mark.parametrize(
    "options", [{"kinds": ["One"]}, {"storage": "host:ftp"}, {"version": "1.4"}]
)
def test_an_option_that_cannot_be_meant_is_named(options):
    with pytest.raises(ConfigurationError):
        Options.of(options)
