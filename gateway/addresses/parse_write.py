"""Writing down what was read: items as parts, words as tokens with their reasons in Russian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses.parts import Parsed, Part, Token
from gateway.addresses.split import COMMA, MARK, QUOTE, WORD
from gateway.addresses.words import MARKERS, SPEECH

if TYPE_CHECKING:
    from gateway.addresses.parse_item import Item
    from gateway.addresses.parts import Role
    from gateway.addresses.split import Word

_WHY: Final = {
    "postal_code": "почтовый индекс",
    "country": "страна",
    "region": "название региона",
    "municipality": "название района или округа",
    "settlement": "название населённого пункта",
    "district": "название части города",
    "plan": "название микрорайона или территории",
    "street": "название улицы",
    "house": "номер дома",
    "block": "номер корпуса",
    "building": "номер строения",
    "letter": "литера",
    "stead": "номер участка",
    "apartment": "номер квартиры или помещения",
    "room": "номер комнаты",
    "other": "не относится к месту",
}
_BARE: Final = {
    "settlement": "название населённого пункта без типа, по месту в адресе",
    "street": "название улицы без типа, по месту в адресе",
    "municipality": "название района без типа, по месту в адресе",
    "region": "название региона без типа",
    "house": "номер дома без слова «дом»",
    "apartment": "номер квартиры без слова «квартира»",
}
_TYPE: Final = {
    whole: f"тип: {whole}" for whole in ("улица", "город", "дом", "квартира", "область", "район")
}
_UNKNOWN: Final = "не понято"
_SPEECH: Final = "слово речи, не адреса"
_IDLE: Final = "тип без названия или номера"
_PIECES: Final = frozenset({COMMA, MARK, QUOTE})


def write(text: str, words: list[Word], items: list[Item]) -> Parsed:
    """Return the parts, the tokens and the rest."""
    parts: list[Part] = []
    count = len(words)
    roles: list[Role | None] = [None] * count
    whys = [_UNKNOWN] * count
    for item in items:
        if not item.role:
            continue
        role: Role = item.role  # type: ignore[assignment]
        kind = item.kind
        parts.append(_part(text, words, item, role))
        why = _WHY[role] if kind is not None else _BARE.get(role) or _WHY[role]
        for place in range(item.first, item.last + 1):
            roles[place] = role
            whys[place] = why
        if item.marks:
            why = _TYPE.get(kind.whole) or f"тип: {kind.whole}" if kind is not None else "тип"
            for place in item.marks:
                roles[place] = role
                whys[place] = why
    tokens: list[Token] = []
    rest: list[str] = []
    for place, word in enumerate(words):
        if word.kind in _PIECES:
            continue
        taken = roles[place]
        why = whys[place]
        if taken is None:
            taken = "other"
            why = _unexplained(word)
            if why is not _SPEECH:
                rest.append(word.text)
        tokens.append(Token(text=word.text, start=word.start, end=word.end, role=taken, why=why))
    return Parsed(text=text, parts=tuple(parts), tokens=tuple(tokens), rest=tuple(rest))


def _unexplained(word: Word) -> str:
    """Say why a word is in no part."""
    if word.kind != WORD:
        return _UNKNOWN
    if word.key in SPEECH:
        return _SPEECH
    return _IDLE if word.key in MARKERS else _UNKNOWN


def _part(text: str, words: list[Word], item: Item, role: Role) -> Part:
    """Return the part of an item."""
    kind = item.kind
    name = item.name or _name(text, words, item)
    whole = kind.whole if kind is not None else item.region.type if item.region is not None else ""
    if item.region is not None and whole == "город федерального значения":
        whole = "город"
    if len(item.kinds) > 1 and kind is item.kinds[0]:
        types = tuple(one.whole for one in item.kinds if one.role == role)
        if len(types) > 1:
            return Part(role=role, name=name, type=whole, types=types)
    return Part(role=role, name=name, type=whole)


def _name(text: str, words: list[Word], item: Item) -> str:
    """Return a name as written, without quotes around it or within it."""
    if item.marks and item.first < item.marks[0] < item.last:
        # The type stands within the name: `2-й проезд Мира`.
        kept = (at for at in range(item.first, item.last + 1) if at not in item.marks)
        return " ".join(words[at].text for at in kept if words[at].kind not in _PIECES)
    last = words[item.last]
    end = last.end + 1 if last.dot and len(last.key) == 1 else last.end
    name = text[words[item.first].start : end]
    for quote in '"«»“”„':
        if quote in name:
            name = name.replace(quote, "")
    if "  " in name:
        name = " ".join(name.split())
    return name
