"""Packages as clients write them, and what an answer holds, by Python's own reader of mail."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

from lxml import etree

from gateway import ns
from tests.integration.house import PEER, SOAP11

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
