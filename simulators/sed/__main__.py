"""Run a simulated СЭД: `python -m simulators.sed --directory exchange --journal sed.jsonl`.

It exchanges folders of МЭДО 2.6 by a directory: what it drops lies in `in/`, what the gateway lets
appear in `out/` is read, validated strictly and taken away. Every message gets a receipt; every
document then its notifications: registered with a number, executor, course, report prepared, report
sent, the answer with its file, published; or refused with one of the 28 reasons.

Failures of a folder exchange (`simulators.faults`; keys are numbers of documents, or the uid that a
notification tells of):

refuse: a receipt `accepted=false` with a comment, nothing stored · error, busy, hang_before: the
folder lies unread for `seconds`, so the receipt is late · hang_after: taken, and no receipt ever ·
drip: taken, the folder of the receipt lacks a file for `seconds` · garbage: taken, the receipt is
unreadable · reset: the folder is lost before it was read · reset_after: taken, the receipt comes
twice.

`POST /_control {"emit": n, "seed": s}` drops documents; `"odd"` makes them as they are seen in the
wild: `version` (empty), `extension` (missing), `encoding` (declared wrongly), `half` (a file comes
late), `duplicate` (the message comes twice); `"replace": key` sends «взамен разосланного».
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from simulators import peer as base
from simulators.page import Face
from simulators.sed import messages
from simulators.sed.rules import BY_SOURCE, OURS, SOURCED
from simulators.sed.store import Store

US = "99999999-9999-4999-8999-999999999999"


def main() -> None:
    """Start the СЭД, print its address and directory, serve until told to stop."""
    parser = base.arguments("sed", __doc__)
    parser.add_argument("--directory", default="", help="of the exchange; a new one when not given")
    parser.add_argument("--step", type=float, default=2.0, help="seconds between notifications")
    parser.add_argument("--refuse", type=float, default=0.15, help="share of refused registrations")
    args = parser.parse_args()
    directory = Path(args.directory or tempfile.mkdtemp(prefix="medo-")).resolve()
    journal, faults = base.Journal(args.journal), base.faults_of(args)
    store = Store(directory, journal, faults, seed=args.seed, step=args.step, refuse=args.refuse)
    peer = base.Peer(
        "sed",
        [],
        journal=journal,
        faults=faults,
        control=store.command,
        face=Face(
            "СЭД (МЭДО 2.6) · A document management system",
            SOURCED,
            OURS,
            store.rows,
            "Пока ничего: положите документы в папку обмена, шлюз заберёт их и ответит"
            " · Nothing yet: drop documents into the folder, the gateway fetches and answers them",
            '{"emit": 3, "seed": 1}',
            by_source=BY_SOURCE,
        ),
        host=args.host,
        port=args.port,
    )
    stop = threading.Event()
    threading.Thread(target=store.loop, args=(stop,), daemon=True, name="folders").start()
    options = {
        "directory": str(directory), "uid": US, "organization": "Инспекция (тест)",
        "addressee": messages.BODY, "addressee_uid": messages.UID, "mailbox": "ENSK~MEDOGU",
        "signatory": "Начальникова И.И.", "signatory_post": "Руководитель", "settle_seconds": 0,
    }  # fmt: skip
    base.announce(peer, SOURCED, OURS, options=options)
    try:
        base.run_until_signal(peer)
    finally:
        stop.set()


if __name__ == "__main__":
    main()
