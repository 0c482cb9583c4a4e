"""The part of ССТУ's classifier that comes with the gateway, until a body loads its own."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from gateway.topics import codes
from gateway.topics.classifier import Classifier
from gateway.topics.node import Node

DATA: Final = Path(__file__).parent / "data"


@cache
def seed() -> Classifier:
    """Return it; its source and version stand in `data/sstu.toml`."""
    about = tomllib.loads((DATA / "sstu.toml").read_text("utf-8"))
    system, version = about["system"], about["version"]
    return Classifier(
        system,
        (
            Node(
                system=system, code=code, title=title, version=version,
                parent=codes.parent_of(system, code), level=codes.level_of(system, code),
            )
            for code, title in _rows("sstu.csv")
        ),
        version=version,
        partial=about["partial"],
        source=about["source"],
        suffixes=suffixes(),
    )  # fmt: skip


@cache
def suffixes() -> dict[str, str]:
    """Return the shared last blocks of five-block codes."""
    return dict(_rows("sstu-suffixes.csv"))


def _rows(name: str) -> list[tuple[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [(row["code"], row["title"]) for row in csv.DictReader(file, delimiter=";")]
