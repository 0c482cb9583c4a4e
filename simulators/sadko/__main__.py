"""Run the site: `python -m simulators.sadko --port 0 --journal sadko.jsonl`.

`POST /token` gives tokens, `GET /Inbox` lists, `GET /InboxResol/{Guid}` and `/InboxLetter/{Guid}`
give an item, `POST /OutboxResol` takes a document. `POST /_control` plans failures by Guid, makes
items (`{"emit": n, "seed": s}`), tells what was received (`{"holds": true}`), ends all tokens
(`{"expire": true}`).
"""

from __future__ import annotations

import json
import secrets
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from simulators import peer as base
from simulators.page import Face
from simulators.sadko import rules
from simulators.sadko.store import Store

CLIENT: Final = "gateway"
SECRET: Final = "made-up-secret-of-the-simulator"  # noqa: S105 - it opens nothing but this


class Site:
    """The site's addresses over its store. token_seconds: how long a token lasts."""

    def __init__(self, store: Store, token_seconds: float) -> None:
        self.store = store
        self._lasts = token_seconds
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()

    def token(self, request: base.Request) -> base.Answer:
        """Give a token for the right secret; failures are planned for the key `token`."""
        form = parse_qs(request.body.decode("utf-8", "replace"))
        told = [form.get(name, [""])[0] for name in ("grant_type", "client_id", "client_secret")]
        if told != ["client_credentials", CLIENT, SECRET]:
            return _json({"error": "invalid_client"}, 400, key="token", why=("invalid_client",))
        token = secrets.token_hex(16)
        with self._lock:
            self._tokens[token] = time.monotonic() + self._lasts
        told_back = {
            "access_token": token, "token_type": "bearer", "expires_in": int(self._lasts),
            "scope": "sadko",
        }  # fmt: skip
        return _json(told_back, key="token")

    def inbox(self, request: base.Request) -> base.Answer:
        """List the inbox; failures are planned for the key `inbox`."""
        if not self._known(request):
            return _stranger("inbox")
        return _json(self.store.listing(), key="inbox")

    def item(self, request: base.Request) -> base.Answer:
        """Give one item; failures are planned for the key `item:{Guid}`."""
        kind, _, guid = request.path.strip("/").partition("/")
        if not self._known(request):
            return _stranger(f"item:{guid}")
        found = self.store.item(kind, guid)
        if found is None:
            return base.Answer(404, "Нет такой записи".encode(), key=f"item:{guid}")
        return _json(found, key=f"item:{guid}")

    def outbox(self, request: base.Request) -> base.Answer:
        """Take a document of the outbox."""
        document: Any = None
        try:
            document = json.loads(request.body.decode("utf-8"))
        except (ValueError, RecursionError):
            return base.Answer(400, "Тело запроса не JSON в UTF-8".encode())
        sent = self.store.sent(document)
        guid = str((sent.get("Card") or sent["Letter"])["Guid"]) if sent else ""
        if not self._known(request):
            return _stranger(guid)
        if request.headers.get("content-type", "").partition(";")[0] != rules.MEDIA:
            return base.Answer(415, f"Ожидается {rules.MEDIA}".encode(), key=guid)
        reasons = rules.refusals(document, sent)
        if reasons:
            return base.Answer(400, "\n".join(reasons).encode(), key=guid)
        taken = json.dumps({"Result": "OK"}).encode()
        return base.Answer(
            200,
            taken,
            "application/json",
            key=guid,
            store=lambda: self.store.keep(guid, document),
        )

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what `POST /_control` asks; raise ValueError for what is not known."""
        match command:
            case {"emit": int(count)}:
                return {"keys": self.store.emit(count, int(command.get("seed", 0)))}
            case {"holds": True}:
                return {"items": self.store.holds()}
            case {"expire": True}:
                with self._lock:
                    self._tokens.clear()
                return {"expired": True}
        raise ValueError("unknown command")

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "САДКО.ОГ · A regional site of appeals",
            rules.SOURCED,
            rules.OURS,
            self.store.rows,
            "Пока ничего: положите карточки во входящие, шлюз заберёт их и ответит"
            " · Nothing yet: put cards into the inbox, the gateway fetches and answers them",
            '{"emit": 3, "seed": 1}',
            by_source=rules.BY_SOURCE,
        )

    def _known(self, request: base.Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            return scheme == "Bearer" and self._tokens.get(token, 0.0) > time.monotonic()


def _json(
    value: Any, status: int = 200, *, key: str = "", why: tuple[str, ...] = ()
) -> base.Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return base.Answer(status, body, "application/json; charset=utf-8", key=key, why=why)


def _stranger(key: str) -> base.Answer:
    return base.Answer(401, b"unauthorized", key=key)


def main() -> None:
    """Start the site, print its address, serve until told to stop."""
    parser = base.arguments("sadko", __doc__)
    parser.add_argument("--token-seconds", type=float, default=300.0)
    args = parser.parse_args()
    site = Site(Store(), args.token_seconds)
    peer = base.Peer(
        "sadko",
        [
            ("POST", "/token", site.token),
            ("GET", "/Inbox", site.inbox),
            ("GET", "/InboxResol/", site.item),
            ("GET", "/InboxLetter/", site.item),
            ("POST", "/OutboxResol", site.outbox),
        ],
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        control=site.command,
        face=site.face(),
        host=args.host,
        port=args.port,
    )
    with tempfile.TemporaryDirectory(prefix="sadko-") as folder:
        secret = Path(folder) / "client.secret"
        secret.write_text(SECRET, encoding="utf-8")
        options = {
            "url": peer.address, "allow_private": ["127.0.0.1"], "client_id": CLIENT,
            "client_secret_file": str(secret), "officer": "Дежурнов Д. Д.",
        }  # fmt: skip
        base.announce(peer, rules.SOURCED, rules.OURS, options=options)
        base.run_until_signal(peer)


if __name__ == "__main__":
    main()
