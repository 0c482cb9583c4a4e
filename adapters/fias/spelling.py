"""Keys and labels of what a region holds: numbers of houses, flats, plots, types of objects. Pure.

ADDTYPE is decoded by the dictionary AS_ADDHOUSE_TYPES of the delivery. Where it is absent (it is in
no public schema, and no public sample has it) by what importers of the register agree on: 1 корпус,
2 строение, 3 сооружение, 4 литера. Only that such a dictionary exists is confirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses import keys

if TYPE_CHECKING:
    from collections.abc import Iterable

ADDHOUSE: Final = {1: "корпус", 2: "строение", 3: "сооружение", 4: "литера"}
"""AS_ADDHOUSE_TYPES as importers know it; not confirmed by a delivery."""
HOUSE: Final = {
    1: "владение", 2: "дом", 3: "домовладение", 4: "гараж", 5: "здание", 6: "шахта", 7: "строение",
    8: "сооружение", 9: "литера", 10: "корпус", 11: "подвал", 12: "котельная", 13: "погреб",
    14: "объект незавершенного строительства",
}  # fmt: skip
"""AS_HOUSE_TYPES of 2023; inactive ones are still referred to."""
APARTMENT: Final = {1: "помещение", 2: "квартира", 3: "офис", 4: "комната"}

SHORT: Final = {
    "владение": "влд.", "дом": "д.", "домовладение": "двлд.", "гараж": "гараж", "здание": "зд.",
    "строение": "стр.", "сооружение": "соор.", "литера": "литера", "корпус": "к.",
    "квартира": "кв.", "помещение": "помещ.", "офис": "оф.", "комната": "ком.", "участок": "уч.",
}  # fmt: skip
"""How a type is written before a number; another one in full."""

APART: Final = {"гараж": "гараж", "шахта": "шахта", "подвал": "подвал", "погреб": "погреб"}
"""Types whose number says nothing of a house with the same one on the same street."""

OBJECT: Final = {
    "обл": "область", "край": "край", "респ": "республика", "аобл": "автономная область",
    "аокр": "автономный округ", "ао": "автономный округ", "гфз": "город федерального значения",
    "г": "город", "р-н": "район", "м.р-н": "муниципальный район", "м.о": "муниципальный округ",
    "г.о": "городской округ", "г.п": "городское поселение", "с.п": "сельское поселение",
    "вн.р-н": "внутригородской район", "вн.тер.г": "внутригородская территория",
    "с/с": "сельсовет", "пгт": "поселок городского типа", "рп": "рабочий поселок",
    "р.п": "рабочий поселок", "кп": "курортный поселок", "дп": "дачный поселок", "п": "поселок",
    "пос": "поселок", "с": "село", "д": "деревня", "х": "хутор", "ст-ца": "станица",
    "ст": "станция", "сл": "слобода",
    "аул": "аул", "нп": "населенный пункт", "рзд": "разъезд", "м": "местечко",
    "мкр": "микрорайон", "мкр-н": "микрорайон", "кв-л": "квартал", "тер": "территория",
    "тер. снт": "территория снт", "снт": "снт", "тер. гск": "территория гск", "гск": "гск",
    "промзона": "промзона", "зона": "зона", "массив": "массив", "ул": "улица", "пер": "переулок",
    "пр-кт": "проспект", "пр-д": "проезд", "проезд": "проезд", "ш": "шоссе", "б-р": "бульвар",
    "пл": "площадь", "наб": "набережная", "туп": "тупик", "аллея": "аллея", "ал": "аллея",
    "дор": "дорога", "линия": "линия", "лн": "линия", "тракт": "тракт", "спуск": "спуск",
    "въезд": "въезд", "заезд": "заезд", "кольцо": "кольцо", "просек": "просек", "км": "километр",
    "мост": "мост", "парк": "парк", "сквер": "сквер", "ряд": "ряд", "взв": "взвоз",
}  # fmt: skip
"""Short names without their last dot, for a delivery without AS_ADDR_OBJ_TYPES."""


_ROLES: Final = {
    "корпус": "block", "строение": "building", "сооружение": "building", "литера": "letter",
    "литер": "letter",
}  # fmt: skip
"""Which part of a key a numbered type is."""


class Numbered(NamedTuple):
    """A house as the register numbers it; kind: 0 a house, 1 a plot of land."""

    kind: int
    number: str
    type: int
    add1: str
    type1: int
    add2: str
    type2: int


class Words:
    """The words of the dictionaries; rows: dictionary, id, level, short, name; active ones last."""

    def __init__(self, rows: Iterable[tuple[str, int, int, str, str]]) -> None:
        self._named: dict[str, dict[int, str]] = {
            "house_types": dict(HOUSE), "addhouse_types": dict(ADDHOUSE),
            "apartment_types": dict(APARTMENT),
        }  # fmt: skip
        self._objects: dict[tuple[int, str], str] = {}
        for dictionary, id_, level, short, name in rows:
            if dictionary == "addr_obj_types":
                self._objects[level, _short(short)] = keys.fold(name).strip()
            else:
                self._named.setdefault(dictionary, {})[id_] = keys.fold(name).strip()

    def object(self, level: int, type_name: str) -> str:
        """Return the whole word of an object's type: `улица` for (8, `ул.`); itself if unknown."""
        short = _short(type_name)
        return (
            self._objects.get((level, short)) or OBJECT.get(short) or keys.fold(type_name).strip()
        )

    def house(self, given: Numbered) -> tuple[str, str]:
        """Return key and label of a house; an empty key when the row has no number at all."""
        if given.kind:
            known = keys.house(given.number) != ""
            label = f"{SHORT['участок']} {given.number}"
            return (keys.stead(given.number) if known else "", label)
        type_ = self._named["house_types"].get(given.type, "")
        parts: dict[str, str] = {}
        labels = []
        if given.number:
            where = _ROLES.get(type_, "number")
            parts[where] = given.number
            labels.append(f"{SHORT.get(type_, type_)} {given.number}".strip())
        for number, code in ((given.add1, given.type1), (given.add2, given.type2)):
            if number:
                word = self._named["addhouse_types"].get(code, "")
                where = _ROLES.get(word, "number" if "number" not in parts else "block")
                parts[where] = parts.get(where, "") + ("/" if where in parts else "") + number
                labels.append(f"{SHORT.get(word, word)} {number}".strip())
        key = keys.house(
            parts.get("number", ""), parts.get("block", ""), parts.get("building", ""),
            parts.get("letter", ""),
        )  # fmt: skip
        return (APART.get(type_, "") + key if key else "", ", ".join(labels))

    def flat(self, number: str, type_: int) -> tuple[str, str]:
        """Return key and label of an apartment."""
        word = self._named["apartment_types"].get(type_, "")
        return keys.flat(number), f"{SHORT.get(word, word)} {number}".strip()


def _short(text: str) -> str:
    return keys.fold(text).strip().rstrip(".")
