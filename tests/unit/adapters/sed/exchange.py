"""A directory of an exchange in a test: what lies in it, and what is said of it."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from adapters.sed.adapter import Sed
from adapters.sed.folder import pack
from gateway import contracts
from gateway.adapter import Landed, Verdict
from gateway.testing.cases import packed

CASES = Path(__file__).parents[3] / "contract" / "sed"
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
SCHEMA = etree.XMLSchema(etree.parse(contracts.folder("xsd", "medo") / "2.6" / "IEDMS.xsd"))
US = "99999999-9999-4999-8999-999999999999"


def make(root, **options):
    """Return the adapter of a directory."""
    table = {
        "directory": str(root), "uid": US, "organization": "Инспекция (тест)",
        "settle_seconds": 0, **options,
    }  # fmt: skip
    return Sed(table)


def drop(root, name, case):
    """Lay the message of a case into `in/`."""
    folder = root / "in" / name
    folder.mkdir(parents=True)
    source = CASES / case
    if (source / "wire").is_dir():
        for path in (source / "wire").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
    else:
        (folder / "document.xml").write_bytes((source / "wire.xml").read_bytes())
    return folder


def verdict(token, error=None):
    """Say what became of a message."""
    return Verdict(token=token, items=(Landed(operation="submit", error=error),), now=NOW)


def folders(root):
    """Return the folders that the partner sees."""
    return sorted(p for p in (root / "out").iterdir() if not p.name.startswith("."))


def cards(root):
    """Return the documents of the folders that the partner sees."""
    return [etree.parse(next(folder.glob("*.xml"))).getroot() for folder in folders(root)]


def subjects(root):
    """Return the lines `ТЕМА` of their envelopes."""
    texts = [(p / "envelope.ini").read_bytes().decode("cp1251") for p in folders(root)]
    return sorted(text.splitlines()[1].partition("=")[2] for text in texts)


def told(tmp_path):
    """Return what lies in `out/`, each valid by the schema."""
    cards = []
    for folder in sorted((tmp_path / "out").iterdir()):
        if not folder.name.startswith("."):
            assert (folder / "envelope.ini").read_bytes().decode("cp1251")
            card = etree.parse(folder / "document.xml").getroot()
            SCHEMA.assertValid(card)
            cards.append(card)
    return cards


def find(card, path):
    """Return the text at a path."""
    return card.findtext(path, namespaces={"x": "http://www.infpres.com/IEDMS"})


def out_wire(case="m26-out-registered"):
    """Return the message of an out-case."""
    files = zipfile.ZipFile(io.BytesIO(packed(CASES / case / "wire_out")))
    return pack(
        "fa9914e5-81cd-55cc-b780-aa5b85c3db8b", {n: files.read(n) for n in files.namelist()}
    )
