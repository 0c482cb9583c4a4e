"""The dictionaries in the root of a delivery: kinds of everything; flags are true and false."""

from __future__ import annotations

from typing import Final

from simulators.gar.rows import quoted
from simulators.gar.tables import Table
from simulators.gar.thing import OPEN_END
from simulators.gar.vocabulary import words

_ALWAYS: Final = f'UPDATEDATE="1900-01-01" STARTDATE="1900-01-01" ENDDATE="{OPEN_END}"'
_ENDED: Final = 'UPDATEDATE="1900-01-01" STARTDATE="1900-01-01" ENDDATE="2015-11-05"'

HOUSE_TYPES: Final = (
    (1, "Владение", "влд.", False), (2, "Дом", "д.", True), (3, "Домовладение", "двлд.", False),
    (4, "Гараж", "г-ж", True), (5, "Здание", "зд.", True), (6, "Шахта", "шахта", True),
    (7, "Строение", "стр.", True), (8, "Сооружение", "соор.", True),
    (9, "Литера", "литера", False), (10, "Корпус", "к.", True),
)  # fmt: skip
ADDITIONAL_TYPES: Final = (
    (1, "Корпус", "к.", True), (2, "Строение", "стр.", True), (3, "Сооружение", "соор.", True),
    (4, "Литера", "литера", True),
)  # fmt: skip
APARTMENT_TYPES: Final = (
    (1, "Помещение", "помещ.", True), (2, "Квартира", "кв.", True), (3, "Офис", "офис", True),
    (4, "Комната", "ком.", True),
)  # fmt: skip
PARAMETER_TYPES: Final = (
    (5, "Почтовый индекс", "PostIndex"), (6, "ОКАТО", "OKATO"), (7, "OKTMO", "OKTMO"),
    (8, "Кадастровый номер", "CadastrNum"), (10, "Код КЛАДР", "CODE"),
    (11, "Код КЛАДР без признака актуальности", "PLAINCODE"), (12, "Код региона", "REGIONCODE"),
    (13, "Реестровый номер", "ReestrNum"), (19, "Многоквартирный дом", "ApartmentBuilding"),
)  # fmt: skip
LEVELS: Final = (
    (1, "Субъект РФ"), (2, "Административный район"), (3, "Муниципальный район"),
    (4, "Сельское/городское поселение"), (5, "Город"), (6, "Населенный пункт"),
    (7, "Элемент планировочной структуры"), (8, "Элемент улично-дорожной сети"),
    (9, "Земельный участок"), (10, "Здание (сооружение)"), (11, "Помещение"),
    (12, "Помещения в пределах помещения"), (17, "Машино-место"),
)  # fmt: skip
OPERATIONS: Final = (
    (0, "Не определено"), (1, "Инициация"), (10, "Добавление"), (20, "Изменение"),
    (30, "Удаление"), (40, "Присоединение адресного объекта (слияние)"), (50, "Переподчинение"),
    (60, "Прекращение существования вследствие дробления"),
    (61, "Создание нового адресного объекта в результате дробления"),
)  # fmt: skip


def tables() -> list[Table]:
    """Return the dictionaries of a delivery."""
    return [
        _table("AS_ADDR_OBJ_TYPES", "ADDRESSOBJECTTYPES", _object_types()),
        _kinds("AS_HOUSE_TYPES", "HOUSETYPE", HOUSE_TYPES),
        _kinds("AS_ADDHOUSE_TYPES", "HOUSETYPE", ADDITIONAL_TYPES),
        _kinds("AS_APARTMENT_TYPES", "APARTMENTTYPE", APARTMENT_TYPES),
        _table(
            "AS_PARAM_TYPES",
            "PARAMTYPES",
            [
                f'<PARAMTYPE ID="{number}" NAME={quoted(name)} DESC={quoted(name)} CODE="{code}"'
                f' ISACTIVE="true" {_ALWAYS} />'
                for number, name, code in PARAMETER_TYPES
            ],
        ),
        _table(
            "AS_OBJECT_LEVELS",
            "OBJECTLEVELS",
            [
                f'<OBJECTLEVEL LEVEL="{level}" NAME={quoted(name)} {_ALWAYS} ISACTIVE="true" />'
                for level, name in LEVELS
            ],
        ),
        _table(
            "AS_OPERATION_TYPES",
            "OPERATIONTYPES",
            [
                f'<OPERATIONTYPE ID="{number}" NAME={quoted(name)} ISACTIVE="true" {_ALWAYS} />'
                for number, name in OPERATIONS
            ],
        ),
    ]


def _table(prefix: str, root: str, lines: list[str]) -> Table:
    return Table(prefix, root, lambda: iter(lines), bom=True)


def _object_types() -> list[str]:
    given = [
        (level, short, name)
        for level, kinds in words()["object_types"].items()
        for short, name in kinds
    ]
    return [
        f'<ADDRESSOBJECTTYPE ID="{number}" LEVEL="{level}" SHORTNAME={quoted(short)}'
        f' NAME={quoted(name)} DESC={quoted(name)} {_ALWAYS} ISACTIVE="true" />'
        for number, (level, short, name) in enumerate(given, 1)
    ]


def _kinds(prefix: str, element: str, given: tuple[tuple[int, str, str, bool], ...]) -> Table:
    lines = [
        f'<{element} ID="{number}" NAME={quoted(name)} SHORTNAME={quoted(short)}'
        f' DESC={quoted(name)} ISACTIVE="{str(active).lower()}" {_ALWAYS if active else _ENDED} />'
        for number, name, short, active in given
    ]
    return _table(prefix, f"{element}S", lines)
