"""Files as parts of a package: they come and go outside the envelope, and outside the memory."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import os
import socket
from datetime import UTC, datetime
from email import message_from_bytes, policy
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import etree

from gateway import limits, ns
from gateway.access import certificates
from gateway.model.peer import Peer
from gateway.soap import security
from gateway.store import peers
from tests.integration.house import PEER, SOAP11, eventually
from tests.unit.access.pki import Authority

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SPACES = {"text/xml": SOAP11, "application/soap+xml": SOAP12}
INCLUDE = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
LARGE = bytes(range(256)) * 8_192  # 2 MB
SMALL = b"%PDF-1.7\r\n--edge\r\n"


def envelope(inner, media="text/xml", header=""):
    name, _, rest = inner.removeprefix("<").partition(">")
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<s:Envelope xmlns:s="{SPACES[media]}">{head}<s:Body>'
        f'<{name} xmlns="{ns.APPEALS}">{rest}</s:Body></s:Envelope>'
    ).encode()


def attach(owner, key, content, extra=""):
    return (
        f"<AttachFile><OwnerKey><ExternalId>{owner}</ExternalId></OwnerKey><FileName>акт.pdf"
        f"</FileName>{extra}<Content>{content}</Content><MessageKey>{key}</MessageKey></AttachFile>"
    )


def submit(external_id, *contents):
    items = "".join(
        f"<AttachmentIn><FileName>{n}.pdf</FileName><Content>{content}</Content></AttachmentIn>"
        for n, content in enumerate(contents)
    )
    return (
        f"<SubmitAppeal><Appeal><ExternalId>{external_id}</ExternalId><Text>Нет воды</Text>"
        f"<Attachments>{items}</Attachments></Appeal></SubmitAppeal>"
    )


def package(root, *parts, media="text/xml", form="application/xop+xml", **options):
    """Content-Type and bytes. parts: (Content-ID, bytes) or (headers, bytes)."""
    end = options.get("end", "\r\n")
    own = f'{form}; charset=utf-8; type="{media}"' if form.endswith("xop+xml") else media
    body = f"--b=1{end}Content-Type: {own}{end}Content-ID: <root@x>{end}{end}".encode() + root
    for cid, data in parts:
        heads = cid if isinstance(cid, list) else [f"Content-ID: <{cid}>"]
        lines = "".join(f"{line}{end}" for line in heads)
        body += f"{end}--b=1{end}{lines}{end}".encode() + data
    body += f"{end}--b=1--{end}".encode()
    return (
        f'multipart/related; type="{form}"; start="<root@x>"; start-info="{media}"; boundary="b=1"',
        body,
    )


def send(house, made, *, peer=PEER, **headers):
    content_type, body = made
    return house.call(
        "POST", "/soap/appeals.svc", body, peer=peer, Content_Type=content_type, **headers
    )


def parts_of(answer):
    """Envelope and other parts of an answer, by Python's own reader of mail."""
    mail = message_from_bytes(
        f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode() + answer.body,
        policy=policy.HTTP,
    )
    root, *others = mail.iter_parts()
    return root, {p["Content-ID"].strip("<>"): p.get_payload(decode=True) for p in others}


def document(answer):
    """The envelope of an answer, as a package or by itself."""
    if answer.headers["content-type"].startswith("multipart/related"):
        root, _ = parts_of(answer)
        return etree.fromstring(root.get_payload(decode=True))
    return etree.fromstring(answer.body)


def text(answer, name):
    return document(answer).findtext(f".//{{{ns.APPEALS}}}{name}")


def places(answer):
    assert answer.status == 500, answer
    errors = document(answer).iter(ns.tag(ns.APPEALS, "FieldError"))
    return [
        (e.findtext(f"{{{ns.APPEALS}}}Path"), e.findtext(f"{{{ns.APPEALS}}}Code")) for e in errors
    ]


def blobs(house):
    root = Path(house.log.name).parent / "blobs"
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def owner(house):
    house.submit("soap11", "mtom-owner")
    return "mtom-owner"


