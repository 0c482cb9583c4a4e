"""Made-up files for containers: PDFs of several pages, PNG stamps, and what stands for signatures.

The signatures are no signatures: a frame of ASN.1 around words that say so, for whoever opens one.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256

from adapters.sed.edc import zipped

MESSAGE = "http://www.infpres.com/IEDMS"


def pdf(line: str, pages: int = 1) -> bytes:
    """Return a PDF whose every page shows one line of ASCII text and its number."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(pages))
    font = 3 + 2 * pages
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
    ]
    for n in range(pages):
        content = f"BT /F1 14 Tf 60 760 Td ({line}, page {n + 1}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * n} 0 R"
            f" /Resources << /Font << /F1 {font} 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return f"{out}xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode("ascii")


def stamp(seed: int, width: int = 70, height: int = 10) -> bytes:
    """Return a PNG: a frame with a pattern of its own, no writing."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            edge = x in {0, width - 1} or y in {0, height - 1}
            rows.append(0 if edge or (x * seed + y) % 7 == 0 else 255)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", head),
            _chunk(b"IDAT", zlib.compress(bytes(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def signature(data: bytes) -> bytes:
    """Return bytes that stand for a detached signature over `data` and are none."""
    words = f"NOT A SIGNATURE, made up for tests, over {sha256(data).hexdigest()}".encode()
    inner = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + b"\x04" + bytes([len(words)]) + words
    return b"\x30\x81" + bytes([len(inner)]) + inner


def message(
    *,
    uid: str = "22222222-2222-4222-8222-222222222701",
    version: str = "2.7",
    namespace: str = MESSAGE,
    encoding: str = "windows-1251",
    sender: str = "Инспекция жилищного надзора (тест)",
    inside: str = "",
) -> bytes:
    """Return `document.xml` of a message with a container; inside: XML beside its body."""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        f'<xdms:communication xmlns:xdms="{namespace}" xdms:version="{version}">\n'
        f'  <xdms:header xdms:type="Транспортный контейнер" xdms:uid="{uid}"'
        ' xdms:created="2026-03-24T10:15:00">\n'
        '    <xdms:source xdms:uid="11111111-1111-4111-8111-111111111111">\n'
        f"      <xdms:organization>{sender}</xdms:organization>\n"
        "    </xdms:source>\n"
        "  </xdms:header>\n"
        "  <xdms:container>\n"
        "    <xdms:body>document.edc.zip</xdms:body>\n"
        f"{inside}"
        "  </xdms:container>\n"
        "  <xdms:deliveryIndex>\n"
        "    <xdms:destination>\n"
        '      <xdms:destination xdms:uid="11111111-1111-4111-8111-111111111122">\n'
        "        <xdms:organization>Аппарат губернатора Энской области (тест)</xdms:organization>\n"
        "      </xdms:destination>\n"
        "    </xdms:destination>\n"
        "  </xdms:deliveryIndex>\n"
        "</xdms:communication>\n"
    )
    return text.encode(encoding)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def letter(passport: bytes, **more: bytes | None) -> dict[str, bytes]:
    """Return a message folder: the letter of `letter.xml` with its files.

    more: files of the container by name, `_` for a dot; None takes one away.
    """
    answer, act = pdf("Answer of an invented inspection", 2), pdf("Act of an invented inspection")
    files = {
        "passport.xml": passport,
        "otvet.pdf": answer,
        "otvet.pdf.p7s": signature(answer),
        "regstamp.png": stamp(3),
        "sigstamp.png": stamp(5, 72, 30),
        "akt.pdf": act,
        "akt.pdf.p7s": signature(act),
        "foto.jpg": b"\xff\xd8\xff\xe0 no picture, made up for tests",
    }
    for name, data in more.items():
        if data is None:
            del files[name.replace("_", ".")]
        else:
            files[name.replace("_", ".")] = data
    return {"document.xml": message(), "document.edc.zip": zipped.write(files)}
