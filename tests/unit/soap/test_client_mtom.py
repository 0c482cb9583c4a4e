"""Attachments on their way out: beside the envelope, in it, and never in memory as a whole."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from lxml import etree

from gateway import limits, ns
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    InternalError,
    NotFoundError,
    TooLargeError,
)
from gateway.soap.identity import Identity, Login
from gateway.soap.outgoing import Attached, InFile, InMemory
from gateway.soap.security import load
from gateway.store.blobs import BlobDirectory
from tests.unit.outbound.peers import Peer
from tests.unit.soap import there as t
from tests.unit.soap.test_client import needs_xmlsec1, xmlsec1

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
VERSIONS = ("1.1", "1.2")
FIRST = b"\x00\xff\r\n--part-\r\n\r\n" * 3
SECOND = "письмо".encode()
RECEIVED = f'<SubmitAppealResponse xmlns="{ns.APPEALS}"/>'


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


@pytest.fixture
def blobs(tmp_path):
    return BlobDirectory(tmp_path / "blobs")


def attached(blobs, data, media_type="application/pdf"):
    digest = blobs.put(data)
    return Attached(sha256=digest.hex(), size=len(data), media_type=media_type)


def stored(blobs):
    return lambda sha256: InFile(blobs.path(bytes.fromhex(sha256)))


def appeal(client, *items, key="k1"):
    """An appeal with attachments, of a contract that has base64Binary."""
    files = [{"FileName": f"{n}.bin", "Content": item} for n, item in enumerate(items)]
    return client.message(
        "SubmitAppeal",
        key,
        Appeal={"ExternalId": "А-1", "Text": "Течёт", "Attachments": {"AttachmentIn": files}},
    )


def contents(root):
    return list(root.iter(f"{{{ns.APPEALS}}}Content"))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_parser_of_mail_finds_each_part_where_the_envelope_says(there, out, blobs, version):
    client = t.client(there.address, out, version, mtom=True, files=stored(blobs))
    items = attached(blobs, FIRST), attached(blobs, SECOND, "text/plain"), attached(blobs, FIRST)
    wire = appeal(client, *items)
    client.send(wire)
    (got,) = there.got
    package = got.package
    assert package.get_content_type() == "multipart/related"
    assert package.get_param("type") == "application/xop+xml"
    media = {"1.1": "text/xml", "1.2": "application/soap+xml"}[version]
    assert package.get_param("start-info") == media
    action = f"{ns.APPEALS}/SubmitAppeal"
    assert package.get_param("action") == (action if version == "1.2" else None)
    assert got.headers.get("soapaction") == (f'"{action}"' if version == "1.1" else None)
    assert package.defects == []
    root, *parts = package.get_payload()
    assert root["Content-ID"] == package.get_param("start")
    assert root.get_content_type() == "application/xop+xml"
    assert root.get_param("type") == media
    assert root.get_payload(decode=True) == wire.body
    by_id = {part["Content-ID"]: part for part in parts}
    assert len(by_id) == 3
    tree = etree.fromstring(root.get_payload(decode=True))
    found = []
    for content in contents(tree):
        (include,) = content
        assert include.tag == f"{{{ns.XOP}}}Include"
        part = by_id[f"<{include.get('href').removeprefix('cid:')}>"]
        found.append((part.get_content_type(), part.get_payload(decode=True)))
    assert found == [
        ("application/pdf", FIRST),
        ("text/plain", SECOND),
        ("application/pdf", FIRST),
    ]


def test_a_repeat_from_what_was_stored_is_the_same_bytes(there, out, blobs):
    options = {"mtom": True, "files": stored(blobs), "addressing": True}
    client = t.client(there.address, out, **options)
    wire = appeal(client, attached(blobs, FIRST))
    assert appeal(client, attached(blobs, FIRST)) == wire
    client.send(wire)
    t.client(there.address, out, **options).send(wire)
    first, second = there.got
    assert first.body == second.body
    assert first.headers["content-type"] == second.headers["content-type"]
    assert not [name for name in first.headers if name.startswith("x-")]


def test_a_token_goes_along_with_the_parts(there, out, blobs):
    who = Identity(now=lambda: NOW, login=Login(kind="text", user="u", password="p"))
    client = t.client(there.address, out, mtom=True, files=stored(blobs), identity=who)
    client.send(appeal(client, attached(blobs, FIRST)))
    root, part = there.got[0].package.get_payload()
    tree = etree.fromstring(root.get_payload(decode=True))
    assert t.find(tree, "s:Header/wsse:Security/wsse:UsernameToken/wsse:Username").text == "u"
    assert part.get_payload(decode=True) == FIRST


@needs_xmlsec1
def test_a_signed_message_holds_its_attachments_as_base64(there, out, blobs, tmp_path):
    certificate, key = t.made_certificate(tmp_path)
    signer = load(certificate.read_bytes(), key.read_bytes())
    client = t.client(
        there.address, out, mtom=True, files=stored(blobs),
        identity=Identity(now=lambda: NOW, signer=signer),
    )  # fmt: skip
    client.send(appeal(client, attached(blobs, FIRST), attached(blobs, SECOND)))
    (got,) = there.got
    assert got.headers["content-type"] == "text/xml; charset=utf-8"
    assert [base64.b64decode(c.text) for c in contents(got.envelope)] == [FIRST, SECOND]
    good, said = xmlsec1(tmp_path, got.body, certificate)
    assert good, said


def test_what_was_made_with_parts_is_not_signed_afterwards(there, out, blobs, tmp_path):
    plain = t.client(there.address, out, mtom=True, files=stored(blobs))
    wire = appeal(plain, attached(blobs, FIRST))
    certificate, key = t.made_certificate(tmp_path)
    signer = load(certificate.read_bytes(), key.read_bytes())
    signing = t.client(
        there.address, out, mtom=True, files=stored(blobs),
        identity=Identity(now=lambda: NOW, signer=signer),
    )  # fmt: skip
    with pytest.raises(ConfigurationError):
        signing.send(wire)
    assert there.got == []


def test_without_mtom_attachments_stand_in_the_envelope(there, out):
    client = t.client(there.address, out, files=lambda _: InMemory(SECOND))
    item = Attached(sha256=hashlib.sha256(SECOND).hexdigest(), size=len(SECOND))
    client.send(appeal(client, item))
    (got,) = there.got
    assert [base64.b64decode(c.text) for c in contents(got.envelope)] == [SECOND]


def test_what_is_too_large_for_an_envelope_is_told_before_it_is_read(out):
    client = t.client("http://127.0.0.1/x", out)
    one = Attached(sha256="0" * 64, size=limits.ATTACHMENT_INLINE_BYTES + 1)
    some = Attached(sha256="0" * 64, size=limits.ATTACHMENT_INLINE_BYTES)
    for items in ([one], [some, some]):
        with pytest.raises(TooLargeError) as caught:
            appeal(client, *items)
        assert "MTOM" in caught.value.todo


def test_a_client_without_files_says_so(out):
    client = t.client("http://127.0.0.1/x", out)
    with pytest.raises(ConfigurationError):
        appeal(client, Attached(sha256="0" * 64, size=1))


def test_a_file_that_is_gone_is_told_before_a_byte_leaves(there, out, blobs):
    client = t.client(there.address, out, mtom=True, files=stored(blobs))
    item = attached(blobs, FIRST)
    wire = appeal(client, item)
    blobs.path(bytes.fromhex(item.sha256)).unlink()
    with pytest.raises(NotFoundError):
        client.send(wire)
    assert there.got == []


@pytest.mark.parametrize("change", [b"x" * len(FIRST), FIRST + b"more", FIRST[:-1], b""])
def test_other_bytes_than_those_meant_never_arrive_as_a_whole_message(out, blobs, change):
    received = []

    def behave(peer, sock, number):
        while chunk := sock.recv(65_536):
            received.append(chunk)
        done.set()

    done = threading.Event()
    peer = Peer(behave)
    client = t.client(peer.url, out, mtom=True, files=stored(blobs))
    item = attached(blobs, FIRST)
    wire = appeal(client, item)
    blobs.path(bytes.fromhex(item.sha256)).write_bytes(change)
    with pytest.raises(InternalError):
        client.send(wire)
    assert done.wait(10)
    head, _, body = b"".join(received).partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    assert len(body) < length
    peer.close()


def test_a_text_that_looks_like_a_mark_is_left_alone(there, out, blobs):
    item = attached(blobs, FIRST)
    text = base64.b64encode(f"0:{item.sha256}".encode()).decode()
    client = t.client(there.address, out, mtom=True, files=stored(blobs))
    wire = client.message(
        "SubmitAppeal",
        Appeal={
            "ExternalId": "А-1",
            "Text": text,
            "Attachments": {"AttachmentIn": [{"FileName": "а", "Content": item}]},
        },
    )
    tree = etree.fromstring(wire.body)
    assert tree.find(f".//{{{ns.APPEALS}}}Text").text == text
    assert len(contents(tree)[0]) == 1


def test_a_media_type_of_a_stranger_begins_no_header_of_its_own(there, out, blobs):
    client = t.client(there.address, out, mtom=True, files=stored(blobs))
    client.send(appeal(client, attached(blobs, FIRST, "a/b\r\nX-Evil: 1")))
    _, part = there.got[0].package.get_payload()
    assert part.get_content_type() == "application/octet-stream"
    assert part["X-Evil"] is None


def test_an_attachment_where_the_contract_has_none_is_refused(out, blobs):
    client = t.client("http://127.0.0.1/x", out, mtom=True, files=stored(blobs))
    with pytest.raises(GatewayError):
        client.message("SubmitAppeal", Appeal=attached(blobs, FIRST))


SENDER = """
import json, re, sys
from pathlib import Path
from gateway.soap.outgoing import Attached
from gateway.store.blobs import BlobDirectory
from tests.unit.soap import there as t
from tests.unit.soap.test_client_mtom import appeal, stored

