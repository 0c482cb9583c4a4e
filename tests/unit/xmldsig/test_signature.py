"""Signatures of СМЭВ: who signed is found, and what was done to a message on its way."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from gateway import ns, xml, xmldsig
from gateway.errors import ConfigurationError, MalformedError, TrustError
from tests.gost_kit import NOW, needs_gost, opened

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.signing import Signing

pytestmark = needs_gost
TYPES = "urn://x-artefacts-smev-gov-ru/services/message-exchange/types/1.3"
MESSAGE = f"""<t:SendRequestRequest xmlns:t="{TYPES}" xmlns:p="urn:made-up:payload">
  <t:SenderProvidedRequestData Id="SIGNED_BY_CALLER">
    <t:MessageID>2fdb0b8e-e9f2-11f0-b0f5-0d6f3a4c5b6a</t:MessageID>
    <p:Appeal><p:Text>Не горит фонарь &gt;&gt; третий день &amp; ночь</p:Text></p:Appeal>
  </t:SenderProvidedRequestData>
  <t:CallerInformationSystemSignature/>
</t:SendRequestRequest>"""
ENVELOPED = f"{ns.DS}enveloped-signature"
XMLDSIG_MORE_256 = f"{ns.DS_MORE}gostr34102012-gostr34112012-256"


@pytest.fixture(scope="module")
def signing() -> Signing:
    return opened()


def signed(signing: Signing, key: str = "ours", message: str = MESSAGE) -> str:
    root = xml.parse(message.encode()).root
    made = xmldsig.sign(root[0], signing.keys.current(key, NOW), signing.backend)
    root[1].append(made)
    return etree.tostring(root, encoding="unicode")


def check(text: str, signing: Signing) -> xmldsig.Signed:
    root = xml.parse(text.encode()).root
    return xmldsig.verify(root.find(f".//{{{ns.DS}}}Signature"), root[0], signing.backend)


def refused(text: str, signing: Signing) -> str:
    """Return why a message is not believed; its explanation fails too."""
    root = xml.parse(text.encode()).root
    signature = root.find(f".//{{{ns.DS}}}Signature")
    with pytest.raises(TrustError) as caught:
        xmldsig.verify(signature, root[0], signing.backend)
    explained = xmldsig.explain(signature, root[0], signing.backend)
    assert not explained.fits
    assert caught.value.reason in {step.error.reason for step in explained.steps if step.error}
    return caught.value.reason


@pytest.mark.parametrize(
    ("key", "method"),
    [
        ("ours", "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256"),
        ("exchange", "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256"),
        ("wide", "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-512"),
        ("rsa", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
    ],
)
def test_what_was_signed_is_believed(signing: Signing, key: str, method: str) -> None:
    found = check(signed(signing, key), signing)
    assert found.method == method
    assert found.certificate == signing.keys.current(key, NOW).certificate.der
    assert found.reference == "SIGNED_BY_CALLER"


def test_signed_info_is_signed_as_it_will_be_canonical(signing: Signing) -> None:
    text = signed(signing)
    root = xml.parse(text.encode()).root
    explained = xmldsig.explain(root[1][0], root[0], signing.backend)
    assert explained.fits
    assert explained.signed_info == xml.c14n(root[1][0][0])
    assert explained.transformed == xmldsig.transform(root[0])
    assert re.search(r">\s", text[text.index("<ds:Signature") : text.index("</ds:Sign")]) is None


@pytest.mark.parametrize("declared", [f'xmlns="{ns.DS}"', f'xmlns:x="{ns.DS}"', 'xmlns:ds="urn:x"'])
def test_a_prefix_of_the_message_does_not_break_it(signing: Signing, declared: str) -> None:
    message = MESSAGE.replace("<t:SendRequestRequest", f"<t:SendRequestRequest {declared}")
    assert check(signed(signing, message=message), signing)


def test_prefixes_may_change_and_spaces_between_elements_too(signing: Signing) -> None:
    text = signed(signing)
    at = text.index("<ds:Signature")
    head, seal = text[:at], text[at:].replace("</t:", "</q:")
    head = re.sub("(</?|xmlns:)t([:=])", r"\1q\2", head)
    head = re.sub("(</?|xmlns:)p([:=])", r"\1other\2", head)
    changed = head.replace(">\n", ">\n\n\t ") + seal
    assert "<other:Text>" in changed
    assert check(changed, signing)


def test_indenting_it_breaks_the_signature_but_not_the_digest(signing: Signing) -> None:
    text = signed(signing)
    at = text.index("<ds:Signature")
    text = text[:at] + text[at:].replace("><ds:", ">\n  <ds:")
    assert refused(text, signing) == "signature_wrong"
    root = xml.parse(text.encode()).root
    steps = xmldsig.explain(root[1][0], root[0], signing.backend).steps
    assert {step.name: step.error is None for step in steps} == {
        "structure": True,
        "reference": True,
        "certificate": True,
        "signature": False,
        "digest": True,
    }


def test_spaces_outside_of_signed_info_are_taken(signing: Signing) -> None:
    text = signed(signing).replace("</ds:SignedInfo>", "</ds:SignedInfo>\n")
    text = re.sub("(<ds:SignatureValue>.{20})", r"\1\n  ", text)
    assert check(text, signing)


def test_the_other_names_of_gost_are_read(signing: Signing) -> None:
    """Another toolkit signs under them: the digest over SignedInfo is of their bytes."""
    root = xml.parse(MESSAGE.encode()).root
    key = signing.keys.current("ours", NOW)
    made = xmldsig.sign(root[0], key, signing.backend)
    root[1].append(made)
    made[0][1].set("Algorithm", XMLDSIG_MORE_256)
    made[0][2][1].set("Algorithm", f"{ns.DS_MORE}gostr34112012-256")
    value = signing.backend.sign(key, xml.c14n(made[0]))
    made[1].text = b64encode(value).decode()
    assert check(etree.tostring(root, encoding="unicode"), signing).method == XMLDSIG_MORE_256


@pytest.mark.parametrize(
    ("change", "to", "reason"),
    [
        ("третий", "второй", "digest_mismatch"),
        ("</p:Text>", "</p:Text><p:More/>", "digest_mismatch"),
        ('"#SIGNED_BY_CALLER"', '"#OTHER"', "signature_wrapped"),
        ('"#SIGNED_BY_CALLER"', '""', "signature_wrapped"),
        (' Id="SIGNED_BY_CALLER"', ' Id="MOVED"', "signature_wrapped"),
        (' Id="SIGNED_BY_CALLER"', "", "signature_wrapped"),
        ("<p:Text>", '<p:Text Id="SIGNED_BY_CALLER">', "signature_wrapped"),
        ("<p:Text>", '<p:Text xml:id="SIGNED_BY_CALLER">', "signature_wrapped"),
        ("<t:CallerInformationSystemSignature>",
         '<t:CallerInformationSystemSignature id="SIGNED_BY_CALLER">', "signature_wrapped"),
        ("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName/>", ""),
        ("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>", "signature_wrong"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>A", "signature_wrong"),
        ("</ds:SignatureValue>", "<!-- c -->AAAA</ds:SignatureValue>", "signature_wrong"),
        ("</ds:DigestValue>", "AAAA</ds:DigestValue>", "digest_mismatch"),
        ("</ds:X509Certificate>", "A</ds:X509Certificate>", "certificate_unreadable"),
        ("<ds:X509Certificate>MI", "<ds:X509Certificate>NI", "certificate_unreadable"),
        ("<ds:X509Data>", "<ds:X509Data><ds:X509Certificate/>", "certificate_unreadable"),
        ("<ds:Transforms>", f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/>',
         "algorithm_refused"),
        (xmldsig.TRANSFORM, ENVELOPED, "algorithm_refused"),
        ("urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256", f"{ns.DS}sha1",
         "algorithm_refused"),
        ("algorithms:gostr34102012-gostr34112012-256", "algorithms:gostr34102001-gostr3411",
         "algorithm_refused"),
        ("algorithms:gostr34102012-gostr34112012-256",
         "algorithms:gostr34102012-gostr34112012-512", "algorithm_refused"),
        ("urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256",
         f"{ns.DS_MORE}rsa-sha256", "algorithm_refused"),
        ("urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256",
         f"{ns.DS}hmac-sha1", "algorithm_refused"),
    ],
)  # fmt: skip
def test_what_was_done_to_it_is_told(signing: Signing, change: str, to: str, reason: str) -> None:
    text = signed(signing)
    assert change in text
    changed = text.replace(change, to, 1)
    if reason:
        assert refused(changed, signing) == reason
    else:
        assert check(changed, signing)


def test_a_signature_over_another_element_is_refused(signing: Signing) -> None:
    """The signed element was moved aside, and another stands where the receiver looks."""
    text = signed(signing)
    begin, end = text.index("<t:SenderProvided"), text.index("<t:CallerInformation")
    original, forged = text[begin:end], text[begin:end].replace("третий", "второй")
    aside = forged.replace("SIGNED_BY_CALLER", "FORGED") + f"<t:Aside>{original}</t:Aside>"
    assert refused(text[:begin] + aside + text[end:], signing) == "signature_wrapped"
    twice = forged + f"<t:Aside>{original}</t:Aside>"
    assert refused(text[:begin] + twice + text[end:], signing) == "signature_wrapped"


def test_a_second_reference_is_refused(signing: Signing) -> None:
    text = signed(signing)
    found = re.search(r"<ds:Reference .*</ds:Reference>", text)
    assert found
    assert refused(text.replace(found[0], found[0] * 2), signing) == "signature_wrapped"
    assert refused(text.replace(found[0], ""), signing) == "signature_wrapped"


def test_no_signature_is_told_apart(signing: Signing) -> None:
    root = xml.parse(MESSAGE.encode()).root
    with pytest.raises(TrustError) as caught:
        xmldsig.verify(None, root[0], signing.backend)
    assert caught.value.reason == "signature_missing"


def test_a_signature_of_somebody_else_does_not_fit(signing: Signing) -> None:
    """The certificate of another key, put under a signature that is not its own."""
    mine, other = signed(signing), signed(signing, "peer")
    pattern = r"<ds:X509Certificate>.*</ds:X509Certificate>"
    swapped = re.search(pattern, other)
    assert swapped
    assert refused(re.sub(pattern, swapped[0], mine), signing) == "signature_wrong"


def test_what_cannot_be_signed_is_said(signing: Signing) -> None:
    key = signing.keys.current("ours", NOW)
    for text in (
        MESSAGE.replace(' Id="SIGNED_BY_CALLER"', ""),
        MESSAGE.replace('"SIGNED_BY_CALLER"', '"a b"'),
        MESSAGE.replace("<p:Text>", "<Text/><p:Text>"),
        MESSAGE.replace("<p:Text>", '<p:Text xml:lang="ru">'),
    ):
        with pytest.raises(MalformedError):
            xmldsig.sign(xml.parse(text.encode()).root[0], key, signing.backend)


def test_a_key_that_is_not_for_smev_is_named(signing: Signing) -> None:
    key = signing.keys.current("ours", NOW)
    other = msgspec.structs.replace(key.certificate, kind="ec", public_key=_p256())
    root: _Element = xml.parse(MESSAGE.encode()).root
    with pytest.raises(ConfigurationError):
        xmldsig.sign(root[0], msgspec.structs.replace(key, certificate=other), signing.backend)


def _p256() -> bytes:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
