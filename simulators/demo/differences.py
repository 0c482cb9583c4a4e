"""Step 8: differences are planted in the node; the gateway must find exactly those and repair."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.demo import cast
from simulators.demo.tell import Step
from simulators.sstu.store import fold

if TYPE_CHECKING:
    from simulators.demo.deliveries import Deliveries
    from simulators.demo.ledger import Ledger
    from simulators.demo.office import Office
    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller
    from simulators.process import Running

DROPPED: Final = 5
CHANGED: Final = 4
REWRITTEN: Final = 3
DOUBLED: Final = 2
STRANGE: Final = 3


class Result(NamedTuple):
    """What the comparison came to; left: differences after the repair."""

    planted: int
    found: int
    false: int
    left: int


class Differences:
    """Plants, compares, repairs, compares again."""

    def __init__(self, stage: Stage, ledger: Ledger, sstu: Running) -> None:
        self._stage = stage
        self._ledger = ledger
        self._sstu = sstu

    def story(self, teller: Teller, deliveries: Deliveries, office: Office) -> Result:
        """Return what was planted, what was found, what was found wrongly, what is left."""
        planted = self._plant()
        first = self._compare()
        found = Counter((fold(f["key"]), f["class"]) for f in first["findings"])
        right = sum((found & planted).values())
        false = sum((found - planted).values())
        teller.step(Step(
            8, "расхождения, заложенные в узел, сверка находит все и только их",
            "reconcile finds exactly the differences planted in the node",
            planted.total(), right,
        ))  # fmt: skip
        classes = Counter(kind for _, kind in planted)
        teller.note(", ".join(f"{kind} {count}" for kind, count in sorted(classes.items())))
        for key, kind in list((found - planted) + (planted - found))[:5]:
            teller.note(f"{kind}: {key}: заложено {planted[key, kind]}, найдено {found[key, kind]}")
        if false:
            teller.fault(f"шаг 8: ложных расхождений {false}")
        for key in [key for key, kind in planted if kind == "twice_there"]:
            self._sstu.control(drop=key)
        teller.note("двойные записи узел удалил по просьбе оператора · doubles removed by the node")
        second = self._compare("--commit")
        deliveries.drain(office)
        last = self._compare()
        teller.say(
            f"gateway reconcile sstu --commit: исправлено {second['repaired']}, "
            f"повторная сверка нашла {last['differences']}",
            "repaired; compared again",
        )
        return Result(planted.total(), right, false, int(last["differences"]))

    def _compare(self, *more: str) -> dict[str, Any]:
        result: dict[str, Any] = self._stage.command("reconcile", "sstu", *more, ok=(0, 1))
        return result

    def _plant(self) -> Counter[tuple[str, str]]:
        """Spoil the node; return (folded number, class) of every difference that must be found."""
        numbers = iter(self._ledger.quiet_numbers())
        planted: Counter[tuple[str, str]] = Counter()
        for _ in range(DROPPED):
            number = next(numbers)
            self._sstu.control(drop=number)
            planted[fold(number), "missing_there"] += 1
        for _ in range(CHANGED):
            number = next(numbers)
            self._sstu.control(change=number, status="LeftWithoutAnswer")
            planted[fold(number), "state_differs"] += 1
        for _ in range(REWRITTEN):
            number = next(numbers)
            document = self._ledger.document(number)
            self._sstu.control(plant=document | {"name": "Чужое Имя Отчество"})
            planted[fold(number), "content_differs"] += 1
        for _ in range(DOUBLED):
            number = next(numbers)
            self._sstu.control(duplicate=number)
            planted[fold(number), "twice_there"] += 1
        for n in range(1, STRANGE + 1):
            number = f"Ж-{n}/НЕ-НАШЕ"
            self._sstu.control(plant=stranger(number))
            planted[fold(number), "missing_here"] += 1
        return planted


def stranger(number: str) -> dict[str, Any]:
    """A document that somebody reported past the gateway."""
    return {
        "departmentId": cast.DEPARTMENT,
        "isDirect": True,
        "format": "Other",
        "number": number,
        "name": "Заявитель мимо шлюза",
        "questions": [
            {"code": "0005.0005.0056.1160", "status": "NotRegistered", "incomingDate": "2026-01-12"}
        ],
    }
