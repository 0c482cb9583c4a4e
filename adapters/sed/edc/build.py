"""A flat table of leaves (`leaves`) → the XML document that they are of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from adapters.sed.codes import PEER
from gateway.errors import ValidationError, Violation
from gateway.model.fold import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.model.base import Extra

_INDEXED: Final = re.compile(r"(.*)\[(\d{1,6})\]\Z", re.DOTALL)


def put_back(leaves: dict[str, str], extras: Iterable[Extra], root: str) -> None:
    """Write extras of a document with this root over its leaves: a kept spelling wins.

    An extra without a value says that something was not there.
    """
    for extra in _of(extras, root):
        if extra.value is None:
            leaves.pop(extra.path, None)
            continue
        owner, sign, name = extra.path.rpartition("/@{}")
        if sign:
            leaves.pop(f"{owner}/@{name}", None)
        leaves[extra.path] = str(extra.value)


def add(leaves: dict[str, str], extras: Iterable[Extra], root: str, typed: frozenset[str]) -> None:
    """Add extras of a document with this root to leaves that are sent as our own words.

    What the leaves say already stays; another spelling of something typed, or of an attribute, is
    not repeated. typed: names of the elements whose values are no free text.
    """
    for extra in _of(extras, root):
        last = extra.path.rpartition("/")[2].partition("[")[0]
        if extra.value is not None and last not in typed and not last.startswith("@{}"):
            leaves.setdefault(extra.path, str(extra.value))


def _of(extras: Iterable[Extra], root: str) -> Iterator[Extra]:
    return (e for e in extras if e.peer == PEER and e.path.startswith(f"{root}/"))


def build(
    leaves: Mapping[str, str],
    namespace: str,
    prefix: str | None,
    order: Mapping[str, tuple[str, ...]],
    *,
    qualified: bool = True,
) -> bytes:
    """Return the document of the leaves in UTF-8, without a declaration.

    order: child elements by their parent's name, as the format wants them; others come behind. What
    no XML can hold becomes U+FFFD.
    """
    try:
        return _built(leaves, namespace, prefix, order, qualified=qualified)
    except ValueError as error:  # a place that no name of XML can have: of an extra from elsewhere
        message = "место не запишется в XML · a kept place is no name of XML"
        fault = Violation("extras", "name", message, str(error))
        raise ValidationError(message, (fault,)) from error


def _built(
    leaves: Mapping[str, str],
    namespace: str,
    prefix: str | None,
    order: Mapping[str, tuple[str, ...]],
    *,
    qualified: bool,
) -> bytes:
    made: dict[str, Any] = {}
    own = f"{{{namespace}}}"
    places: dict[Any, int] = {}
    tails: list[tuple[str, str]] = []
    for path, told in leaves.items():
        value = FORBIDDEN.sub("\ufffd", told)
        owner, _, last = path.rpartition("/")
        if last == "#tail":
            tails.append((owner, value))
        elif last == "#text":
            _element(owner, made, places, own, prefix).text = value
        elif last.startswith("@"):
            element = _element(owner, made, places, own, prefix)
            element.set(_long_attribute(last[1:], own, qualified=qualified), value)
        else:
            _element(path, made, places, own, prefix).text = value or None
    for owner, value in tails:
        _element(owner, made, places, own, prefix).tail = value
    root = next(element for element in made.values() if element.getparent() is None)
    _sort(root, places, own, order)
    written: bytes = etree.tostring(root, encoding="utf-8")
    return written


def _long(name: str, own: str) -> str:
    if name.startswith("{}"):
        return name[2:]
    return name.replace("~1", "/").replace("~0", "~") if name[:1] == "{" else own + name


def _long_attribute(name: str, own: str, *, qualified: bool) -> str:
    if name.startswith("{") or qualified:
        return _long(name, own)
    return name


def _element(path: str, made: dict[str, Any], places: dict[Any, int], own: str, prefix: Any) -> Any:
    found = made.get(path)
    if found is not None:
        return found
    owner, _, last = path.rpartition("/")
    match = _INDEXED.match(last)
    name = _long(match[1] if match else last, own)
    if owner:
        element = etree.SubElement(_element(owner, made, places, own, prefix), name)
    else:
        element = etree.Element(name, nsmap={prefix: own[1:-1]})
    places[element] = int(match[2]) if match else 0
    made[path] = element
    return element


def _sort(
    element: Any, places: dict[Any, int], own: str, order: Mapping[str, tuple[str, ...]]
) -> None:
    names = order.get(str(element.tag).removeprefix(own), ())
    ranks = {f"{own}{name}": rank for rank, name in enumerate(names)}
    element[:] = sorted(
        element, key=lambda child: (ranks.get(child.tag, len(ranks)), places[child])
    )
    for child in element:
        _sort(child, places, own, order)
