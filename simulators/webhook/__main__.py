"""Run the receiver: `python -m simulators.webhook --port 0 --journal hook.jsonl`.

`POST` or `PUT` to any path is kept under its key: the `Idempotency-Key` header (another name by
`--key-header`), or the SHA-256 of the body when there is none. A repeat of a key with the same
body is taken without a second effect; with another body it is a 409. `GET /_received/{key}` tells
what became of a key, 404 when it is not there. `POST /_control` plans failures by that key.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import threading
from typing import Any

from simulators import peer as base
from simulators.faults import Faults
from simulators.page import Face

SOURCED = (
    "нет: это не настоящая система, все правила наши · nothing: no real system, all rules are ours",
)
OURS = (
    (
        "повтор ключа с тем же телом ничего не меняет, ответ говорит repeat · "
        "a repeat with the same body has no second effect, the answer says repeat"
    ),
    "повтор ключа с другим телом – 409 · a key that comes again with another body is 409",
    "GET /_received/{key} – 404, если ключ не приходил · 404 for a key that never came",
)


class Receiver:
    """What was received, by key. Thread-safe."""

    def __init__(self, key_header: str, *, bodies: bool = False) -> None:
        self._header = key_header.lower()
        self._bodies = bodies
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, Any]] = {}

    def take(self, request: base.Request) -> base.Answer:
        """Receive one message."""
        sha256 = hashlib.sha256(request.body).hexdigest()
        key = request.headers.get(self._header) or sha256
        with self._lock:
            held = self._held.get(key)
        if held and held["sha256"] != sha256:
            why = ("Ключ занят другим содержанием",)
            return base.Answer(409, b"this key holds other content", key=key, why=why)
        answer = {"key": key, "sha256": sha256, "repeat": held is not None}
        return base.Answer(
            200,
            json.dumps(answer).encode(),
            "application/json",
            key=key,
            store=lambda: self._put(key, sha256, request),
        )

    def tell(self, request: base.Request) -> base.Answer:
        """Say what is held under a key."""
        key = request.path.removeprefix("/_received/")
        with self._lock:
            held = self._held.get(key)
        if held is None:
            return base.Answer(404, b"never came", key=f"ask:{key}")
        body = json.dumps(held, ensure_ascii=False).encode()
        return base.Answer(200, body, "application/json", key=f"ask:{key}")

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """`{"holds": true}` tells everything; `{"drop": key}` forgets one."""
        with self._lock:
            match command:
                case {"holds": True}:
                    return {"items": list(self._held.values())}
                case {"drop": str(key)} if key in self._held:
                    del self._held[key]
                    return {"changed": 1}
        raise LookupError("unknown command or key")

    def rows(self) -> list[dict[str, Any]]:
        """Return what a person sees on the page, newest first; no body."""
        with self._lock:
            held = list(self._held.values())[::-1]
        names = ("key", "path", "at", "bytes", "times", "sha256")
        return [{name: row[name] for name in names} for row in held]

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "Веб-хук · A web hook's receiver",
            SOURCED,
            OURS,
            self.rows,
            "Пока ничего не пришло: здесь встанет то, о чём шлюз известит этого получателя"
            " · Nothing yet: here stands what the gateway tells this receiver of",
        )

    def _put(self, key: str, sha256: str, request: base.Request) -> dict[str, Any]:
        """Keep a message; the journal is told its body only when asked for at the start."""
        with self._lock:
            held = self._held.setdefault(
                key,
                {
                    "key": key,
                    "sha256": sha256,
                    "path": request.path,
                    "bytes": len(request.body),
                    "at": base.clock().isoformat(),
                    "times": 0,
                },
            )
            held["times"] += 1
        told = {"key": key, "digest": sha256, "times": held["times"]}
        if self._bodies:
            told["body"] = request.body.decode("utf-8", "replace")
        return told


def main() -> None:
    """Start the receiver, print its address, serve until told to stop."""
    parser = argparse.ArgumentParser(prog="simulators.webhook", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", default="")
    parser.add_argument("--key-header", default="Idempotency-Key")
    parser.add_argument("--bodies", action="store_true", help="keep bodies in the journal")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    receiver = Receiver(args.key_header, bodies=args.bodies)
    peer = base.Peer(
        "webhook",
        [
            ("GET", "/_received/", receiver.tell),
            ("POST", "/", receiver.take),
            ("PUT", "/", receiver.take),
        ],
        journal=base.Journal(args.journal),
        faults=Faults(args.seed),
        control=receiver.command,
        face=receiver.face(),
        host=args.host,
        port=args.port,
    )
    base.announce(peer, SOURCED, OURS)
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
