"""Which certificates are believed: those with a chain to an authority that settings name.

The chain is the backend's (`X509_verify_cert`); who is no authority, weak links, and revocation are
looked at here. A chain that was found is kept while every link of it holds, so a repeated check
costs the look at validity and lists, and no arithmetic.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Final

import structlog

from gateway.errors import ConfigurationError, GatewayError, TrustError
from gateway.gost import certificates, files, lists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from gateway.gost.local import Local
    from gateway.signing import CertificateInfo

AUTHORITIES: Final = "trusted_authorities"
EXTRA: Final = 16
"""Certificates beside a message that are looked at."""
_CHAINS: Final = 1024

log = structlog.get_logger(__name__)


class _Read:
    """What the files held at one time: authorities, lists, and what was found out with them."""

    def __init__(self, authorities: Sequence[str], revocations: Sequence[str]) -> None:
        self.anchors: tuple[CertificateInfo, ...] = tuple(
            certificates.read(der)
            for path in authorities
            for der in files.ders(path, AUTHORITIES, b"CERTIFICATE")
        )
        self.ders = tuple(each.der for each in self.anchors)
        self.lists: defaultdict[x509.Name, list[lists.Revoked]] = defaultdict(list)
        for path in revocations:
            for der in files.ders(path, lists.SETTING, b"X509 CRL"):
                read = lists.read(der, path)
                self.lists[read.issuer].append(read)
        for several in self.lists.values():
            several.sort(key=lambda each: each.since, reverse=True)
        self.chains: OrderedDict[str, tuple[CertificateInfo, ...]] = OrderedDict()
        self.newest: OrderedDict[str, tuple[lists.Revoked, ...]] = OrderedDict()


class Believed:
    """Trust of `settings.trusted_authorities` and `settings.revocation_lists`."""

    def __init__(
        self,
        authorities: Sequence[str],
        revocations: Sequence[str],
        backend: Local | None,
        *,
        revocation_required: bool,
    ) -> None:
        """Read the files; raise ConfigurationError for one that cannot be used.

        backend: None where nothing on this machine can check; then every check says so.
        """
        self._authorities = tuple(authorities)
        self._revocations = tuple(revocations)
        self._backend = backend
        self._required = revocation_required
        self._lock = Lock()
        self._watched = files.Watched((*authorities, *revocations))
        self._stamps = self._watched.stamps()
        self._read = self._fresh()

    def check(self, certificate: bytes, now: datetime, extra: Sequence[bytes] = ()) -> None:
        """Return when a chain of the certificate holds; raise TrustError otherwise."""
        if self._backend is None:
            raise ConfigurationError(
                "проверять нечем · nothing on this machine can check certificates",
                where="signing_backend",
                todo="apt-get install libengine-gost-openssl",
            )
        read = self._current()
        leaf = certificates.read(certificate)
        if not leaf.may_sign:
            raise _unknown("KeyUsage forbids it to sign", leaf)
        chain = self._chain(self._backend, read, leaf, extra, now)
        for link, issuer in pairwise(chain):
            self._not_revoked(self._backend, read, link, issuer, now)

    def authorities(self) -> Sequence[CertificateInfo]:
        """Return the authorities that are believed, as the files are now."""
        return self._current().anchors

    def revocations(self) -> Sequence[lists.Revoked]:
        """Return the revocation lists, as the files are now."""
        return [each for several in self._current().lists.values() for each in several]

    def _chain(
        self,
        backend: Local,
        read: _Read,
        leaf: CertificateInfo,
        extra: Sequence[bytes],
        now: datetime,
    ) -> tuple[CertificateInfo, ...]:
        known = read.chains.get(leaf.sha256)
        if known is not None and all(link.holds(now) for link in known):
            return known
        beside = [each for each in extra[:EXTRA] if _readable(each)]
        try:
            ders = backend.chain(leaf.der, beside, read.ders, now, partial=False)
        except TrustError:
            ders = ()
        # Without its root an authority that settings name is the end of the chain.
        ders = ders or backend.chain(leaf.der, beside, read.ders, now, partial=True)
        chain = tuple(certificates.read(der) for der in ders)
        _strong(chain)
        with self._lock:
            read.chains[leaf.sha256] = chain
            if len(read.chains) > _CHAINS:
                read.chains.popitem(last=False)
        return chain

    def _not_revoked(
        self,
        backend: Local,
        read: _Read,
        link: CertificateInfo,
        issuer: CertificateInfo,
        now: datetime,
    ) -> None:
        """Raise TrustError when an issuer's newest list names a link, or when there is no list."""
        found = self._lists_of(backend, read, issuer)
        if found and found[0].revokes(link.serial, now):
            raise TrustError(
                "сертификат отозван · the certificate is revoked",
                "certificate_revoked",
                found=f"{link.serial:x} {link.subject}",
            )
        if not self._required:
            return
        if not found:
            raise _unknown(f"no revocation list of {issuer.subject}", link)
        until = found[0].until
        if until is None or until < now:
            raise _unknown(f"the revocation list of {issuer.subject} ended at {until}", link)

    def _lists_of(
        self, backend: Local, read: _Read, issuer: CertificateInfo
    ) -> tuple[lists.Revoked, ...]:
        """Return the lists that an authority signed, the newest first; checked once."""
        known = read.newest.get(issuer.sha256)
        if known is not None:
            return known
        named = read.lists.get(certificates.parsed(issuer.der).subject, ())
        found = tuple(each for each in named if lists.of(each, issuer, backend))
        with self._lock:
            read.newest[issuer.sha256] = found
            if len(read.newest) > _CHAINS:
                read.newest.popitem(last=False)
        return found

    def _fresh(self) -> _Read:
        try:
            return _Read(self._authorities, self._revocations)
        except TrustError as error:
            raise ConfigurationError(
                error.message, where=AUTHORITIES, found=error.found, expected=error.expected
            ) from error

    def _current(self) -> _Read:
        """Return what the files hold, read again if they changed; what went bad stays as it was."""
        stamps = self._watched.stamps()
        if stamps == self._stamps:
            return self._read
        with self._lock:
            if stamps != self._stamps:
                try:
                    self._read = self._fresh()
                    log.info("trust_read", authorities=len(self._read.anchors))
                except GatewayError as error:
                    log.warning("trust_unreadable", why=str(error))
                self._stamps = stamps
            return self._read


def _readable(der: bytes) -> bool:
    """Whether a certificate beside a message is one; others of its bundle may still help."""
    try:
        certificates.read(der)
    except TrustError:
        return False
    return True


def _strong(chain: tuple[CertificateInfo, ...]) -> None:
    """Raise TrustError for an issuer that is none, a weak key, or a weak signature of a link."""
    for issuer in chain[1:]:
        if not issuer.authority:
            raise _unknown("it was issued by somebody who is no authority", issuer)
    for link in chain:
        certificates.digest_for(link.public_key)
    for link in chain[:-1]:
        by = certificates.parsed(link.der).signature_algorithm_oid.dotted_string
        if by not in certificates.SIGNED_BY:
            raise TrustError(
                "сертификат подписан слабо · the certificate is signed by a weak method",
                "algorithm_refused",
                found=by,
                expected="GOST R 34.10-2012, or RSA or ECDSA with SHA-2",
            )


def _unknown(found: str, link: CertificateInfo) -> TrustError:
    return TrustError(
        "сертификату не доверяют · the certificate is not believed",
        "certificate_unknown",
        found=found,
        expected=f"a chain of {link.subject} to one of {AUTHORITIES}, and its lists",
    )