def memory(name):
    status = Path("/proc/self/status").read_text()
    return int(re.search(name + r":\\s+(\\d+) kB", status)[1]) * 1024

address, folder, version = sys.argv[1:4]
small, large = (Attached(sha256=d, size=int(n)) for d, n in (a.split(":") for a in sys.argv[4:]))
out = t.outbound(timeout=120)
client = t.client(address, out, version, mtom=True, files=stored(BlobDirectory(Path(folder))))
assert client.send(appeal(client, small)).status == 200
Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak begins anew
before = memory("VmRSS")
assert client.send(appeal(client, large)).status == 200
print(json.dumps({"before": before, "peak": memory("VmHWM")}))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_fifty_megabytes_leave_without_being_held_in_memory(tmp_path, blobs, version):
    """Measured in a process of its own, by the kernel's count of its peak."""
    large = tmp_path / "large"
    block, digest = bytes(range(256)) * 4096, hashlib.sha256()
    with large.open("wb") as file:
        for number in range(50):
            digest.update(piece := number.to_bytes(4, "big") + block[4:])
            file.write(piece)
    size = large.stat().st_size
    assert size == 50 * limits.MB
    name = digest.hexdigest()
    place = blobs.path(bytes.fromhex(name))
    place.parent.mkdir(parents=True)
    shutil.move(large, place)
    small = attached(blobs, FIRST)
    sizes, digests = [], []

    def behave(peer, sock, number):
        """Count and hash what comes behind the second part's head, to the announced length."""
        stream = sock.makefile("rb")
        while line := stream.readline():
            length = 0
            while line.strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                line = stream.readline()
            delimiter = stream.readline()
            left = length - len(delimiter)
            line = b""
            while line != delimiter:  # of the part behind the envelope
                left -= len(line := stream.readline())
            while line.strip():
                left -= len(line := stream.readline())
            tail = len(delimiter.rstrip()) + len(b"\r\n--\r\n")
            found, count = hashlib.sha256(), 0
            while left > tail:
                piece = stream.read(min(left - tail, 1 << 20))
                left -= len(piece)
                count += len(piece)
                found.update(piece)
            assert stream.read(left).strip() == delimiter.strip() + b"--"
            sizes.append(count)
            digests.append(found.hexdigest())
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n")
            body = t.receipt(t.Got("", {"content-type": "text/xml"}, b""))[2]
            sock.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    peer = Peer(behave)
    items = [f"{small.sha256}:{small.size}", f"{name}:{size}"]
    done = subprocess.run(
        [sys.executable, "-c", SENDER, peer.url, str(blobs.root), version, *items],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    peer.close()
    assert done.returncode == 0, done.stderr
    assert sizes == [len(FIRST), size]
    assert digests == [small.sha256, name]
    counted = json.loads(done.stdout)
    assert counted["peak"] - counted["before"] < 32 * limits.MB
