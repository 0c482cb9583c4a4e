"""`python -m bench.channels`: what the channels cost (`--only decode-pos`, `--only sstu`)."""

from __future__ import annotations

import sys
from functools import partial

from bench import channels_decode, channels_round, channels_sstu
from bench.command import command


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
            ("sstu-export", "seconds", channels_sstu.TARGET, channels_sstu.measure),
            ("channels-round", "appeals", 0, channels_round.measure),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
