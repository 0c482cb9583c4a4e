"""The published contracts: finds WSDL and XSD, compiles them, validates by them, serves them.

A contract is authored by hand under wsdl/ and xsd/ and served as it stands, with the addresses put
in (design §2.6). `validate` answers in microseconds; when it says no, the element is parsed again
by a parser that checks while it reads, because `XMLSchema.validate` takes time quadratic in the
number of errors (40,000 errors: 1.7 s), and at most 20 violations with path, line and reason are
reported.

libxml2 keeps the error log in the validator, so each thread compiles its own: a shared one showed
one caller the errors of another.
"""

from __future__ import annotations

import re
import threading
from copy import deepcopy
from functools import cache
from hashlib import sha256
from itertools import islice
from math import inf
from pathlib import Path
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Final, NoReturn, cast
from xml.sax.saxutils import escape

from lxml import etree

from gateway import limits, xml_bounds
from gateway.contracts_errors import bases, binaries, lengths, notes, plain, violation
from gateway.contracts_places import above, complaints, valid
from gateway.errors import ConfigurationError, NotFoundError, TooLargeError, ValidationError

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.errors import Violation

_TREE_NODES: Final = xml_bounds.SHORT_NODES + 1
"""Up to it a whole tree is validated at once; a thousand errors take 3 ms there."""
_ADDRESS: Final = re.compile(rb'(:address location=")[^"]*(")')
_SCHEMA_LOCATION: Final = re.compile(rb'(schemaLocation=")(?:[^"]*/)?([^/"]+)\.xsd(")')
_IMPORTS: Final = re.compile(rb"[ \t]*<xs:schema [^>]*>\s*<xs:import [^>]*/>\s*</xs:schema>")
_LONG: Final = etree.XPath(
    "descendant-or-self::text()[not(preceding-sibling::node()[1])][string-length() > 1000]/.."
)
"""Elements that begin with a long text. No text is returned: to make strings of 10 MB of letters
holds up all other threads."""
_BEFORE_LONG: Final = etree.XPath(
    "descendant-or-self::text()[preceding-sibling::node()[1]][string-length() > 1000]"
    "/preceding-sibling::node()[1]"
)
_HUGE: Final = etree.XPath(
    "descendant-or-self::text()[not(preceding-sibling::node()[1])][string-length() > 10000]/.."
)
_ANY_LONG: Final = etree.XPath("boolean(descendant-or-self::text()[string-length() > 1000])")
_LONGER: Final = etree.XPath("string-length(text()[1]) > $most")
_ENOUGH: Final = 1000
"""Characters that no lower limit of a length asks for."""
_BEGINNING: Final = etree.XPath("substring(text()[1], 1, $most)", smart_strings=False)
_STRAY: Final = bytes(set(range(256)) - {*ascii_letters.encode(), *digits.encode(), *b"+/="})
"""What is no letter of base64."""
_PLAIN: Final = bytes.maketrans(b"&<>\r", b"??? ")
_DECLARATION: Final = re.compile(rb"^<\?xml[^>]*\?>\s*")


def folder(kind: str, name: str) -> Path:
    """Return the folder of a contract's files: inside the package, else at the checkout's root.

    kind: `wsdl` or `xsd`. Raise ConfigurationError when it is in neither place.
    """
    package = Path(__file__).parent
    for place in (package / kind / name, package.parent / kind / name):
        if place.is_dir():
            return place
    raise ConfigurationError(
        f"the contract {kind}/{name} is missing",
        where=str(package),
        todo="install the package again: its wsdl and xsd folders are part of it",
    )


