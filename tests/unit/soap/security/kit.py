"""Messages written by hand from the specifications, and the credentials of two peers.

Nothing here uses the writers of the package: what they have in common with the readers by mistake
would not be found.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree

from gateway import ns, xml
from gateway.errors import SecurityError
from gateway.soap import security

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPACE = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
BASE64 = f"{WSS}soap-message-security-1.0#Base64Binary"
X509V3 = f"{WSS}x509-token-profile-1.0#X509v3"
SKI = f"{WSS}x509-token-profile-1.0#X509SubjectKeyIdentifier"
THUMBPRINT = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
TEXT = f"{WSS}username-token-profile-1.0#PasswordText"
DIGEST = f"{WSS}username-token-profile-1.0#PasswordDigest"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256 = f"{MORE}rsa-sha256"
SHA = {SHA256: hashlib.sha256, SHA384: hashlib.sha384, SHA512: hashlib.sha512}
HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
BODY = '<GetAppeal xmlns="urn:gov:appeals:v1"><Key><ExternalId>проба</ExternalId></Key></GetAppeal>'
HOLE = "<hole/>"
"""Where `sign` puts the signature."""


def key_of(kind="rsa", number=1):
    """Return a private key; of one kind and number always the same one."""
    return _key(kind, number)


@lru_cache
def _key(kind, _number):
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(),
              "k256": ec.SECP256K1()}  # fmt: skip
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    return rsa.generate_private_key(65537, {"rsa": 2048, "rsa1024": 1024}[kind])


def certificate(kind="rsa", number=1, *, days=(-10, 400), usage=None):
    """Return the DER of a certificate that a test authority has issued, always the same one."""
    return _certificate(kind, number, days, usage)


@lru_cache
def _certificate(kind, number, days, usage):
    name = x509.Name.from_rfc4514_string(f"CN=Система {number},O=Проба,C=RU")
    issuer = x509.Name.from_rfc4514_string("CN=Удостоверяющий центр,O=Проба\\, учебная,C=RU")
    key = key_of(kind, number).public_key()
    made = (
        x509.CertificateBuilder(
            subject_name=name,
            issuer_name=issuer,
            public_key=key,
            serial_number=1000 + number,
            not_valid_before=NOW + timedelta(days=days[0]),
            not_valid_after=NOW + timedelta(days=days[1]),
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )  # fmt: skip
    if usage:
        rights = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
            False,
        )  # fmt: skip
        made = made.add_extension(x509.KeyUsage(**{**rights, usage: True}), critical=True)
    return made.sign(key_of("p256", 0), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def pem(kind="rsa", number=1):
    """Return the certificate and the private key as an operator has them."""
    made = x509.load_der_x509_certificate(certificate(kind, number))
    return (
        made.public_bytes(serialization.Encoding.PEM),
        key_of(kind, number).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


@dataclass
class Peers:
    """What the gateway knows of its peers."""

    passwords: dict = field(default_factory=lambda: {("omsu", "gw_key_secret"): "omsu"})
    digests: dict = field(default_factory=lambda: {"omsu": [b"old", "пароль".encode()]})
    registered: dict = field(default_factory=lambda: {certificate(): "omsu"})

    def password(self, user, password):
        return self.passwords.get((user, password))

    def secrets(self, user):
        return self.digests.get(user, ())

    def certificate(self, der):
        return self.registered.get(der)

    def _first(self, fits):
        loaded = ((der, x509.load_der_x509_certificate(der)) for der in self.registered)
        return next((der for der, found in loaded if fits(found)), None)

    def issued(self, issuer, serial):
        return self._first(
            lambda c: (c.issuer.rfc4514_string(), c.serial_number) == (issuer, serial)
        )

    def by_ski(self, ski):
        ext = x509.SubjectKeyIdentifier
        return self._first(lambda c: c.extensions.get_extension_for_class(ext).value.digest == ski)

    def by_thumbprint(self, sha1):
        return self._first(lambda c: c.fingerprint(hashes.SHA1()) == sha1)


@dataclass
class Ctx:
    """The rest of the world: a clock, the peers, a memory of what was seen."""

    now: datetime = NOW
    keys: Peers | None = field(default_factory=Peers)
    secure_wire: bool = True
    memory: dict = field(default_factory=dict)

    def seen(self, what, until):
        assert until > self.now, "what is remembered shorter than it is accepted may be replayed"
        known = self.memory.get(what)
        self.memory[what] = until
        return known is not None and known > self.now


def read(data, ctx=None, version="1.1"):
    """Return what the gateway makes of a message."""
    root = xml.parse(data.encode() if isinstance(data, str) else data).root
    head = root.find(f"{{{SPACE[version]}}}Header")
    blocks = () if head is None else tuple(head)
    return security.read(root, blocks, version, ctx or Ctx())


def refused(data, ctx=None, version="1.1"):
    """Return the refusal of a message; nothing of a refused one is remembered."""
    ctx = ctx or Ctx()
    before = dict(ctx.memory)
    with pytest.raises(SecurityError) as caught:
        read(data, ctx, version)
    assert set(ctx.memory) == set(before)
    return caught.value


def at(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def timestamp(created=NOW, expires=NOW + timedelta(minutes=5), name="T"):
    """WS-Security 1.1, section 10."""
    created = at(created) if isinstance(created, datetime) else created
    last = f"<wsu:Expires>{at(expires)}</wsu:Expires>" if expires else ""
    return (
        f'<wsu:Timestamp wsu:Id="{name}"><wsu:Created>{created}</wsu:Created>{last}</wsu:Timestamp>'
    )


def binary_token(der=None, name="X", kind=X509V3):
    """X.509 Token Profile 1.1, section 3.1."""
    return (
        f'<wsse:BinarySecurityToken EncodingType="{BASE64}" ValueType="{kind}" wsu:Id="{name}">'
        f"{b64(der or certificate())}</wsse:BinarySecurityToken>"
    )


def header(*blocks):
    """Return a Security header around the blocks."""
    return (
        f'<wsse:Security xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}" e:mustUnderstand="1">'
        f"{''.join(blocks)}</wsse:Security>"
    )


def soap(head, body=BODY, version="1.1", body_id=' wsu:Id="B"', declared=""):
    """Return an envelope."""
    return (
        f'<e:Envelope xmlns:e="{SPACE[version]}" xmlns:wsu="{ns.WSU}"{declared}>'
        f"<e:Header>{head}</e:Header><e:Body{body_id}>{body}</e:Body></e:Envelope>"
    )


def by_reference(name="X", kind=X509V3):
    return str_(f'<wsse:Reference URI="#{name}" ValueType="{kind}"/>')


def str_(inner):
    return (
        f'<wsse:SecurityTokenReference xmlns:wsse="{ns.WSSE}">{inner}</wsse:SecurityTokenReference>'
    )


def transform(algorithm=EXC, prefixes=""):
    listed = (
        f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>' if prefixes else ""
    )
    return f'<ds:Transform Algorithm="{algorithm}">{listed}</ds:Transform>'


@dataclass
class Signing:
    """How to sign; a test changes what it is about."""

    refs: tuple = ("B", "T")
    kind: str = "rsa"
    number: int = 1
    method: str = RSA_SHA256
    digest: str = SHA256
    transforms: str = transform()
    prefixes: str = ""
    """PrefixList of the references, as the transforms say it."""
    info_prefixes: str = ""
    c14n: str = EXC
    key_info: str = field(default_factory=by_reference)
    in_method: str = ""
    after: str = ""

    def sign(self, text):
        """Return the message with the signature where the hole is (XML Signature, section 3.1)."""
        assert text.count(HOLE) == 1
        root = etree.fromstring(text)
        refs = "".join(self._reference(root, ref) for ref in self.refs)
        listed = transform(self.c14n, self.info_prefixes).replace("Transform", "Canonicalization")
        c14n = listed.replace("Canonicalization ", "CanonicalizationMethod ").replace(
            "/ds:Canonicalization", "/ds:CanonicalizationMethod"
        )
        signature = (
            f'<ds:Signature xmlns:ds="{ns.DS}"><ds:SignedInfo>{c14n}'
            f'<ds:SignatureMethod Algorithm="{self.method}">{self.in_method}</ds:SignatureMethod>'
            f"{refs}</ds:SignedInfo><ds:SignatureValue>{HOLE}</ds:SignatureValue>"
            f"<ds:KeyInfo>{self.key_info}</ds:KeyInfo>{self.after}</ds:Signature>"
        )
        whole = text.replace(HOLE, signature)
        root = etree.fromstring(whole)
        info = next(root.iter(f"{{{ns.DS}}}SignedInfo"))
        value = self._value(c14n_of(info, self.info_prefixes))
        return whole.replace(HOLE, b64(value))

    def _reference(self, root, ref):
        """ref: an id, or (URI, id of what is really hashed)."""
        uri, name = ref if isinstance(ref, tuple) else (f"#{ref}", ref)
        found = root.xpath("//*[@*[local-name()='Id']=$name]", name=name)[0]
        hashed = SHA.get(self.digest, hashlib.sha1)(c14n_of(found, self.prefixes)).digest()
        given = f' URI="{uri}"' if uri is not None else ""
        steps = f"<ds:Transforms>{self.transforms}</ds:Transforms>" if self.transforms else ""
        return (
            f'<ds:Reference{given}>{steps}<ds:DigestMethod Algorithm="{self.digest}"/>'
            f"<ds:DigestValue>{b64(hashed)}</ds:DigestValue></ds:Reference>"
        )

    def _value(self, data):
        key = key_of(self.kind, self.number)
        size = next((h for name, h in HASHES.items() if name in self.method), hashes.SHA1())
        if isinstance(key, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(size)))
            width = (key.curve.key_size + 7) // 8
            return r.to_bytes(width) + s.to_bytes(width)
        if "MGF1" in self.method:
            return key.sign(data, padding.PSS(padding.MGF1(size), size.digest_size), size)
        return key.sign(data, padding.PKCS1v15(), size)


def c14n_of(element, prefixes=""):
    if "#default" in prefixes:  # else lxml does not know the word, and leaves it out
        etree.fromstring('<!DOCTYPE a [<!ATTLIST a b CDATA "#default">]><a/>')
    return etree.tostring(
        element, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes.split() or None
    )


def signed(signing=None, *, stamp=None, version="1.1", body=BODY, **changes):
    """Return a message signed over Body and Timestamp by a registered certificate."""
    signing = signing or Signing(**changes)
    der = certificate(signing.kind, signing.number)
    head = header(timestamp() if stamp is None else stamp, binary_token(der), HOLE)
    return signing.sign(soap(head, body, version))


def b64(data):
    return b64encode(data).decode()


def username(user="omsu", password="gw_key_secret", kind=TEXT, rest=""):
    """UsernameToken Profile 1.1, section 3.1."""
    kind = f' Type="{kind}"' if kind else ""
    return (
        f'<wsse:UsernameToken wsu:Id="U"><wsse:Username>{user}</wsse:Username>'
        f"<wsse:Password{kind}>{password}</wsse:Password>{rest}</wsse:UsernameToken>"
    )


def digested(user="omsu", password="пароль", nonce=b"0123456789abcdef", created=NOW):
    """Password_Digest = Base64(SHA-1(nonce + created + password))."""
    instant = at(created)
    made = hashlib.sha1(nonce + instant.encode() + password.encode()).digest()
    rest = f"{nonce_of(nonce)}<wsu:Created>{instant}</wsu:Created>"
    return username(user, b64(made), DIGEST, rest)


def nonce_of(nonce):
    return f'<wsse:Nonce EncodingType="{BASE64}">{b64(nonce)}</wsse:Nonce>'
