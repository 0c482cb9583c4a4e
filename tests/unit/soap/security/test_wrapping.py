"""Signature wrapping: a signature taken off one message may not vouch for another.

Each attack begins with a message that a peer signed, and moves or adds something without touching
what the signature speaks of. Cases after McIntosh and Austel (2005), Gajek and others (2009),
Jensen and others (2011).
"""

import pytest

from gateway import ns, xml
from gateway.errors import MalformedError, SecurityError
from gateway.soap import security
from tests.unit.soap.security.kit import (
    BODY,
    HOLE,
    Ctx,
    Signing,
    binary_token,
    certificate,
    digested,
    header,
    read,
    refused,
    signed,
    soap,
    timestamp,
)

FORGED = BODY.replace("проба", "подлог")
BODY_START = '<e:Body wsu:Id="B">'
SIGNED_BODY = f"{BODY_START}{BODY}</e:Body>"
STAMP = timestamp()
OTHER_STAMP = timestamp(name="T2")
WRAPPER = "<w:Wrapper xmlns:w='urn:w'>{}</w:Wrapper>"


def moved(body, wrapper, place="</e:Header>"):
    """Put another Body in, and the signed one, in its wrapper, somewhere else."""
    message = signed()
    assert message.count(SIGNED_BODY) == 1
    message = message.replace(SIGNED_BODY, body)
    return message.replace(place, wrapper + place, 1)


@pytest.mark.parametrize(
    "body",
    [
        f"<e:Body>{FORGED}</e:Body>",
        f'<e:Body wsu:Id="B2">{FORGED}</e:Body>',
        f'<e:Body Id="B">{FORGED}</e:Body>',
        f'<e:Body ID="B">{FORGED}</e:Body>',
        f'<e:Body id="B">{FORGED}</e:Body>',
        f'<e:Body xmlns:n="urn:n" n:Id="B">{FORGED}</e:Body>',
        f'<e:Body xmlns:n="{ns.DS}" n:Id="B">{FORGED}</e:Body>',
        f'<e:Body wsu:ID="B">{FORGED}</e:Body>',
    ],
)
@pytest.mark.parametrize("place", ["</e:Header>", "</wsse:Security>"])
def test_a_signed_body_that_was_moved_away_does_not_vouch_for_another(body, place):
    error = refused(moved(body, WRAPPER.format(SIGNED_BODY), place))
    assert error.message in (
        "a signed element does not stand where it is processed",
        "the token is not offered",
    )


@pytest.mark.parametrize(
    "body",
    [f'<e:Body wsu:Id="B">{FORGED}</e:Body>', f'<e:Body xml:id="B">{FORGED}</e:Body>'],
)
def test_an_id_that_stands_twice_is_refused(body):
    error = refused(moved(body, WRAPPER.format(SIGNED_BODY)))
    assert error.message == "an id stands twice in the envelope"


def test_a_signed_body_directly_under_the_header_is_a_header_block_and_no_body():
    error = refused(moved(f"<e:Body>{FORGED}</e:Body>", SIGNED_BODY))
    assert error.message == "the signature does not cover Body and Timestamp"


def test_a_signed_body_within_the_body_that_is_executed_is_refused():
    inner = f'<e:Body wsu:Id="B2">{WRAPPER.format(SIGNED_BODY)}{FORGED}</e:Body>'
    message = signed().replace(SIGNED_BODY, inner)
    assert refused(message).fault == "FailedCheck"


@pytest.mark.parametrize("first", [True, False])
def test_two_bodies_are_refused(first):
    other = f"<e:Body>{FORGED}</e:Body>"
    message = signed().replace(
        SIGNED_BODY, other + SIGNED_BODY if first else SIGNED_BODY + other
    )  # fmt: skip
    assert refused(message).fault == "InvalidSecurity"


def test_a_body_of_the_other_soap_version_is_no_body():
    other = SIGNED_BODY.replace("e:Body", "o:Body").replace(
        "<o:Body", f'<o:Body xmlns:o="{ns.SOAP12}"'
    )
    message = signed().replace(SIGNED_BODY, f"<e:Body>{FORGED}</e:Body>{other}")
    assert refused(message).fault == "FailedCheck"


