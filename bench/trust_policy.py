"""policy-check: what a decision of `gateway.roles.may` costs, in µs of processor time.

Every role of the shipped file asks for every action there is, of its own body, of another and of
what is its own, so that allowed and refused ways are all among them. The limit is the target.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.command import say
from bench.figures import Figure, figure
from gateway import roles

if TYPE_CHECKING:
    from bench.command import Plan

TARGET: Final = 1.0
LIMIT_US: Final = 10.0


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
    samples: list[tuple[float, float | None, float | None]] = []
    for _ in range(plan.pairs + 1):
        begun, rounds = time.process_time(), 0
        end = begun + plan.seconds(1.0, 0.2)
        while time.process_time() < end:
            for who, action, resource in questions:
                roles.may(who, action, resource)
            rounds += 1
        each = (time.process_time() - begun) / rounds / len(questions) * 1e6
        say(f"{each:.3f} µs a decision")
        samples.append((each, None, LIMIT_US))
    allowed = sum(roles.may(*question).allowed for question in questions)
    detail: dict[str, object] = {"questions": len(questions), "allowed": allowed}
    return [
        figure("policy-check", "µs of processor time", samples[1:], judged="limit", at_most=True,
               target=TARGET, run=plan.run, detail=detail),
    ]  # fmt: skip
