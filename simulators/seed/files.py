"""Small real files: a one-page PDF and a PNG, whole and readable by any program."""

from __future__ import annotations

import struct
import zlib
from random import Random
from typing import Final

_SIDE: Final = 24
_FONT: Final = b"/Resources << /Font << /F1 5 0 R >> >>"


def photograph(seed: int) -> bytes:
    """Return a PNG of coloured noise; another seed, other bytes."""
    draw = Random(seed)
    rows = b"".join(b"\0" + draw.randbytes(3 * _SIDE) for _ in range(_SIDE))
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def letter_scan(line: str) -> bytes:
    """Return a PDF of one page that shows one line of ASCII text."""
    content = f"BT /F1 14 Tf 60 760 Td ({line}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %s >>" % _FONT,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return out + head + table + trailer % (len(objects) + 1, len(out))


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
