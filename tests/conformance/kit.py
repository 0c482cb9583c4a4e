"""The adapters of this house that have cases, and what their simulators say of themselves."""

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from gateway import registry
from gateway.testing.cases import Case, found

CASES = Path(__file__).parents[1] / "contract"


def adapters() -> list[str]:
    """Return the names of the adapters whose code is here."""
    points = entry_points(group=registry.GROUP)
    return sorted(p.name for p in points if _there(p.module))


def codecs() -> list[str]:
    """Return the names of those that map messages; a directory has none to pin."""
    return [n for n in adapters() if "codec" in registry.load((n,))[n].manifest.kinds]


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def cases() -> list[Case]:
    """Return every case that the shared runner walks."""
    return [case for name in adapters() for case in found(CASES, name)]


def refusals(name: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return what a simulator refuses, sourced and ours; None where there is no simulator."""
    for module in (f"simulators.{name}.rules", f"simulators.{name}.__main__"):
        if _there(f"simulators.{name}") and find_spec(module) is not None:
            told = import_module(module)
            return tuple(told.SOURCED), tuple(told.OURS)
    return None


def has_simulator(name: str) -> bool:
    """Whether the adapter has a simulated peer that can be run."""
    return _there(f"simulators.{name}.__main__")
