"""Which refusals become security events of their own, and of which kind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.access.policy import Refused
from gateway.cabinet.mount import of_refusal

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def refused(reason, **more):
    return Refused(reason=reason, peer="sed", address="192.0.2.7", path="/x", **more)


@pytest.mark.parametrize(
    ("reason", "code", "kind"),
    [
        ("wrong credential", "access", "call_refused"),
        ("a certificate of nobody, or not in force: 00", "access", "trust_refused"),
        ("WS-Security: FailedCheck: the message was sent before", "security", "trust_refused"),
        ("redirect_refused: next", "trust", "call_refused"),
        ("state_mismatch: form of another page", "trust", "call_refused"),
    ],
)
def test_a_refusal_is_an_event_with_who_and_from_where(reason, code, kind):
    event = of_refusal(refused(reason, code=code), AT)
    assert event is not None
    assert (event.kind, event.who, event.address) == (kind, "sed", "192.0.2.7")
    assert event.reason == reason


def test_what_was_told_by_whoever_refused_it_is_no_second_event():
    assert of_refusal(refused("login_refused: wrong password", code="trust", told=True), AT) is None
