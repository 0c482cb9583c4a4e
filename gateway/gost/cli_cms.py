"""Checking a detached CMS by runs of `openssl cms`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.gost import cms_rules, files

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.gost.cli import Program
    from gateway.signing import CmsSigned, Digest


def verify(
    program: Program, cms: bytes, data: bytes, digest: Callable[[Digest, bytes], bytes]
) -> CmsSigned:
    """Return who signed; raise TrustError when the signature does not fit data.

    The program first writes the CMS anew as DER, because BER comes too, and that is read by us:
    what it prints for people is no format.
    """
    if len(cms) > cms_rules.CMS_BYTES:
        raise cms_rules.wrong(f"{len(cms)} bytes")
    anew = program.run("cms", "-cmsout", "-inform", "DER", "-in", cms, "-outform", "DER")
    if anew.code:
        raise cms_rules.wrong("no CMS in DER")
    signer = cms_rules.signer(anew.out)
    if signer.attributes is None:
        cms_rules.refuse_attributes_as_content(data)
    done = program.run(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", anew.out, "-content", data,
        "-noverify", "-no-CAfile", "-no-CApath", "-no-CAstore",
        "-signer", "/dev/stdout", "-out", "/dev/null",
    )  # fmt: skip
    if done.code:
        raise cms_rules.wrong(done.said.strip().splitlines()[-1] if done.said.strip() else "")
    found = files.blocks(done.out, b"CERTIFICATE")
    if len(found) != 1:
        raise cms_rules.wrong("the certificate of the signer is not in it")
    return cms_rules.accepted(signer, found[0], digest)
