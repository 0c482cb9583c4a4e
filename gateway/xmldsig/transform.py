"""The transform `urn://smev-gov-ru/xmldsig/transform` of СМЭВ 3, on canonical bytes.

What a signature of СМЭВ digests is not the element as it was sent: prefixes and the spaces between
elements may change on the way. The rules, in our own words (the methodical recommendations for
СМЭВ 3, their test cases, and the Java implementation that both sides of the exchange use):

1.  The XML declaration, processing instructions, comments and the document type are dropped.
2.  A piece of text without a character above U+0020 is dropped, any other is kept unchanged with
    the spaces around it; a no-break space is text. A piece reaches to the next tag, processing
    instruction or comment.
3.  An empty element is written with both tags.
4.  Every namespace in use gets a prefix `nsN`. N is one counter for the whole fragment, from 1, in
    document order: that of an element comes first, those of its attributes follow in the order of
    the attributes. Declarations of what is not used disappear.
5.  A declaration stands where its namespace is first needed and is seen by what is inside only: a
    sibling that needs the namespace again declares it again, under a new number.
6.  Attributes with a namespace stand first, by the name of it and their own; those without follow
    by their names. Names are compared by their UTF-16 units, as Java compares strings.
7.  In a tag, declarations stand before attributes.
8.  Text is escaped as the Woodstox writer escapes it. `<` is `&lt;`, `&` is `&amp;`, a carriage
    return is `&#xd;`; quotes, tabs and line feeds stand as they are. `>` depends on the piece that
    it stands in. In one of under 12 UTF-16 units it is `&gt;` where it is first or follows `]`.
    A longer one is cut every 512 units; there it is `&gt;` where it is first in its cut, or
    follows `]` or a character that was escaped itself. Anywhere else it stays `>`.
9.  In an attribute `&`, `<`, `"`, tab, line feed and carriage return are `&amp;`, `&lt;`, `&quot;`,
    `&#x9;`, `&#xa;` and `&#xd;`; `>` stays.
10. An element without a namespace and an attribute of `xml:` have no form here: the writer refuses
    them, so a sender who signed them signed something else than a receiver would check.

Exclusive canonicalization comes before it in every signature, and its bytes are worked on here: the
tags hold no spaces to spare, entities are decoded, CDATA is text, and a declaration stands where
the prefix is first used, which is what rule 5 asks as well. So inside of one declaration a prefix
has one new name, and all its tags are renamed by one replacement of bytes; tag after tag is written
only where that does not hold. Both ways give the same bytes.
"""

from __future__ import annotations

import re
from itertools import repeat
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway.errors import MalformedError
from gateway.xmldsig import text
from gateway.xmldsig.names import Names, refused

if TYPE_CHECKING:
    from lxml.etree import _Element

_GAP: Final = re.compile(rb">[\t\n ]+<")
"""`<` stands in no value of an attribute, and behind a `>` in one comes its quote first."""
_TAGS: Final = re.compile(rb"""(<\?.*?\?>|<!--.*?-->|<[^>"]*+(?:"[^"]*+"[^>"]*+)*+>)""", re.DOTALL)
_MARKS: Final = (0x3F, 0x21)
"""What follows `<` in a processing instruction and in a comment."""
_SLASH: Final = 0x2F
_REACHES: Final = 64
"""Unusual tags up to which replacing pays: what is between is gone through for each prefix."""
_USUAL: Final = re.compile(rb"""<[^<> ]++(?: (?!xmlns=)[A-Za-z0-9_.-]++="[^"&]*+")++>""")
"""A start tag whose attributes stay as they are: the canonical form has them in the order of
rule 6 already, when none has a namespace and their names are ASCII."""
_ENTITIES: Final = re.compile(rb"&(?:gt;|#x)")
"""Those that may have to be written anew; `&amp;` and `&lt;` stay."""
_PREFIXED: Final = re.compile(rb""":(?<! xmlns:)[^\s<>="':]++=""")
_ASTRAL: Final = tuple(bytes((lead,)) for lead in range(0xF0, 0xF5))
"""How characters beyond the basic plane begin in UTF-8."""
_NAME_END: Final = re.compile(rb"[ >]")
_SPECIAL_TEXT: Final = re.compile(rb"(?<=>)[^<>&]*+&[^<>]++")


def transform(element: _Element) -> bytes:
    """Return the transformed bytes of an element, as the test cases of the rules show them.

    A comment inside divides the text around it (rule 2). A signature never sees one, because the
    canonical form before it drops them: see `digested`. Raise MalformedError by rule 10, and for
    what has no canonical form.
    """
    return rewrite(_canonical(element, with_comments=True))


def digested(element: _Element) -> bytes:
    """Return what a signature of СМЭВ digests: exclusive canonicalization, then the transform.

    What MTOM took out of the element has to be back in it as base64 already.
    """
    return rewrite(_canonical(element, with_comments=False))


def _canonical(element: _Element, *, with_comments: bool) -> bytes:
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=with_comments)
    except etree.C14NError as error:
        raise MalformedError(
            "the element has no canonical form", expected="namespaces that are absolute URIs"
        ) from error


