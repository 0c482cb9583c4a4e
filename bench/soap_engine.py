"""Our side of `soap-engine`: bytes to a decoded request and a receipt to bytes, in process.

`python -m bench.soap_engine SECONDS` prints how many calls that processor time held.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import msgspec

from bench.soap_message import NO_DIGEST, NO_RECEIPT, Calls, addressed, repeat
from gateway import ns
from gateway.soap import envelope
from gateway.soap.splitter import Splitter
from gateway.wires import binding
from gateway.wires import contract as c
from gateway.wires.service import appeals_service


def in_process(seconds: float) -> Calls:
    """Take the body apart, open, validate, decode, and seal the answer, over and over."""
    body, service = addressed(), appeals_service()
    headers = {
        "content-type": "text/xml; charset=utf-8",
        "soapaction": f'"{ns.APPEALS}/SubmitAppeal"',
    }

    def once() -> bytes:
        splitter = Splitter(headers["content-type"])
        splitter.feed(body)
        now = datetime.now(UTC)
        splitter.close()
        root = splitter.root
        call = envelope.open(root, headers, {}, envelope.Context(now=now, service=service))
        request = binding.read(c.SubmitAppeal, call.body)
        answer = c.SubmitAppealResponse(
            receipt=c.Receipt(
                receipt_number=NO_RECEIPT,
                external_id=request.appeal.external_id,
                revision=request.appeal.revision,
                accepted_at=now,
                content_sha256=NO_DIGEST,
            )
        )
        return envelope.seal(envelope.Reply(body=binding.write(answer)), call).body

    assert b"RelatesTo" in once()
    return repeat(once, seconds)


if __name__ == "__main__":
    print(msgspec.json.encode(in_process(float(sys.argv[1]))).decode())
