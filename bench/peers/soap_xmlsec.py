"""The peer of soap-signature: xmlsec verifies the same signature, in a process of its own.

`python -m bench.peers.soap_xmlsec DIRECTORY SECONDS` prints the processor time of one verification
of a message that is parsed already, with a key that is loaded already: ids found, references
digested, the signature checked.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import xmlsec
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
WARM_CALLS, ROUND = 200, 50


def seconds_of_one(directory: Path, seconds: float) -> float:
    """Verify over and over for so much processor time."""
    root = etree.fromstring((directory / "signed.xml").read_bytes())
    signature = next(root.iter(f"{{{DS}}}Signature"))
    key = xmlsec.Key.from_file(str(directory / "certificate.pem"), xmlsec.KeyFormat.CERT_PEM)

    def once() -> None:
        xmlsec.tree.add_ids(root, ["Id"])
        context = xmlsec.SignatureContext()
        context.key = key
        context.verify(signature)  # raises when it is not the signature of what is there

    for _ in range(WARM_CALLS):
        once()
    calls, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        for _ in range(ROUND):
            once()
        calls += ROUND
    return spent / calls


if __name__ == "__main__":
    print(seconds_of_one(Path(sys.argv[1]), float(sys.argv[2])))
