"""What the parts of signing on this machine ask of a backend beside its public calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.signing import Backend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.signing import Digest


class Loaded(NamedTuple):
    """What a key file held. certificate: DER of the one beside the key, empty for none."""

    handle: object
    certificate: bytes = b""


class ExternalKey(NamedTuple):
    """Handle of a key that only the external signer has; name: by which the signer knows it."""

    name: str


class Local(Backend, Protocol):
    """A backend that reads keys, checks signatures of authorities and builds chains by itself."""

    def load_key(self, content: bytes, password: bytes) -> Loaded:
        """Return the private key of a PEM or PKCS#12 file; raise ConfigurationError."""
        ...

    def verify_by(self, method: Digest, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether a signature as X.509 writes it fits a key, by a digest that is allowed it."""
        ...

    def chain(
        self,
        certificate: bytes,
        extra: Sequence[bytes],
        anchors: Sequence[bytes],
        now: datetime,
        *,
        partial: bool,
    ) -> tuple[bytes, ...]:
        """Return the chain as DER, the certificate first, one of the anchors last.

        Signatures, names, KeyUsage, length and validity are checked; revocation is not. partial:
        an anchor need not be a root. Raise TrustError: certificate_expired, certificate_unknown.
        """
        ...
