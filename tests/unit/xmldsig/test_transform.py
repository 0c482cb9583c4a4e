"""What a signature of СМЭВ digests: vectors, the slow reference, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import xml
from gateway.errors import MalformedError
from gateway.xmldsig import digested, transform
from tests.unit.xmldsig import reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

fast = sys.modules["gateway.xmldsig.transform"]
ROOT = Path(__file__).parents[3]
OWN = sorted((ROOT / "tests/data/smev-transform").glob("*.in.xml"))
GIVEN = ROOT.parent / "shared/data/smev-transform"
"""Public test cases and what a Java writer made of made-up ones; not of this repository."""
REFUSED = {"26_xmllang.xml", "27_noNS.xml"}
CDATA = {"13_cdata.xml", "14_cdata_only.xml"}
"""The writer alone keeps a CDATA section; a signature has it as text, by the canonical form."""


def parsed(text: bytes) -> _Element:
    """Parse with comments and processing instructions left in, which a message never has."""
    return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))


def vectors() -> Iterator[object]:
    for each in [*OWN, *sorted((GIVEN / "spec").glob("*.in.xml"))]:
        expected = each.with_name(each.name.replace(".in.", ".out."))
        yield pytest.param(each, expected, id=f"{each.parent.name}/{each.name}")
    for each in sorted((GIVEN / "woodstox").glob("*.xml")):
        if each.name not in REFUSED | CDATA:
            yield pytest.param(each, Path(f"{each}.expected"), id=each.name)


@pytest.mark.parametrize(("given", "expected"), list(vectors()))
def test_every_vector_gives_its_bytes(given: Path, expected: Path) -> None:
    element = parsed(given.read_bytes())
    assert transform(element) == expected.read_bytes()
    assert reference.transform(element) == expected.read_bytes()


def test_own_vectors_are_there() -> None:
    assert len(OWN) >= 12


@pytest.mark.skipif(not GIVEN.is_dir(), reason="the public vectors are not on this machine")
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_the_writer_refuses_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        transform(parsed((GIVEN / "woodstox" / name).read_bytes()))


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "<a xmlns='urn:a'><b xmlns=''/></a>",
        "<p:a xmlns:p='urn:a'><b>x</b></p:a>",
        "<a xmlns='urn:a' xml:lang='ru'/>",
        "<p:a xmlns:p='urn:a'><p:b xml:space='preserve'>x</p:b></p:a>",
        "<a xmlns='urn:a'><xml:b/></a>",
        "<a xmlns='urn:a'>t:<xml:b c='&gt;'/></a>",
        "<a xmlns='no-uri'/>",
    ],
)
def test_what_has_no_form_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        transform(parsed(text.encode()))


def test_cdata_is_text() -> None:
    element = parsed(b"<a xmlns='urn:a'>x<![CDATA[<b> & ]]>y</a>")
    assert transform(element) == b'<ns1:a xmlns:ns1="urn:a">x&lt;b> &amp; y</ns1:a>'


def test_a_signature_sees_no_comment() -> None:
    element = parsed(b"<a xmlns='urn:a'>abc<!-- c -->  <!-- d -->def</a>")
    assert transform(element) == b'<ns1:a xmlns:ns1="urn:a">abcdef</ns1:a>'
    assert digested(element) == b'<ns1:a xmlns:ns1="urn:a">abc  def</ns1:a>'


def test_an_element_is_taken_out_of_its_message() -> None:
    root = parsed(b"<e xmlns='urn:e' xmlns:p='urn:p'> <p:a Id='x'>1</p:a> tail</e>")
    assert transform(root[0]) == b'<ns1:a xmlns:ns1="urn:p" Id="x">1</ns1:a>'


def test_prefixes_and_spaces_between_elements_do_not_count() -> None:
    one = "<a xmlns='urn:a'><b xmlns='urn:b' c='1'>т</b><d/></a>"
    two = "<x:a xmlns:x='urn:a'>\n  <y:b xmlns:y='urn:b' c='1'>т</y:b>\n  <x:d/>\n</x:a>"
    assert transform(parsed(one.encode())) == transform(parsed(two.encode()))


def test_many_declarations_go_tag_by_tag() -> None:
    rows = "".join(f"<p:b xmlns:p='urn:{n % 7}' p:n='{n}' n=''>&gt;{n}</p:b>" for n in range(200))
    element = parsed(f"<a xmlns='urn:a'>{rows}</a>".encode())
    assert transform(element) == reference.transform(element)


URIS = ("urn:a", "urn:b", "urn:c", "http://c.example/?x=1&y=2")
NAMES = st.sampled_from(["a", "b", "x", "Ж", "nsq", "ns1"])
WORDS = st.sampled_from(
    [">", ">>", "]]", "<", "&", "\r", "\n", "\t", " ", "  ", '"', "'", "а: б", ' xmlns="', "\xa0",
     "x" * 11, "слово", "\U0001f600", "y" * 509, "/>", ":", ' a:b="', "a", "?>", "-->", "<?"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=8).map("".join)
PREFIXES = st.sampled_from(["", "a", "b", "ns1", "ns2", "xmlnsq"])


@st.composite
def elements(draw: st.DrawFn, scope: tuple[tuple[str, str], ...] = (), depth: int = 0) -> str:
    """Write an element with declarations, attributes, text, comments and instructions in it."""
    declared = draw(st.dictionaries(PREFIXES, st.sampled_from(URIS), max_size=2))
    within = {**dict(scope), **declared}
    if not within:
        declared = within = {"": "urn:a"}
    prefix = draw(st.sampled_from(sorted(within)))
    written = {f"xmlns:{key}" if key else "xmlns": uri for key, uri in declared.items()}
    taken: set[tuple[str, str]] = set()
    for _ in range(draw(st.integers(0, 3))):
        own, name = draw(st.sampled_from(["", *sorted(filter(None, within))])), draw(NAMES)
        if (within.get(own, "") if own else "", name) not in taken:
            taken.add((within[own] if own else "", name))
            written[f"{own}:{name}" if own else name] = draw(TEXTS)
    tag = f"{prefix}:{draw(NAMES)}" if prefix else draw(NAMES)
    inside = _text(draw(TEXTS))
    for _ in range(draw(st.integers(0, 3 if depth < 3 else 0))):
        inside += draw(
            st.one_of(
                elements(tuple(within.items()), depth + 1),
                st.sampled_from(["<?pi a <a: > ?>", "<?p x?>", f"<{tag}/>"]),
            )
        )
        inside += _text(draw(TEXTS))
    attributes = "".join(f' {key}="{_value(value)}"' for key, value in written.items())
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _text(text: str) -> str:
    return xml.escape(text)


def _value(text: str) -> str:
    return xml.quote(text).replace("&gt;", ">")


@given(elements())
def test_random_documents_agree_with_the_reference(text: str) -> None:
    element = parsed(text.encode())
    expected = reference.transform(element)
    assert transform(element) == expected
    source = fast._GAP.sub(b"><", xml.c14n(element))
    assert fast._by_tags(source) == expected
