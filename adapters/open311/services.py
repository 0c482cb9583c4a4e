"""The table of services: what an app may ask for, and what it must say with it.

A TOML file that is read once; `tables` of the options names another. A mistake in it stops the
start, with the place of the mistake.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from adapters.open311.codes import DATATYPES, LISTS, PEER, SERVICE, TYPES
from gateway.errors import ConfigurationError
from gateway.model.appeal import Regime
from gateway.model.base import Code
from gateway.model.question import AssignedBy, Topic

DEFAULT: Final = Path(__file__).parent / "tables" / "services.toml"


class Attribute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One further question of a service. variable: False only tells the citizen something.

    values: key and name of each choice, of the two list types.
    """

    code: str
    datatype: str = "string"
    required: bool = False
    variable: bool = True
    description: str = ""
    datatype_description: str = ""
    values: tuple[tuple[str, str], ...] = ()


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service. topics: what it is in other classifiers, `system:code`.

    regime: under which order its requests are considered; empty: as the option says. notice: what
    an app is told in `service_notice`.
    """

    service_code: str
    service_name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    group: str = ""
    type: str = "realtime"
    topics: tuple[str, ...] = ()
    regime: str = ""
    notice: str = ""
    attribute: tuple[Attribute, ...] = ()

    @property
    def codes(self) -> tuple[Topic, ...]:
        """The service as topics: its own code first, then what the table adds."""
        added = (topic.partition(":") for topic in self.topics)
        return (
            Topic(code=Code(system=SERVICE, value=self.service_code)),
            *(
                Topic(code=Code(system=system, value=value), assigned_by=AssignedBy.RULE)
                for system, _, value in added
            ),
        )


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    service: tuple[Service, ...]


Services = Mapping[str, Service]
"""By `service_code`, in the order of the table."""


def read(options: Mapping[str, Any]) -> Services:
    """Return the services; raise ConfigurationError naming what is wrong with the file."""
    path = Path(str(options.get("tables") or DEFAULT))
    try:
        table = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Table)
    except (OSError, ValueError) as error:  # of TOML, of UTF-8, of the shape
        raise ConfigurationError(
            f"таблица услуг не читается · the table of services cannot be read: {error}",
            where=f"options.tables: {path}",
        ) from error
    found: dict[str, Service] = {}
    for service in table.service:
        wrong = _wrong(service) or ("repeated" if service.service_code in found else "")
        if wrong:
            raise ConfigurationError(
                "ошибка в таблице услуг · a mistake in the table of services",
                found=wrong,
                where=f"options.tables: {path}: {PEER}.{service.service_code}",
            )
        found[service.service_code] = service
    return found


def _wrong(service: Service) -> str:
    """Say what is wrong with a service, empty when nothing is."""
    if not service.service_code or "/" in service.service_code:
        return f"service_code {service.service_code!r}"
    if service.type not in TYPES:
        return f"type {service.type!r}, not one of {', '.join(TYPES)}"
    if service.regime and service.regime not in set(Regime):
        return f"regime {service.regime!r}"
    for topic in service.topics:
        if not all(topic.partition(":")):
            return f"topics {topic!r}, not system:code"
    codes = [attribute.code for attribute in service.attribute]
    if len(set(codes)) < len(codes):
        return "an attribute code twice"
    for attribute in service.attribute:
        if attribute.datatype not in DATATYPES:
            return f"datatype {attribute.datatype!r}"
        if attribute.variable and bool(attribute.values) != (attribute.datatype in LISTS):
            return f"values of {attribute.code!r}, which {attribute.datatype} does not have"
    return ""
