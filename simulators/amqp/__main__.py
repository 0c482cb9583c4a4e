"""Run a city's event bus: `python -m simulators.amqp --port 0 --journal bus.jsonl`.

Starts a private RabbitMQ of its own (package `rabbitmq-server`) and ends it; the machine's broker
is not touched. Failures are of the consumer: refuse → dead letter; error, busy → given back; hang
and reset → the connection drops before the acknowledgement, so the event comes again.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from simulators import peer as base
from simulators.amqp import rules
from simulators.amqp.broker import Broker, MissingError
from simulators.amqp.bus import EXCHANGE, INBOX, REFUSALS, Bus
from simulators.page import Face


class Control:
    """Commands of the control address: those of the broker first, then those of the bus.

    `{"broker": "halt" | "kill" | "start" | "pause" | "resume"}`; it takes some seconds to start.
    """

    def __init__(self, broker: Broker, bus: Bus) -> None:
        self._broker = broker
        self._bus = bus

    def __call__(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked; raise ValueError or LookupError."""
        match command:
            case {"broker": "halt" | "kill" | "pause" | "resume" as what}:
                getattr(self._broker, what)()
                return {"broker": what}
            case {"broker": "start"}:
                threading.Thread(target=self._broker.start, daemon=True).start()
                return {"broker": "starting"}
            case _:
                return self._bus.command(command)


def main() -> None:
    """Start broker and consumer, print the addresses, serve until told to stop."""
    parser = base.arguments("amqp", __doc__)
    parser.add_argument("--amqp-port", type=int, default=0, help="of the private broker")
    parser.add_argument("--directory", default="", help="of the private broker; kept at the end")
    args = parser.parse_args()
    place = Path(args.directory or tempfile.mkdtemp(prefix="simulated-bus-"))
    try:
        broker = Broker(place, port=args.amqp_port)
        broker.start()
    except MissingError as error:
        sys.exit(f"simulators.amqp: {error}")
    journal, faults = base.Journal(args.journal), base.faults_of(args)
    bus, stop = Bus(broker.port, journal, faults), threading.Event()
    peer = base.Peer(
        "amqp",
        [],
        journal=journal,
        faults=faults,
        control=Control(broker, bus),
        face=Face(
            "Шина событий города · A city's event bus",
            rules.SOURCED,
            rules.OURS,
            bus.rows,
            "Пока ни одного события: пошлите обращения в очередь, шлюз возьмёт их и расскажет"
            " · No event yet: publish appeals to the queue, the gateway takes them and tells",
            '{"emit": 3, "seed": 1}',
            by_source=rules.BY_SOURCE,
        ),
        host=args.host,
        port=args.port,
    )
    bus.prepare()
    following = threading.Thread(target=bus.follow, args=(stop,), daemon=True)
    following.start()
    options = {
        "broker": broker.address,
        "allow_private": ["127.0.0.1"],
        "exchange": EXCHANGE,
        "queue": "",
        "inbox": INBOX,
        "errors": REFUSALS,
    }
    base.announce(peer, rules.SOURCED, rules.OURS, options=options)
    try:
        base.run_until_signal(peer)
    finally:
        stop.set()
        following.join(10.0)
        broker.stop()
        if not args.directory:
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
