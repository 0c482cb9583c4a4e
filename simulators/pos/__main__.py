"""Run the simulated ПОС: `python -m simulators.pos --port 0 --journal pos.jsonl`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import ProxyHandler, Request, build_opener

from simulators import peer as base
from simulators.page import Face
from simulators.pos import citizens, rules
from simulators.pos.citizens import Manner
from simulators.pos.store import Store, dumped

SOURCED: Final = rules.SOURCED
OURS: Final = rules.OURS
JSON: Final = "application/json; charset=utf-8"
_PUSH_SECONDS: Final = 30.0
_open: Final = build_opener(ProxyHandler({})).open


class Platform:
    """The addresses of the platform, over a store. key: what a caller must show, or empty."""

    def __init__(self, store: Store, key: str = "") -> None:
        self.store = store
        self._key = f"Bearer {key}" if key else ""

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes; longer ones win."""
        table = (
            ("GET", "/items", self.feed),
            ("POST", "/items/ack", self.acknowledge),
            ("POST", "/updates", self.update),
            ("GET", "/updates/", self.updated),
            ("GET", "/states", self.states),
        )
        return [(method, prefix, self._guarded(handler)) for method, prefix, handler in table]

    def _guarded(self, handler: base.Handler) -> base.Handler:
        def asked(request: base.Request) -> base.Answer:
            shown = request.headers.get("authorization", "")
            if self._key and not hmac.compare_digest(shown.encode(), self._key.encode()):
                return _refused(401, ["Неверный ключ доступа"], "access")
            return handler(request)

        return asked

    def feed(self, request: base.Request) -> base.Answer:
        """Give a page of the feed; failures are planned for the key `items`."""
        query = _query(request.path)
        try:
            found = self.store.page(query.get("after", ""), int(query.get("limit", "50")))
        except ValueError:
            return _refused(400, ["Неверный курсор или предел"], "items")
        return base.Answer(200, dumped(found), JSON, key="items")

    def acknowledge(self, request: base.Request) -> base.Answer:
        """Note what became of items; failures are planned for the key `ack`."""
        told = _json(request.body)
        results = told.get("results") if isinstance(told, dict) else None
        words = {"accepted", "refused", "later"}
        if not isinstance(results, list) or not all(
            isinstance(one, dict) and one.get("result") in words for one in results
        ):
            return _refused(422, ["Ожидается results с итогом каждой единицы"], "ack")
        return base.Answer(
            200, b"{}", JSON, key="ack", store=lambda: self.store.acknowledge(results)
        )

    def update(self, request: base.Request) -> base.Answer:
        """Take an update once by its Idempotency-Key, or refuse it with every reason."""
        key = request.headers.get("idempotency-key", "")
        update = _json(request.body)
        if not key:
            return _refused(400, ["Нет заголовка Idempotency-Key"], key)
        known = self.store.known(key)
        if known and known["digest"] != hashlib.sha256(request.body).hexdigest():
            return _refused(409, ["Этот ключ занят другим содержанием"], key)
        reasons = [] if known else self.store.refusals(update)
        if reasons:
            return _refused(422, reasons, key)
        if known:
            body = dumped({"reference": known["reference"], "result": "accepted"})
            return base.Answer(200, body, JSON, key=key)
        return base.Answer(
            200,
            dumped({"result": "accepted"}),
            JSON,
            key=key,
            store=lambda: self.store.take(key, update, request.body),
        )

    def updated(self, request: base.Request) -> base.Answer:
        """Say what became of an update; failures are planned for the key `settle`."""
        key = request.path.partition("?")[0].removeprefix("/updates/")
        known = self.store.known(unquote(key))
        if known is None:
            return _refused(404, ["Нет такого обновления"], "settle")
        body = dumped({"reference": known["reference"], "result": known["result"]})
        return base.Answer(200, body, JSON, key="settle")

    def states(self, request: base.Request) -> base.Answer:
        """List what changed within an interval; failures are planned for the key `states`."""
        query = _query(request.path)
        try:
            found = self.store.states(query["from"], query["to"], query.get("after", ""))
        except (KeyError, ValueError, TypeError):
            return _refused(400, ["Нужны from и to"], "states")
        return base.Answer(200, dumped(found), JSON, key="states")

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out a command: a push of ours, or one of the store's."""
        if "push" in command:
            return self._push(command["push"])
        return self.store.command(command)

    def _push(self, order: dict[str, Any]) -> dict[str, Any]:
        """Push items to a gateway: one a call as JSON or an e-mail, or all in one as NDJSON."""
        seed, form = int(order.get("seed", 0)), str(order.get("as", "json"))
        kind = str(order.get("kind", "item"))
        made = self.store.emit(int(order.get("count", 1)), seed, kind, fed=False)
        if form == "ndjson":
            calls = [("application/x-ndjson", b"\n".join(map(dumped, made)))]
        elif form == "eml":
            calls = [("message/rfc822", citizens.letter(one, seed)) for one in made]
        else:
            calls = [("application/json", dumped(one)) for one in made]
        told = [_call(order, media, body) for media, body in calls]
        return {
            "keys": [one["id"] for one in made],
            "statuses": [status for status, _ in told],
            "answers": [answer for _, answer in told],
        }


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
    """Return the query of a path that is decoded already: a plus in it is a plus."""
    pairs = path.partition("?")[2].split("&")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _refused(status: int, reasons: list[str], key: str) -> base.Answer:
    body = dumped({"result": "refused", "errors": reasons})
    return base.Answer(status, body, JSON, key=key, why=tuple(reasons))


def main() -> None:
    """Start the platform, print its address, serve until told to stop."""
    parser = base.arguments("pos", __doc__)
    parser.add_argument("--key", default="", help="bearer's key that a caller must show")
    parser.add_argument("--rate", type=float, default=0.5, help="share of answers that are rated")
    parser.add_argument("--rework", type=float, default=0.2, help="share returned for rework")
    args = parser.parse_args()
    platform = Platform(Store(args.seed, Manner(args.rate, args.rework)), args.key)
    peer = base.Peer(
        "pos",
        platform.routes(),
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        control=platform.command,
        face=Face(
            "ПОС Госуслуг · The feedback platform of Gosuslugi",
            SOURCED,
            OURS,
            lambda: reversed(platform.store.holds()),
            "Пока ничего: пополните ленту, шлюз заберёт обращения и ответит на них"
            " · Nothing yet: add to the feed, the gateway fetches the appeals and answers them",
            '{"emit": 3, "seed": 1}',
        ),
        host=args.host,
        port=args.port,
    )
    options = {"url": peer.address, "allow_private": ["127.0.0.1"]}
    base.announce(peer, SOURCED, OURS, options=options)
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
