"""A whole gateway for the clients: over http, over https, and one that is always busy.

One directory, one embedded database, three servers on free ports. The certificate is made for the
run and signed by a CA of its own, which each client is told to trust in its own way.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from gateway.embedded import open_cluster
from gateway.model.peer import Peer
from gateway.store import arrays, peers
from tests.survive import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SERVICE: Final = "/soap/appeals.svc"
BARRED: Final = "barred"
"""A peer whose row asks for a certificate: what it is told with its key alone is AccessFault."""
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
            **({"GATEWAY_PG_ALLOW_NOBODY": "true"} if os.geteuid() == 0 else {}),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if not self.keep and kind is None:
            shutil.rmtree(self.root, ignore_errors=True)

    @property
    def ca(self) -> Path:
        """The PEM file of the CA that signed the server's certificate."""
        return self.root / "ca.pem"

    def start(self, codes: list[str]) -> None:
        """Start the servers and make the peers known to them."""
        certificates(self.root)
        self.http = self._serve("run") + SERVICE
        self._introduce(codes)
        tls = {"TLS_CERT": str(self.root / "server.pem"), "TLS_KEY": str(self.root / "server.key")}
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
        now = datetime.now(UTC)
        with self._database() as db:
            for code in (*codes, BARRED):
                peers.add(db, Peer(code=code, name=code), now)
                self.keys[code] = peers.new_key(db, code, now)
                self.secrets[code] = secrets.token_urlsafe(16)
            db.execute("UPDATE peer SET require = 'certificate' WHERE code = $1", (BARRED,))

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


def certificates(root: Path) -> None:
    """Make a CA (ca.pem), the server's certificate and key, and those of a client that signs."""
    ca_key = _new_key()
    ca = _issued("Interop CA", ca_key, ca_key.public_key(), "Interop CA")
    _write(root / "ca.pem", ca)
    for name in ("server", "client"):
        key = _new_key()
        common_name = {"server": "localhost", "client": "Interop client"}[name]
        _write(root / f"{name}.pem", _issued(common_name, ca_key, key.public_key(), "Interop CA"))
        _write_key(root / f"{name}.key", key)


def _new_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _issued(
    common_name: str,
    ca_key: RSAPrivateKey,
    key: RSAPublicKey,
    issuer: str,
) -> x509.Certificate:
    """A certificate with what a strict TLS client looks for; the issuer's own is a CA's."""
    is_ca = common_name == issuer
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(_name(issuer))
        .subject_name(_name(common_name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ]
    if not is_ca:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        extensions.append((x509.SubjectAlternativeName(names), False))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ca_key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: RSAPrivateKey) -> None:
    path.touch(0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
