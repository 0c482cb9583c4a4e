"""Deliveries in doubt and deliveries that failed: the node is asked, and its word settles them."""

from __future__ import annotations

import json

import msgspec
import pytest

from gateway.model.address import Address, AddressRole
from gateway.store import lanes
from simulators.process import running

from .conftest import APPLICANT


@pytest.fixture
def doubtful(stand):
    """One appeal whose delivery is in doubt, by the kind of failure that made it so."""

    def make(kind: str) -> str:
        stand.option(settle_after=60)
        appeal = stand.submit()
        stand.triage()
        stand.node.plan(kind, key=stand.number_of(appeal), seconds=5)
        stand.dispatch()
        assert states(stand) == ["unknown"]
        return appeal

    return make


def states(stand) -> list[str]:
    return [
        row[0]
        for row in stand.rows("SELECT state FROM delivery WHERE destination = 'sstu' ORDER BY id")
    ]


def an_hour_passes(stand) -> None:
    stand.connection.execute("UPDATE attempt SET started_at = started_at - interval '1 hour'")


def test_a_fresh_doubt_is_left_to_dispatch(stand, doubtful):
    doubtful("reset")
    seen = stand.reconcile("--commit")
    assert (seen.code, seen.explained) == (0, {"in_flight": 1})
    assert states(stand) == ["unknown"]


def test_what_arrived_without_an_answer_is_acknowledged(stand, doubtful):
    appeal = doubtful("reset_after")
    an_hour_passes(stand)
    dry = stand.reconcile()
    assert dry.found == [("unknown_settled", stand.receipt(appeal), "arrived")]
    assert states(stand) == ["unknown"]
    assert stand.reconcile("--commit").said["repaired"] == 1
    assert states(stand) == ["acknowledged"]
    assert stand.reconcile().code == 0


def test_what_never_arrived_is_sent_again_under_its_key(stand, doubtful):
    appeal = doubtful("reset")
    an_hour_passes(stand)
    seen = stand.reconcile("--commit")
    assert seen.found == [("unknown_settled", stand.receipt(appeal), "never_arrived")]
    stand.dispatch()
    assert (states(stand), list(stand.held())) == (["acknowledged"], [stand.number_of(appeal)])
    assert stand.reconcile().code == 0


def test_a_doubt_that_the_node_cannot_settle_is_an_operators(stand, doubtful):
    appeal = doubtful("reset_after")
    an_hour_passes(stand)
    stand.node.control(duplicate=stand.number_of(appeal))
    seen = stand.reconcile("--commit")
    assert seen.found == [
        ("twice_there", stand.number_of(appeal), "duplicate_there"),
        ("unknown_settled", stand.receipt(appeal), "cannot_tell"),
    ]
    assert (states(stand), seen.said["repaired"]) == (["unknown"], 0)


def test_what_was_refused_and_typed_in_by_hand_is_acknowledged(stand):
    appeal = stand.submit()
    stand.triage()
    number = stand.number_of(appeal)
    stand.node.plan("refuse", key=number)
    stand.dispatch()
    [(request,)] = stand.rows("SELECT request FROM attempt")
    stand.node.control(plant=json.loads(request))
    seen = stand.reconcile("--commit")
    assert seen.found == [("unknown_settled", number, "there_after_all")]
    assert states(stand) == ["acknowledged"]
    assert stand.reconcile().code == 0


def test_a_refused_change_that_the_list_does_not_show_is_sent_again(stand):
    appeal = stand.submit()
    stand.deliver()
    number = stand.number_of(appeal)
    stand.node.plan("refuse", key=number)
    home = Address(role=AddressRole.APPLICANT_POSTAL, raw="г. Приозёрск, ул. Садовая, д. 7")
    stand.amend(appeal, applicants=(msgspec.structs.replace(APPLICANT, addresses=(home,)),))
    stand.deliver()
    assert states(stand) == ["acknowledged", "refused"]
    seen = stand.reconcile("--commit")
    assert seen.found == [("content_differs", number, "older_there")]
    stand.dispatch()
    assert states(stand) == ["acknowledged", "acknowledged"]
    assert stand.reconcile().code == 0


def test_what_ran_out_of_attempts_is_sent_when_the_node_is_back(stand):
    stand.option(max_attempts=1, give_up_after=0)
    appeal = stand.submit()
    stand.triage()
    stand.node.plan("busy", key=stand.number_of(appeal))
    stand.dispatch()
    assert states(stand) == ["dead"]
    seen = stand.reconcile("--commit")
    assert seen.found == [("missing_there", stand.number_of(appeal), "dead")]
    stand.dispatch()
    assert (states(stand), stand.reconcile().code) == (["acknowledged"], 0)


def test_a_peer_without_a_register_is_asked_about_doubts_only(stand, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"a secret of the tests")
    with running("webhook") as hook:
        stand.peer(
            "hook",
            adapter="webhook",
            options={
                "url": f"{hook.address}/in", "ask_url": f"{hook.address}/_received/{{key}}",
                "allow_private": ["127.0.0.1"], "secret_file": str(secret), "settle_after": 60,
                "timeout": 2,
            },
        )  # fmt: skip
        stand.submit()
        stand.triage()
        [(appeal,)] = stand.rows("SELECT id FROM appeal")
        owed = lanes.NewDelivery("hook", str(appeal), appeal, 1, "Received")
        with stand.connection.transaction():
            [id_] = lanes.enqueue(stand.connection, [owed], stand.now())
        hook.plan("reset_after", key=str(id_))
        stand.dispatch()
        an_hour_passes(stand)
        seen = stand.reconcile("--commit", peer="hook")
        assert seen.said["compared"] is False
        assert [(c, why) for c, _, why in seen.found] == [("unknown_settled", "arrived")]
        assert stand.rows("SELECT state FROM delivery WHERE id = $1", id_) == [("acknowledged",)]
