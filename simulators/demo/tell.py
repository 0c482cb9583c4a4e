"""How the story is printed: one calm line a step, Russian first, English beside."""

from __future__ import annotations

import sys
import time
from typing import NamedTuple


class Step(NamedTuple):
    """One step of the story with its counts; it went well when they agree."""

    number: int
    ru: str
    en: str
    planted: int
    found: int

    @property
    def good(self) -> bool:
        """Whether everything planted was found and nothing else."""
        return self.planted == self.found


class Teller:
    """Prints, and remembers what went wrong."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self.steps: list[Step] = []
        self.wrong: list[str] = []

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def say(self, ru: str, en: str = "") -> None:
        """Print one line with the time."""
        text = f"{ru} · {en}" if en else ru
        sys.stdout.write(f"{self.seconds:5.1f} с  {text}\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a line that belongs to the one before."""
        sys.stdout.write(f"         {text}\n")
        sys.stdout.flush()

    def step(self, step: Step) -> None:
        """Print a numbered step with its counts."""
        self.steps.append(step)
        mark = "✓" if step.good else "✗"
        self.say(f"({step.number}) {mark} {step.ru}", step.en)
        self.note(f"заложено · planted: {step.planted}   найдено · found: {step.found}")
        if not step.good:
            self.fault(f"шаг {step.number}: {step.planted} ≠ {step.found}")

    def fault(self, text: str) -> None:
        """Remember and print something that must not be."""
        self.wrong.append(text)
        self.say(f"✗ {text}")
