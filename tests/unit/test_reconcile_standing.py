"""Where an appeal stands with a peer, by the states of its deliveries in their order."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from gateway.reconcile.standing import Told, standing

START = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def told(*rows: tuple[str, str]) -> list[Told]:
    """Deliveries an hour apart; each is (state, content)."""
    made = []
    for n, (state, content) in enumerate(rows):
        at = START + dt.timedelta(hours=n)
        made.append(
            Told(
                appeal_id=UUID(int=1), id=UUID(int=n + 1), lane="1", event_seq=n,
                event_type="Registered", state=state, created_at=at, changed_at=at,
                may_reach_citizen=False, test=False, error="",
                payload_sha256=content.encode() or None, sent_at=at if content else None,
            )
        )  # fmt: skip
    return made


def test_nothing_owed_counts_for_nothing():
    assert not standing([]).counts
    assert not standing(told(("skipped", ""))).counts


def test_the_newest_that_was_taken_is_what_the_peer_has():
    stands = standing(told(("acknowledged", "a"), ("acknowledged", "b"), ("skipped", "")))
    assert (stands.last.id, stands.skipped, stands.moving) == (UUID(int=2), True, 0)


def test_a_repeat_of_the_same_content_counts_from_its_first_send():
    rows = told(("acknowledged", "a"), ("acknowledged", "b"), ("acknowledged", "b"))
    assert standing(rows).since == START + dt.timedelta(hours=1)


def test_what_waits_or_is_in_doubt_moves_and_so_does_what_awaits_its_acknowledgement():
    rows = told(("sent", "a"), ("ready", ""), ("unknown", "b"), ("retry", ""), ("sending", "c"))
    assert standing(rows).moving == 5


def test_a_refusal_blocks_only_until_something_newer_was_taken():
    assert standing(told(("acknowledged", "a"), ("refused", "b"))).blocked.id == UUID(int=2)
    assert standing(told(("dead", "a"), ("ready", ""))).blocked.id == UUID(int=1)
    assert standing(told(("refused", "a"), ("acknowledged", "b"))).blocked is None
