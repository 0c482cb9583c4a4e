"""The gateway under attack: a whole one, with peers that prove themselves in each way."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.soap_signature import made_certificate
from tests.attack.signed import Signing, digested
from tests.attack.wire import ask, request
from tests.survive.stand import standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.survive.stand import Stand


class Target:
    """What an attack needs to know.

    key: of a peer that attacks. honest: of another, which does not. canary: address of a listener
    to which nobody may ever connect. signed_before, digest_before: messages that were taken once.
    """

    def __init__(self, stand: Stand, signing: Signing, secret: str, honest: str) -> None:
        self.address = stand.address
        self.key = stand.key
        self.honest = honest
        self.pids = stand.pids()["serve"]
        self.log: Path = stand.root / "gateway.log"
        self.signing = signing
        self._secret = secret
        self._number = 0
        self._canary = socket.create_server(("127.0.0.1", 0))
        self._canary.setblocking(False)
        self.canary = f"http://127.0.0.1:{self._canary.getsockname()[1]}"
        self.signed_before = signing.fresh()
        self.digest_before = self.digest()

    def digest(self) -> bytes:
        """Return a message with a password digest that was never sent."""
        self._number += 1
        return digested("digest", self._secret, f"digest-{os.getpid()}-{self._number}")

    def touched(self) -> bool:
        """Whether somebody connected to the canary."""
        with contextlib.suppress(BlockingIOError):
            self._canary.accept()[0].close()
            return True
        return False

    def close(self) -> None:
        """Close the canary."""
        self._canary.close()


@contextlib.contextmanager
def target() -> Iterator[Target]:
    """Lend a running gateway and what is needed to attack it."""
    seal = base64.b64encode(os.urandom(32)).decode()
    with standing(peers=False, GATEWAY_SEAL_KEY=seal) as stand:
        certificate, key = made_certificate(datetime.now(UTC))
        place = stand.root / "attack.pem"
        place.write_bytes(certificate)
        for code in ("signed", "digest"):
            stand.gateway("peer", "add", code, "--no-key")
        stand.gateway("peer", "certificate", "signed", str(place), "--commit")
        stand.gateway("peer", "require", "signed", "signature", "--commit")
        secret = json.loads(stand.gateway("peer", "secret", "digest", "--json"))["secret"]
        stand.gateway("peer", "require", "digest", "digest", "--commit")
        honest = json.loads(stand.gateway("peer", "add", "honest", "--json"))["key"]
        made = Target(stand, Signing(certificate, key), secret, honest)
        for once in (made.signed_before, made.digest_before):
            came = ask(made.address, request(once))
            if came.outcome != "result":
                raise RuntimeError(f"a message in order was refused: {came}")
        try:
            yield made
        finally:
            made.close()
