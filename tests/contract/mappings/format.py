"""One source format: how its bytes become leaves, and the tables that give leaves a home."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway.errors import MalformedError, ValidationError
from gateway.model.appeal import Appeal
from gateway.model.intake import with_question
from tests.contract.mappings.table import Leaves, Table
from tests.contract.mappings.values import Files


def _as_is(leaves: Leaves) -> Leaves:
    return leaves


class Shape(NamedTuple):
    """One kind of document of a format. told: says whether leaves, or an appeal, are of this kind.

    fold, unfold: a rearrangement of leaves for what a table cannot say (a chronicle of unlike
    entries), the inverse of each other.
    """

    name: str
    read: Callable[[bytes], Leaves]
    write: Callable[[Leaves], bytes]
    table: Table
    told: Callable[[Leaves], bool] = lambda _leaves: True
    held: Callable[[Appeal], bool] = lambda _appeal: True
    fold: Callable[[Leaves], Leaves] = _as_is
    unfold: Callable[[Leaves], Leaves] = _as_is


class Format(NamedTuple):
    """A source format of the model's table, under its letter."""

    letter: str
    title: str
    shapes: tuple[Shape, ...]

    def decode(self, body: bytes, suffix: str) -> tuple[Appeal, Files]:
        """Return the appeal a document tells of, and the bytes of its files by SHA-256."""
        shape, leaves = self.told(body, suffix)
        files: Files = {}
        return with_question(shape.table.decode(shape.fold(leaves), files)), files

    def encode(self, appeal: Appeal, files: Files, suffix: str) -> bytes:
        """Return the document that tells of the appeal."""
        for shape in self._of(suffix):
            if shape.held(appeal):
                return shape.write(shape.unfold(shape.table.encode(appeal, files)))
        raise ValidationError(f"{self.title}: no shape of the format fits the appeal")

    def leaves(self, body: bytes, suffix: str) -> Leaves:
        """Return the leaves of a document under the paths that its table knows them by."""
        shape, leaves = self.told(body, suffix)
        folded = shape.fold(leaves)
        return {path: value for path, value in folded.items() if not path.endswith("/#")}

    def told(self, body: bytes, suffix: str) -> tuple[Shape, Leaves]:
        """Return the shape that reads the document, and its leaves."""
        error: MalformedError | None = None
        for shape in self._of(suffix):
            try:
                leaves = shape.read(body)
            except MalformedError as refused:
                error = error or refused
                continue
            if shape.told(leaves):
                return shape, leaves
        raise error or ValidationError(f"{self.title}: no shape of the format fits the document")

    def _of(self, suffix: str) -> tuple[Shape, ...]:
        """Return the shapes of a file suffix; a shape is named `suffix` or `suffix:kind`."""
        return tuple(shape for shape in self.shapes if shape.name.split(":")[0] == suffix)
