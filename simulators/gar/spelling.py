"""How people write names of places: other spellings of the same name, and misspellings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.gar.vocabulary import words

if TYPE_CHECKING:
    from random import Random

    from simulators.gar.thing import Thing

_ROWS: Final = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_LETTERS: Final = "абвгдежзиклмнопрстуфхцчшщыэюя"
_ORDINAL: Final = re.compile(r"^(\d+)-(я|й|е) (.+)$")
_INITIALS: Final = re.compile(r"^((?:[А-Я]\.)+)(.+)$")
_YEARS: Final = re.compile(r"^(\d+) лет (.+)$")
_DATE: Final = re.compile(
    r"^(\d+) (Мая|Января|Марта|Октября|Февраля|Ноября|Декабря|Июля|Июня|Сентября|Августа)$"
)
_GIVEN: Final = frozenset(
    {
        "Розы", "Карла", "Клары", "Степана", "Зои", "Александра", "Ивана", "Дмитрия", "Богдана",
        "Максима", "Павлика", "Лизы", "Олега", "Веры", "Софьи", "Феликса",
    }
)  # fmt: skip


class Written(NamedTuple):
    """A name as written, with its type. kinds: what the type may mean, None when it is left out."""

    text: str
    name: str
    kinds: frozenset[str] | None


def plain(text: str) -> str:
    """Return text as it is compared: small letters, ё as е, signs as spaces."""
    return " ".join(re.findall(r"[0-9a-zа-я]+", text.lower().replace("ё", "е")))


def spellings(name: str) -> list[str]:
    """Return a name and the other ways in which people write it; the name itself first."""
    found = [name]
    if match := _ORDINAL.match(name):
        number, ending, rest = match.groups()
        found += [f"{number} {rest}", f"{number}{ending} {rest}", f"{rest} {number}-{ending}"]
        stem = words()["ordinals"].get(number)
        if stem:
            found.append(f"{stem.capitalize()}{_full_ending(number, ending)} {rest}")
    elif match := _INITIALS.match(name):
        letters, rest = match.groups()
        apart = " ".join(f"{letter}." for letter in letters.split(".") if letter)
        found += [rest, f"{apart} {rest}", f"{rest} {letters}"]
    elif match := _YEARS.match(name):
        found.append(f"{match[1]}-летия {match[2]}")
    elif match := _DATE.match(name):
        found += [f"{match[1]}-го {match[2]}", f"{match[1]} {match[2].lower()}"]
    elif name.startswith("им. "):
        found += [name[4:], f"имени {name[4:]}"]
    elif (first := name.partition(" ")[0]) in _GIVEN:
        rest = name.partition(" ")[2]
        found += [f"{first[0]}. {rest}", f"{first[0]}.{rest}"]
    return found


def _full_ending(number: str, ending: str) -> str:
    if number == "3":
        return {"й": "ий", "я": "ья", "е": "ье"}[ending]
    if ending == "й":
        return "ой" if number in ("2", "6", "7", "8") else "ый"
    return "ая" if ending == "я" else "ое"


def typo(draw: Random, name: str) -> str:
    """Misspell one of the longer words of a name by one edit; unchanged when there is none."""
    found = list(re.finditer(r"[А-Яа-яЁё]{4,}", name))
    if not found:
        return name
    word = draw.choice(found)
    at = draw.randrange(1, word.end() - word.start()) + word.start()
    kind = draw.randrange(5)
    if kind == 0:
        return name[:at] + draw.choice(_LETTERS) + name[at + 1 :]
    if kind == 1:
        return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
    if kind == 2:
        return name[:at] + name[at + 1 :]
    if kind == 3:
        return name[:at] + draw.choice(_LETTERS) + name[at:]
    return name[:at] + _neighbour(draw, name[at]) + name[at + 1 :]


def _neighbour(draw: Random, letter: str) -> str:
    for row in _ROWS:
        at = row.find(letter.lower())
        if at >= 0:
            near = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
            return draw.choice(near)
    return letter


def typed(draw: Random, thing: Thing, name: str, *, missing: float, after: float = 0.0) -> Written:
    """Write a name with its type in one of its forms, before it, after it, or not at all.

    missing, after: shares of those without a type, and with it after the name.
    """
    forms = words()["spelled"]
    chance = draw.random()
    if chance < missing:
        return Written(name, name, None)
    form = draw.choice(forms[thing.kind])
    kinds = frozenset(kind for kind, given in forms.items() if form in given)
    if len(form) < 2 and not form.endswith("."):
        after = 0.0
    if chance > 1 - after:
        return Written(f"{name} {form}", name, kinds)
    return Written(f"{form} {name}", name, kinds)


def above(draw: Random, thing: Thing, kind: str = "") -> str:
    """Write a region or district with its type: `Воронежская обл.`, `р-н Аннинский`."""
    kind = kind or thing.kind
    form = draw.choice(words()["spelled"][kind])
    first = kind in ("Респ", "г.о.", "м.о.") or draw.random() < 0.25
    return f"{form} {thing.name}" if first and kind != "край" else f"{thing.name} {form}"