class Contract:
    """One service description with its schema.

    name: folder under wsdl/ and xsd/, and name of the endpoint `/soap/<name>.svc`.
    """

    def __init__(self, name: str, *, wsdl: bytes, schemas: dict[str, bytes]) -> None:
        self.name = name
        self._wsdl = wsdl
        self._schemas = schemas
        (self._schema,) = schemas.values()
        self._bases = bases(self._schema)
        self._files = binaries(self._schema)
        self._lengths = lengths(self._schema)
        self._plain = plain(self._schema)
        self.notes: Final = notes(self._schema)
        """What the schema says of its patterns, by pattern, in words."""
        self._local = threading.local()
        if not _ADDRESS.search(wsdl) or len(_IMPORTS.findall(wsdl)) != 1:
            raise ConfigurationError(f"wsdl/{name} has no address or not one schema import")
        if re.search(rb"<xs:(import|include)\b", self._schema):
            raise ConfigurationError(f"xsd/{name} must not import: ?singleWsdl has to stand alone")
        self.sha256: Final = sha256(wsdl + b"\0" + self._schema).hexdigest()
        """Digest of both files as they stand in the source, in hexadecimal digits."""

    @classmethod
    def load(cls, name: str) -> Contract:
        """Read the contract of that name from its files."""
        (wsdl,) = folder("wsdl", name).glob("*.wsdl")
        schemas = {path.stem: path.read_bytes() for path in folder("xsd", name).glob("*.xsd")}
        return cls(name, wsdl=wsdl.read_bytes(), schemas=schemas)

    @property
    def schema_names(self) -> tuple[str, ...]:
        """Names that `xsd` takes."""
        return tuple(self._schemas)

    def address(self, base: str) -> str:
        """Return the endpoint's address; base: scheme and host, with or without a final slash."""
        return f"{base.rstrip('/')}/soap/{self.name}.svc"

    def wsdl(self, base: str) -> bytes:
        """Return the service description; its schema is imported from `?xsd=`."""
        address = escape(self.address(base), {'"': "&quot;"}).encode()
        text = _ADDRESS.sub(lambda found: found[1] + address + found[2], self._wsdl)
        return _SCHEMA_LOCATION.sub(
            lambda found: b"%s%s?xsd=%s%s" % (found[1], address, found[2], found[3]), text
        )

    def single_wsdl(self, base: str) -> bytes:
        """Return the service description with the schema inside and no import at all.

        1С, Mono and old svcutil take only this form.
        """
        schema = _DECLARATION.sub(b"", self._schema).rstrip()
        inline = re.sub(rb"(?m)^(?=.)", b"    ", schema)
        return _IMPORTS.sub(lambda _: inline, self.wsdl(base))

    def bare_wsdl(self, base: str) -> bytes:
        """Return the service description without a schema: WS-MetadataExchange sends it beside."""
        return _IMPORTS.sub(b"", self.wsdl(base))

    def xsd(self, name: str) -> bytes:
        """Return a schema by name, or raise NotFoundError."""
        if name not in self._schemas:
            raise NotFoundError(
                "no such schema", found=name, expected=", ".join(self._schemas), todo="ask ?wsdl"
            )
        return self._schemas[name]

    def validate(self, element: _Element, nodes: int | None = None) -> None:
        """Return when the element is valid, else raise ValidationError with at most 20 violations.

        nodes: an upper bound of elements under it, `gateway.xml.Document.nodes`; counted when None.
        """
        if not self.valid(element, nodes):
            self.refuse(element)

    def refuse(self, element: _Element) -> NoReturn:
        """Raise ValidationError, with at most 20 violations, for an element that is not valid."""
        violations = self.explain(element)
        for found in violations:
            if found.code == "max_length" and self._is_file(found.path):
                raise _file_too_large(found)
        raise ValidationError(_summary(violations), violations)

    def _is_file(self, path: str) -> bool:
        return path.rpartition("/")[2].partition("[")[0] in self._files

    def valid(self, element: _Element, nodes: int | None = None) -> bool:
        """Say whether the element is valid, without a reason: that takes far longer to find."""
        if nodes is None:
            nodes = max(sum(1 for _ in element.iter()), xml_bounds.SHORT_NODES + 1)
        if nodes > _TREE_NODES:
            return valid(self._again(element), self._validator())
        if nodes > xml_bounds.SHORT_NODES and self._too_long(element):
            return False
        try:
            return self._validator().validate(element)
        except etree.XMLSchemaValidateError as error:
            raise ValidationError("the message cannot be checked") from error

    def explain(self, element: _Element) -> tuple[Violation, ...]:
        """Return what is wrong with the element, at most 20, in document order; () when valid.

        Takes time linear in the size of the element.
        """
        log = complaints(self._again(element), self._validator())
        begun = {place.begun for _, place in log}
        nodes = islice(element.iter(), max(begun, default=-1) + 1)
        places = {index: node for index, node in enumerate(nodes) if index in begun}
        found: dict[str, Violation] = {}
        # A long text comes in pieces, each an error in the same words; once it is looked at.
        told = {(place, entry.message): entry for entry, place in log}
        for (place, _), entry in told.items():
            if entry.domain_name == "SCHEMASV":
                about = above(places[place.begun], place.up)
                item = violation(entry, about, element, self._bases, self._files)
                found.setdefault(item.path, item)
        return tuple(found.values())[: limits.VIOLATIONS_REPORTED]

    def _too_long(self, element: _Element) -> bool:
        """Say whether a huge value is longer than it may be.

        libxml2 looks at the length last: a pattern over 9 MB took 0.4 s, each time.
        """
        return any(
            _LONGER(each, most=self._most(each)) for each in cast("list[_Element]", _HUGE(element))
        )

    def _most(self, element: _Element) -> float:
        """Return how many characters an element may hold, by its name; a file may hold any."""
        name: str = element.tag.rpartition("}")[2]
        return inf if name in self._files else self._lengths.get(name, inf)

    def _again(self, element: _Element) -> bytes:
        """Return the element to be parsed a second time, as valid or invalid, long texts short.

        libxml2 hands the schema a text in pieces, each reference and every 300 bytes of letters
        beyond ASCII by themselves, and a piece costs as much as all before it: 100,000 letters
        where elements belong took 30 s. So a text where none belongs becomes one character, and a
        value no longer than any but a file may be, as far as its own limit: of so long a one only
        the length matters, and that it is no base64. One of which nothing but the length is judged,
        and that is not too long, becomes shorter still.
        """
        if not _ANY_LONG(element):
            # A copy of 10 MB of short ones would be made with the interpreter lock held.
            return etree.tostring(element, encoding="utf-8", with_tail=False)
        copy = deepcopy(element)
        for each in cast("list[_Element]", _BEFORE_LONG(copy)):
            each.tail = " " if (each.tail or "").isspace() else "?"
        for each in cast("list[_Element]", _LONG(copy)):
            if len(each):
                each.text = " " if (each.text or "").isspace() else "?"
                continue
            name = each.tag.rpartition("}")[2]
            if name in self._files:
                kept = _of_file(each.text or "")
            else:
                most = min(self._lengths.get(name, limits.TEXT_CHARS), limits.TEXT_CHARS)
                if name in self._plain and not _LONGER(each, most=most):
                    most = _ENOUGH
                kept = cast("str", _BEGINNING(each, most=most + 1))
            each.text = kept.encode("ascii", "replace").translate(_PLAIN).decode()
        return etree.tostring(copy, encoding="utf-8", with_tail=False)

    def _validator(self) -> etree.XMLSchema:
        validator: etree.XMLSchema | None = getattr(self._local, "validator", None)
        if validator is None:
            validator = etree.XMLSchema(etree.fromstring(self._schema))
            self._local.validator = validator
        return validator


