"""A partner for tests: a real HTTP or HTTPS server that keeps what it received, byte for byte."""

from __future__ import annotations

import datetime as dt
import email.policy
import http.server
import threading
from email.parser import BytesParser

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from gateway import contracts, ns
from gateway.outbound import Outbound
from gateway.soap.client import SoapClient

RECEIPT = (
    f'<SubmitStatusResponse xmlns="{ns.APPEALS}"><SubmitStatusResult><ReceiptNumber>77'
    "</ReceiptNumber></SubmitStatusResult></SubmitStatusResponse>"
)
REPORT = {
    "MessageKey": "0199-key",
    "Key": {"ExternalId": "А-1"},
    "Event": "TakenToWork",
    "OccurredOn": dt.date(2026, 11, 20),
}
SPACE = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
PORT = {"1.1": "Basic", "1.2": "Soap12"}


class Got:
    """One request as it came. headers: lower-case names."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def package(self):
        """The parts of a multipart body, taken apart by Python's own parser of mail."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        return BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)

    @property
    def envelope(self):
        return etree.fromstring(self.body)

    def find(self, path):
        """Find by the prefixes s (of the envelope), a, wsa, wsse, wsu, xop."""
        return find(self.envelope, path)


def find(root, path):
    space = {
        "s": etree.QName(root).namespace, "a": ns.APPEALS, "wsa": ns.WSA, "wsse": ns.WSSE,
        "wsu": ns.WSU, "xop": ns.XOP,
    }  # fmt: skip
    return root.find(path, space)


class There(http.server.ThreadingHTTPServer):
    """Answers every POST by `answers(got)`: status, Content-Type, body."""

    daemon_threads = True

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got = []
        self.answers = receipt
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        host = "localhost" if tls is not None else "127.0.0.1"
        self.address = f"{'https' if tls else 'http'}://{host}:{self.server_address[1]}/back.svc"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def handle_error(self, *_):
        """Quiet: a client that is refused hangs up."""

    def close(self):
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        got = Got(self.path, self.headers, body)
        self.server.got.append(got)
        status, media, data = self.server.answers(got)
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Quiet."""


def receipt(got, header=""):
    """Say yes in the version of the request."""
    version = "1.2" if "soap+xml" in got.headers["content-type"] else "1.1"
    media = "application/soap+xml" if version == "1.2" else "text/xml"
    text = (
        f'<s:Envelope xmlns:s="{SPACE[version]}"><s:Header>{header}</s:Header><s:Body>{RECEIPT}'
        "</s:Body></s:Envelope>"
    )
    return 200, f"{media}; charset=utf-8", text.encode()


def outbound(**more):
    return Outbound(
        allowed_hosts=["127.0.0.1", "localhost"], allow_private=["127.0.0.1", "::1"],
        **{"timeout": 10.0, **more},
    )  # fmt: skip


def client(address, out, version="1.1", **more):
    """A client of our own contract, as a call-back has it."""
    folder = contracts.folder("wsdl", "appeals")
    return SoapClient(
        folder / "appeals-v1.wsdl", service="AppealService", port=PORT[version], address=address,
        outbound=out, peer="partner", tree=folder.parent.parent, **more,
    )  # fmt: skip


def made_certificate(folder, name="sign", kind="rsa", *, password=b"", host="localhost"):
    """A self-signed certificate and its key as files in PEM, of nobody."""
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    lock = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(certificate.public_bytes(pem))
    key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, lock))
    return cert_file, key_file
