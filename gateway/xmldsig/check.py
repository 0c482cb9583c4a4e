"""Checks a ds:Signature of the profile of СМЭВ 3, and explains what it found.

Nothing of a message is believed for what it says of itself. The reference has to be to the element
that the caller is going to use, under an Id that no other element of the document carries, so that
nobody can wrap a signed element into another message. The transforms are those two and no other.
The methods are of a short list, and that of the signature has to be one for the key of the
certificate. Whether that certificate is believed is asked of `Trust` by the caller.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import msgspec
from lxml import etree

from gateway import limits, ns
from gateway.errors import MalformedError, TrustError
from gateway.signing import CertificateInfo, Kind
from gateway.xmldsig.signature import (
    DIGEST_METHODS,
    IDS,
    SIGNATURE_METHODS,
    TRANSFORM,
    identifier,
)
from gateway.xmldsig.transform import digested

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml.etree import _Element

    from gateway.errors import TrustReason
    from gateway.signing import Backend

SIGNATURE: Final = ns.tag(ns.DS, "Signature")
_TRANSFORMS: Final = [ns.EXC_C14N, TRANSFORM]
_ID_LOCALS: Final = frozenset(IDS)
_CARRYING: Final = etree.XPath("//@*[. = $id]")
_CERTIFICATE: Final = f"{{{ns.DS}}}X509Data/{{{ns.DS}}}X509Certificate"

StepName = Literal["structure", "reference", "certificate", "signature", "digest"]


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that fits. Whether its certificate is believed was not asked.

    certificate: DER; info: what was read of it. method, digest_method: URIs. reference: the Id of
    the element. digest, value: the bytes of DigestValue and SignatureValue.
    """

    certificate: bytes
    info: CertificateInfo
    method: str
    digest_method: str
    reference: str
    digest: bytes
    value: bytes


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a check: what came of it, and why it failed where it did."""

    name: StepName
    found: Mapping[str, str | bytes]
    error: TrustError | None = None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Every step of a check, the later ones too where an earlier one failed and they could go on.

    transformed, signed_info: the bytes that were digested and those that were signed, empty where
    it did not come to them.
    """

    steps: tuple[Step, ...]
    transformed: bytes = b""
    signed_info: bytes = b""

    @property
    def fits(self) -> bool:
        """Whether every step went well."""
        return all(step.error is None for step in self.steps)


class _Parts(msgspec.Struct, frozen=True, kw_only=True):
    info: Any
    method: str
    kind: Kind
    uri: str
    digest_method: str
    digest: bytes
    value: bytes
    certificate: bytes


def verify(signature: _Element | None, target: _Element, backend: Backend) -> Signed:
    """Return who signed an element; raise TrustError.

    signature: ds:Signature of a document that `gateway.xml` parsed, without comments. target: the
    element that the caller is going to use, in the same document or another. What MTOM took out of
    it has to be back in it as base64. The signature is checked before the element is digested, so
    that only somebody with a key makes us work.
    """
    parts = _read(signature)
    _resolve(parts, target)
    certificate = _certificate(parts, backend)
    _check_value(parts, _signed_info(parts), backend)
    _check_digest(parts, _digest(parts, _transformed(target), backend))
    return Signed(
        certificate=parts.certificate,
        info=certificate,
        method=parts.method,
        digest_method=parts.digest_method,
        reference=parts.uri[1:],
        digest=parts.digest,
        value=parts.value,
    )


def explain(signature: _Element | None, target: _Element, backend: Backend) -> Explained:
    """Return each step of `verify` with its values; raise nothing that `verify` would."""
    try:
        parts = _read(signature)
    except TrustError as error:
        return Explained(steps=(Step(name="structure", found={}, error=error),))
    found: dict[str, str | bytes] = {"method": parts.method, "digest_method": parts.digest_method}
    steps = [Step(name="structure", found=found)]

    def step(name: StepName, values: dict[str, str | bytes], do: Callable[[], object]) -> None:
        try:
            do()
        except TrustError as error:
            steps.append(Step(name=name, found=values, error=error))
        else:
            steps.append(Step(name=name, found=values))

    reference = {"uri": parts.uri, "element": str(target.tag), "id": identifier(target)}
    step("reference", {**reference}, lambda: _resolve(parts, target))
    values: dict[str, str | bytes] = {}
    step("certificate", values, lambda: values.update(_told(_certificate(parts, backend))))
    info = b""
    wanted: dict[str, str | bytes] = {"value": parts.value}
    try:
        wanted["signed_info"] = info = _signed_info(parts)
        step("signature", wanted, lambda: _check_value(parts, info, backend))
    except TrustError as error:
        steps.append(Step(name="signature", found=wanted, error=error))
    transformed = made = b""
    digests: dict[str, str | bytes] = {"found": parts.digest}
    try:
        transformed = _transformed(target)
        digests["computed"] = made = _digest(parts, transformed, backend)
        step("digest", digests, lambda: _check_digest(parts, made))
    except TrustError as error:
        steps.append(Step(name="digest", found=digests, error=error))
    return Explained(steps=tuple(steps), transformed=transformed, signed_info=info)


