"""Run the made-up city app: `python -m simulators.open311 --port 0 --journal open311.jsonl`.

`POST /_control` takes `{"push": {"address", "key", "count", "seed"}}`: makes requests up and sends
them to the gateway in a thread; `{"emit": n, "seed": s}` sends more to the same; `{"idle": true}`
says whether everything was sent, `{"poll": true}` asks for tokens and statuses once, and
`{"holds": true}` tells all. Planned failures are the app's own (`simulators.open311.line`).
"""

from __future__ import annotations

from simulators import peer as base
from simulators.open311 import rules
from simulators.open311.app import App
from simulators.page import Face


def main() -> None:
    """Start the app, print its address, serve until told to stop."""
    args = base.arguments("open311", __doc__).parse_args()
    journal, faults = base.Journal(args.journal), base.faults_of(args)
    app = App(journal, faults)
    peer = base.Peer(
        "open311",
        [],
        journal=journal,
        faults=faults,
        control=app.command,
        face=Face(
            "Городское приложение Open311 · A city app of Open311",
            rules.SOURCED,
            rules.OURS,
            app.rows,
            "Пока ничего не послано: скажите приложению, где шлюз и с каким ключом"
            " · Nothing sent yet: tell the app where the gateway is and with which key",
            '{"push": {"address": "http://…", "key": "…", "count": 3, "seed": 1}}',
            "Послано и что стало · Sent, and what became of it",
            by_source=rules.BY_SOURCE,
        ),
        host=args.host,
        port=args.port,
    )
    base.announce(peer, rules.SOURCED, rules.OURS, options={})
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
