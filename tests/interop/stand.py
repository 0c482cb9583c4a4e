"""A whole gateway for the clients: over http, over https, and one that is always busy.

One directory, one embedded database, three servers on free ports. The certificate is made for the
run and signed by a CA of its own, which each client is told to trust in its own way.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import psycopg

from gateway.access import certificates
from gateway.access.seals import Seals
from gateway.embedded import open_cluster
from gateway.model.peer import Peer
from gateway.store import arrays, peers
from tests.interop.authority import Authority
from tests.survive import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SERVICE: Final = "/soap/appeals.svc"
BARRED: Final = "barred"
"""A peer whose row asks for a certificate: what it is told with its key alone is AccessFault."""
DIGEST, SIGNER, TLS = "-digest", "-signer", "-tls"
"""What the codes end in under which a client proves itself in those ways; a row has one way."""
SEED: Final = 300
"""Appeals that the reader of long lists has: some 90 KB of FindAppeals, past WCF's 65,536."""
BATCH: Final = 100


class Stand:
    """The gateway of one run. Use as a context."""

    def __init__(self, *, keep: bool = False) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="gateway-interop-"))
        self.root.chmod(0o755)  # as root the database runs as `nobody` and must pass through
        self.keep = keep
        self.keys: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.authority = Authority(self.root)
        self.http = self.https = self.busy = ""
        self._log: IO[bytes] = (self.root / "gateway.log").open("ab")
        self._servers: list[subprocess.Popen[bytes]] = []
        self._env = {
            "PATH": os.defpath,
            "PYTHONPATH": str(CHECKOUT),
            "GATEWAY_DATA_DIR": str(self.root / "data"),
            "GATEWAY_PORT": "0",
            "GATEWAY_LOG_LEVEL": "warning",
            "GATEWAY_POLL_SECONDS": "0.2",
            "GATEWAY_SEAL_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            **({"GATEWAY_PG_ALLOW_NOBODY": "true"} if os.geteuid() == 0 else {}),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if not self.keep and kind is None:
            shutil.rmtree(self.root, ignore_errors=True)

    def start(self, codes: list[str]) -> None:
        """Start the servers and make the peers known to them."""
        certificate, key = self.authority.issue("answers", "Interop gateway")
        self._env |= {"GATEWAY_SIGN_CERT": str(certificate), "GATEWAY_SIGN_KEY": str(key)}
        self.http = self._serve("run") + SERVICE
        self._introduce(codes)
        certificate, key = self.authority.issue("server", "localhost")
        tls = {
            "TLS_CERT": str(certificate),
            "TLS_KEY": str(key),
            "TLS_CLIENT_CA": str(self.authority.path),
        }
        # By name: Mono and gSOAP look for no address in a certificate.
        self.https = self._serve("serve", **tls).replace("127.0.0.1", "localhost") + SERVICE
        self.busy = self._serve("serve", QUEUE_ITEMS="0") + SERVICE

    def seed(self, peer: str) -> None:
        """Give a peer enough appeals for a list that is longer than WCF takes."""
        where = urlsplit(self.http)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        with contextlib.closing(connection):
            for first in range(0, SEED, BATCH):
                items = "".join(
                    f"<AppealIn><ExternalId>{peer}-seed-{number}</ExternalId>"
                    "<Text>Не горит фонарь</Text></AppealIn>"
                    for number in range(first, first + BATCH)
                )
                call = calls.soap(
                    "soap11",
                    "SubmitAppeals",
                    f'<SubmitAppeals xmlns="{calls.NS}"><Items>{items}</Items></SubmitAppeals>',
                )
                headers = {**call.headers, **calls.basic(peer, self.keys[peer])}
                connection.request("POST", SERVICE, call.body, headers)
                answer = connection.getresponse()
                if answer.read().count(b"<ReceiptNumber>") != BATCH:
                    raise RuntimeError(f"the appeals of {peer} were not taken: {answer.status}")

    def defects(self) -> list[str]:
        """What the gateway's log holds of our own mistakes."""
        self._log.flush()
        lines = (self.root / "gateway.log").read_text("utf-8").splitlines()
        return [line for line in lines if "defect" in line or "Traceback" in line]

    def stop(self) -> None:
        """Stop the servers, the one with the database last."""
        while self._servers:
            server = self._servers.pop()
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            if server.stdout:
                server.stdout.close()
        self._log.close()

    def _serve(self, command: str, **settings: str) -> str:
        env = self._env | {f"GATEWAY_{name}": value for name, value in settings.items()}
        server = subprocess.Popen(
            [sys.executable, "-m", "gateway", command],
            cwd=self.root, env=env, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        self._servers.append(server)
        assert server.stdout is not None
        address = server.stdout.readline().decode().strip()
        if not address.startswith("http"):
            log = (self.root / "gateway.log").read_text("utf-8")
            raise RuntimeError(f"gateway {command} did not start: {log[-800:]}")
        return address

    def _introduce(self, codes: list[str]) -> None:
        now, seals = datetime.now(UTC), Seals(self._env["GATEWAY_SEAL_KEY"])
        with self._database() as db:

            def add(code: str, require: str) -> None:
                peers.add(db, Peer(code=code, name=code, require=require), now)

            add(BARRED, "certificate")
            self.keys[BARRED] = peers.new_key(db, BARRED, now)
            for code in codes:
                add(code, "key")
                self.keys[code] = peers.new_key(db, code, now)
                add(code + DIGEST, "digest")
                self.secrets[code] = peers.new_secret(db, code + DIGEST, seals, now)
                for end, require in ((SIGNER, "signature"), (TLS, "certificate")):
                    add(code + end, require)
                    path, _ = self.authority.issue(code + end)
                    found = certificates.from_file(path.read_bytes(), str(path), now)
                    peers.add_certificate(db, code + end, found, now)
                peers.ask(db, code + SIGNER, "signature", answers="signature")

    @contextlib.contextmanager
    def _database(self) -> Iterator[psycopg.Connection]:
        allow_nobody = "GATEWAY_PG_ALLOW_NOBODY" in self._env
        with (
            open_cluster(self.root / "data", allow_nobody=allow_nobody) as cluster,
            psycopg.connect(
                cluster.url, autocommit=True, cursor_factory=psycopg.RawCursor
            ) as connection,
        ):
            arrays.register(connection)
            yield connection
