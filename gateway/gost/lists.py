"""Revocation lists (RFC 5280, 5): whose a list is, since when and until when, whom it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509

from gateway.errors import ConfigurationError, TrustError
from gateway.gost import certificates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.gost.local import Local
    from gateway.signing import CertificateInfo

SETTING: Final = "revocation_lists"


class Revoked(NamedTuple):
    """One list. until: nextUpdate; None when it has none, and then it never is in force.

    serials: of the revoked certificates, and since when each is.
    """

    issuer: x509.Name
    since: datetime
    until: datetime | None
    serials: Mapping[int, datetime]
    signed: bytes
    signature: bytes
    by: str

    def revokes(self, serial: int, at: datetime) -> bool:
        """Whether a certificate was revoked at an instant.

        A list made later tells of an earlier day too: whoever was revoked after that day was not
        revoked on it. Seals and case files are checked so, years after they were made.
        """
        since = self.serials.get(serial)
        return since is not None and (self.since <= at or since <= at)


def read(der: bytes, path: str) -> Revoked:
    """Return a list of a file; raise ConfigurationError for one that cannot be used.

    A list of only some certificates or reasons, of several authorities, or of changes to another
    list (RFC 5280, 5.2.4 and 5.2.5) would say less than it seems to.
    """
    try:
        found = x509.load_der_x509_crl(der)
        for extension in found.extensions:
            if extension.critical and not _whole(extension.value):
                raise _unusable(path, extension.oid.dotted_string)
        return Revoked(
            issuer=found.issuer,
            since=found.last_update_utc,
            until=found.next_update_utc,
            serials={each.serial_number: each.revocation_date_utc for each in found},
            signed=found.tbs_certlist_bytes,
            signature=found.signature,
            by=found.signature_algorithm_oid.dotted_string,
        )
    except certificates.REFUSED as error:
        raise _unusable(path, str(error)) from error


def _whole(value: x509.ExtensionType) -> bool:
    """Whether a critical extension leaves the list one of everything an authority certified."""
    return isinstance(value, x509.IssuingDistributionPoint) and not (
        value.only_contains_user_certs
        or value.only_contains_ca_certs
        or value.only_contains_attribute_certs
        or value.only_some_reasons
        or value.indirect_crl
    )


def of(revoked: Revoked, issuer: CertificateInfo, backend: Local) -> bool:
    """Say whether a list is of this authority: name, KeyUsage and signature."""
    found = certificates.parsed(issuer.der)
    if found.subject != revoked.issuer:
        return False
    try:
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.crl_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    kinds, method = certificates.SIGNED_BY.get(revoked.by, ((), "sha256"))
    if issuer.kind not in kinds:
        return False
    try:
        return backend.verify_by(method, issuer.public_key, revoked.signed, revoked.signature)
    except TrustError:
        return False


def _unusable(path: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        "список отозванных не годится · the revocation list cannot be used",
        where=f"{SETTING}: {path}",
        found=found,
        expected="a whole X.509 CRL of one authority, PEM or DER",
    )