def test_the_body_is_put_into_an_object_of_the_signature():
    message = signed().replace(SIGNED_BODY, f"<e:Body>{FORGED}</e:Body>")
    message = message.replace(
        "</ds:Signature>", f"<ds:Object>{SIGNED_BODY}</ds:Object></ds:Signature>"
    )
    assert refused(message).fault == "InvalidSecurity"


@pytest.mark.parametrize("extra", ["<ds:Object/>", "<ds:KeyInfo/>", "<o:x xmlns:o='urn:o'/>"])
def test_nothing_foreign_stands_in_a_signature(extra):
    assert refused(signed(after=extra)).fault == "InvalidSecurity"


def test_a_manifest_of_further_references_is_refused():
    message = signed().replace(
        "</ds:SignedInfo>", '<ds:Manifest><ds:Reference URI="#B"/></ds:Manifest></ds:SignedInfo>'
    )
    assert refused(message).fault == "InvalidSecurity"


@pytest.mark.parametrize("place", ["</e:Header>", "</e:Body>"])
def test_a_signed_timestamp_that_was_moved_away_does_not_vouch_for_another(place):
    message = signed().replace(STAMP, OTHER_STAMP)
    error = refused(message.replace(place, WRAPPER.format(STAMP) + place, 1))
    assert error.fault == "FailedCheck"


def test_a_signed_timestamp_directly_under_the_header_is_not_the_one_that_is_checked():
    message = signed().replace(STAMP, OTHER_STAMP).replace("</e:Header>", f"{STAMP}</e:Header>")
    assert refused(message).message == "the signature does not cover Body and Timestamp"


def test_a_signed_timestamp_in_the_header_of_another_actor_is_not_ours():
    for_other = header(STAMP).replace("e:mustUnderstand", 'e:actor="urn:other" e:mustUnderstand')
    message = signed().replace(STAMP, OTHER_STAMP)
    message = message.replace("</e:Header>", f"{for_other}</e:Header>")
    root = xml.parse(message.encode()).root
    with pytest.raises(SecurityError, match="does not stand where it is processed"):
        security.read(root, (root[0][0],), "1.1", Ctx())


@pytest.mark.parametrize(
    "uri",
    [
        "",
        None,
        "#",
        "#xpointer(/)",
        "#xpointer(id('B'))",
        "xB",
        "http://example.invalid/body.xml",
        "file:///etc/passwd",
        "cid:part@example.invalid",
        "B",
        "#" + "B" * 200,
        "#b",
        "# B",
    ],
)
def test_a_reference_that_is_no_id_of_this_message_is_refused(uri):
    error = refused(signed(refs=((uri, "B"), "T")))
    named = uri is not None and uri.startswith("#") and len(uri) <= 100
    assert error.fault == ("FailedCheck" if named else "InvalidSecurity")


def test_a_signature_over_the_whole_envelope_names_no_part():
    text = soap(header(timestamp(), binary_token(), HOLE)).replace(
        "<e:Envelope", '<e:Envelope wsu:Id="E"', 1
    )
    error = refused(Signing(refs=("E", "T")).sign(text))
    assert (error.fault, error.found) == ("FailedCheck", "Envelope #E")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("H", "<e:Header>", '<e:Header wsu:Id="H">'),
        ("S", "<wsse:Security ", '<wsse:Security wsu:Id="S" '),
        ("G", "<GetAppeal ", '<GetAppeal wsu:Id="G" '),
        ("C", "<wsu:Created>", '<wsu:Created wsu:Id="C">'),
    ],
)
def test_what_is_signed_around_or_within_the_processed_parts_does_not_count(name, old, new):
    text = soap(header(timestamp(), binary_token(), HOLE)).replace(old, new, 1)
    error = refused(Signing(refs=(name, "B", "T")).sign(text))
    assert error.message == "a signed element does not stand where it is processed"


def test_a_signature_does_not_name_itself():
    message = signed(refs=("B", "T", ("#G", "T"))).replace(
        "<ds:Signature ", '<ds:Signature Id="G" '
    )
    assert "does not stand" in refused(message).message


def test_a_signed_token_elsewhere_is_not_the_token_that_proves():
    token = digested()
    wrapped = header(timestamp(), binary_token(), HOLE) + WRAPPER.format(
        token.replace("<wsse:UsernameToken", f'<wsse:UsernameToken xmlns:wsse="{ns.WSSE}"')
    )
    message = Signing(refs=("B", "T", "U")).sign(soap(wrapped))
    assert "does not stand" in refused(message).message


