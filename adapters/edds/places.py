"""Places in a document, JSON Pointer or XML path: values read, taken out and put back. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from lxml import etree

from gateway import xml
from gateway.errors import ConfigurationError, MalformedError, TooLargeError
from gateway.jsontext import check_values
from gateway.limits import JSON_DEPTH, MB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PATHS_CHARS: Final = 2 * MB
"""All paths of a document together: 20 KB of elements below long names made 340 MB of them."""
_STEP: Final = re.compile(r"(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)")
_INDEXED: Final = re.compile(r"(.+)\[(\d+)\]", re.DOTALL)


class Place(NamedTuple):
    """Where a value stands. steps: names of members, or of elements in Clark notation."""

    steps: tuple[str, ...]
    spelled: str

    @property
    def path(self) -> str:
        """The path of the first such element, as `Tree` names it."""
        return "".join(f"/{step}[1]" for step in self.steps)


def place(text: str, form: str, namespaces: Mapping[str, str], where: str) -> Place:
    """Read a path; raise ConfigurationError."""
    if not text.startswith("/"):
        raise ConfigurationError(
            "путь начинается с / · a path begins with /", found=text, where=where
        )
    steps = text[1:].split("/")
    if form == "json":
        return Place(tuple(s.replace("~1", "/").replace("~0", "~") for s in steps), text)
    clark = []
    for step in steps:
        found = _STEP.fullmatch(step)
        if found is None or (found[1] and found[1] not in namespaces):
            raise ConfigurationError(
                "такого шага в пути быть не может · no such step of a path",
                found=step,
                expected=", ".join(f"{prefix}:name" for prefix in namespaces) or "name",
                where=where,
            )
        clark.append(f"{{{namespaces[found[1]]}}}{found[2]}" if found[1] else found[2])
    return Place(tuple(clark), text)


class Tree:
    """A JSON object that values are taken out of; what is left are extras."""

    def __init__(self, body: bytes) -> None:
        check_values(body)
        try:
            told = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedError("the body is not JSON in UTF-8", found=str(error)) from error
        except RecursionError as error:
            raise TooLargeError(
                "the body is nested too deeply", expected=f"at most {JSON_DEPTH} levels"
            ) from error
        if not isinstance(told, dict):
            raise MalformedError("the body is not a JSON object", found=type(told).__name__)
        self._told = told

    def find(self, at: Place | None) -> Any:
        """Return what stands at a place, None when nothing does."""
        node: Any = self._told if at is not None else None
        for step in at.steps if at is not None else ():
            node = node.get(step) if isinstance(node, dict) else None
        return node

    def has_room(self, at: Place) -> bool:
        """Whether a value could stand at a place: the object that would hold it is there."""
        return isinstance(self.find(Place(at.steps[:-1], "")), dict)

    def take(self, at: Place) -> None:
        """Take a value out."""
        *above, last = at.steps
        node: Any = self._told
        for step in above:
            node = node[step]
        del node[last]

    def rest(self) -> Iterator[tuple[str, Any]]:
        """Yield what is left, by name of the member."""
        yield from self._told.items()


class Elements:
    """The leaves of an XML document by path: texts of elements, attributes."""

    def __init__(self, body: bytes, charset: str = "") -> None:
        self._told: dict[str, str] = dict(_leaves(xml.parse(body, charset).root))

    def find(self, at: Place | None) -> Any:
        """Return the text of the first element of a path, None when there is none."""
        return self._told.get(at.path) if at is not None else None

    def has_room(self, at: Place) -> bool:
        """Whether a value could stand at a place: the element that would hold it is there."""
        above = Place(at.steps[:-1], "").path
        return any(path == above or path.startswith(f"{above}/") for path in self._told)

    def take(self, at: Place) -> None:
        """Take a value out."""
        del self._told[at.path]

    def rest(self) -> Iterator[tuple[str, Any]]:
        """Yield what is left, by path."""
        yield from self._told.items()


def _leaves(root: Any) -> Iterator[tuple[str, str]]:
    stack: list[tuple[Any, str]] = [(root, f"/{root.tag}[1]")]
    chars = 0
    while stack:
        element, path = stack.pop()
        chars = _bounded(chars + len(path) * len(element.attrib), path)
        for name, value in element.attrib.items():
            yield f"{path}/@{name}", str(value)
        seen: Counter[str] = Counter()
        below = []
        for child in element:
            tag = str(child.tag)
            seen[tag] += 1
            below.append((child, f"{path}/{tag}[{seen[tag]}]"))
            chars = _bounded(chars + len(below[-1][1]), path)
            if child.tail and child.tail.strip():
                raise MalformedError("text between elements", where=path)
        text = element.text or ""
        if text.strip() or not (seen or element.attrib):
            yield path, text if not seen else text.strip()
        stack.extend(reversed(below))


def _bounded(chars: int, path: str) -> int:
    if chars > PATHS_CHARS:
        raise TooLargeError("the names of the elements are too long", where=path[:200])
    return chars


def json_of(mapped: Iterable[tuple[Place, Any]], rest: Iterable[tuple[str, Any]]) -> bytes:
    """Return a JSON object made of what was mapped and what was left."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(rest)))
    for at, value in mapped:
        *above, last = at.steps
        node = told
        for step in above:
            node = node.setdefault(step, {})
        node.setdefault(last, value)
    return msgspec.json.encode(told)


def xml_of(mapped: Iterable[tuple[Place, Any]], rest: Iterable[tuple[str, Any]]) -> bytes:
    """Return an XML document made of what was mapped and what was left."""
    leaves = {at.path: str(value) for at, value in mapped} | dict(rest)
    root: Any = None
    known: dict[str, Any] = {}
    for path, value in leaves.items():
        element: Any = None
        here = ""
        steps = _steps(path)
        for step in steps:
            if step[0] == "@":
                assert element is not None
                element.set(step[1:], value)
                break
            here += f"/{step}"
            if here not in known:
                found = _INDEXED.fullmatch(step)
                tag = found[1] if found else step
                known[here] = etree.Element(tag) if root is None else etree.SubElement(element, tag)
                root = known[here] if root is None else root
            element = known[here]
        else:
            assert element is not None
            element.text = value
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _steps(path: str) -> list[str]:
    """Split a path at slashes that stand outside of a namespace."""
    out, depth, start = [], 0, 1
    for place_, letter in enumerate(path):
        depth += (letter == "{") - (letter == "}")
        if letter == "/" and not depth and place_:
            out.append(path[start:place_])
            start = place_ + 1
    out.append(path[start:])
    return out
