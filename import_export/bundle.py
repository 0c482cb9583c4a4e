"""Reads an XML bundle of appeals: items of the SOAP contract in one file, taken one by one.

    <Appeals xmlns="urn:gov:appeals:v1">
      <AppealIn> … </AppealIn>
      <AppealIn> … </AppealIn>
    </Appeals>

The root may also be `ArrayOfAppealIn`, or `SubmitAppeals` with its `Items`. Each item is checked by
xsd/appeals on its own, so that a bad one does not fail the others. Before the first item is given
out the whole file is read once for being well-formed: of a bundle cut in the middle nothing lands.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any, Final, cast
from xml.parsers import expat

import msgspec
from lxml import etree

from gateway import contracts, limits, ns, xml
from gateway.errors import GatewayError, ValidationError
from gateway.wires import binding, canonical
from gateway.wires import contract as c
from import_export.lines import Line
from import_export.reasons import Problem, problem, problems_of, refuse, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

_ITEM: Final = ns.tag(ns.APPEALS, "AppealIn")
_ROOTS: Final = tuple(
    ns.tag(ns.APPEALS, name) for name in ("Appeals", "ArrayOfAppealIn", "SubmitAppeals")
)
_ITEMS: Final = ns.tag(ns.APPEALS, "Items")
_ABOVE: Final = re.compile(r"^/(?:SubmitAppeal/Appeal|(?:\w+/)*?AppealIn)(?=/|$)")
"""What stands above an item: the wrapper it is checked in, or the bundle."""
_LINES_KNOWN: Final = 65_535
_READ: Final = 256 * limits.KB
_ENCODINGS: Final = ("utf-8", "utf-16", "windows-1251", "us-ascii")


class Bundle:
    """An XML bundle open for reading; iterate for its lines, numbered from 1.

    source: a seekable stream of bytes. Raises GatewayError at once for a file that is not
    well-formed, has a DTD, is nested too deeply or has another root.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.count = _Check().read(source)

    def __iter__(self) -> Iterator[Line]:
        """Yield one line an item; memory holds one item at a time."""
        self._source.seek(0)
        options = {key: xml.OPTIONS[key] for key in xml.OPTIONS if key != "dtd_validation"}
        row = 0
        try:
            for _, element in etree.iterparse(
                self._source, events=("end",), tag=_ITEM, **cast("Any", options)
            ):
                if not _is_item(element):
                    continue
                row += 1
                yield _line(row, element)
                element.clear()
                while element.getprevious() is not None:
                    del cast("Any", element.getparent())[0]
        except etree.XMLSyntaxError as error:
            line, column = error.position
            message = "past a limit of the XML parser" if "limit" in str(error.msg) else ""
            problems = problem("xml", found=message or str(error.msg), expected=f"{line}:{column}")
            yield Line(row=row + 1, last=row + 1, raw=b"", problems=((row + 1, problems),))


def decode(raw: bytes) -> Line:
    """Decode one stored item again: how an item that was refused is replayed."""
    return _line(1, xml.parse(raw).root)


def _is_item(element: _Element) -> bool:
    """Say whether the element stands where an item stands: below the root, or below Items."""
    above = element.getparent()
    if above is None:
        return False
    over = above.getparent()
    return over is None or (over.getparent() is None and above.tag.endswith("}Items"))


def _line(row: int, element: _Element) -> Line:
    """Return what one item held; an item without content, or against the schema, is refused."""
    raw = etree.tostring(element, encoding="utf-8", with_tail=False)
    try:
        nodes = sum(1 for _ in element.iter())
        if nodes > limits.SOAP_ROOT_NODES:
            raise unreadable("too_large", str(nodes), str(limits.SOAP_ROOT_NODES))
        if len(raw) > limits.SOAP_ROOT_BYTES:
            raise unreadable("too_large", str(len(raw)), str(limits.SOAP_ROOT_BYTES))
        _validate(raw, nodes, cast("int | None", element.sourceline))
        inbound = canonical.submission(binding.read(c.AppealIn, element))
    except GatewayError as error:
        problems = tuple((row, _within(found)) for found in problems_of(error))
        return Line(row=row, last=row, raw=raw, problems=problems, reason=_reason(problems))
    return Line(row=row, last=row, raw=raw, inbound=inbound)


