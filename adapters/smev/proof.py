"""Whose word an answer is: the signatures of СМЭВ, of the sender, of an official, each verified.

A signature that fits is not enough: its certificate has to be believed on the day, by a chain to
an authority of ours that has not taken it back. That of СМЭВ itself may be named by its digest
besides (`smev_certificates`), so that no other system of the same authority can speak for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import xmldsig
from gateway.errors import ConfigurationError, MalformedError, TrustError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from lxml.etree import _Element

    from adapters.smev.messages.types import Answer, Sign, Signed
    from gateway.signing import Signing

_WHOSE: Final = {
    "smev": "СМЭВ · SMEVSignature",
    "sender": "отправителя · SenderInformationSystemSignature",
    "personal": "должностного лица · PersonalSignature",
}


class Proof:
    """Signs and verifies for one system. pinned: SHA-256 in hex of СМЭВ's own certificates."""

    def __init__(self, signing: Signing, pinned: Collection[str] = ()) -> None:
        self._signing = signing
        self._pinned = frozenset(pin.replace(":", "").lower() for pin in pinned)

    @property
    def signing(self) -> Signing:
        """Backend, keys and trust."""
        return self._signing

    def signer(self, name: str, now: datetime) -> Sign:
        """Return what signs by the key of that name; raise ConfigurationError."""
        if not name:
            raise ConfigurationError(
                "key: не сказано, каким ключом подписывать · no key to sign with",
                where="options.key",
                expected=", ".join(self._signing.keys.names()),
            )
        key, backend = self._signing.keys.current(name, now), self._signing.backend

        def sign(element: _Element) -> _Element:
            return xmldsig.sign(element, key, backend)

        return sign

    def by_smev(self, answer: Answer, now: datetime) -> None:
        """Raise TrustError unless СМЭВ signed what it says."""
        self._each([one for one in answer.signed if one.who == "smev"], now, "smev")

    def by_sender(self, answer: Answer, now: datetime) -> None:
        """Raise TrustError for a signature of the sender, or of an official, that does not hold.

        What СМЭВ itself says in the place of an answer has no sender's signature; that of СМЭВ,
        which was verified before, is what it is believed by.
        """
        told = [one for one in answer.signed if one.who == "sender" and one.signature is not None]
        official = [one for one in answer.signed if one.who == "personal"]
        if not told and not _says_smev(answer):
            raise TrustError("the sender did not sign", "signature_missing", where=_WHOSE["sender"])
        self._each([*told, *official], now, "")

    def cms(self, signature: bytes, data: bytes, now: datetime) -> None:
        """Raise TrustError unless a detached signature over a file holds."""
        signed = self._signing.backend.cms_verify(signature, data)
        self._signing.trust.check(signed.certificate.der, now)

    def _each(self, wanted: Sequence[Signed], now: datetime, needed: str) -> None:
        if needed and not wanted:
            raise TrustError("no signature", "signature_missing", where=_WHOSE[needed])
        for one in wanted:
            where = _WHOSE[one.who]
            if one.signature is None:
                raise TrustError("no signature, or several", "signature_missing", where=where)
            try:
                found = xmldsig.verify(one.signature, one.element, self._signing.backend)
                self._signing.trust.check(found.certificate, now)
            except MalformedError as error:
                raise TrustError(str(error), "signature_wrong", where=where) from error
            except TrustError as error:
                error.where = where
                raise
            if one.who == "smev" and self._pinned and found.info.sha256 not in self._pinned:
                raise TrustError(
                    "a certificate that is not СМЭВ's",
                    "certificate_unknown",
                    found=found.info.sha256,
                    expected="smev_certificates",
                    where=where,
                )


def _says_smev(answer: Answer) -> bool:
    data = getattr(answer, "data", None)
    return getattr(data, "async_status", None) is not None
