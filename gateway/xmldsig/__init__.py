"""XML signatures of СМЭВ 3: sign an element, verify a signature over one, explain why it fails.

The profile is the one that every message of СМЭВ has: one reference by Id, exclusive
canonicalization and the transform of СМЭВ, GOST R 34.10-2012 (RSA beside). Pure, but for the
backend that is given. What MTOM took out of an element is part of what is signed, so it has to be
back in it as base64 before.
"""

from gateway.xmldsig.check import SIGNATURE, Explained, Signed, Step, explain, verify
from gateway.xmldsig.signature import TRANSFORM, identifier, sign
from gateway.xmldsig.transform import digested, transform

__all__ = [
    "SIGNATURE",
    "TRANSFORM",
    "Explained",
    "Signed",
    "Step",
    "digested",
    "explain",
    "identifier",
    "sign",
    "transform",
    "verify",
]
