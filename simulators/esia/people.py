"""Made-up citizens and officials of the stand: the same seed gives the same ones."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any, Final, NamedTuple

from simulators.seed.appeals import generate

TODAY: Final = date(2026, 3, 2)
CITIZENS: Final = 5
OFFICIALS: Final = 3
_FIRST: Final = 1_000_000_001
_BODY: Final = {
    "oid": "1000299001",
    "type": "AGENCY",
    "shortName": "Администрация г. Выдуманска",
    "fullName": "Администрация городского округа Выдуманск",
    "ogrn": "1020000000018",
    "inn": "0000000018",
}
_HOUSES: Final = {
    "oid": "1000299002",
    "type": "LEGAL",
    "shortName": "ООО «Выдуманный сервис»",
    "fullName": "Общество с ограниченной ответственностью «Выдуманный сервис»",
    "ogrn": "1020000000029",
    "inn": "0000000029",
}


class Human(NamedTuple):
    """One account: what `/rs/prns/{oid}` says, its contacts, addresses and organisations."""

    oid: str
    row: dict[str, Any]
    contacts: list[dict[str, Any]]
    addresses: list[dict[str, Any]]
    roles: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """Family, given name and patronymic."""
        names = (self.row[n] for n in ("lastName", "firstName", "middleName"))
        return " ".join(filter(None, names))


def people(seed: int) -> list[Human]:
    """Return the accounts: citizens of every level, then officials."""
    draw = Random(seed)
    named = [a.author for a in generate(seed, TODAY, (("pos", 60),)) if a.author.family]
    unique = {author.full_name: author for author in named}
    return [_human(n, author, draw) for n, author in zip(range(8), unique.values(), strict=False)]


def _human(number: int, author: Any, draw: Random) -> Human:
    oid = str(_FIRST + number)
    official = number >= CITIZENS
    trusted, checked = official or number % 3 == 0, official or number % 3 != 2
    born = f"{draw.randint(1, 28):02}.{draw.randint(1, 12):02}.{draw.randint(1950, 2000)}"
    row: dict[str, Any] = {
        "stateFacts": ["EntityRoot"],
        "lastName": author.family,
        "firstName": author.given,
        "middleName": author.patronymic,
        "birthDate": born,
        "gender": "M" if author.family.endswith(("в", "н", "й", "ц", "р")) else "F",
        "trusted": trusted,
        "verifying": False,
        "status": "REGISTERED",
    }
    if checked:
        row |= {"snils": f"000-000-{number:03} 00", "rIdDoc": 100 + number}
    contacts = [
        {"id": 1, "type": "EML", "vrfStu": "VERIFIED", "value": author.email},
        {"id": 2, "type": "MBT", "vrfStu": "NOT_VERIFIED", "value": author.phone},
    ]
    addresses = [{"type": "PLV", "addressStr": author.postal, "zipCode": "000000"}]
    roles = [_role(_BODY, number)] if official else []
    if number == CITIZENS + 1:
        roles.append({**_role(_HOUSES, number), "active": False})
    return Human(oid, row, contacts, addresses, roles)


def _role(body: dict[str, str], number: int) -> dict[str, Any]:
    return {**body, "chief": number == CITIZENS, "admin": number == CITIZENS + 1, "active": True}
