"""Whatever a header holds, it is read or refused by an error of ours, and nobody is let in."""

import random
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import ns
from gateway.errors import GatewayError
from tests.unit.soap.security.kit import (
    EXC,
    HOLE,
    SKI,
    Ctx,
    Signing,
    b64,
    binary_token,
    c14n_of,
    digested,
    header,
    read,
    signed,
    soap,
    str_,
    timestamp,
    transform,
    username,
)

HEAD = header(timestamp(), binary_token(), digested(), HOLE)
ISSUED = str_(
    "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=a</ds:X509IssuerName>"
    "<ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
)
IDENTIFIED = str_(f'<wsse:KeyIdentifier ValueType="{SKI}">{b64(b"1")}</wsse:KeyIdentifier>')
SEEDS = [
    signed(),
    Signing(refs=("B", "T", "U"), transforms=transform(EXC, "e #default")).sign(soap(HEAD)),
    signed(key_info=ISSUED),
    signed(key_info=IDENTIFIED),
    soap(header(timestamp(), username())),
]
WORDS = [
    "<", ">", "</", "/>", '"', "&", "&amp;", "&#0;", "&#13;", "&x;", "<!-- -->", "<?x?>",
    "<![CDATA[", "]]>", "<!DOCTYPE a>", "\0", "\ufffe", "é", "٣", " ", "\n", "#", "#default",
    "B", "T", "X", "U", 'wsu:Id="B"', 'Id="B"', 'xml:id="B"', ' URI=""', ' URI="#B"',
    "wsse:", "wsu:", "ds:", "e:", "<wsu:Timestamp/>", "<wsse:Password/>", "<ds:Object/>",
    "<ds:Transforms/>", "<ds:Reference/>", "<wsse:Security/>", "==", "A" * 200, "9" * 60, "-",
    "2026-11-20T12:00:00Z", "9999-99-99T99:99:99Z", "sha1", ns.DS, ns.WSU, ns.WSSE, EXC,
]  # fmt: skip
TAMPERED = "сюда подложено"
BODIES = {c14n_of(etree.fromstring(s).find(f"{{{ns.SOAP11}}}Body")) for s in SEEDS}
STAMPS = {c14n_of(etree.fromstring(s).find(f".//{{{ns.WSU}}}Timestamp")) for s in SEEDS}


def check(text):
    """A mutated message is refused, or it says what was said before: Body and Timestamp intact."""
    try:
        proof = read(text, Ctx())
    except GatewayError:
        return
    if proof is not None and "signature" in proof.kinds:
        assert TAMPERED not in text


@st.composite
def mutations(draw):
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 2, 8, 40))))
        text = text[:start] + draw(st.sampled_from(WORDS)) + text[end:]
    return text


@given(mutations())
def test_a_mutated_header_is_read_or_refused(text):
    check(text)


def shaken(seed):
    """Return a well-formed message with elements moved, copied, renamed and rewritten."""
    chance = random.Random(seed)
    root = etree.fromstring(chance.choice(SEEDS))
    elements = list(root.iter())[1:]
    names = [(key, value) for element in elements for key, value in element.attrib.items()]
    for _ in range(chance.randint(1, 4)):
        element, other = chance.choice(elements), chance.choice(elements)
        action = chance.randrange(7)
        if action == 0 and element.getparent() is not None:
            element.getparent().remove(element)
        elif action == 1:
            other.append(deepcopy(element))
        elif action == 2 and other not in element.iterdescendants() and other is not element:
            other.insert(chance.randrange(len(other) + 1), element)
        elif action == 3:
            element.tag = other.tag
        elif action == 4:
            element.text = chance.choice((other.text, None, "", TAMPERED, "AAAA", "#B"))
        elif action == 5:
            element.set(*chance.choice(names))
        else:
            key, value = chance.choice(names)
            element.set(key, value.replace("T", "B"))
    return etree.tostring(root)


@given(st.integers(0, 2**32))
def test_a_signature_never_speaks_of_a_body_that_was_not_signed(seed):
    message = shaken(seed)
    try:
        proof = read(message, Ctx())
    except GatewayError:
        return
    if proof is not None and "signature" in proof.kinds:
        root = etree.fromstring(message)
        assert proof.signed >= {"body", "timestamp"}
        assert c14n_of(root.find(f"{{{ns.SOAP11}}}Body")) in BODIES
        assert c14n_of(root.find(f".//{{{ns.WSU}}}Timestamp")) in STAMPS


@given(st.data())
def test_no_text_put_into_a_signed_body_is_taken_for_signed(data):
    text = data.draw(st.sampled_from(SEEDS[:2]))
    start, end = text.index("<e:Body"), text.index("</e:Body>")
    places = [i for i in range(start, end) if text[i] == ">" and text[i - 1] != "/"]
    place = data.draw(st.sampled_from(places)) + 1
    changed = text[:place] + TAMPERED + text[place:]
    try:
        read(changed, Ctx())
    except GatewayError:
        return
    raise AssertionError(changed)


@given(st.text(max_size=60), st.sampled_from(("Created", "Username", "Password", "Nonce")))
def test_any_text_in_a_token_is_read_or_refused(text, name):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    message = soap(header(digested()))
    tag = f"ws{'u' if name == 'Created' else 'se'}:{name}"
    start = message.index(">", message.index(f"<{tag}")) + 1
    end = message.index(f"</{tag}>")
    try:
        proof = read(message[:start] + escaped + message[end:], Ctx())
    except GatewayError:
        return
    assert proof is None or text.strip() == message[start:end]