@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("media", ["text/xml", "application/soap+xml"])
def test_a_file_that_comes_as_a_part_is_stored_byte_for_byte(house, owner, media, data):
    digest = sha256(data).hexdigest()
    extra = f"<Size>{len(data)}</Size><Sha256>{digest}</Sha256>"
    root = envelope(attach(owner, f"k-{media}-{len(data)}", INCLUDE.format("scan@x"), extra), media)
    answer = send(house, package(root, ("scan@x", data), media=media))
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("multipart/related")
    assert text(answer, "AttachmentId") == digest
    asked = envelope(f"<GetAttachment><AttachmentId>{digest}</AttachmentId></GetAttachment>", media)
    found = send(house, package(asked, media=media))
    envelope_part, others = parts_of(found)
    assert envelope_part["Content-Type"].params["type"] == media
    (include,) = document(found).iter(ns.tag(ns.XOP, "Include"))
    assert others == {include.get("href").removeprefix("cid:"): data}
    assert found.headers["content-length"] == str(len(found.body))
    again = send(house, package(asked, media=media))
    assert again.body == found.body


def test_whoever_asks_plainly_gets_base64_and_whoever_accepts_a_package_gets_one(house, owner):
    send(house, package(envelope(attach(owner, "plain", INCLUDE.format("a"))), ("a", LARGE)))
    digest = sha256(LARGE).hexdigest()
    inner = f"<GetAttachment><AttachmentId>{digest}</AttachmentId></GetAttachment>"
    plain = house.soap(inner)
    assert plain.headers["content-type"] == "text/xml; charset=utf-8"
    assert base64.b64decode(text(plain, "Content")) == LARGE
    for accept, kind in (
        ("text/xml, multipart/related", "multipart/related"),  # JAX-WS, with every call
        ('multipart/related; type="application/xop+xml"', "multipart/related"),
        ("application/xop+xml", "multipart/related"),
        ("multipart/related;q=0", "text/xml"),
        ('multipart/related; type="text/xml"', "text/xml"),
        ("*/*", "text/xml"),
    ):
        answer = house.soap(inner, Accept=accept)
        assert answer.headers["content-type"].startswith(kind), accept
    assert (
        house.soap("<Ping/>", Accept="multipart/related").headers["content-type"].startswith("text")
    )
    rest = house.get(f"/attachments/{digest}")
    assert base64.b64decode(rest.json["content"]) == LARGE


def test_the_same_appeal_with_and_without_a_package_is_a_repeat(house):
    encoded = base64.b64encode(SMALL).decode()
    first = house.soap(submit("both-ways", encoded))
    again = send(
        house, package(envelope(submit("both-ways", INCLUDE.format("a@x"))), ("a@x", SMALL))
    )
    assert again.headers["gateway-repeat"] == "true"
    assert text(again, "ReceiptNumber") == text(first, "ReceiptNumber")
    for key, made in (("k-1", encoded), ("k-1", INCLUDE.format("a@x"))):
        parts = [("a@x", SMALL)] if "Include" in made else []
        answer = send(house, package(envelope(attach("both-ways", key, made)), *parts))
        assert answer.status == 200
    assert answer.headers["gateway-repeat"] == "true"


def test_the_same_envelope_with_another_file_is_a_conflict_and_no_repeat(house):
    root = envelope(submit("conflict", INCLUDE.format("a@x")))
    assert send(house, package(root, ("a@x", SMALL))).status == 200
    assert text(send(house, package(root, ("a@x", SMALL + b"!"))), "ExistingSha256")


def test_several_files_of_several_appeals(house):
    items = "".join(
        submit(f"many-{n}", INCLUDE.format(f"f{n}"), INCLUDE.format(f"g{n}"))
        .removeprefix("<SubmitAppeal><Appeal>").removesuffix("</Appeal></SubmitAppeal>")
        .join(("<AppealIn>", "</AppealIn>"))
        for n in range(2)
    )  # fmt: skip
    root = envelope(f"<SubmitAppeals><Items>{items}</Items></SubmitAppeals>")
    parts = [(f"{k}{n}", f"{k}{n}".encode() * 200_000) for n in range(2) for k in "fg"]
    assert send(house, package(root, *parts)).status == 200
    for _, data in parts:
        digest = sha256(data).hexdigest()
        found = house.get(f"/attachments/{digest}")
        assert base64.b64decode(found.json["content"]) == data


