"""How codes of topics are spelled: ССТУ's in blocks of four digits, everybody else's as they are.

A code of ССТУ names its place: раздел, тематика, тема, вопрос, подвопрос. Higher nodes are written
cut (`0005.0005.0056`) or padded (`0005.0005.0056.0000`); a footnote's digit of the document may
stick to a code (`0001.0002.0027.01262`). All of these mean one node here.
"""

from __future__ import annotations

import re
from typing import Final

SSTU: Final = "sstu"
"""The system of the common classifier (общероссийский тематический классификатор)."""
LEVELS: Final = {1: "раздел", 2: "тематика", 3: "тема", 4: "вопрос", 5: "подвопрос"}
ASSIGNABLE: Final = 4
"""Level from which a code may be given to a question; what is above only groups."""

_BLOCK: Final = 4
_SHAPE: Final = re.compile(r"\d{4}(?:\.\d{4}){0,4}")
_NOTED: Final = re.compile(r"(\d{4}(?:\.\d{4}){1,4})\d{1,2}")
"""A code with one or two digits of a footnote behind it."""
_PADDED: Final = re.compile(r"(?:\.0000)+$")
_METHODICAL: Final = "0000."


def canonical(system: str, code: str) -> str:
    """Return the one spelling of a code: for ССТУ cut, without footnotes; others only trimmed."""
    code = code.strip()
    if system != SSTU:
        return code
    code = "".join(code.split()).rstrip(".")
    noted = _NOTED.fullmatch(code)
    if noted:
        code = noted[1]
    return _PADDED.sub("", code)


def is_shaped(system: str, code: str) -> bool:
    """Whether a canonical code is one that its classifier could have."""
    return bool(code) if system != SSTU else _SHAPE.fullmatch(code) is not None


def is_methodical(system: str, code: str) -> bool:
    """Whether a code belongs to a list of the document itself (`0000.…`), given to no question."""
    return system == SSTU and (code == "0000" or code.startswith(_METHODICAL))


def level_of(system: str, code: str) -> int:
    """Return the level that a code itself tells, 0 where it tells none."""
    return code.count(".") + 1 if system == SSTU else 0


def parent_of(system: str, code: str) -> str:
    """Return the code of the node above that a code itself tells; empty at the top."""
    return code.rpartition(".")[0] if system == SSTU else ""


def is_short(system: str, code: str) -> bool:
    """Whether a code is one block, as some lists write a question by its last block alone."""
    return system == SSTU and len(code) == _BLOCK and code.isdigit()