def _validate(raw: bytes, nodes: int, first: int | None) -> None:
    """Check an item by the schema; lines are told as those of the file. first: the item's own."""
    try:
        contracts.appeals().validate(_wrapped(raw), nodes + 1)
    except ValidationError as error:
        # libxml2 counts no further than this, and a wrong line is worse than none.
        known = first if first is not None and first < _LINES_KNOWN else 0
        error.violations = tuple(
            v._replace(line=v.line + known - 1 if known and v.line else 0) for v in error.violations
        )
        raise


def _reason(problems: tuple[tuple[int, Problem], ...]) -> str:
    """Say the first of them, and how many there are, as a fault of SOAP does."""
    first = problems[0][1]
    more = "" if len(problems) == 1 else f" (the first of {len(problems)})"
    return f"{first.column}: {first.en}{more}" if first.column else f"{first.en}{more}"


def _within(found: Problem) -> Problem:
    """Return the problem with its path counted from the item, not from its wrapper."""
    path = _ABOVE.sub("", found.column)
    return msgspec.structs.replace(found, column=path.lstrip("/"))


def _wrapped(raw: bytes) -> _Element:
    """Return the item inside the element that the schema declares for it.

    AppealIn is a type of the contract and no element of its own: SubmitAppeal holds one.
    """
    wrapper = etree.Element(
        ns.tag(ns.APPEALS, "SubmitAppeal"), nsmap=cast("Any", {None: ns.APPEALS})
    )
    item = etree.fromstring(raw, etree.XMLParser(**xml.OPTIONS))
    item.tag = ns.tag(ns.APPEALS, "Appeal")
    wrapper.append(item)
    return wrapper


class _Check:
    """Reads the whole file once: well-formed, no DTD, not too deep, the right root."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._depth = 0
        self._above = ""
        self._begun = 0
        self._nodes = 0
        self.items = 0

    def read(self, source: IO[bytes]) -> int:
        """Return the number of elements named as items."""
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        source.seek(0)
        empty = True
        try:
            while block := source.read(_READ):
                empty = False
                parser.Parse(block, False)
            if empty:
                raise unreadable("empty")
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise unreadable(
                "xml",
                found=expat.errors.messages[error.code],
                where=f"line {error.lineno}, column {error.offset + 1}",
            ) from error
        except (LookupError, ValueError) as error:
            raise unreadable("encoding_unknown", str(error), " | ".join(_ENCODINGS)) from error
        return self.items

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        tag = f"{{{name}"
        if self._depth > limits.XML_DEPTH:
            raise unreadable("too_large", f"{self._depth}", f"{limits.XML_DEPTH}")
        if self._depth == 1 and tag not in _ROOTS:
            expected = " | ".join(root.rpartition("}")[2] for root in _ROOTS)
            raise refuse("root", tag, f"{{{ns.APPEALS}}}: {expected}")
        if self._depth == 2:
            self._above = tag
        if tag == _ITEM and self._depth == (3 if self._above == _ITEMS else 2):
            self.items += 1
            self._begun, self._nodes = self._parser.CurrentByteIndex, 0
        elif (self._depth == 2 and tag != _ITEMS) or (self._depth == 3 and self._above == _ITEMS):
            raise refuse("root", tag, "AppealIn")
        self._nodes += 1 + len(attributes)
        self._bounded()

    def _end(self, _name: str) -> None:
        self._depth -= 1
        self._bounded()

    def _bounded(self) -> None:
        """Stop before an item that would not fit into memory is built."""
        size = self._parser.CurrentByteIndex - self._begun
        if self._nodes > limits.SOAP_ROOT_NODES:
            raise unreadable("too_large", str(self._nodes), str(limits.SOAP_ROOT_NODES))
        if self._depth > 1 and size > limits.SOAP_ROOT_BYTES:
            raise unreadable("too_large", f"{size} B", f"{limits.SOAP_ROOT_BYTES} B")

    def _doctype(self, *_: object) -> None:
        raise unreadable("doctype", "<!DOCTYPE")
