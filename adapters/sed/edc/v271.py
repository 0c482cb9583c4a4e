"""МЭДО 2.7.1: other namespaces, `message.xml`, UTF-8 alone; a body's own schema when it has one.

No schema of 2.7.1 is public, so everything is carried by its structure and nothing is claimed: what
the reader does not know becomes an extra, verbatim. Written only where the peer's option
`profile = "2.7.1"` asks for it. The option `xsd_271` names a schema file, or a folder of them; then
what comes and what goes is held against those whose target namespace is that of the document.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from lxml import etree

from adapters.sed.edc.version import Version
from gateway import contracts_places, limits, ns, xml
from gateway.contracts_errors import violation
from gateway.contracts_places import above
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from gateway.errors import Violation

PROFILE: Final = "2.7.1"
OPTION: Final = "xsd_271"
_LOCAL: Final = threading.local()
"""libxml2 keeps the error log in the validator, so each thread compiles its own."""


def check(root: _Element, name: str, options: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Return what the body's own schema finds wrong with a document, at most 20.

    name: of the document's file, for the paths. Nothing is checked without the option, or when
    none of the schemas is for this namespace. Raises ConfigurationError for a schema that cannot be
    compiled from files alone.
    """
    path = str(options.get(OPTION) or "")
    if not path:
        return ()
    validator = _validators(path).get(etree.QName(root).namespace or "")
    if validator is None:
        return ()
    text = etree.tostring(root, encoding="utf-8", with_tail=False)
    if contracts_places.valid(text, validator):
        return ()
    nodes = list(root.iter())
    found = [
        violation(entry, above(nodes[place.begun], place.up), root, {}, frozenset())
        for entry, place in contracts_places.complaints(text, validator)
    ]
    named = (item._replace(path=f"{name}#{item.path}") for item in found)
    return tuple(dict.fromkeys(named))[: limits.VIOLATIONS_REPORTED]


def _validators(path: str) -> dict[str, etree.XMLSchema]:
    """Return the compiled schemas by target namespace, once for a thread and a state of files."""
    files = _files(path)
    stamp = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    known = cast(
        "dict[str, tuple[Any, dict[str, etree.XMLSchema]]]", _LOCAL.__dict__.setdefault("known", {})
    )
    if path not in known or known[path][0] != stamp:
        known[path] = (stamp, dict(_compiled(file) for file in files))
    return known[path][1]


def _files(path: str) -> list[Path]:
    place = Path(path)
    found = sorted(place.glob("*.xsd")) if place.is_dir() else [place]
    if not found or not all(file.is_file() for file in found):
        raise ConfigurationError(
            "there is no schema here", found=path, expected="*.xsd", where=f"options.{OPTION}"
        )
    return found


def _compiled(file: Path) -> tuple[str, etree.XMLSchema]:
    """Compile a schema from files alone: what it imports over the network is not there."""
    parser = etree.XMLParser(**(xml.OPTIONS | {"remove_comments": True}))
    try:
        root = etree.parse(str(file), parser).getroot()
        _refuse_addresses(root, file)
        return root.get("targetNamespace", ""), etree.XMLSchema(root)
    except (OSError, etree.LxmlError) as error:
        raise ConfigurationError(
            f"the schema cannot be compiled: {error}",
            found=str(file),
            where=f"options.{OPTION}",
            todo="name a file or a folder that holds everything the schema imports",
        ) from error


def _refuse_addresses(root: _Element, file: Path) -> None:
    for element in root.iter(f"{{{ns.XSD}}}import", f"{{{ns.XSD}}}include"):
        address = element.get("schemaLocation", "")
        if "://" in address:
            raise ConfigurationError(
                "the schema imports over the network",
                found=address,
                expected="a file beside it",
                where=f"options.{OPTION}: {file}",
            )


V271: Final = Version(
    name=PROFILE,
    message="urn:IEDMS:MESSAGE",
    container="urn:IEDMS:CONTAINER",
    passport=PROFILE,
    file="message.xml",
    reads=(xml.UTF8,),
    source="medo271",
    check=check,
)