@pytest.mark.parametrize(
    "content", ["cid:scan@x", '<Content href="cid:scan@x"/>'], ids=["swaRef", "href"]
)
def test_attachments_of_old_come_in_too(house, owner, content):
    inner = attach(owner, f"swa-{len(content)}", content).replace(
        f"<Content>{content}</Content>",
        content if content.startswith("<") else "<Content>cid:scan@x</Content>",
    )
    answer = send(house, package(envelope(inner), ("scan@x", SMALL), form="text/xml"))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert text(answer, "Sha256") == sha256(SMALL).hexdigest()


def test_what_else_real_clients_write_is_read(house, owner):
    inner = attach(owner, "odd", INCLUDE.format("http%3A%2F%2Ftempuri.org%2F1"))
    heads = ["Content-Id: <http://tempuri.org/1>", "Content-Transfer-Encoding: base64"]
    content_type, body = package(
        envelope(inner), (heads, base64.encodebytes(LARGE).replace(b"\n", b"\r\n"))
    )
    answer = send(house, (content_type, b"preamble\r\n" + body))
    assert text(answer, "Sha256") == sha256(LARGE).hexdigest()
    packed = gzip.compress(package(envelope(inner), (heads[:1], LARGE))[1])
    answer = send(house, (content_type, packed), Content_Encoding="gzip")
    assert text(answer, "AttachmentId") == sha256(LARGE).hexdigest()
    bare = package(envelope(attach(owner, "lf", INCLUDE.format("a"))), ("a", SMALL), end="\n")
    assert text(send(house, bare), "Sha256") == sha256(SMALL).hexdigest()


CONTENT = "/AttachFile/Content"
QUOTED = ["Content-ID: a", "Content-Transfer-Encoding: quoted-printable"]


@pytest.mark.parametrize(
    ("content", "parts", "place"),
    [
        (INCLUDE.format("gone"), [], (CONTENT, "cid")),
        (INCLUDE.format("gone"), [("a", b"x")], ("part 2", "cid")),
        ("QQ==", [("a", b"x")], ("part 2", "cid")),
        (INCLUDE.format("a"), [("a", b"x"), ("a", b"y")], ("part 3", "cid")),
        (INCLUDE.format("a"), [(["X: y"], b"x")], ("part 2", "cid")),
        (INCLUDE.format("a").replace("cid:a", "http://a/b"), [], (CONTENT, "cid")),
        (INCLUDE.format("a").replace("cid:a", "file:///etc/passwd"), [], (CONTENT, "cid")),
        ("QQ==" + INCLUDE.format("a"), [("a", b"x")], (CONTENT, "include")),
        (INCLUDE.format("a") + INCLUDE.format("b"), [], (CONTENT, "include")),
        (INCLUDE.format("a"), [(QUOTED, b"")], ("part 2", "unsupported")),
    ],
)  # fmt: skip
def test_parts_and_pointers_belong_to_each_other_one_to_one(house, owner, content, parts, place):
    before = blobs(house)
    answer = send(house, package(envelope(attach(owner, "never", content)), *parts))
    assert place in places(answer)
    assert answer.headers["content-type"].startswith("multipart/related")
    assert blobs(house) == before
    assert house.messages("never", "id") == []


def test_a_pointer_where_the_contract_has_no_file_is_refused(house):
    inner = f"<GetAppeal><Key><ExternalId>{INCLUDE.format('a')}</ExternalId></Key></GetAppeal>"
    answer = send(house, package(envelope(inner), ("a", b"owner")))
    assert places(answer) == [("/GetAppeal/Key/ExternalId", "include")]


def test_a_package_without_its_end_or_with_more_than_that_is_refused(house, owner):
    content_type, body = package(envelope(attach(owner, "cut", INCLUDE.format("a"))), ("a", LARGE))
    for made in (body[:-9], body + b"more", body + body):
        assert "malformed" in places(send(house, (content_type, made)))[0][1]
    assert house.messages("cut", "id") == []


def test_the_body_is_checked_before_the_first_file_is_taken(house):
    root = envelope("<AttachFile><Surprise/></AttachFile>")
    before = blobs(house)
    content_type, body = package(root, ("a", LARGE))
    assert places(send(house, (content_type, body)))
    assert blobs(house) == before


