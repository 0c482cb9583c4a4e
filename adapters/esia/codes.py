"""What the codes of ЕСИА mean, and its words for roles and ways of contact, as data."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from gateway.model.person import ContactKind

if TYPE_CHECKING:
    from collections.abc import Mapping

GOST: Final = "GOST3410_2012_256"
RSA: Final = "RS256"
KIND_OF: Final = {GOST: "gost2012_256", RSA: "rsa"}
"""The algorithms of tokens that may be allowed at all, and the kind of key each needs."""
_CODE: Final = re.compile(r"ESIA-(\d{6})")

CONTACTS: Final[Mapping[str, ContactKind]] = {
    "MBT": ContactKind.PHONE,
    "PHN": ContactKind.PHONE,
    "CPH": ContactKind.PHONE,
    "EML": ContactKind.EMAIL,
    "CEM": ContactKind.EMAIL,
}
"""Types of `/ctts`: mobile, home and work telephone, own and work e-mail."""
ADDRESSES: Final = ("PLV", "PRG")
"""Types of `/addrs`: where he lives, where he is registered; the first found is taken."""


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one code means. who: person, ours or theirs; meaning: "Russian · English"."""

    who: Literal["person", "ours", "theirs"]
    meaning: str
    todo: str


@lru_cache(1)
def meanings() -> Mapping[str, Meaning]:
    """Return the table of codes, by their six digits."""
    text = files(__package__).joinpath("tables/errors.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Meaning])


def code_of(description: Any) -> str:
    """Return the six digits of a code in a text of ЕСИА, empty when there is none."""
    found = _CODE.search(description[:500]) if isinstance(description, str) else None
    return found[1] if found else ""
