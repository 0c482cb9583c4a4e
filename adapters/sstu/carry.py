"""Carries packages to a node inside a closed network and notes what it answered.

Runs there by itself, with the Python that is there and nothing else; it is not part of the gateway.

    python3 carry.py http://node/IPCP/HandlingReportPlugin/Api result.ndjson sstu001.zip sstu002.zip

A line of the result is written and made durable before the next document goes; run again with the
same result file, it sends only what has no answer yet. `gateway sstu result` reads the file.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
import zipfile
from datetime import datetime, timezone
from pathlib import Path

TIMEOUT = 60.0
TEXT_CHARS = 2000


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what it leads to, often a page to log in, has not got the document."""

    def redirect_request(self, *_args: object) -> None:
        """Leave the answer as it is: an error with its own status."""


_OPENER = urllib.request.build_opener(_Stay)


def send(address: str, body: bytes) -> tuple[int, str]:
    """Post one document; return the node's status and text, status 0 when it gave no answer."""
    request = urllib.request.Request(  # noqa: S310 - the address is the operator's
        address.rstrip("/") + "/Import",
        data=body,
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with _OPENER.open(request, timeout=TIMEOUT) as answer:
            body = answer.read(TEXT_CHARS * 4)
            cut = len(body) < TEXT_CHARS * 4 and answer.length
            return _told(0 if cut else answer.status, body)
    except urllib.error.HTTPError as error:
        return error.code, _refusal(error)
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)


def _told(status: int, body: bytes) -> tuple[int, str]:
    """Return what a node said; a page is of what stands before it, and no answer of the node."""
    text = _text(body)
    start = text.lstrip("\ufeff \t\r\n")[:14].lower()
    return (0 if start.startswith(("<html", "<!doctype html")) else status), text


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return _text(error.read(TEXT_CHARS * 4))
    except (OSError, http.client.HTTPException):
        return ""


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")[:TEXT_CHARS]


def answered(path: str) -> set[str]:
    """Return the digests that the result file has an answer for: taken, or refused for good."""
    out: set[str] = set()
    if not Path(path).exists():
        return out
    # a text of a node may hold U+2028 and the like, where `splitlines` would cut
    for line in Path(path).read_text("utf-8", "replace").split("\n"):
        try:
            told = json.loads(line)
        except ValueError:
            continue  # cut when the machine went down
        if 200 <= told["status"] < 300 or 400 <= told["status"] < 500:
            out.add(told["sha256"])
    return out


def carry(address: str, result: str, packages: list[str]) -> int:
    """Send every document that has no answer yet; return how many were not taken."""
    done, bad = answered(result), 0
    with Path(result).open("a", encoding="utf-8") as out:
        out.write("\n" * bool(out.tell()))  # the line before may be cut
        for package in packages:
            with zipfile.ZipFile(package) as archive:
                for name in archive.namelist():
                    body = archive.read(name)
                    digest = hashlib.sha256(body).hexdigest()
                    if digest in done:
                        continue
                    status, text = send(address, body)
                    bad += not 200 <= status < 300
                    at = datetime.now(timezone.utc)  # noqa: TID251, UP017 - old Python, no gateway
                    line = {
                        "name": name,
                        "sha256": digest,
                        "status": status,
                        "text": text,
                        "at": at.isoformat(timespec="seconds"),
                    }
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
                    out.flush()
                    os.fsync(out.fileno())
    return bad


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(1 if carry(sys.argv[1], sys.argv[2], sys.argv[3:]) else 0)
