"""What a document holds, as a flat dict of places and values, so that two can be compared.

Prefixes of namespaces, order of JSON keys, blanks between elements and the encoding do not count;
everything else does. An empty object, list or element is a leaf of its own.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

from lxml import etree

Leaves = dict[str, Any]


def leaves(body: bytes, suffix: str) -> Leaves:
    """Return the leaves of a document.

    suffix: `json`, `ndjson`, `xml`, `form`, `csv`, `zip`, `ini`; a file of any other kind is one
    leaf, its digest.
    """
    read = _READERS.get(suffix)
    return dict(read(body)) if read else {"": sha256(body).hexdigest()}


def of_tree(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a JSON tree by JSON Pointer."""
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from of_tree(value, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(tree, list | tuple) and tree:
        for number, value in enumerate(tree):
            yield from of_tree(value, f"{path}/{number}")
    else:
        yield path, tree


def count(value: Any) -> int:
    """Return how many leaves the value of an extra stands for."""
    return sum(1 for _ in of_tree(value))


def _json(body: bytes) -> Iterator[tuple[str, Any]]:
    yield from of_tree(json.loads(body.decode("utf-8-sig")))


def _ndjson(body: bytes) -> Iterator[tuple[str, Any]]:
    lines = [line for line in body.decode("utf-8-sig").splitlines() if line.strip()]
    for number, line in enumerate(lines):
        yield from of_tree(json.loads(line), f"/{number}")


def _xml(body: bytes) -> Iterator[tuple[str, Any]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    yield from _element(etree.fromstring(body, parser), "")


def _element(element: Any, path: str) -> Iterator[tuple[str, Any]]:
    here = f"{path}/{element.tag}"
    for name, value in element.attrib.items():
        yield f"{here}/@{name}", value
    seen: Counter[str] = Counter()
    for child in element:
        if isinstance(child.tag, str):
            seen[child.tag] += 1
            yield from _element(child, f"{here}[{seen[child.tag]}]")
    text = (element.text or "").strip()
    if text or not (seen or element.attrib):
        yield here, text


def _form(body: bytes) -> Iterator[tuple[str, Any]]:
    seen: Counter[str] = Counter()
    for name, value in parse_qsl(body.decode().strip(), keep_blank_values=True):
        seen[name] += 1
        yield f"/{name}/{seen[name]}", value


def _csv(body: bytes) -> Iterator[tuple[str, Any]]:
    rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=";")
    header = next(rows, [])
    for number, row in enumerate(rows):
        for name, cell in zip(header, row, strict=False):
            if cell:
                yield f"/{number}/{name}", cell


def _zip(body: bytes) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for info in archive.infolist():
            suffix = info.filename.rpartition(".")[2].lower()
            for path, value in leaves(archive.read(info), suffix).items():
                yield f"/{info.filename}{path}", value


def _ini(body: bytes) -> Iterator[tuple[str, Any]]:
    section = ""
    for line in body.decode("cp1251").splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif "=" in text:
            name, _, value = text.partition("=")
            yield f"/{section}/{name.strip()}", value.strip()


_READERS: Final[dict[str, Callable[[bytes], Iterator[tuple[str, Any]]]]] = {
    "json": _json,
    "ndjson": _ndjson,
    "xml": _xml,
    "form": _form,
    "csv": _csv,
    "zip": _zip,
    "ini": _ini,
}