@pytest.mark.parametrize("name", ["Id", "ID", "id", "xml:id", "wsu:id"])
def test_only_wsu_id_names_a_body(name):
    text = soap(header(timestamp(), binary_token(), HOLE), body_id=f' {name}="B"')
    refs = (("#B", "T"), "T")
    assert refused(Signing(refs=refs).sign(text)).message == (
        "the signed element is not in this message"
    )


def test_one_part_named_twice_is_refused():
    """Sixteen references to one large Body would have it hashed sixteen times."""
    assert refused(signed(refs=("B", "T", "B"))).message == "a part is signed twice"


def test_many_references_are_refused_unread():
    message = signed()
    start, end = message.index("<ds:Reference "), message.index("</ds:SignedInfo>")
    flood = message[:end] + message[start:end] * 10 + message[end:]
    assert "number of signed parts" in refused(flood).message


def test_many_ids_are_refused():
    body = BODY.replace("<Key>", "<Key>" + "".join(f'<a wsu:Id="i{n}"/>' for n in range(200)))
    assert refused(signed(body=body)).message == "too many elements carry an id"


def test_business_attributes_called_id_may_repeat():
    body = BODY.replace("<Key>", '<Key><a Id="B" id="1"/><a Id="B" id="1" ID="1"/>')
    assert read(signed(body=body)).peer == "omsu"


@pytest.mark.parametrize("space", [ns.DS, ns.XENC])
def test_ids_of_signature_and_encryption_elements_may_not_clash(space):
    body = BODY.replace("<Key>", f'<Key><d:a xmlns:d="{space}" Id="B"/>')
    assert refused(signed(body=body)).message == "an id stands twice in the envelope"


def test_an_id_on_a_signature_element_is_no_place_to_sign():
    text = soap(header(timestamp(), binary_token(), HOLE))
    message = Signing().sign(text).replace("<ds:KeyInfo>", '<ds:KeyInfo Id="K">')
    assert read(message).peer == "omsu"
    assert refused(message.replace('URI="#B"', 'URI="#K"')).fault == "FailedCheck"


def test_two_security_headers_for_us_are_refused():
    extra = header(timestamp(name="T2"))
    error = refused(signed().replace("</e:Header>", f"{extra}</e:Header>"))
    assert error.message == "two Security headers are meant for us"


def test_two_signatures_are_refused():
    message = signed()
    start, end = message.index("<ds:Signature "), message.index("</wsse:Security>")
    assert refused(message[:end] + message[start:end] + message[end:]).fault == "InvalidSecurity"


def test_a_comment_does_not_cut_what_was_signed():
    """A parser that keeps comments would read `omsu` of `omsu<!-- -->.evil`; ours reads both."""
    message = signed(body=BODY.replace("проба", "проба.чужая"))
    commented = message.replace("проба.чужая", "проба<!-- x -->.чужая")
    assert read(commented).peer == "omsu"


def test_an_entity_cannot_change_what_was_signed():
    message = '<!DOCTYPE a [<!ENTITY x "проба">]>' + signed().replace("проба", "&x;")
    with pytest.raises(MalformedError):
        read(message)


def test_an_id_that_a_dtd_declares_is_never_seen():
    message = "<!DOCTYPE a [<!ATTLIST Key key ID #IMPLIED>]>" + signed()
    with pytest.raises(MalformedError):
        read(message)


def test_a_certificate_from_another_place_is_not_taken():
    """The reference to the token is resolved in our own header only."""
    token = binary_token()
    message = signed().replace(token, "")
    message = message.replace(
        "</e:Header>", f"<w:x xmlns:w='urn:w' xmlns:wsse='{ns.WSSE}'>{token}</w:x></e:Header>"
    )
    assert refused(message).fault == "SecurityTokenUnavailable"


def test_a_second_certificate_does_not_take_the_place_of_the_first():
    ctx = Ctx()
    other = certificate("rsa", 2)
    ctx.keys.registered[other] = "other"
    beside = binary_token(other, name="Y")
    message = signed().replace(binary_token(), beside + binary_token())
    assert read(message, ctx).peer == "omsu"
    twice = signed().replace(binary_token(), binary_token(other) + binary_token())
    assert refused(twice, ctx).message == "an id stands twice in the envelope"
