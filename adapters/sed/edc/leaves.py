"""An XML document as a flat table of leaves, from which known ones are taken (back: `build`).

`header/source/organization`, `authors/author[1]/sign/person/name`, attributes `@name`; a leaf is
the text of an element without children, or an attribute. An element of the format's own namespace
goes by its local name, any other by `{namespace}name`; an attribute without a namespace, where the
format qualifies them, by `@{}name`. Inside a name `/` is `~1` and `~` is `~0`. Elements that the
format repeats always carry their number, from 0; others from the second on. Text beside elements is
`…/#text`, text behind one `…/#tail`.

What is taken and would not come back in the same spelling stays in the table too, so that it
becomes an extra and is restored to the letter.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from adapters.sed.codes import PEER
from gateway import limits
from gateway.errors import TooLargeError, ValidationError, Violation, violations_of
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Extra
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from lxml.etree import _Element

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d{1,9}(?:[.,]\d{1,6})?", re.ASCII)


class Leaves:
    """The leaves of one document. `values`: those that nobody took; `counts`: repeated elements.

    wrong: where a text that cannot be stored is noted.
    """

    def __init__(self, wrong: list[Violation]) -> None:
        self.values: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.wrong = wrong
        self._names = _Names("", qualified=True)
        self._families: dict[str, set[str]] = {}
        self._places: list[str] = []
        self._spans: dict[str, tuple[int, int]] = {}

    @classmethod
    def of(
        cls,
        root: _Element,
        namespace: str,
        repeated: frozenset[str],
        wrong: list[Violation],
        *,
        qualified: bool = True,
    ) -> Leaves:
        """Flatten a parsed document; every path begins with the name of the root.

        qualified: attributes of the format carry its namespace too (МЭДО), or none (SEV).
        """
        made = cls(wrong)
        own = f"{{{namespace}}}"
        families: dict[str, set[str]] = {}
        for each in repeated:
            parent, _, name = each.partition("/")
            families.setdefault(parent, set()).add(name)
        made._names = _Names(own, qualified=qualified)
        made._families = families
        name = made._names.element(root.tag)
        made._walk(root, name, name)
        wrong += made._names.wrong
        return made

    def _walk(self, element: _Element, at: str, name: str) -> None:
        begun = len(self._places)
        for key, value in element.items():
            self._add(f"{at}/@{self._names.attribute(key)}", str(value))
        text, children = element.text, list(element)
        if children:
            if text and not text.isspace():
                self._add(f"{at}/#text", text)
            self._below(children, at, self._families.get(name, _NONE))
        elif text or begun == len(self._places):
            self._add(at, text or "")
        self._spans[at] = (begun, len(self._places))

    def _below(self, children: list[_Element], at: str, repeated: set[str]) -> None:
        numbers: dict[str, int] = {}
        for child in children:
            name = self._names.element(child.tag)
            number = numbers.get(name, 0)
            numbers[name] = number + 1
            path = f"{at}/{name}"
            if name in repeated:
                self.counts[path] = number + 1
                path = f"{path}[{number}]"
            elif number:
                path = f"{path}[{number}]"
            self._walk(child, path, name)
            tail = child.tail
            if tail and not tail.isspace():
                self._add(f"{path}/#tail", tail)

    def _add(self, path: str, value: str) -> None:
        self._places.append(path)
        if value.isascii() and len(value) <= limits.TEXT_CHARS:
            self.values[path] = value  # what XML lets through of ASCII can be stored
            return
        try:
            self.values[path] = clean_text(value, path)
        except (ValidationError, TooLargeError) as error:
            self.wrong.extend(violations_of(error))

    def has(self, path: str) -> bool:
        """Say whether the element is there, with anything in it that is not taken yet."""
        return bool(self._left(path))

    def _left(self, path: str) -> list[str]:
        """Return the places at and below an element whose leaves are not taken yet."""
        start, end = self._spans.get(path, (0, 0))
        return [place for place in self._places[start:end] if place in self.values]

    def count(self, path: str) -> int:
        """How many elements of this name, one the format repeats, there are."""
        return self.counts.get(path, 0)

    def text(self, path: str, most: int = limits.TEXT_CHARS) -> str:
        """Take a text, without spaces around it; empty when absent.

        One that is empty, or longer than `most`, stays an extra.
        """
        value = self.values.get(path)
        if value is None:
            return self._unqualified(path)
        stripped = value.strip()
        if len(stripped) > most:
            return ""
        if value and stripped == value:
            del self.values[path]
        return stripped

    def _unqualified(self, path: str) -> str:
        """An attribute that a writer left without its namespace; it stays an extra as well."""
        owner, sign, name = path.rpartition("/@")
        return self.values.get(f"{owner}/@{{}}{name}", "").strip() if sign else ""

    def day(self, path: str) -> dt.date | None:
        """Take a calendar date; one in another spelling is not guessed at and stays an extra."""
        value = self.values.get(path, "")
        if not _DAY.fullmatch(value):
            return None
        try:
            found = dt.date.fromisoformat(value)
        except ValueError:
            return None
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            return None
        del self.values[path]
        return found

    def number(self, path: str) -> int | None:
        """Take a whole number; one in another spelling stays an extra."""
        if not _NUMBER.fullmatch(self.values.get(path, "")):
            return None
        return int(self.values.pop(path))

    def decimal(self, path: str) -> float | None:
        """Take a number; one that would come back in another spelling stays an extra too."""
        value = self.values.get(path, "").strip()
        if not _DECIMAL.fullmatch(value):
            return None
        found = float(value.replace(",", "."))
        if decimal(found) == self.values[path]:
            del self.values[path]
        return found

    def flag(self, path: str) -> bool | None:
        """Take `true` or `false`; the numbers that mean the same stay an extra too."""
        value = self.values.get(path, "").strip()
        if value in {"true", "false"}:
            self.text(path)
        return {"true": True, "1": True, "false": False, "0": False}.get(value)

    def moment(self, path: str, zone: ZoneInfo) -> dt.datetime | None:
        """Take an instant; without an offset it is of the zone. Other spellings stay extras."""
        value = self.values.get(path, "").strip()
        if len(value) < len("2026-01-01T00:00"):
            return None
        try:
            found = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            return None
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        if local(found, zone) == self.values[path]:
            del self.values[path]
        return found

    def told(self, path: str, value: str) -> Iterable[Extra]:
        """Take what the format fixes; an extra when it is another value, or is not there at all."""
        found = self.values.pop(path, None)
        return () if found == value else (Extra(peer=PEER, path=path, value=found),)

    def extras(self, below: str = "") -> tuple[Extra, ...]:
        """Take everything that is left below a path, verbatim."""
        left = self._left(below) if below else list(self.values)
        if len(left) > limits.EXTRAS_PER_ENTITY:
            raise TooLargeError(
                "too much in the document that the format does not know",
                found=str(len(left)),
                expected=str(limits.EXTRAS_PER_ENTITY),
                where=below,
            )
        return tuple(Extra(peer=PEER, path=path, value=self.values.pop(path)) for path in left)


def decimal(value: float) -> str:
    """A number as the format writes it: `20`, `62.5`."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def local(value: dt.datetime, zone: dt.tzinfo | None) -> str:
    """An instant as the format writes it: time of the zone, without an offset."""
    return value.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


