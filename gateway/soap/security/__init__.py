"""WS-Security 1.1: what a Security header proves, and the headers of our own messages.

`read` checks the header of a request; `header`, `username_token` and `sign_envelope` write. Pure:
the instant, the keys and the memory of what was seen come as parameters. Sources: WS-Security 1.1,
UsernameToken Profile 1.1, X.509 Token Profile 1.1 (OASIS 2006), XML Signature 1.1 (W3C 2013).
"""

from gateway.soap.security.proof import SECURITY, Keys, Kind, Proof, SecurityContext, veiled, why
from gateway.soap.security.read import claimed, named, presigned, read
from gateway.soap.security.signer import Signer, load
from gateway.soap.security.smev2 import ACTOR as SMEV2_ACTOR
from gateway.soap.security.write import header, sign_envelope, username_token

__all__ = [
    "SECURITY",
    "SMEV2_ACTOR",
    "Keys",
    "Kind",
    "Proof",
    "SecurityContext",
    "Signer",
    "claimed",
    "header",
    "load",
    "named",
    "presigned",
    "read",
    "sign_envelope",
    "username_token",
    "veiled",
    "why",
]
