"""Façades: partners' own legacy contracts beside the main one, at `/soap/<name>.svc`.

Nothing is imported here: a façade that no setting names costs nothing, neither does spyne.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.wires.endpoint import Endpoint
    from gateway.wires.facades.base import Parts

GROUP: Final = "gateway.facades"
"""Entry points of façades that come from elsewhere: `name = "package.module:endpoint"`."""
MAIN: Final = "appeals"
"""The address of the main contract, which no façade may take."""
_NAME: Final = re.compile("[a-z][a-z0-9-]*")
BUILT_IN: Final = ("dispatcher", "requests")


def endpoints(names: Iterable[str], parts: Parts) -> list[Endpoint]:
    """Return the façades that the settings name; raise ConfigurationError for one not there."""
    made = [(name, _maker(name)(parts)) for name in dict.fromkeys(names)]
    for name, endpoint in made:
        if endpoint.name != name or not _NAME.fullmatch(name) or name == MAIN:
            raise ConfigurationError(
                "имя фасада не годится для адреса · a façade's name does not fit an address",
                found=f"{name}: /soap/{endpoint.name}.svc",
                expected=f"one name for both, of a-z, 0-9 and -, other than {MAIN}",
                where="facades",
            )
    return [endpoint for _, endpoint in made]


def _maker(name: str) -> Callable[[Parts], Endpoint]:
    """Return the function `endpoint` of a façade's module."""
    if name in BUILT_IN:
        own: Callable[[Parts], Endpoint] = import_module(f"{__name__}.{name}").endpoint
        return own
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = sorted({*BUILT_IN, *entry_points(group=GROUP).names})
        raise ConfigurationError(
            "фасада с таким именем нет · no such façade",
            found=name,
            expected=", ".join(known),
            where="facades",
            todo="mend the name in `facades`, or install the package that brings it",
        )
    made: Callable[[Parts], Endpoint] = next(iter(found)).load()
    return made
