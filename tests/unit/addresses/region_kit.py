"""A made-up region in memory, with every trap that addresses have; also as rows for a database."""

from __future__ import annotations

from uuid import UUID, uuid5

from gateway.addresses import keys
from gateway.addresses.gazetteer import NameRow, ObjectRow, Region
from gateway.addresses.houses import FlatRow, HouseRow

SPACE = UUID("00000000-0000-0000-0000-00000000c0de")
SHORT = {
    "область": "обл.", "город": "г.", "улица": "ул.", "район": "р-н", "село": "с.",
    "деревня": "д.", "посёлок": "п.", "проспект": "пр-кт", "переулок": "пер.", "проезд": "проезд",
    "микрорайон": "мкр.", "площадь": "пл.", "муниципальный район": "м.р-н", "шоссе": "ш.",
    "городской округ": "г.о.", "садовое некоммерческое товарищество": "тер. СНТ",
}  # fmt: skip


class Made:
    """A region that is being made: objects, names and houses, numbered as they come."""

    def __init__(self, code: int = 36, name: str = "Воронежская", kind: str = "область") -> None:
        self.code = code
        self.objects: dict[int, ObjectRow] = {}
        self.names: list[NameRow] = []
        self.houses: list[HouseRow] = []
        self.flats: list[FlatRow] = []
        self.next = code * 1000
        self.root = self.put(0, 1, kind, name, oktmo=f"{code}000000")

    def guid(self, number: int) -> UUID:
        return uuid5(SPACE, f"{self.code}/{number}")

    def put(
        self, parent: int, level: int, kind: str, name: str, *, mun: int = -1, oktmo: str = "",
        postal_code: str = "", houses: str = "", was: tuple[str, ...] = (),
    ) -> int:  # fmt: skip
        number = self.next
        self.next += 1
        numbers = houses.split()
        self.objects[number] = ObjectRow(
            number, self.guid(number), level, kind, SHORT.get(kind, kind), name, parent,
            parent if mun < 0 else mun, oktmo, "", postal_code, len(numbers),
        )  # fmt: skip
        self.names.append(NameRow(keys.name(name), number, kind, 0))
        self.names += [NameRow(keys.name(old), number, kind, 1) for old in was]
        for house in numbers:
            self.house(number, house)
        return number

    def house(self, parent: int, number: str, *, postal_code: str = "", mkd: bool = False) -> int:
        row, self.next = self.next, self.next + 1
        key = keys.stead(number) if number.startswith("уч") else keys.house(number)
        self.houses.append(
            HouseRow(
                self.code, parent, key, row, str(self.guid(row)), int(number.startswith("уч")),
                f"д. {number}", 0, postal_code, "", "", "", mkd,
            )
        )  # fmt: skip
        return row

    def flat(self, house: int, number: str) -> int:
        row, self.next = self.next, self.next + 1
        self.flats.append(
            FlatRow(
                self.code, house, keys.flat(number), row, str(self.guid(row)), 11, f"кв. {number}",
                "",
            )
        )  # fmt: skip
        return row

    def region(self) -> Region:
        return Region(self.code, self.objects.values(), self.names, "20260908")

    def lookup(self, asks: set[tuple[int, int, str]]) -> dict[tuple[int, int, str], list[HouseRow]]:
        found: dict[tuple[int, int, str], list[HouseRow]] = {}
        for row in self.houses:
            if (self.code, row.parent, row.key) in asks:
                found.setdefault((self.code, row.parent, row.key), []).append(row)
        return found

    def flat_lookup(
        self, asks: set[tuple[int, int, str]]
    ) -> dict[tuple[int, int, str], list[FlatRow]]:
        found: dict[tuple[int, int, str], list[FlatRow]] = {}
        for row in self.flats:
            if (self.code, row.house, row.key) in asks:
                found.setdefault((self.code, row.house, row.key), []).append(row)
        return found


def voronezh() -> Made:
    """Return the region that the cases are about."""
    made = Made()
    put, root = made.put, made.root
    circle = put(root, 3, "городской округ", "город Воронеж", oktmo="20701000")
    city = put(root, 5, "город", "Воронеж", mun=circle, oktmo="20701000001")
    street = "улица"
    january = put(city, 8, street, "9 Января", postal_code="394000", houses="5 7 68 70")
    put(city, 8, street, "Карла Либкнехта", houses="12 14")
    put(city, 8, street, "Ленина", houses="1 5 5а 7/3 9к2 11с1 12 12а")
    put(city, 8, "проспект", "Революции", houses="1 2 3 10", was=("Большая Дворянская",))
    put(city, 8, "проезд", "Революции", houses="44")
    put(city, 8, "переулок", "Революции", houses="3")
    put(city, 8, street, "3-я Шоссейная", houses="4 6")
    put(city, 8, street, "13-я Шоссейная", houses="4 6 8")
    put(city, 8, street, "40 лет Октября", houses="5 8")
    put(city, 8, street, "Большая Садовая", houses="15")
    put(city, 8, street, "Садовая", houses="15 16")
    put(city, 8, "переулок", "Садовый", houses="2")
    put(city, 8, street, "Луговая", houses="1 2")
    put(city, 8, street, "Лубовая", houses="1 2 3")
    put(city, 8, "проспект", "Московский", houses="14а 16 88")
    north = put(city, 7, "микрорайон", "Северный", houses="12/3 14")
    put(north, 8, street, "Хользунова", houses="10")
    put(city, 6, "посёлок", "Придонской", houses="")
    own = next(row.id for row in made.objects.values() if row.name == "Придонской")
    put(own, 8, street, "Ленина", houses="5 99")
    garden = put(city, 7, "садовое некоммерческое товарищество", "Ромашка", houses="уч15 20 уч20")
    put(garden, 8, street, "1-я Линия", houses="3")
    made.flat(made.house(january, "68к2", postal_code="394000", mkd=True), "15")
    district = put(root, 2, "район", "Хохольский", oktmo="20656000")
    municipal = put(root, 3, "муниципальный район", "Хохольский", oktmo="20656000")
    village = put(district, 6, "село", "Хреновое", mun=municipal, oktmo="20656400101")
    put(village, 8, street, "Ленина", postal_code="396800", houses="5 7 21")
    put(village, 8, street, "Лесная", houses="1 2")
    birch = put(district, 6, "деревня", "Берёзовка", mun=municipal, houses="5 6 7")
    other = put(root, 2, "район", "Рамонский", oktmo="20643000")
    put(other, 6, "хутор", "Тихий", houses="")
    second = put(other, 6, "село", "Берёзовка")
    put(second, 8, street, "Лесная", postal_code="396020", houses="1 3")
    put(second, 8, street, "Заречная", houses="2")
    third = put(other, 6, "посёлок", "Берёзовка")
    put(third, 8, street, "Лесная", postal_code="396021", houses="1 4")
    assert birch
    return made
