"""`make bench-trust`: signing and verifying, the exchange of СМЭВ, what a decision costs.

`--short` (the same as `--quick`): three pairs, 500 messages, 200 appeals.
"""

from __future__ import annotations

import sys

from bench import trust_exchange, trust_gateway, trust_policy, trust_signature
from bench.command import command


def main() -> int:
    """Measure everything; return the exit code."""
    sys.argv[1:] = ["--quick" if word == "--short" else word for word in sys.argv[1:]]
    return command(
        [
            (
                "smev-sign",
                "messages/s",
                trust_signature.SIGN_TARGET,
                trust_signature.measure,
            ),
            ("policy-check", "µs", trust_policy.TARGET, trust_policy.measure),
            ("smev-exchange", "messages", 0, trust_exchange.measure),
            ("smev-gateway", "appeals", 0, trust_gateway.measure),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
