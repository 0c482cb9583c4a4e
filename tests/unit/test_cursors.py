"""Cursors that a peer makes up himself: refused in our words, whatever number is in them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest

from gateway.errors import ValidationError
from gateway.store import horizon, pull


def forged(named: bytes, raw: bytes, packed: bytes) -> str:
    return base64.b32encode(packed + sha256(named + raw).digest()[:4]).decode().rstrip("=")


def of_lane(peer: str, position: int) -> str:
    raw = position.to_bytes(8, "big")
    return forged(f"{peer}\0".encode(), raw, raw.lstrip(b"\0"))


@pytest.mark.parametrize("position", [2**62, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_position_that_the_database_cannot_count_is_no_cursor(position):
    with pytest.raises(ValidationError, match="not given by us"):
        pull.position("sed", of_lane("sed", position))


def test_a_position_goes_through_its_cursor_and_not_to_another_peer():
    assert pull.cursor("sed", 7) == of_lane("sed", 7)
    assert pull.position("sed", pull.cursor("sed", 7)) == 7
    with pytest.raises(ValidationError):
        pull.position("press", pull.cursor("sed", 7))


@pytest.mark.parametrize("microseconds", [2**63 - 1, -(2**63), 2**58])
def test_an_instant_that_no_calendar_has_is_no_cursor(microseconds):
    raw = microseconds.to_bytes(8, "big", signed=True) + bytes(16)
    with pytest.raises(ValidationError, match="not given by us"):
        horizon.place("sed", "appeal", forged(b"sed\0appeal\0", raw, raw))


def test_a_place_goes_through_its_cursor():
    place = horizon.Place(datetime(2026, 2, 1, 3, 4, 5, 6, UTC), UUID(int=5))
    assert horizon.place("sed", "appeal", horizon.cursor("sed", "appeal", place)) == place