def rewrite(canonical: bytes) -> bytes:
    """Return the transform of an exclusive canonical form, in UTF-8; raise MalformedError."""
    source = _GAP.sub(b"><", canonical)
    # In text every `>` is escaped: there are as many as `<` when no value, comment or processing
    # instruction has one, and then a tag ends at the first.
    if source.count(b">") != source.count(b"<") or _marked(source):
        return _by_tags(source)
    entities = _ENTITIES.search(source) is not None
    unusual = _unusual(source, entities=entities)
    if len(unusual) > _REACHES:
        return _by_tags(source)
    renamed = _by_reaches(source, unusual)
    if entities and (b"&gt;" in source or b"&#xD;" in source):
        # The last step: behind it a `>` no longer ends a tag.
        return _SPECIAL_TEXT.sub(lambda found: text.piece(found[0]), renamed)
    return renamed


def _marked(source: bytes) -> bool:
    """Say whether processing instructions or comments may be in it; one byte is found faster."""
    return (b"?" in source and b"<?" in source) or (b"!" in source and b"<!" in source)


def _attributes_stay(source: bytes) -> bool:
    """Say for certain that no attribute has a namespace.

    Nor is there a character beyond the basic plane, which names could be ordered by otherwise.
    """
    return _PREFIXED.search(source) is None and not any(lead in source for lead in _ASTRAL)


def _unusual(source: bytes, *, entities: bool) -> list[tuple[int, int]]:
    """Return where the tags stand that declare, or whose attributes have to be written anew.

    What has attributes ends with `">`, and neither text nor a value has that in it. Where nothing
    asks for more, only the declarations are looked for: text may say ` xmlns` too, so it is looked
    whether a tag is open there.
    """
    found = []
    if not (entities and b"&#x" in source) and _attributes_stay(source):
        at = source.find(b" xmlns")
        while at >= 0:
            start, end = source.rfind(b"<", 0, at), source.find(b">", at)
            if source.find(b">", start, at) < 0:
                found.append((start, end + 1))
                at = end
            at = source.find(b" xmlns", at + 1)
        return found
    end = source.find(b'">')
    while end >= 0:
        start = source.rfind(b"<", 0, end)
        if _USUAL.match(source, start) is None:
            found.append((start, end + 2))
        end = source.find(b'">', end + 2)
    return found


def _by_reaches(source: bytes, unusual: list[tuple[int, int]]) -> bytes:
    """Rename by whole reaches of bytes, and write the unusual tags between them."""
    names = Names()
    written: list[bytes] = []
    ends: list[int] = []
    at = 0
    for begin, behind in [*unusual, (len(source), len(source))]:
        while ends and ends[-1] <= begin:
            written.append(_renamed(source[at : ends[-1]], names))
            at = ends.pop()
            names.leave()
        written.append(_renamed(source[at:begin], names))
        at = behind
        if begin < behind:
            start = names.start(source[begin:behind])
            written.append(start.written)
            if start.declares:
                ends.append(_end(source, start.name, at) if begin else len(source))
    return b"".join(written)


def _renamed(part: bytes, names: Names) -> bytes:
    """Return what lies in the reach of the same declarations under its new names."""
    before, *tags = part.split(b"<")
    if not tags:
        return part
    known = names.scope.known
    try:
        new = [known[name] + rest for name, _, rest in map(bytes.partition, tags, repeat(b":"))]
    except KeyError:
        new = _renamed_default(tags, names)
    return before + b"".join(new)


def _renamed_default(tags: list[bytes], names: Names) -> list[bytes]:
    """Do the same where there are names without a prefix; what is before a colon may be text."""
    space = names.scope.prefixes.get(b"", b"")
    own = names.scope.numbers.get(space, b"")
    begin, end, new = b"<" + own, b"</" + own, []
    for tag in tags:
        name, _, rest = tag.partition(b":")
        start = names.scope.known.get(name)
        if start is not None:
            new.append(start + rest)
        elif not space or tag.startswith((b"xml:", b"/xml:")):
            raise refused(_NAME_END.split(tag, 1)[0])
        elif tag[0] == _SLASH:
            new.append(end + tag[1:])
        else:
            new.append(begin + tag)
    return new


def _end(source: bytes, name: bytes, at: int) -> int:
    """Return where the end of an element ends, whose start tag ended at `at`."""
    close, opens = b"</" + name + b">", (b"<" + name + b">", b"<" + name + b" ")
    begins = b"<" + name
    opened = 1
    while opened:
        found = source.index(close, at)
        opened -= 1
        if source.find(begins, at, found) >= 0:
            opened += sum(source.count(each, at, found) for each in opens)
        at = found + len(close)
    return at


def _by_tags(source: bytes) -> bytes:
    """Write tag after tag; a tag without attributes is remembered for its reach."""
    pieces = _TAGS.split(source)
    names = Names()
    known: dict[bytes, tuple[bytes, bytes]] = {}
    outer: list[tuple[dict[bytes, tuple[bytes, bytes]], int]] = []
    ends: list[bytes] = []
    bottom = -1
    for at in range(1, len(pieces), 2):
        tag = pieces[at]
        if b"&" in pieces[at + 1]:
            pieces[at + 1] = text.piece(pieces[at + 1])
        if tag[1] == _SLASH:
            pieces[at] = ends.pop()
            if len(ends) == bottom:
                names.leave()
                known, bottom = outer.pop()
        elif (new := known.get(tag)) is not None:
            pieces[at] = new[0]
            ends.append(new[1])
        elif tag[1] in _MARKS:
            pieces[at] = b""
        else:
            start = names.start(tag)
            pieces[at] = start.written
            if start.declares:
                outer.append((known, bottom))
                known, bottom = {}, len(ends)
            elif b" " not in tag:
                known[tag] = start.written, start.end
            ends.append(start.end)
    return b"".join(pieces)
