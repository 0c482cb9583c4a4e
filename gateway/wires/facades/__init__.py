"""Façades: partners' own legacy contracts beside the main one, at `/soap/<name>.svc`.

Nothing is imported here: a façade that no setting names costs nothing, neither does spyne.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigurationError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.wires.endpoint import Endpoint
    from gateway.wires.facades.base import Parts

GROUP: Final = "gateway.facades"
"""Entry points of façades that come from elsewhere: `name = "package.module:endpoint"`."""
MAIN: Final = "appeals"
"""The address of the main contract, which no façade may take."""
WHERE: Final = "facades (GATEWAY_FACADES)"
_NAME: Final = re.compile("[a-z][a-z0-9-]*")
BUILT_IN: Final = ("dispatcher", "requests")


def endpoints(names: Iterable[str], parts: Parts) -> list[Endpoint]:
    """Return the façades that the settings name; raise ConfigurationError for one not there.

    So too for one whose package cannot be imported or whose contract cannot be declared.
    """
    return [_made(name, parts) for name in dict.fromkeys(names)]


def _made(name: str, parts: Parts) -> Endpoint:
    """Make the endpoint of one façade; whatever its module raises is an error of the settings."""
    target = _target(name)
    module, _, maker = target.partition(":")
    try:
        made: Endpoint = getattr(import_module(module), maker)(parts)
        return _sound(name, made)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        todo = f"mend or install the package of {module}, or take {name} out of `facades`"
        expected = ""
        if isinstance(error, GatewayError):
            why = f"{error.message}: {error.found}"
            todo, expected = error.todo or todo, error.expected
        raise ConfigurationError(
            "фасад не собирается · a façade cannot be made",
            found=" ".join(f"{name} = {target}: {why}".split()),
            expected=expected,
            where=WHERE,
            todo=todo,
        ) from error


def _sound(name: str, endpoint: Endpoint) -> Endpoint:
    if endpoint.name != name or not _NAME.fullmatch(name) or name == MAIN:
        raise ConfigurationError(
            "имя фасада не годится для адреса · a façade's name does not fit an address",
            found=f"{name}: /soap/{endpoint.name}.svc",
            expected=f"one name for both, of a-z, 0-9 and -, other than {MAIN}",
        )
    return endpoint


def _target(name: str) -> str:
    """Return `module:function` of a façade."""
    if name in BUILT_IN:
        return f"{__name__}.{name}:endpoint"
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = sorted({*BUILT_IN, *entry_points(group=GROUP).names})
        raise ConfigurationError(
            "фасада с таким именем нет · no such façade",
            found=name,
            expected=", ".join(known),
            where=WHERE,
            todo="mend the name in `facades`, or install the package that brings it",
        )
    point = next(iter(found))
    return f"{point.module}:{point.attr}"
