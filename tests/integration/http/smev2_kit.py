"""A side of СМЭВ 2 that shares no code of ours: lxml's canonical form and the `openssl` command."""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, b64encode

from lxml import etree

from tests.gost_kit import pki

ACTOR = "http://smev.gosuslugi.ru/actors/smev"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
NAMES = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "wsse": f"{WSS}wssecurity-secext-1.0.xsd",
    "wsu": f"{WSS}wssecurity-utility-1.0.xsd",
}
ID = f"{{{NAMES['wsu']}}}Id"
_GOST = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256"
METHODS = {
    "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256": "md_gost12_256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "sha256",
}
DIGESTS = {_GOST: "md_gost12_256", "http://www.w3.org/2001/04/xmlenc#sha256": "sha256"}
GOST, RSA = METHODS
OF_METHOD = dict(zip(METHODS, DIGESTS, strict=True))


def c14n(element):
    """Exclusive canonical form of an element where it stands, by libxml2."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def digest(uri, data):
    return pki().openssl("dgst", f"-{DIGESTS[uri]}", "-binary", given=data)


def signed_by_hand(envelope, holder, method=GOST, ident=""):
    """Return an envelope of SOAP 1.1 as an old portal signs it. ident: wsu:Id of its Body."""
    ident = ident or f"body-{secrets.token_hex(4)}"
    root = etree.fromstring(envelope)
    body = root.find("s:Body", NAMES)
    body.set(ID, ident)
    head = etree.fromstring(
        f'<s:Header xmlns:s="{NAMES["s"]}"><wsse:Security xmlns:wsse="{NAMES["wsse"]}"'
        f' xmlns:wsu="{NAMES["wsu"]}" s:actor="{ACTOR}"><wsse:BinarySecurityToken'
        f' EncodingType="{WSS}soap-message-security-1.0#Base64Binary"'
        f' ValueType="{WSS}x509-token-profile-1.0#X509v3" wsu:Id="SenderCertificate">'
        f"{b64encode(holder.der).decode()}</wsse:BinarySecurityToken>"
        f'<ds:Signature xmlns:ds="{NAMES["ds"]}">'
        f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="#{ident}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{EXC}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{OF_METHOD[method]}"/><ds:DigestValue/></ds:Reference>'
        "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><wsse:SecurityTokenReference>"
        '<wsse:Reference URI="#SenderCertificate"'
        f' ValueType="{WSS}x509-token-profile-1.0#X509v3"/></wsse:SecurityTokenReference>'
        "</ds:KeyInfo></ds:Signature></wsse:Security></s:Header>"
    )
    root.insert(0, head)
    value = root.find(".//ds:DigestValue", NAMES)
    value.text = b64encode(digest(OF_METHOD[method], c14n(body))).decode()
    info = root.find(".//ds:SignedInfo", NAMES)
    given = c14n(info)
    made = pki().openssl("dgst", f"-{METHODS[method]}", "-sign", holder.key, given=given)
    root.find(".//ds:SignatureValue", NAMES).text = b64encode(made).decode()
    return etree.tostring(root, encoding="utf-8")


def faults_of(envelope, holder, tmp_path):
    """Return what is wrong with a signature of СМЭВ 2 over these bytes; nothing when it holds.

    holder: whose it has to be. The certificate is that of the token, the Body that of the bytes.
    """
    root = etree.fromstring(envelope)
    [security] = root.findall("s:Header/wsse:Security", NAMES)
    [token] = security.findall("wsse:BinarySecurityToken", NAMES)
    [signature] = security.findall("ds:Signature", NAMES)
    [reference] = signature.findall("ds:SignedInfo/ds:Reference", NAMES)
    body = root.find("s:Body", NAMES)
    method = signature.find("ds:SignedInfo/ds:SignatureMethod", NAMES).get("Algorithm")
    certificate = b64decode(token.text)
    wrong = []
    if security.get(f"{{{NAMES['s']}}}actor") != ACTOR:
        wrong.append("actor")
    if security.find("wsu:Timestamp", NAMES) is not None:
        wrong.append("timestamp")
    if certificate != holder.der:
        wrong.append("certificate")
    named = signature.find("ds:KeyInfo/wsse:SecurityTokenReference/wsse:Reference", NAMES)
    if named.get("URI") != f"#{token.get(ID)}":
        wrong.append("token")
    if reference.get("URI") != f"#{body.get(ID)}":
        wrong.append("reference")
    transforms = [each.get("Algorithm") for each in reference.iterfind(".//ds:Transform", NAMES)]
    if transforms != [EXC]:
        wrong.append("transforms")
    kind = reference.find("ds:DigestMethod", NAMES).get("Algorithm")
    if digest(kind, c14n(body)) != b64decode(reference.findtext("ds:DigestValue", "", NAMES)):
        wrong.append("digest")
    value = b64decode(signature.findtext("ds:SignatureValue", "", NAMES))
    if not _fits(
        certificate, method, c14n(signature.find("ds:SignedInfo", NAMES)), value, tmp_path
    ):
        wrong.append("signature")
    return wrong


def _fits(certificate, method, data, value, tmp_path):
    key, made = tmp_path / "token.pub", tmp_path / "value.bin"
    key.write_bytes(pki().openssl("x509", "-inform", "DER", "-pubkey", "-noout", given=certificate))
    made.write_bytes(value)
    try:
        told = pki().openssl(
            "dgst", f"-{METHODS[method]}", "-verify", key, "-signature", made, given=data
        )
    except AssertionError:
        return False
    return b"Verified OK" in told


def spoiled(envelope):
    """Return an envelope with another byte in its signature."""
    value = re.search(rb"SignatureValue>([^<]+)<", envelope)[1]
    other = bytearray(b64decode(value))
    other[7] ^= 1
    return envelope.replace(value, b64encode(bytes(other)))
