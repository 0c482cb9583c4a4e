"""What a partner receives when we call it: looked at by what is not ours, on a real connection."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import shutil
import socket
import subprocess
import threading
import uuid

import pytest
from lxml import etree

from gateway import contracts, ns
from gateway.adapter import Wire
from gateway.errors import ConfigurationError, PeerDoubtful, PeerRefused, ValidationError
from gateway.soap import envelope
from gateway.soap.identity import Identity, Login
from gateway.soap.security import load
from tests.unit.soap import there as t
from tests.unit.soap.kit import CONTEXT

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
ACTION = f"{ns.APPEALS}/SubmitStatus"
PASSWORD = "пароль & s3cret"
VERSIONS = ("1.1", "1.2")


@pytest.fixture
def there():
    server = t.There()
    yield server
    server.close()


@pytest.fixture
def out():
    made = t.outbound()
    yield made
    made.close()


def identity(**more):
    return Identity(now=lambda: NOW, **more)


def login(kind):
    return identity(login=Login(kind=kind, user="шлюз", password=PASSWORD))


def status(client, key="0199-key"):
    return client.message("SubmitStatus", key, Report=t.REPORT)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_partner_gets_the_bytes_that_were_made_as_its_version_of_soap_has_them(
    there, out, version
):
    client = t.client(there.address, out, version)
    wire = status(client)
    receipt = client.send(wire)
    assert (receipt.final, receipt.status, receipt.reference) == (True, 200, "77")
    (got,) = there.got
    assert got.path == "/back.svc"
    assert got.body == wire.body
    assert got.envelope.tag == f"{{{t.SPACE[version]}}}Envelope"
    schema = etree.XMLSchema(etree.parse(contracts.folder("xsd", "appeals") / "appeals-v1.xsd"))
    schema.assertValid(got.find("s:Body")[0])
    if version == "1.1":
        assert got.headers["content-type"] == "text/xml; charset=utf-8"
        assert got.headers["soapaction"] == f'"{ACTION}"'
    else:
        expected = f'application/soap+xml; charset=utf-8; action="{ACTION}"'
        assert got.headers["content-type"] == expected
        assert "soapaction" not in got.headers
    assert got.find("s:Header") is None, "no addressing unless it is asked for"
    assert "authorization" not in got.headers


@pytest.mark.parametrize("version", VERSIONS)
def test_addressing_says_where_to_what_and_which_message(there, out, version):
    client = t.client(there.address, out, version, addressing=True)
    client.send(status(client))
    (got,) = there.got
    head = {name: got.find(f"s:Header/wsa:{name}").text for name in ("To", "Action", "MessageID")}
    assert head["To"] == there.address
    assert head["Action"] == ACTION
    assert uuid.UUID(head["MessageID"].removeprefix("urn:uuid:")).version == 5
    assert got.find("s:Header/wsa:ReplyTo/wsa:Address").text == ns.WSA_ANONYMOUS
    assert len(got.find("s:Header")) == 4


def test_a_repeat_is_the_same_bytes_and_another_delivery_another_message(out):
    client = t.client("http://127.0.0.1/x", out, addressing=True)
    again = t.client("http://127.0.0.1/x", t.outbound(), addressing=True)
    assert status(client, "k1") == status(again, "k1")
    assert status(client, "k1").headers != status(client, "k2").headers
    assert status(client, "") == status(client, ""), "without a key by the content"


def test_the_answer_must_be_to_our_message(there, out):
    client = t.client(there.address, out, addressing=True)
    wire = status(client)
    relates = '<w:RelatesTo xmlns:w="{}">{}</w:RelatesTo>'

    def ours(got):
        return t.receipt(got, relates.format(ns.WSA, got.find("s:Header/wsa:MessageID").text))

    there.answers = ours
    assert client.send(wire).reference == "77"
    there.answers = lambda got: t.receipt(got, relates.format(ns.WSA, "urn:uuid:other"))
    with pytest.raises(PeerDoubtful):
        client.send(wire)


@pytest.mark.parametrize("addressing", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_our_own_gateway_takes_what_our_client_sends(there, out, version, addressing):
    calls = []

    def gateway(got):
        call = envelope.open(got.body, got.headers, {}, CONTEXT)
        calls.append(call)
        sealed = envelope.seal(envelope.Reply(body=t.RECEIPT.encode()), call)
        return sealed.status, sealed.content_type, sealed.body

    there.answers = gateway
    client = t.client(there.address, out, version, addressing=addressing)
    assert client.send(status(client)).reference == "77"
    (call,) = calls
    assert (call.operation, call.action) == ("SubmitStatus", ACTION)
    assert (call.frame.version, call.frame.addressing is not None) == (version, addressing)


def test_basic_goes_along_at_once_and_is_no_part_of_what_is_stored(there, out):
    client = t.client(there.address, out, identity=login("basic"))
    wire = status(client)
    client.send(wire)
    (got,) = there.got
    kind, _, pair = got.headers["authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(pair).decode() == f"шлюз:{PASSWORD}"
    assert got.body == wire.body
    assert PASSWORD not in repr(wire)
    assert "authorization" not in wire.headers


@pytest.mark.parametrize("version", VERSIONS)
def test_a_token_in_text_is_read_by_the_partner(there, out, version):
    client = t.client(there.address, out, version, identity=login("text"))
    wire = status(client)
    client.send(wire)
    (got,) = there.got
    token = got.find("s:Header/wsse:Security/wsse:UsernameToken")
    password = token.find(f"{{{ns.WSSE}}}Password")
    assert token.findtext(f"{{{ns.WSSE}}}Username") == "шлюз"
    assert password.get("Type").endswith("#PasswordText")
    assert password.text == PASSWORD
    assert got.find("s:Header/wsse:Security").get(f"{{{t.SPACE[version]}}}mustUnderstand") == "1"
    assert PASSWORD not in wire.body.decode()
    assert b"Security" not in wire.body


def test_a_digest_is_what_the_profile_says_and_new_at_every_attempt(there, out):
    client = t.client(there.address, out, addressing=True, identity=login("digest"))
    wire = status(client)
    client.send(wire)
    client.send(wire)
    nonces = []
    for got in there.got:
        place = "s:Header/wsse:Security/wsse:UsernameToken/"
        nonce = base64.b64decode(got.find(f"{place}wsse:Nonce").text)
        created = got.find(f"{place}wsu:Created").text
        digest = hashlib.sha1(nonce + created.encode() + PASSWORD.encode()).digest()
        assert got.find(f"{place}wsse:Password").text == base64.b64encode(digest).decode()
        assert PASSWORD.encode() not in got.body
        nonces.append(nonce)
    assert nonces[0] != nonces[1]
    first, second = there.got
    for path in ("s:Body", "s:Header/wsa:MessageID"):
        assert etree.tostring(first.find(path)) == etree.tostring(second.find(path))


@pytest.mark.parametrize(
    ("kind", "address", "trusted", "safe"),
    [
        ("text", "http://sed.example/x", False, False),
        ("basic", "http://sed.example/x", False, False),
        ("digest", "http://sed.example/x", False, True),
        ("text", "https://sed.example/x", False, True),
        ("text", "http://sed.example/x", True, True),
        ("text", "http://127.0.0.1:8/x", False, True),
        ("text", "http://[::1]:8/x", False, True),
        ("basic", "http://localhost:8/x", False, True),
        ("basic", "http://localhost.evil.example/x", False, False),
    ],
)
def test_a_password_in_clear_text_travels_only_where_nobody_reads_along(
    out, kind, address, trusted, safe
):
    who = identity(login=Login(kind=kind, user="шлюз", password=PASSWORD), trusted_wire=trusted)
    if safe:
        t.client(address, out, identity=who)
    else:
        with pytest.raises(ConfigurationError) as caught:
            t.client(address, out, identity=who)
        assert PASSWORD not in str(caught.value)


def test_no_form_of_an_identity_shows_the_password():
    from rich.pretty import pretty_repr

    for shown in (repr(login("text")), str(login("text")), pretty_repr(login("text"))):
        assert "шлюз" in shown
        assert "s3cret" not in shown


needs_xmlsec1 = pytest.mark.skipif(
    shutil.which("xmlsec1") is None, reason="needs the package xmlsec1"
)


def xmlsec1(folder, data, certificate):
    """Verify by the program of XML Security Library, which has nothing of ours."""
    (folder / "received.xml").write_bytes(data)
    done = subprocess.run(
        [
            "xmlsec1", "--verify", "--enabled-reference-uris", "same-doc",
            "--pubkey-cert-pem", str(certificate),
            *(part for name in ("Body", "Timestamp", "UsernameToken", "BinarySecurityToken")
              for part in ("--id-attr:Id", name)),
            str(folder / "received.xml"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode == 0, done.stderr


@needs_xmlsec1
@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_signature_is_verified_by_a_strangers_program(there, out, tmp_path, version, kind):
    certificate, key = t.made_certificate(tmp_path, kind=kind)
    who = identity(
        signer=load(certificate.read_bytes(), key.read_bytes()),
        login=Login(kind="digest", user="шлюз", password=PASSWORD),
    )
    client = t.client(there.address, out, version, addressing=True, identity=who)
    client.send(status(client))
    (got,) = there.got
    good, said = xmlsec1(tmp_path, got.body, certificate)
    assert good, said
    assert "SignedInfo References (ok/all): 3/3" in said
    signed = {
        reference.get("URI").removeprefix("#")
        for reference in got.envelope.iter(f"{{{ns.DS}}}Reference")
    }
    ids = {
        got.find(path).get(f"{{{ns.WSU}}}Id")
        for path in (
            "s:Body",
            "s:Header/wsse:Security/wsu:Timestamp",
            "s:Header/wsse:Security/wsse:UsernameToken",
        )
    }
    assert signed == ids
    changed = got.body.replace(b"TakenToWork", b"Registered")
    assert changed != got.body
    assert not xmlsec1(tmp_path, changed, certificate)[0]


def test_a_partner_that_takes_its_time_is_left_at_the_total_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def silent():
            sock, _ = listener.accept()
            with sock:
                while sock.recv(65_536):
                    pass

        threading.Thread(target=silent, daemon=True).start()
        out = t.outbound(timeout=0.3)
        client = t.client(f"http://127.0.0.1:{listener.getsockname()[1]}/", out)
        with pytest.raises(PeerDoubtful):
            client.send(status(client))
        out.close()


def test_a_fault_of_a_real_exchange_is_told_with_its_answer_behind_it(there, out):
    text = (
        f'<s:Envelope xmlns:s="{ns.SOAP12}"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>'
        "</s:Code><s:Reason><s:Text xml:lang='ru'>нет</s:Text></s:Reason></s:Fault></s:Body>"
        "</s:Envelope>"
    ).encode()
    there.answers = lambda _: (500, "application/soap+xml; charset=utf-8", text)
    client = t.client(there.address, out, "1.2")
    with pytest.raises(PeerRefused) as caught:
        client.send(status(client))
    assert caught.value.__cause__.response.body == text


def test_what_was_stored_before_addressing_and_login_were_known_can_still_be_sent(there, out):
    client = t.client(there.address, out, identity=login("basic"))
    made = status(client)
    old = Wire(
        media_type="text/xml; charset=utf-8",
        body=made.body,
        headers={"soapaction": f'"{ACTION}"'},
    )
    assert client.send(old).reference == "77"
    assert there.got[0].headers["soapaction"] == f'"{ACTION}"'


def test_what_the_wsdl_has_not_is_told_before_anything_is_sent(there, out):
    client = t.client(there.address, out, addressing=True)
    for operation, values in (
        ("SubmitStatus", {"Report": {"Nonsense": 1}}),
        ("SubmitStatus", {}),
        ("NoSuchOperation", {}),
    ):
        with pytest.raises(ValidationError):
            client.message(operation, "k", **values)
    assert there.got == []
