"""Who is owed what: by its own choice, its adapter's manifest, and whether it is there at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.model.events import Actor, Event, EventType
from gateway.model.peer import Peer
from gateway.registry import manners
from gateway.subscriptions import KEEP_DAYS, Manner, owed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
APPEAL = UUID(int=7)
REGISTER = Manner(frozenset({"Answered", "Registered"}), may_reach_citizen=False, ordering="appeal")
POST_OFFICE = Manner(
    frozenset({"Answered", "Registered"}), may_reach_citizen=True, ordering="destination"
)
MANNERS = {"register": REGISTER, "post": POST_OFFICE}


def event(kind=EventType.ANSWERED, seq=2, actor="sed"):
    by = Actor(kind="peer", id=actor)
    return Event(appeal_id=APPEAL, seq=seq, type=kind, occurred_at=NOW, recorded_at=NOW, actor=by)


def told(peer, *events, source="portal", test=False):
    found = owed(
        events or (event(),),
        source=source,
        routed=(peer.code,),
        peers={peer.code: peer},
        manners=MANNERS,
        test=test,
    )
    return [o for o in found if o.destination == peer.code]


class TestWhich:
    def test_an_adapter_is_given_what_its_manifest_sends_on(self):
        peer = Peer(code="there", adapter="register")
        story = [
            event(EventType.REGISTERED, 1), event(EventType.TAKEN_TO_WORK, 2), event(seq=3)
        ]  # fmt: skip
        assert [o.event_type for o in told(peer, *story)] == ["Registered", "Answered"]

    def test_the_row_narrows_the_manifest_and_never_widens_it(self):
        wanted = {"events": ["Answered", "TakenToWork"]}
        peer = Peer(code="there", adapter="register", options=wanted)
        story = [
            event(EventType.REGISTERED, 1), event(EventType.TAKEN_TO_WORK, 2), event(seq=3)
        ]  # fmt: skip
        assert [o.event_type for o in told(peer, *story)] == ["Answered"]

    def test_what_a_peer_reads_itself_needs_no_codec(self):
        peer = Peer(code="there", adapter="register", options={"tell": "pull"})
        assert [o.kind for o in told(peer, event(EventType.TAKEN_TO_WORK))] == ["pull"]

    def test_a_channel_of_the_house_is_given_everything(self):
        peer = Peer(code="there", adapter="webhook")
        assert len(told(peer, event(EventType.TAKEN_TO_WORK), event(seq=3))) == 2

    def test_the_last_of_those_that_are_sent_on_stands_for_all(self):
        peer = Peer(code="there", adapter="register", options={"tell_last": True})
        story = [event(EventType.REGISTERED, 1), event(EventType.TAKEN_TO_WORK, 2)]
        assert [o.event_type for o in told(peer, *story)] == ["Registered"]

    def test_order_is_as_the_manifest_says_unless_the_row_does(self):
        assert told(Peer(code="there", adapter="register"))[0].lane_key == str(APPEAL)
        assert told(Peer(code="there", adapter="post"))[0].lane_key == ""
        peer = Peer(code="there", adapter="post", options={"ordering": "appeal"})
        assert told(peer)[0].lane_key == str(APPEAL)


class TestMayReachCitizen:
    @pytest.mark.parametrize(
        ("adapter", "options", "kind", "marked"),
        [
            ("register", {}, EventType.ANSWERED, False),
            ("post", {}, EventType.ANSWERED, True),
            ("post", {}, EventType.REGISTERED, True),
            ("register", {"may_reach_citizen": True}, EventType.REGISTERED, True),
            ("webhook", {}, EventType.ANSWERED, True),
            ("webhook", {}, EventType.REGISTERED, False),
            ("webhook", {"may_reach_citizen": False}, EventType.ANSWERED, False),
            ("pull", {}, EventType.ANSWERED, True),
        ],
    )
    def test_the_row_says_then_the_manifest_then_the_event(self, adapter, options, kind, marked):
        peer = Peer(code="there", adapter=adapter, options=options)
        assert [o.may_reach_citizen for o in told(peer, event(kind))] == [marked]

    def test_sstu_passes_nothing_on_to_citizens(self):
        assert not manners(["sstu"])["sstu"].may_reach_citizen


class TestDisabled:
    @pytest.mark.parametrize("adapter", ["webhook", "register", "pull"])
    def test_it_is_owed_what_happens_for_a_time(self, adapter):
        def kept(days, **options):
            since = NOW - timedelta(days=days)
            peer = Peer(
                code="there", adapter=adapter, enabled=False, disabled_at=since, options=options
            )
            return len(told(peer))

        assert (kept(0), kept(KEEP_DAYS - 1), kept(KEEP_DAYS)) == (1, 1, 0)
        assert (kept(6, keep_days=7), kept(7, keep_days=7), kept(0, keep_days=0)) == (1, 0, 0)
        assert kept(KEEP_DAYS - 1, keep_days="for ever") == 1


class TestTestMessages:
    def test_a_production_system_is_given_none_to_pull_but_its_own(self):
        assert told(Peer(code="there", adapter="pull"), test=True) == []
        assert told(Peer(code="there", adapter="pull", test=True), test=True)
        assert told(Peer(code="there", adapter="pull"), source="there", test=True)

    def test_what_would_be_sent_is_owed_so_that_dispatch_can_say_why_it_is_not(self):
        assert [o.test for o in told(Peer(code="there", adapter="webhook"), test=True)] == [True]


OWN = UUID(int=8)


def heard(*kinds, peer="archive", source="portal", **options):
    """What the sender of a merged letter is owed of the appeal that goes on."""
    row = Peer(code=peer, name=peer, options=options)
    events = [event(kind, seq) for seq, kind in enumerate(kinds, 1)]
    found = owed(
        events, source=source, routed=("sed",), merged={peer: OWN}, peers={peer: row},
        manners=MANNERS, test=False,
    )  # fmt: skip
    return [(o.event_type, o.lane_key, o.through) for o in found]


def test_whose_letter_was_merged_hears_where_it_stands_through_its_own():
    kinds = (
        EventType.RECEIVED, EventType.REGISTERED, EventType.AMENDED, EventType.FILE_ATTACHED,
        EventType.LINK_ADDED, EventType.TOPIC_ASSIGNED, EventType.ANSWERED, EventType.UNMERGED,
    )  # fmt: skip
    assert heard(*kinds) == [
        ("Registered", str(OWN), OWN), ("Answered", str(OWN), OWN),
    ]  # fmt: skip
    assert heard(*kinds, tell_last=True) == [("Answered", str(OWN), OWN)]


@pytest.mark.parametrize("reason", [{"source": "archive"}, {"peer": "sed"}])
def test_in_its_own_right_it_hears_as_if_nothing_was_merged(reason):
    assert heard(EventType.AMENDED, **reason) == [("Amended", str(APPEAL), None)]
