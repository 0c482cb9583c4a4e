"""A classifier: its nodes by code and date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.topics import codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from gateway.topics.node import Node


class Classifier:
    """The nodes of one system, with those that are not in force any more.

    partial: it is known that nodes are missing, so that a code that is not here may still be one.
    suffixes: shared last blocks of five-block codes of ССТУ, by block.
    """

    def __init__(
        self,
        system: str,
        nodes: Iterable[Node],
        *,
        version: str = "",
        partial: bool = False,
        source: str = "",
        suffixes: Mapping[str, str] | None = None,
    ) -> None:
        self.system = system
        self.version = version
        self.partial = partial
        self.source = source
        self.nodes = tuple(nodes)
        self._suffixes = suffixes or {}
        self._by_code: dict[str, list[Node]] = {}
        self._by_block: dict[str, list[Node]] = {}
        for node in self.nodes:
            self._by_code.setdefault(node.code, []).append(node)
            if system == codes.SSTU and node.level == codes.ASSIGNABLE:
                self._by_block.setdefault(node.code.rpartition(".")[2], []).append(node)

    def lookup(self, code: str, on: date | None = None) -> Node | None:
        """Return the node of a full code that is in force on a day, None when there is none.

        A five-block code of ССТУ that is not listed is its question with a shared last block.
        """
        code = codes.canonical(self.system, code)
        for node in self._by_code.get(code, ()):
            if node.is_valid(on):
                return node
        return self._composed(code, on)

    def short(self, block: str, on: date | None = None) -> tuple[Node, ...]:
        """Return every question whose last block is this: numbers repeat under several themes."""
        return tuple(n for n in self._by_block.get(block.strip(), ()) if n.is_valid(on))

    def current(self, on: date | None = None) -> list[Node]:
        """Return the nodes in force on a day, by code."""
        return sorted((n for n in self.nodes if n.is_valid(on)), key=lambda n: n.code)

    def may_give(self, code: str, on: date | None = None) -> bool:
        """Whether a question may be given a code: groups of ССТУ are there to find a question."""
        level = codes.level_of(self.system, codes.canonical(self.system, code))
        return self.may_have(code, on) and (self.system != codes.SSTU or level >= codes.ASSIGNABLE)

    def may_have(self, code: str, on: date | None = None) -> bool:
        """Whether a code is a node, or could be one of those that a partial classifier lacks."""
        if self.lookup(code, on) is not None:
            return True
        code = codes.canonical(self.system, code)
        assignable = codes.level_of(self.system, code) >= codes.ASSIGNABLE
        known = code in self._by_code
        shaped = codes.is_shaped(self.system, code) and (self.system != codes.SSTU or assignable)
        return self.partial and shaped and not known

    def _composed(self, code: str, on: date | None) -> Node | None:
        head, _, block = code.rpartition(".")
        title = self._suffixes.get(block)
        if title is None or codes.level_of(self.system, code) != codes.ASSIGNABLE + 1:
            return None
        for question in self._by_code.get(head, ()):
            if question.is_valid(on):
                return replace(
                    question, code=code, title=f"{question.title} — {title}",
                    parent=head, level=question.level + 1,
                )  # fmt: skip
        return None
