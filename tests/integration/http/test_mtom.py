"""Files as parts of a package: they come and go outside the envelope, and outside the memory."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from gateway import limits, ns
from tests.integration.house import PEER
from tests.integration.http.mtom_kit import (
    INCLUDE,
    LARGE,
    SMALL,
    attach,
    document,
    envelope,
    package,
    parts_of,
    places,
    send,
    submit,
    text,
)


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
