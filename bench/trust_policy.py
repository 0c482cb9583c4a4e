"""What a policy check costs, in µs of processor time. The limit is the target of both figures.

policy-check: a decision of `gateway.roles.may`. Every role of the shipped file asks for every
action there is, of its own body, of another and of what is its own, so that allowed and refused
ways are all among them.

policy-door: `Gate.enter` for a machine peer that brings HTTP Basic over a wire beyond loopback, one
of 300 peers known: who is calling, by which key, and whether its row is content with that.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Final

from bench.command import say
from bench.figures import Figure, figure
from bench.soap_memory import Credentials, MemoryGate
from gateway import roles
from gateway.access import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.command import Plan

TARGET: Final = 1.0
LIMIT_US: Final = 10.0
PEERS: Final = 300


def measure(plan: Plan) -> list[Figure]:
    """Measure decisions over all roles, actions and resources."""
    shipped = roles.read_roles()
    everybody = [
        roles.principal(
            shipped, f"id-{name}", name, (name,), organisation="gzhi",
            parents={"gzhi": "", "department": "gzhi", "gorod": ""},
        )
        for name in shipped
    ]  # fmt: skip
    questions = [
        (who, action, resource)
        for who in everybody
        for action in sorted(roles.ACTIONS)
        for resource in (
            roles.Resource(organisation="department"),
            roles.Resource(organisation="gorod", owner=who.id),
            roles.HOUSE,
        )
    ]

    def all_of_them() -> int:
        for who, action, resource in questions:
            roles.may(who, action, resource)
        return len(questions)

    allowed = sum(roles.may(*question).allowed for question in questions)
    detail: dict[str, object] = {"questions": len(questions), "allowed": allowed}
    return [
        _figure(plan, "policy-check", "a decision", all_of_them, detail),
        _figure(plan, "policy-door", "a call", _door(), {"peers": PEERS}),
    ]


def _door() -> Callable[[], int]:
    """Return a round of calls of machine peers at the gate, one of each peer."""
    minted = {f"peer-{number}": keys.mint().text for number in range(PEERS)}
    gate = MemoryGate(*(Credentials(peer=peer, key=key) for peer, key in minted.items()))
    calls = [
        {"authorization": "Basic " + base64.b64encode(f"{peer}:{key}".encode()).decode()}
        for peer, key in minted.items()
    ]

    def all_of_them() -> int:
        for headers in calls:
            gate.enter(headers, "203.0.113.7", tls=True, path="/soap/v1/appeals.svc")
        return len(calls)

    return all_of_them


def _figure(
    plan: Plan, name: str, what: str, a_round: Callable[[], int], detail: dict[str, object]
) -> Figure:
    """Time rounds of checks, each round saying how many it made."""
    samples: list[tuple[float, float | None, float | None]] = []
    for _ in range(plan.pairs + 1):
        begun, checks = time.process_time(), 0
        end = begun + plan.seconds(1.0, 0.2)
        while time.process_time() < end:
            checks += a_round()
        each = (time.process_time() - begun) / checks * 1e6
        say(f"{each:.3f} µs {what}")
        samples.append((each, None, LIMIT_US))
    return figure(
        name, "µs of processor time", samples[1:], judged="limit", at_most=True,
        target=TARGET, run=plan.run, detail=detail,
    )  # fmt: skip