class _Names:
    """Names of elements and attributes as they stand in a place, each made once.

    own: the format's namespace in braces. wrong: names that cannot be stored.
    """

    def __init__(self, own: str, *, qualified: bool) -> None:
        self._own = own
        self._qualified = qualified
        self._elements: dict[Any, str] = {}
        self._attributes: dict[Any, str] = {}
        self.wrong: list[Violation] = []

    def element(self, tag: Any) -> str:
        """Return the name of an element."""
        found = self._elements.get(tag)
        if found is None:
            name = self._checked(str(tag))
            if name.startswith(self._own):
                found = name[len(self._own) :]
            else:
                found = _escaped(name) if name[0] == "{" else f"{{}}{name}"
            self._elements[tag] = found
        return found

    def attribute(self, key: Any) -> str:
        """Return the name of an attribute."""
        found = self._attributes.get(key)
        if found is None:
            name = self._checked(str(key))
            if name.startswith(self._own):
                found = name[len(self._own) :] if self._qualified else _escaped(name)
            elif name[0] == "{":
                found = _escaped(name)
            else:
                found = f"{{}}{name}" if self._qualified else name
            self._attributes[key] = found
        return found

    def _checked(self, name: str) -> str:
        if not name.isascii():
            try:
                clean_text(name)
            except (ValidationError, TooLargeError) as error:
                self.wrong.extend(violations_of(error))
        return name


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


_NONE: Final[set[str]] = set()
