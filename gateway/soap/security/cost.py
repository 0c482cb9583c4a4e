"""What a canonical form will cost, told before it is made.

libxml2 looks for the namespace of an element without prefix, and for each prefix of a PrefixList,
at every element anew: through all declarations above it and all that was written above it. So 50
prefixes, 90 levels of 100 declarations and 3,000 elements under them, 4 KB when packed, took 5 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway.errors import SecurityError
from gateway.soap.security import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

_LEVEL: Final = 2
"""Steps that a level takes, in which nothing is declared."""
_NAME: Final = 10
"""Characters of two names that are compared in the time of one step."""


class Budget:
    """Steps that the canonical forms of one message may take together; see `limits`."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self.left = steps

    def take(self, element: _Element, prefixes: tuple[str, ...]) -> None:
        """Count what the element takes with this PrefixList; raise SecurityError past the budget.

        A step is one declaration, or one name that was written, that is looked at: some 3 ns. The
        element is walked through no further than the budget reaches.
        """
        longest, scope = max(map(len, prefixes), default=0), 0
        for above in element.iterancestors():
            own = list(_declared(above))
            longest = max(longest, *map(len, own), 0)
            scope += _LEVEL + sum(map(_weight, own))
        listed, declared, weight = len(prefixes), 0, 0
        written, before = 0, 0
        levels: list[tuple[int, int, int]] = []
        for event, found in etree.iterwalk(element, events=("start-ns", "start", "end")):
            if event == "end":
                scope, written, before = levels.pop()
                continue
            if event == "start-ns":
                longest = max(longest, len(found[0]))
                weight += _weight(found[0])
                declared += 1
                continue
            levels.append((scope, written, before))
            names = found.keys()
            count = len(names)
            chars = len(found.tag) + sum(map(len, names))
            own_names = 1 + listed + count
            scope += _LEVEL + weight
            compared = (
                listed * (own_names + before)
                + (1 + count + declared) * (written + own_names)
                + count * count // 2
            )
            self.left -= (
                (1 + listed) * scope
                + compared * (1 + longest // _NAME)
                + count * chars // (2 * _NAME)
                + chars
            )
            if self.left < 0:
                raise self._refused(element, listed, scope)
            written, before = written + own_names, own_names
            declared = weight = 0

    def _refused(self, element: _Element, listed: int, scope: int) -> SecurityError:
        return SecurityError(
            "the canonical form of a signed part takes too long",
            found=f"{listed} prefixes in the PrefixList, {scope} steps to the top of the message,"
            f" in {nodes.local(element.tag)}",
            expected=f"at most {self._steps} steps, for each element one for each prefix of the"
            " list and each declaration above it",
            where=f"{nodes.HEADER}/Signature/SignedInfo",
            todo="sign without a PrefixList, and declare prefixes where they are used",
        )


def _declared(element: _Element) -> Iterable[str]:
    """Yield the prefixes that an element declares itself."""
    for event, found in etree.iterwalk(element, events=("start-ns", "start")):
        if event == "start":
            return
        yield found[0]


def _weight(prefix: str) -> int:
    return 1 + len(prefix) // _NAME
