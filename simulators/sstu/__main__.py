"""Run the simulated ССТУ node: `python -m simulators.sstu --port 0 --journal sstu.jsonl`."""

from __future__ import annotations

import argparse
import json
import re
from zoneinfo import ZoneInfo

from simulators import peer as base
from simulators.page import Face
from simulators.sstu import rules
from simulators.sstu.store import DEPARTMENT, Store

API = "/IPCP/HandlingReportPlugin/Api"
_LIST = re.compile(re.escape(API) + r"/analytics/ver\.0\.[12]/requests/([0-9a-fA-F-]{36})/?")


class Node:
    """The two addresses of a node, over a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def take(self, request: base.Request) -> base.Answer:
        """Import one appeal: 200 with a free text, or 400 with one reason a line."""
        if not request.headers.get("content-type", "").startswith("application/json"):
            return base.Answer(415, "Ожидается application/json".encode())
        try:
            document = json.loads(request.body.decode("utf-8"))
        except (ValueError, RecursionError):
            return base.Answer(400, "Тело запроса не JSON в UTF-8".encode())
        reasons = rules.refusals(document)
        key = str(document.get("number") or "") if isinstance(document, dict) else ""
        if reasons:
            return base.Answer(400, "\n".join(reasons).encode(), key=key)
        return base.Answer(
            200,
            "Обращение принято".encode(),
            key=key,
            store=lambda: self.store.put(document),
        )

    def listing(self, request: base.Request) -> base.Answer:
        """The analytics list of one department; failures are planned for the key `analytics`."""
        found = _LIST.fullmatch(request.path.partition("?")[0])
        if not found:
            return base.Answer(404, b"not found", key="analytics")
        rows = json.dumps(self.store.listing(found[1]), ensure_ascii=False)
        return base.Answer(200, rows.encode(), "application/json; charset=utf-8", key="analytics")

    def face(self) -> Face:
        """What the page says of what it refuses and what it holds, for a person."""
        return Face(
            "ССТУ.РФ, узел АРМ ЕС ОГ · A node of SSTU.RF",
            rules.SOURCED,
            rules.OURS,
            self.store.shown,
            "Пока ни одного отчёта: их шлёт шлюз, а здесь узел может придумать чужие"
            " · No report yet: the gateway sends them, and here others can be made up",
            '{"emit": 3, "seed": 1}',
            by_source=rules.BY_SOURCE,
        )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = base.arguments("sstu", __doc__)
    parser.add_argument("--store", default="", help="file that makes the state survive a restart")
    parser.add_argument("--zone", default="Europe/Moscow", help="zone of the node's timestamps")
    parser.add_argument("--forward-after", type=float, default=0.0, help="seconds")
    parser.add_argument("--upload-after", type=float, default=0.0, help="seconds")
    parser.add_argument(
        "--fail-rate", dest="fail", type=float, default=argparse.SUPPRESS, help="the same as --fail"
    )
    return parser.parse_args()


def main() -> None:
    """Start the node, print its address, serve until told to stop."""
    args = arguments()
    store = Store(
        ZoneInfo(args.zone),
        args.store,
        forward_after=args.forward_after,
        upload_after=args.upload_after,
    )
    node = Node(store)
    peer = base.Peer(
        "sstu",
        [("POST", f"{API}/Import", node.take), ("GET", f"{API}/analytics/", node.listing)],
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        control=store.command,
        face=node.face(),
        host=args.host,
        port=args.port,
    )
    api = f"{peer.address}{API}"
    options = {
        "url": api, "department_id": DEPARTMENT, "zone": args.zone, "allow_private": ["127.0.0.1"],
    }  # fmt: skip
    base.announce(peer, rules.SOURCED, rules.OURS, api=api, options=options)
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
