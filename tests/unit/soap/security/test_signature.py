"""A signature over Body and Timestamp proves its peer, and nothing less does."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from gateway import ns, xml
from gateway.errors import SecurityError
from gateway.soap import security
from tests.unit.soap.security.kit import (
    BODY,
    EXC,
    HOLE,
    MORE,
    NOW,
    RSA_SHA256,
    SHA256,
    SHA384,
    SHA512,
    Ctx,
    Peers,
    Signing,
    b64,
    binary_token,
    by_reference,
    certificate,
    digested,
    header,
    key_of,
    read,
    refused,
    signed,
    soap,
    timestamp,
    transform,
    username,
)

PSS = "http://www.w3.org/2007/05/xmldsig-more#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{ns.DS}enveloped-signature"


def known(kind, number=1, peer="omsu"):
    return Ctx(keys=Peers(registered={certificate(kind, number): peer}))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_signed_message_proves_its_peer_and_what_it_signed(version):
    proof = read(signed(version=version), version=version)
    assert proof.peer == "omsu"
    assert proof.kinds == {"signature"}
    assert proof.signed == {"body", "timestamp"}
    assert proof.timestamp
    assert proof.certificate == certificate()
    assert len(proof.signature) == 256


@pytest.mark.parametrize("digest", [SHA256, SHA384, SHA512])
@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("rsa", f"{MORE}rsa-sha256"),
        ("rsa", f"{MORE}rsa-sha384"),
        ("rsa", f"{MORE}rsa-sha512"),
        ("rsa", f"{PSS}sha256-rsa-MGF1"),
        ("rsa", f"{PSS}sha384-rsa-MGF1"),
        ("rsa", f"{PSS}sha512-rsa-MGF1"),
        ("p256", f"{MORE}ecdsa-sha256"),
        ("p384", f"{MORE}ecdsa-sha384"),
        ("p521", f"{MORE}ecdsa-sha512"),
        ("p256", f"{MORE}ecdsa-sha512"),
    ],
)
def test_each_offered_algorithm_is_accepted(kind, method, digest):
    message = signed(kind=kind, method=method, digest=digest)
    assert read(message, known(kind)).kinds == {"signature"}
    tampered = message.replace("проба", "подмена")
    assert refused(tampered, known(kind)).fault == "FailedCheck"


@pytest.mark.parametrize(
    "changes",
    [
        {"method": f"{ns.DS}rsa-sha1"},
        {"method": f"{ns.DS}dsa-sha1"},
        {"method": f"{ns.DS}hmac-sha1"},
        {"method": f"{MORE}hmac-sha256"},
        {"method": f"{MORE}rsa-md5"},
        {"method": f"{PSS}rsa-pss"},
        {"method": f"{MORE}ecdsa-sha1"},
        {"method": f"{MORE}ecdsa-sha256"},
        {"method": ""},
        {"method": "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256"},
        {"digest": f"{ns.DS}sha1"},
        {"digest": f"{MORE}md5"},
        {"digest": ""},
        {"c14n": INCLUSIVE},
        {"c14n": f"{EXC}WithComments"},
        {"transforms": transform(INCLUSIVE)},
        {"transforms": transform(f"{EXC}WithComments")},
        {"transforms": transform("http://www.w3.org/TR/1999/REC-xpath-19991116")},
        {"transforms": transform("http://www.w3.org/2002/06/xmldsig-filter2")},
        {"transforms": transform("http://www.w3.org/TR/1999/REC-xslt-19991116")},
        {"transforms": transform(f"{ns.DS}base64")},
        {"transforms": transform(f"{ns.WSS_MESSAGE}#STR-Transform")},
        {"transforms": transform(ENVELOPED)},
        {"transforms": transform() + transform()},
        {"transforms": transform() + transform(ENVELOPED)},
        {"transforms": transform(ENVELOPED) + transform(ENVELOPED) + transform()},
        {"in_method": "<ds:HMACOutputLength>1</ds:HMACOutputLength>"},
    ],
)
def test_any_other_algorithm_is_refused_by_its_name(changes):
    error = refused(signed(**changes))
    assert error.fault == "UnsupportedAlgorithm", str(error)


def test_a_weak_algorithm_tells_what_to_choose():
    error = refused(signed(method=f"{ns.DS}rsa-sha1"))
    assert error.found == f"{ns.DS}rsa-sha1"
    assert RSA_SHA256 in error.expected
    assert "Basic256Sha256" in error.todo


def test_no_transform_at_all_would_be_inclusive_canonicalization_and_is_refused():
    assert refused(signed(transforms="")).fault == "InvalidSecurity"


def test_enveloped_signature_before_the_canonicalization_takes_nothing_away():
    assert read(signed(transforms=transform(ENVELOPED) + transform())).peer == "omsu"


@pytest.mark.parametrize("prefixes", ["x", "e x", "#default", "#default e x y", "absent", "x x"])
def test_a_prefix_list_is_honoured(prefixes):
    """WSS4J lists the prefixes of the whole envelope, `#default` for the one without a name."""
    signing = Signing(transforms=transform(EXC, prefixes), prefixes=prefixes)
    body = '<a xmlns="urn:d"><y:b xmlns:y="urn:y"/></a>'
    text = soap(header(timestamp(), binary_token(), HOLE), body, declared=' xmlns:x="urn:x"')
    assert read(signing.sign(text)).peer == "omsu"


def test_a_prefix_list_of_the_signature_itself_is_honoured():
    signing = Signing(info_prefixes="x e")
    text = soap(header(timestamp(), binary_token(), HOLE), declared=' xmlns:x="urn:x"')
    assert read(signing.sign(text)).peer == "omsu"


def test_a_prefix_in_a_value_is_protected_when_it_is_listed():
    body = '<a b="zz:c"/>'
    signing = Signing(transforms=transform(EXC, "zz"), prefixes="zz")
    text = soap(header(timestamp(), binary_token(), HOLE), body, declared=' xmlns:zz="urn:one"')
    message = signing.sign(text)
    assert read(message).peer == "omsu"
    assert refused(message.replace("urn:one", "urn:two")).fault == "FailedCheck"


@pytest.mark.parametrize("prefix", ["threadpfx", "#default"])
def test_a_prefix_list_is_honoured_in_another_thread_than_the_parsers(prefix):
    """A message is parsed on the event loop and checked in a thread that parsed other things."""
    made = []

    def sign():
        text = soap(
            header(timestamp(), binary_token(), HOLE),
            "<e:a/>",
            declared=' xmlns:threadpfx="urn:x" xmlns="urn:default"',
        )
        signing = Signing(transforms=transform(EXC, prefix), prefixes=prefix)
        made.append(signing.sign(text).encode())

    def parse():
        made.append(xml.parse(made[0]).root)

    def check():
        etree.fromstring(b"<other/>")
        made.append(security.read(made[1], tuple(made[1][0]), "1.1", Ctx()))

    for step in (sign, parse, check):
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
    assert made[2].peer == "omsu"


def test_what_has_no_canonical_form_is_refused():
    """A namespace has to be an absolute URI (Canonical XML 1.0, section 1.3)."""
    message = signed().replace("<Key>", '<Key xmlns:r="relative" r:a="">')
    assert refused(message).message == "the element has no canonical form"
    assert refused(signed().replace(f'xmlns:ds="{ns.DS}"', 'xmlns:ds="a"')).fault


def test_an_endless_prefix_list_is_refused():
    prefixes = " ".join(f"p{i}" for i in range(51))
    signing = Signing(transforms=transform(EXC, prefixes))
    assert refused(signed(signing)).fault == "InvalidSecurity"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("проба", "подмена"),
        ("<Key>", "<Key> "),
        ("<Key>", '<Key a="1">'),
        ('xmlns="urn:gov:appeals:v1"', 'xmlns="urn:gov:appeals:v2"'),
        ("12:05:00Z", "12:05:01Z"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        (SHA256, SHA512),
        (RSA_SHA256, f"{MORE}rsa-sha512"),
        (RSA_SHA256, f"{PSS}sha256-rsa-MGF1"),
        ("<ds:DigestValue>", "<ds:DigestValue>AAAA"),
        ('<ds:Reference URI="#B">', '<ds:Reference Id="r" URI="#B">'),
    ],
)
def test_one_changed_byte_is_one_too_many(old, new):
    message = signed()
    assert old in message
    assert refused(message.replace(old, new, 1)).fault == "FailedCheck"


def test_what_canonicalization_forgets_may_change():
    message = signed()
    message = message.replace("<Key>", "<Key ><!-- c -->").replace('wsu:Id="B"', "wsu:Id='B'")
    assert read(message.replace("</e:Body>", "</e:Body >")).peer == "omsu"
    assert read(signed().encode("utf-8").decode().encode("utf-16")).peer == "omsu"


@pytest.mark.parametrize("refs", [("B",), ("T",), ("B", "X"), ("T", "X")])
def test_a_signature_that_leaves_out_body_or_timestamp_proves_nothing(refs):
    error = refused(signed(refs=refs))
    assert error.fault == "FailedCheck"
    assert "Body and Timestamp" in error.message


def test_a_signature_without_a_timestamp_proves_nothing():
    text = soap(header(binary_token(), HOLE))
    assert refused(Signing(refs=("B",)).sign(text)).fault == "FailedCheck"


def test_signed_tokens_and_header_blocks_are_named():
    addressed = f'<a:To xmlns:a="{ns.WSA}" wsu:Id="A">urn:x</a:To>'
    head = header(timestamp(), binary_token(), username(), HOLE) + addressed
    proof = read(Signing(refs=("B", "T", "X", "A")).sign(soap(head)))
    assert proof.signed == {"body", "timestamp", "token", f"{{{ns.WSA}}}To"}
    assert proof.kinds == {"text", "signature"}


def test_a_digest_and_a_signature_prove_one_peer_together():
    head = header(timestamp(), binary_token(), digested(), HOLE)
    proof = read(Signing(refs=("B", "T", "U")).sign(soap(head)))
    assert (proof.peer, proof.kinds) == ("omsu", {"digest", "signature"})


def test_a_password_of_one_peer_and_a_certificate_of_another_are_refused():
    ctx = Ctx(keys=Peers(registered={certificate(): "other"}))
    head = header(timestamp(), binary_token(), username(), HOLE)
    assert refused(Signing().sign(soap(head)), ctx).fault == "FailedAuthentication"


def test_a_certificate_alone_proves_nobody():
    assert read(soap(header(binary_token()))) is None
    assert read(soap(header(timestamp(), binary_token()))) is None
    assert read(soap(header(binary_token(), username()))).kinds == {"text"}


def test_a_certificate_that_is_nobodys_is_refused_before_anything_is_hashed():
    ctx = Ctx(keys=Peers(registered={}))
    tampered = signed().replace("проба", "подмена")
    error = refused(tampered, ctx)
    assert (error.fault, error.message) == (
        "FailedAuthentication",
        "the certificate is not accepted",
    )


def test_the_certificate_of_another_key_does_not_fit():
    message = signed()
    other = Peers(registered={certificate("rsa", 2): "omsu"})
    swapped = message.replace(binary_token(), binary_token(certificate("rsa", 2)))
    assert refused(swapped, Ctx(keys=other)).fault == "FailedCheck"


@pytest.mark.parametrize("days", [(-10, -1), (1, 10)])
def test_a_certificate_outside_of_its_validity_is_refused(days):
    der = certificate(days=days)
    text = soap(header(timestamp(), binary_token(der), HOLE))
    error = refused(Signing().sign(text), Ctx(keys=Peers(registered={der: "omsu"})))
    assert error.fault == "InvalidSecurityToken"


@pytest.mark.parametrize(
    ("usage", "accepted"),
    [("digital_signature", True), ("content_commitment", True), ("key_encipherment", False)],
)
def test_the_usage_of_the_key_counts(usage, accepted):
    der = certificate(usage=usage)
    ctx = Ctx(keys=Peers(registered={der: "omsu"}))
    message = Signing().sign(soap(header(timestamp(), binary_token(der), HOLE)))
    if accepted:
        assert read(message, ctx).peer == "omsu"
    else:
        assert refused(message, ctx).fault == "InvalidSecurityToken"


@pytest.mark.parametrize(
    ("kind", "method"), [("rsa1024", RSA_SHA256), ("k256", f"{MORE}ecdsa-sha256")]
)
def test_a_weak_key_is_refused_though_it_is_registered(kind, method):
    error = refused(signed(kind=kind, method=method), known(kind))
    assert error.fault == "InvalidSecurityToken"


@pytest.mark.parametrize(("kind", "method"), [("rsa", f"{MORE}ecdsa-sha256"), ("p256", RSA_SHA256)])
def test_a_method_of_another_kind_of_key_is_refused(kind, method):
    assert refused(signed(kind=kind, method=method), known(kind)).fault == "UnsupportedAlgorithm"


def test_ecdsa_is_r_and_s_side_by_side_and_not_der():
    message = signed(kind="p256", method=f"{MORE}ecdsa-sha256")
    root = etree.fromstring(message)
    value = next(root.iter(f"{{{ns.DS}}}SignatureValue"))
    value.text = value.text[:-4] + "AAAA" + value.text[-4:]
    assert refused(etree.tostring(root), known("p256")).fault == "FailedCheck"


def test_a_signed_message_is_accepted_once_while_it_is_fresh():
    ctx = Ctx()
    message = signed()
    assert read(message, ctx).peer == "omsu"
    ctx.now += timedelta(minutes=5, seconds=59)
    assert refused(message, ctx).message == "the message was sent before"
    ctx.now += timedelta(seconds=1)
    assert refused(message, ctx).fault == "MessageExpired"


def test_what_is_remembered_is_forgotten_with_the_timestamp():
    ctx = Ctx()
    read(signed(stamp=timestamp(NOW, NOW + timedelta(days=365))), ctx)
    assert list(ctx.memory.values()) == [NOW + timedelta(minutes=6)]
    ctx = Ctx()
    read(signed(stamp=timestamp(NOW, NOW + timedelta(minutes=1))), ctx)
    assert list(ctx.memory.values()) == [NOW + timedelta(minutes=2)]


def test_a_repeat_with_a_new_timestamp_is_no_replay():
    ctx = Ctx()
    read(signed(), ctx)
    assert read(signed(stamp=timestamp(NOW + timedelta(seconds=1))), ctx).peer == "omsu"


def test_a_second_ecdsa_signature_made_of_the_first_is_a_replay_too():
    """Of (r, s) anybody makes (r, n - s), which fits as well."""
    ctx = known("p256")
    message = signed(kind="p256", method=f"{MORE}ecdsa-sha256")
    proof = read(message, ctx)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = proof.signature[:32], int.from_bytes(proof.signature[32:])
    root = etree.fromstring(message)
    value = next(root.iter(f"{{{ns.DS}}}SignatureValue"))
    value.text = b64(r + (order - s).to_bytes(32))
    assert read(etree.tostring(root), replace(ctx, memory={})).peer == "omsu"
    assert refused(etree.tostring(root), ctx).message == "the message was sent before"


def test_a_forged_signature_is_not_remembered():
    ctx = Ctx()
    refused(signed().replace("проба", "подмена"), ctx)
    assert read(signed(), ctx).peer == "omsu"


def test_a_large_body_is_signed_as_well_as_a_small_one():
    body = BODY.replace("проба", "п" * 300_000)
    assert read(signed(body=body)).peer == "omsu"


def test_nothing_is_read_where_nobody_can_prove_anything():
    assert read(signed(), Ctx(keys=None)) is None
    assert read(soap("")) is None


class Fixed:
    """Algorithms of another kind: one name, and a key that only they know."""

    def digest(self, uri, data):
        assert uri == "urn:test:digest"
        return str(len(data)).encode()

    def verify(self, uri, certificate, data, signature):
        return (uri, signature) == ("urn:test:sign", str(sum(data)).encode())

    def sign(self, uri, key, data):
        assert (uri, key) == ("urn:test:sign", "token in a safe")
        return str(sum(data)).encode()


def test_other_algorithms_come_from_outside_and_nothing_else_changes():
    signer = security.Signer(
        certificate=certificate(),
        key="token in a safe",
        method="urn:test:sign",
        digest="urn:test:digest",
        algorithms=Fixed(),
    )
    message = security.sign_envelope(soap("", body_id="").encode(), signer, NOW)
    root = xml.parse(message).root
    blocks = tuple(root[0])
    assert security.read(root, blocks, "1.1", Ctx(), Fixed()).peer == "omsu"
    changed = xml.parse(message.replace("проба".encode(), b"p")).root
    with pytest.raises(SecurityError):
        security.read(changed, tuple(changed[0]), "1.1", Ctx(), Fixed())
    assert refused(message).fault == "UnsupportedAlgorithm"


def test_keys_of_the_kit_differ():
    assert key_of("rsa", 1).public_key() != key_of("rsa", 2).public_key()
    assert by_reference("A") != by_reference("B")


def test_a_message_does_not_come_again_with_a_renewed_certificate_of_the_same_key():
    renewed = certificate(days=(-1, 700))
    ctx = Ctx(keys=Peers(registered={certificate(): "omsu", renewed: "omsu"}))
    message = signed()
    read(message, ctx)
    other = message.replace(b64(certificate()), b64(renewed))
    assert other != message
    assert refused(other, ctx).message == "the message was sent before"
    assert read(other, Ctx(keys=ctx.keys)).certificate == renewed
