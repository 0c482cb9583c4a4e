"""Run the system: `python -m simulators.incident --port 0 --journal incident.jsonl`.

`GET /feed` gives messages, `POST /answers` takes what is put under them, once by Idempotency-Key;
`GET /answers/{key}` and `GET /states` tell of it. `POST /_control` makes messages
(`{"emit": n, "seed": s}`), pushes them to a gateway (`{"push": {"address", "user", "key", "count",
"seed", "as": "json"|"ndjson"}}`), tells what was received (`{"holds": true}`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import parse_qsl, unquote
from urllib.request import ProxyHandler, Request, build_opener

from simulators import peer as base
from simulators.incident import rules
from simulators.incident.store import Store, dumped, reference
from simulators.page import Face

JSON: Final = "application/json; charset=utf-8"
KEY: Final = "made-up-key-of-the-simulator"
_PUSH_SECONDS: Final = 30.0
_open: Final = build_opener(ProxyHandler({})).open


class Monitor:
    """The addresses over a store. key: what a caller must show, or empty."""

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self._key = f"Bearer {key}" if key else ""

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes; longer ones win."""
        table = (
            ("GET", "/feed", self.feed),
            ("POST", "/answers", self.answer),
            ("GET", "/answers/", self.find),
            ("GET", "/states", self.states),
        )
        return [(method, prefix, self._guarded(handler)) for method, prefix, handler in table]

    def feed(self, request: base.Request) -> base.Answer:
        """Give a page of the feed; failures are planned for the key `feed`."""
        query = _query(request.path)
        try:
            found = self.store.page(query.get("after", ""), int(query.get("limit", "50")))
        except ValueError:
            return _refused(400, ["Неверный курсор или предел"], "feed")
        return base.Answer(200, dumped(found), JSON, key="feed")

    def answer(self, request: base.Request) -> base.Answer:
        """Take an answer once by its Idempotency-Key, or refuse it with every reason."""
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= rules.KEY_CHARS:
            return _refused(400, ["Нет заголовка Idempotency-Key"], key)
        known = self.store.known(key)
        if known is not None:
            if known["digest"] != hashlib.sha256(request.body).hexdigest():
                return _refused(409, ["Этот ключ занят другим содержанием"], key)
            return base.Answer(200, dumped({"reference": known["reference"]}), JSON, key=key)
        answer = _json(request.body)
        reasons = self.store.refusals(answer)
        if reasons:
            return _refused(422, reasons, key)
        return base.Answer(
            200,
            dumped({"reference": reference(key)}),
            JSON,
            key=key,
            store=lambda: self.store.take(key, answer, request.body),
        )

    def find(self, request: base.Request) -> base.Answer:
        """Say what became of an answer; failures are planned for the key `find`."""
        known = self.store.known(unquote(request.path.removeprefix("/answers/")))
        if known is None:
            return _refused(404, ["Такого ответа нет"], "find")
        return base.Answer(200, dumped({"reference": known["reference"]}), JSON, key="find")

    def states(self, request: base.Request) -> base.Answer:
        """List what changed within an interval; failures are planned for the key `states`."""
        query = _query(request.path)
        try:
            found = self.store.states(query["from"], query["to"], query.get("after", ""))
        except (KeyError, ValueError, TypeError):
            return _refused(400, ["Нужны from и to"], "states")
        return base.Answer(200, dumped(found), JSON, key="states")

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what `POST /_control` asks; raise ValueError for what is not known."""
        match command:
            case {"emit": int(count)}:
                made = self.store.emit(count, int(command.get("seed", 0)), fed=True)
                return {"keys": [one["id"] for one in made]}
            case {"push": dict(order)}:
                return self._push(order)
            case {"holds": True}:
                return {"items": self.store.holds()}
        raise ValueError("unknown command")

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "Инцидент · Messages of social networks",
            rules.SOURCED,
            rules.OURS,
            self.store.rows,
            "Пока ничего: пополните ленту, шлюз заберёт сообщения и ответит на них"
            " · Nothing yet: add to the feed, the gateway fetches the messages and answers them",
            '{"emit": 3, "seed": 1}',
            by_source=rules.BY_SOURCE,
        )

    def _push(self, order: dict[str, Any]) -> dict[str, Any]:
        """Push messages to a gateway: one a call as JSON, or all in one as NDJSON."""
        made = self.store.emit(int(order.get("count", 1)), int(order.get("seed", 0)), fed=False)
        if order.get("as") == "ndjson":
            calls = [("application/x-ndjson", b"\n".join(map(dumped, made)))]
        else:
            calls = [("application/json", dumped(one)) for one in made]
        told = [_call(order, media, body) for media, body in calls]
        return {
            "keys": [one["id"] for one in made],
            "statuses": [status for status, _ in told],
            "answers": [answer for _, answer in told],
        }

    def _guarded(self, handler: base.Handler) -> base.Handler:
        def asked(request: base.Request) -> base.Answer:
            shown = request.headers.get("authorization", "")
            if self._key and not hmac.compare_digest(shown.encode(), self._key.encode()):
                return _refused(401, ["Неверный ключ"], "access")
            return handler(request)

        return asked


def _call(order: dict[str, Any], media: str, body: bytes) -> tuple[int, Any]:
    pair = f"{order.get('user', '')}:{order.get('key', '')}".encode()
    headers = {
        "Content-Type": media,
        "Authorization": f"Basic {base64.b64encode(pair).decode()}",
    }
    request = Request(str(order["address"]), data=body, headers=headers, method="POST")  # noqa: S310
    try:
        with _open(request, timeout=_PUSH_SECONDS) as answer:
            return answer.status, _json(answer.read())
    except HTTPError as error:
        with error:
            return error.code, _json(error.read())


def _query(path: str) -> dict[str, str]:
    """Return the query of a path that is decoded already: a plus is a plus."""
    return dict(parse_qsl(path.partition("?")[2].replace("+", "%2B")))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _refused(status: int, reasons: list[str], key: str) -> base.Answer:
    return base.Answer(status, dumped({"reasons": reasons}), JSON, key=key, why=tuple(reasons))


def main() -> None:
    """Start the system, print its address, serve until told to stop."""
    args = base.arguments("incident", __doc__).parse_args()
    monitor = Monitor(Store(), KEY)
    peer = base.Peer(
        "incident",
        monitor.routes(),
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        control=monitor.command,
        face=monitor.face(),
        host=args.host,
        port=args.port,
    )
    with tempfile.TemporaryDirectory(prefix="incident-") as folder:
        key = Path(folder) / "feed.key"
        key.write_text(KEY, encoding="utf-8")
        options = {
            "url": peer.address, "allow_private": ["127.0.0.1"], "key_file": str(key),
            "in_order": True,
        }  # fmt: skip
        base.announce(peer, rules.SOURCED, rules.OURS, options=options)
        base.run_until_signal(peer)


if __name__ == "__main__":
    main()
