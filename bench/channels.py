"""`python -m bench.channels`: what the channels cost (`--only decode-pos`, `--only sstu`)."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from bench import channels_decode, channels_round, channels_sstu
from bench.command import command

if TYPE_CHECKING:
    from bench.command import Plan
    from bench.figures import Figure


def export(plan: Plan) -> list[Figure]:
    """Measure the packages of ССТУ: in pairs at a small count, the memory at the full one."""
    return channels_sstu.measure(plan, channels_sstu.COUNT)


def main() -> int:
    """Measure everything; return the exit code."""
    decoding = [
        (
            f"decode-{name}",
            "µs",
            channels_decode.TARGET,
            partial(channels_decode.measure, name=name),
        )
        for name in channels_decode.channels()
    ]
    return command(
        [
            *decoding,
            ("sstu-export", "seconds", channels_sstu.TARGET, export),
            ("channels-round", "appeals", 0, channels_round.measure),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
