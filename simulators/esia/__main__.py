"""Run the simulated ЕСИА: `python -m simulators.esia --port 0 --journal esia.jsonl`."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from simulators import peer as base
from simulators.esia import rules
from simulators.esia.crypt import OpenSsl
from simulators.esia.issue import WAYS, Issuer
from simulators.esia.people import people
from simulators.esia.plain import PATH, Plain
from simulators.esia.portal import Portal
from simulators.esia.ring import Ring
from simulators.esia.store import Store
from simulators.page import Face

SOURCED: Final = rules.SOURCED
OURS: Final = rules.OURS


class Stand:
    """Both providers over one store, and the commands."""

    def __init__(self, place: Path, seed: int) -> None:
        self.openssl = OpenSsl(place)
        self.store = Store(people(seed), place)
        self.ring = Ring(self.openssl)
        self.portal = Portal(self.store, Issuer(self.ring), self.openssl)
        self.plain = Plain(self.portal, self.openssl)

    def named(self, address: str) -> None:
        """Let the tokens say who issued them: ЕСИА by http and with a slash."""
        self.portal.name = f"{address}/"
        self.plain.name = f"{address}{PATH}"

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out a command."""
        if "register" in command:
            return {"client_id": self.store.register(command["register"]).client_id}
        if "alter" in command:
            return self._alter(command["alter"])
        if command.get("rotate"):
            return {"keys": self.ring.rotate(publish=command.get("publish", True))}
        if command.get("publish"):
            self.ring.publish()
            return {"published": str(self.ring.archive)}
        if command.get("people"):
            rows = self.store.people.values()
            return {"people": [{"oid": h.oid, "name": h.name, **h._asdict()} for h in rows]}
        if command.get("holds"):
            return {"items": self.store.issued, "ended": self.store.ended}
        raise LookupError("register, alter, rotate, publish, people, holds")

    def _alter(self, order: dict[str, Any]) -> dict[str, Any]:
        how, which = str(order["how"]), str(order.get("token", "id"))
        if how == "state":
            self.portal.wrong_state += 1
        elif how in WAYS and which in {"id", "access"}:
            self.portal.issuer.alter.append((which, how))
        else:
            raise LookupError(f"how: {', '.join(('state', *WAYS))}; token: id, access")
        return {"planned": True}


def main() -> None:
    """Start the stand, print its address, serve until told to stop."""
    parser = base.arguments("esia", __doc__)
    parser.add_argument("--system", action="append", default=[], help="JSON file of a system")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="simulated-esia-") as place:
        stand = Stand(Path(place), args.seed)
        for name in args.system:
            stand.store.register(json.loads(Path(name).read_text("utf-8")))
        peer = base.Peer(
            "esia",
            [*stand.portal.routes(), *stand.plain.routes()],
            journal=base.Journal(args.journal),
            faults=base.faults_of(args),
            control=stand.command,
            face=Face(
                "ЕСИА · ЕСИА, the national login",
                SOURCED,
                OURS,
                lambda: reversed(stand.store.issued),
                "Пока никто не входил: зарегистрируйте систему"
                " · Nobody has logged in: register a system",
                '{"register": {"client_id": "…", "redirect_uris": ["…"], "certificate": "PEM"}}',
                "Выданные токены · Tokens given",
                re.compile("ESIA-"),
            ),
            host=args.host,
            port=args.port,
        )
        stand.named(peer.address)
        options = {
            "url": peer.address,
            "keys": [str(stand.ring.archive)],
            "allow_private": ["127.0.0.1"],
        }
        oidc = {
            "provider": "oidc",
            "issuer": stand.plain.name,
            "allow_private": ["127.0.0.1"],
        }
        base.announce(
            peer, SOURCED, OURS, options=options, oidc=oidc, algorithms=stand.ring.algorithms
        )
        base.run_until_signal(peer)


if __name__ == "__main__":
    main()
