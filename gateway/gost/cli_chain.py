"""Building the chain of a certificate by runs of `openssl verify`.

The program says whether a chain holds, and not by which bytes. So issuers are looked for here, by
name and signature, and the program is then asked about exactly that chain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.gost import certificates, engine_chain
from gateway.gost.pem import pem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.gost.cli import Program
    from gateway.signing import Digest

_NUMBER: Final = re.compile(rb"error (\d+) at \d+ depth lookup: ?([ -~]*)")
_UNKNOWN: Final = 20
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY."""


def build(
    program: Program,
    verify_by: Callable[[Digest, bytes, bytes, bytes], bool],
    certificate: bytes,
    extra: Sequence[bytes],
    anchors: Sequence[bytes],
    now: datetime,
    *,
    partial: bool,
) -> tuple[bytes, ...]:
    """Return the chain as DER, the certificate first and the anchor last; raise TrustError."""
    chain = [certificate]
    while not _ends(chain[-1], anchors, partial=partial):
        issuer = next(
            (
                each
                for each in (*anchors, *extra)
                if each not in chain and _issued(chain[-1], each, verify_by)
            ),
            None,
        )
        if issuer is None or len(chain) > engine_chain.DEPTH:
            raise engine_chain.refused(_UNKNOWN, "unable to get local issuer certificate")
        chain.append(issuer)
    between = b"".join(pem("CERTIFICATE", each) for each in chain[1:-1])
    done = program.run(
        "verify", "-attime", str(int(now.timestamp())), "-no-CApath", "-no-CAstore",
        "-CAfile", pem("CERTIFICATE", chain[-1]), *(("-partial_chain",) if partial else ()),
        *(("-untrusted", between) if between else ()), pem("CERTIFICATE", certificate),
    )  # fmt: skip
    if done.code:
        found = _NUMBER.search(done.out + done.said.encode("ascii", "replace"))
        number, said = (int(found[1]), found[2].decode()) if found else (1, done.said)
        raise engine_chain.refused(number, said)
    return tuple(chain)


def _ends(last: bytes, anchors: Sequence[bytes], *, partial: bool) -> bool:
    if last not in anchors:
        return False
    found = certificates.parsed(last)
    return partial or found.subject == found.issuer


def _issued(
    link: bytes, issuer: bytes, verify_by: Callable[[Digest, bytes, bytes, bytes], bool]
) -> bool:
    """Whether a certificate is by the name and signature of another."""
    made, by = certificates.parsed(link), certificates.parsed(issuer)
    if made.issuer != by.subject:
        return False
    by_method = certificates.SIGNED_BY.get(made.signature_algorithm_oid.dotted_string)
    info = certificates.read(issuer)
    if by_method is None or info.kind not in by_method[0]:
        return False
    return verify_by(by_method[1], info.public_key, made.tbs_certificate_bytes, made.signature)
