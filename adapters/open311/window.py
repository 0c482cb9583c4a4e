"""Which requests a list is asked for: time, services, statuses, under the standard's bounds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.open311 import values
from adapters.open311.codes import CLOSED, OPEN
from gateway.errors import ValidationError, Violation
from gateway.model.fold import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.open311.options import Options


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """start, end: of when requests were made, both inclusive; what is empty filters nothing."""

    start: datetime
    end: datetime
    services: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()

    def holds(self, told: Mapping[str, Any]) -> bool:
        """Whether a request, as it is told, was asked for."""
        at = told["requested_datetime"]
        return (
            at is not None
            and self.start <= datetime.fromisoformat(at) <= self.end
            and (not self.services or told["service_code"] in self.services)
            and (not self.statuses or told["status"] in self.statuses)
        )


def window(query: Mapping[str, str], now: datetime, options: Options) -> Window:
    """Return what a query asks for; the last `read_days` days when it does not say.

    Raises ValidationError naming every parameter that is wrong.
    """
    wrong: list[Violation] = []
    span = timedelta(days=options.read_days)
    start = _moment(query, "start_date", wrong)
    end = _moment(query, "end_date", wrong)
    if end is None:
        end = now if start is None else start + span
    if start is None:
        start = end - span
    if not wrong and not timedelta() <= end - start <= span:
        message = f"не более {options.read_days} дней · at most {options.read_days} days"
        wrong.append(Violation("end_date", "range", message, end.isoformat()))
    statuses = _listed(query, "status")
    if statuses - {OPEN, CLOSED}:
        message = "нет такого состояния · no such status"
        wrong.append(Violation("status", "enumeration", message, query["status"], "open, closed"))
    if FORBIDDEN.search(query.get("service_code", "")):
        message = "нет такой услуги · no such service"
        wrong.append(Violation("service_code", "character", message))
    if wrong:
        raise ValidationError("запрос неверен · the query is wrong", tuple(wrong))
    return Window(start=start, end=end, services=_listed(query, "service_code"), statuses=statuses)


def _moment(query: Mapping[str, str], name: str, wrong: list[Violation]) -> datetime | None:
    """Return an instant; a `+` of its offset comes as a space from apps that do not escape it."""
    value = query.get(name)
    return values.moment(value.replace(" ", "+"), name, wrong) if value else None


def _listed(query: Mapping[str, str], name: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, query.get(name, "").split(","))))