def _read(signature: _Element | None) -> _Parts:
    """Return the parts of a signature, which are these and no others; raise TrustError."""
    if signature is None or signature.tag != SIGNATURE:
        raise TrustError("there is no ds:Signature", "signature_missing")
    info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    references = info.findall(ns.tag(ns.DS, "Reference"))
    if len(references) != 1:
        raise TrustError(
            "a signature has exactly one reference",
            "signature_wrapped",
            found=str(len(references)),
            expected="1",
        )
    c14n, method, reference = _children(
        info, "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    transforms, digest_method, digest = _children(
        reference, "Transforms", "DigestMethod", "DigestValue"
    )
    _require_bare(c14n, method, digest_method, *transforms)
    _require_algorithm(c14n.get("Algorithm", ""), (ns.EXC_C14N,))
    steps = [each.get("Algorithm", "") for each in transforms]
    if steps != _TRANSFORMS or any(e.tag != ns.tag(ns.DS, "Transform") for e in transforms):
        raise _refused(", ".join(steps), _TRANSFORMS)
    certificates = key_info.findall(_CERTIFICATE)
    if len(certificates) != 1:
        raise TrustError(
            "KeyInfo holds exactly one certificate",
            "certificate_unreadable",
            found=str(len(certificates)),
            expected="ds:X509Data/ds:X509Certificate",
        )
    return _Parts(
        info=info,
        method=(uri := _require_algorithm(method.get("Algorithm", ""), SIGNATURE_METHODS)),
        kind=SIGNATURE_METHODS[uri],
        uri=reference.get("URI", ""),
        digest_method=_require_algorithm(digest_method.get("Algorithm", ""), DIGEST_METHODS),
        digest=_bytes(digest, "digest_mismatch"),
        value=_bytes(value, "signature_wrong"),
        certificate=_bytes(certificates[0], "certificate_unreadable"),
    )


def _children(element: _Element, *names: str) -> Sequence[_Element]:
    children = list(islice(element, len(names) + 1))
    if [each.tag for each in children] != [ns.tag(ns.DS, name) for name in names]:
        raise TrustError(
            "the signature is not built as expected",
            "signature_wrong",
            found=", ".join(str(each.tag) for each in children),
            expected=", ".join(names),
            where=str(element.tag),
        )
    return children


def _require_bare(*elements: _Element) -> None:
    """Refuse parameters of an algorithm: none of ours has one, InclusiveNamespaces neither."""
    for each in elements:
        if len(each):
            raise _refused(str(each[0].tag), ("no parameters",))


def _require_algorithm(uri: str, offered: Sequence[str] | Mapping[str, Any]) -> str:
    if uri not in offered:
        raise _refused(uri, offered)
    return uri


def _refused(found: str, offered: Sequence[str] | Mapping[str, Any]) -> TrustError:
    return TrustError(
        "the algorithm is not accepted",
        "algorithm_refused",
        found=found,
        expected=", ".join(offered),
    )


def _bytes(element: _Element, reason: TrustReason) -> bytes:
    """Return what an element holds in base64, broken into lines or not."""
    held = element.text or ""
    if not len(element) and len(held) <= limits.SECURITY_TOKEN_CHARS:
        try:
            return b64decode("".join(held.split()), validate=True)
        except ValueError:
            pass
    raise TrustError("not base64", reason, found=held[:40], where=str(element.tag))


def _resolve(parts: _Parts, target: _Element) -> None:
    """Refuse a reference to anything but the target, and an Id that stands twice."""
    name = identifier(target)
    if not name or parts.uri != f"#{name}":
        raise TrustError(
            "the signature is not over this element",
            "signature_wrapped",
            found=parts.uri,
            expected=f"#{name}" if name else "an element with an Id",
            where=str(target.tag),
        )
    carrying = cast("list[Any]", _CARRYING(target, id=name))
    count = sum(each.attrname.rpartition("}")[2] in _ID_LOCALS for each in carrying)
    if count != 1:
        raise TrustError(
            "several elements carry the Id of the signed one",
            "signature_wrapped",
            found=f"{name}: {count}",
            expected="1",
        )


def _certificate(parts: _Parts, backend: Backend) -> CertificateInfo:
    found = backend.certificate(parts.certificate)
    if found.kind != parts.kind:
        raise TrustError(
            "the method of the signature is not one for the key of the certificate",
            "algorithm_refused",
            found=parts.method,
            expected=found.kind,
        )
    return found


def _told(certificate: CertificateInfo) -> dict[str, str | bytes]:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "valid": f"{certificate.not_before.isoformat()} … {certificate.not_after.isoformat()}",
        "key": certificate.kind,
        "sha256": certificate.sha256,
    }


def _signed_info(parts: _Parts) -> bytes:
    try:
        made = etree.tostring(parts.info, method="c14n", exclusive=True, with_comments=False)
    except etree.C14NError as error:
        raise TrustError("SignedInfo has no canonical form", "signature_wrong") from error
    if len(made) > limits.SECURITY_INFO_CHARS:
        raise TrustError("SignedInfo is too large", "signature_wrong", found=f"{len(made)} bytes")
    return made


def _check_value(parts: _Parts, info: bytes, backend: Backend) -> None:
    if not backend.verify(parts.certificate, info, parts.value):
        raise TrustError("the signature does not fit SignedInfo", "signature_wrong")


def _transformed(target: _Element) -> bytes:
    try:
        return digested(target)
    except MalformedError as error:
        raise TrustError(
            "what is signed has no form in the transform", "digest_mismatch", found=error.found
        ) from error


def _digest(parts: _Parts, transformed: bytes, backend: Backend) -> bytes:
    return backend.digest(DIGEST_METHODS[parts.digest_method], transformed)


def _check_digest(parts: _Parts, made: bytes) -> None:
    if not hmac.compare_digest(made, parts.digest):
        raise TrustError(
            "the element was changed after it was signed",
            "digest_mismatch",
            found=f"{parts.digest.hex()} in the message",
            expected=f"{made.hex()} computed",
        )