def test_a_stranger_is_turned_away_before_the_first_file_is_taken(house, owner):
    content_type, body = package(envelope(attach(owner, "who", INCLUDE.format("a"))), ("a", LARGE))
    before = blobs(house)
    answer = send(house, (content_type, body), peer="")
    assert answer.status == 401
    assert blobs(house) == before


def test_a_refusal_reaches_a_client_that_sends_all_before_it_reads(house, owner):
    """Java and .NET do; what they go on sending is passed over."""
    content_type, body = package(envelope(attach(owner, "deaf", "QQ==")), ("a", b"\0HERE\0"))
    before, after = body.split(b"\0HERE\0")
    block = bytes(limits.MB)
    connection = http.client.HTTPConnection(house.host, house.port, timeout=60)
    with contextlib.closing(connection):
        headers = {
            "Content-Type": content_type,
            "X-API-Key": house.keys[PEER],
            "Content-Length": str(len(before) + 60 * len(block) + len(after)),
        }
        connection.request(
            "POST", "/soap/appeals.svc", iter([before, *[block] * 60, after]), headers
        )
        answer = connection.getresponse()
        assert answer.status == 500
        assert b"no element of the message points to a part" in answer.read()
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


def test_what_a_client_left_behind_that_went_away_is_nothing(house, owner):
    content_type, body = package(
        envelope(attach(owner, "left", INCLUDE.format("a"))), ("a", LARGE * 4)
    )
    before = sorted(blobs(house))
    head = (
        f"POST /soap/appeals.svc HTTP/1.1\r\nHost: x\r\nX-API-Key: {house.keys[PEER]}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection((house.host, house.port)) as connection:
        connection.sendall(head + body[: len(body) // 2])
    eventually(lambda: house.soap("<Ping/>").status == 200 and sorted(blobs(house)) == before)
    assert house.messages("left", "id") == []


def test_one_peer_can_not_take_every_place_for_packages(house, owner):
    content_type, body = package(envelope(attach(owner, "slow", INCLUDE.format("a"))), ("a", LARGE))
    head = (
        f"POST /soap/appeals.svc HTTP/1.1\r\nHost: x\r\nX-API-Key: {house.keys['other']}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as stack:
        for _ in range(limits.PACKAGES_OF_PEER):
            made = stack.enter_context(socket.create_connection((house.host, house.port)))
            made.sendall(head + body[:-100])
        busy = eventually(
            lambda: next(
                (
                    answer
                    for answer in [send(house, (content_type, body), peer="other")]
                    if text(answer, "RetryAfterSeconds")
                ),
                None,
            )
        )
        assert busy.headers["retry-after"]
        mine = package(envelope(attach(owner, "quick", INCLUDE.format("a"))), ("a", SMALL))
        assert send(house, mine).status == 200


def test_what_was_not_understood_is_kept_with_its_files(house):
    root = envelope(submit("kept", INCLUDE.format("a@x"), INCLUDE.format("b@x")).replace(
        "<ExternalId>kept</ExternalId>", "<ExternalId>kept</ExternalId><Revision>1</Revision>"
        "<ReceivedAt>2999-01-01T00:00:00Z</ReceivedAt>"
    ))  # fmt: skip
    answer = send(house, package(root, ("a@x", SMALL), ("b@x", LARGE)))
    assert places(answer)
    ((message, body, note),) = house.rows(
        "SELECT id, body, note FROM message WHERE stage = 'undecodable' AND convert_from(body, "
        "'UTF8') LIKE '%2999%'"
    )
    assert bytes(body) == root
    told = sorted(value for name, value in note["beside"].items() if name.startswith("part "))
    assert told == sorted(f"{sha256(d).hexdigest()} {len(d)}" for d in (SMALL, LARGE))
    assert "a@x" not in json.dumps(note)
    kept = house.rows("SELECT sha256 FROM blob_ref WHERE owner = $1", message)
    assert {bytes(row[0]) for row in kept} == {sha256(d).digest() for d in (SMALL, LARGE)}


CA = Authority()
ISSUED = CA.issue("signs")


@pytest.fixture(scope="module")
def signing(own_house):
    """A house with a peer that signs its messages."""
    house = own_house("signing", GATEWAY_SEAL_KEY="11" * 32)
    now = datetime.now(UTC)
    with house.database() as db:
        peers.add(db, Peer(code="signs", name="signs", require="signature"), now)
        peers.add_certificate(db, "signs", certificates.read(ISSUED.der), now)
    yield house
    assert not house.defects()


def signed(inner, data):
    """A message signed over its base64, then packed as a client of MTOM packs it."""
    encoded = base64.b64encode(data).decode()
    whole = envelope(inner.replace("FILE", encoded))
    by = security.load(ISSUED.pem, ISSUED.key_pem)
    made = security.sign_envelope(whole, by, datetime.now(UTC))
    assert encoded.encode() in made
    return made.replace(encoded.encode(), INCLUDE.format("a@x").encode())


def test_a_signature_over_a_package_is_over_its_base64(signing):
    owner = signed(submit("signed", "FILE"), SMALL)
    answer = send(signing, package(owner, ("a@x", SMALL)), peer="")
    assert answer.status == 200, answer.body
    ((body, note),) = signing.messages("signed", "body", "note")
    assert (bytes(body), len(note["beside"])) == (owner, 1)
    root = signed(attach("signed", "signed-1", "FILE"), LARGE)
    answer = send(signing, package(root, ("a@x", LARGE)), peer="")
    assert text(answer, "Sha256") == sha256(LARGE).hexdigest()


def test_another_file_under_a_signature_opens_nothing(signing):
    root = signed(submit("forged", "FILE"), SMALL)
    for parts in ([("a@x", SMALL + b"!")], [], [("a@x", SMALL), ("b@x", SMALL)]):
        assert send(signing, package(root, *parts), peer="").status in {401, 500}
    assert signing.messages("forged", "id") == []


def test_a_signature_over_more_than_fits_is_refused_by_name(signing):
    data = os.urandom(limits.SIGNED_PARTS_BYTES + 1)
    root = signed(attach("signed", "signed-2", "FILE"), data)
    answer = send(signing, package(root, ("a@x", data)), peer="")
    assert answer.status == 500
    assert b"the parts of a message that is read whole are too large" in answer.body


def rss(house, name="VmRSS"):
    status = Path(f"/proc/{house.process.pid}/status").read_text("ascii")
    return (
        next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) // 1024
    )


def test_fifty_megabytes_in_and_out_leave_the_memory_as_it_was(house, owner):
    """The short form of `make bench-mtom`; a whole copy anywhere would take more than the bound."""
    send(house, package(envelope(attach(owner, "warm", INCLUDE.format("a"))), ("a", LARGE)))
    size = 50 * limits.MB
    content_type, frame = package(
        envelope(attach(owner, "fifty", INCLUDE.format("a"))), ("a", b"\0HERE\0")
    )
    before, after = frame.split(b"\0HERE\0")
    block = os.urandom(limits.MB)
    digest = sha256(block * 50).hexdigest()
    Path(f"/proc/{house.process.pid}/clear_refs").write_text("5", "ascii")
    start = rss(house)
    connection = http.client.HTTPConnection(house.host, house.port, timeout=120)
    with contextlib.closing(connection):
        headers = {
            "Content-Type": content_type,
            "X-API-Key": house.keys[PEER],
            "Content-Length": str(len(before) + size + len(after)),
        }
        pieces = iter([before, *[block] * 50, after])
        connection.request("POST", "/soap/appeals.svc", pieces, headers)
        answer = connection.getresponse()
        assert (answer.status, digest in answer.read().decode()) == (200, True)
        asked = package(
            envelope(f"<GetAttachment><AttachmentId>{digest}</AttachmentId></GetAttachment>")
        )
        headers = {"Content-Type": asked[0], "X-API-Key": house.keys[PEER]}
        connection.request("POST", "/soap/appeals.svc", asked[1], headers)
        answer = connection.getresponse()
        assert answer.status == 200
        got = 0
        while piece := answer.read(limits.MB):
            got += len(piece)
        assert got > size
    assert rss(house, "VmHWM") - start < 32