def _of_file(run: str) -> str:
    """Return what a parser has to see of base64: one letter for what is none.

    libxml2 passes over all other characters, and looks at 9 MB of it three times before it says
    that they are none, which took 0.4 s.
    """
    letters = run.encode("ascii", "replace").translate(None, _STRAY)
    bare = letters.rstrip(b"=")
    rests = {0: 0, 1: 3, 2: 2}
    sound = rests.get(len(letters) - len(bare)) == len(bare) % 4 and b"=" not in bare
    return run if sound else "A"


def _summary(violations: tuple[Violation, ...]) -> str:
    if not violations:
        return "the message does not follow the contract"
    more = "" if len(violations) == 1 else f" (the first of {len(violations)})"
    return f"{violations[0].path}: {violations[0].message}{more}"


def _file_too_large(found: Violation) -> TooLargeError:
    return TooLargeError(
        "a file carried as base64 is too large",
        found=found.found,
        expected=f"at most {found.expected} bytes",
        where=found.path,
        todo="send a larger file by SOAP, as a part of a package (MTOM)",
    )


@cache
def appeals() -> Contract:
    """Return the main contract, `urn:gov:appeals:v1`."""
    return Contract.load("appeals")


def contract_sha256() -> str:
    """Return the digest of the main contract, as `Ping` tells it."""
    return appeals().sha256
