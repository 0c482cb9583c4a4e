"""Identifiers the gateway gives: time-ordered uuid7 and receipt numbers a person can dictate.

A receipt number is ten random characters of Crockford's base32 and one check character. Each
character is an element of GF(2⁵) (polynomial x⁵+x²+1, primitive element 2); with characters
c₀…c₉ and check character c₁₀ the sum c₀·2¹⁰ + c₁·2⁹ + … + c₉·2¹ + c₁₀·2⁰ is zero. The eleven
weights are different and not zero, so any one wrong character, and any two characters exchanged
(neighbours or not), change the sum and are detected.
"""

from __future__ import annotations

import os
import struct
import threading
import time
import uuid
from typing import TYPE_CHECKING, Final

from gateway.errors import ValidationError, Violation
from gateway.model.fold import HOMOGLYPHS

if TYPE_CHECKING:
    from collections.abc import Iterator

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RECEIPT_CHARS: Final = 11

_WORDS: Final = struct.Struct(">512Q")


class _Entropy:
    """Random bits of the operating system, read in blocks: one system call serves 500 ids."""

    def __init__(self) -> None:
        self._words: Iterator[int] = iter(())

    def take(self) -> int:
        """Return 64 random bits; the caller holds the lock."""
        word = next(self._words, None)
        if word is None:
            self._words = iter(_WORDS.unpack(os.urandom(_WORDS.size)))
            word = next(self._words)
        return word

    def forget(self) -> None:
        """Drop the block: a forked child must not repeat its parent's bits."""
        self._words = iter(())


class _Clock:
    """The last (millisecond, 12-bit counter) given out, so that the next one is greater."""

    def __init__(self) -> None:
        self.ms = -1
        self.asked = -1
        self.count = 0

    def step(self, now_ms: int, entropy: _Entropy, *, hold: bool) -> None:
        """Move to `now_ms`; within one millisecond count up, and spill into the next one.

        entropy: where the count of a new millisecond begins is random. hold: a `now_ms` in the
        past keeps the last millisecond (the wall clock stepped back).
        """
        goes_on = now_ms == self.asked or (hold and now_ms <= self.ms)
        self.asked = now_ms
        if not goes_on:
            # Half of the counter stays free, so that 2,048 ids fit before the spill.
            self.ms, self.count = now_ms, entropy.take() & 0x7FF
        elif self.count < 0xFFF:
            self.count += 1
        else:
            self.ms, self.count = self.ms + 1, 0


_new = object.__new__
_set = object.__setattr__
_SAFETY: Final = uuid.SafeUUID.unknown
_lock = threading.Lock()
_entropy = _Entropy()
_wall = _Clock()
_given = _Clock()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - a lock held by another thread at fork would never be released
    _lock = threading.Lock()
    _entropy.forget()


os.register_at_fork(after_in_child=_after_fork)


def _uuid7_int(now_ms: int | None) -> int:
    with _lock:
        noise = _entropy.take() & 0x3FFF_FFFF_FFFF_FFFF
        if now_ms is None:
            clock = _wall
            clock.step(time.time_ns() // 1_000_000, _entropy, hold=True)
        else:
            clock = _given
            clock.step(now_ms, _entropy, hold=False)
        head = (clock.ms << 16) | 0x7000 | clock.count
    return (head << 64) | 0x8000_0000_0000_0000 | noise


def uuid7(now_ms: int | None = None) -> uuid.UUID:
    """Return a new uuid of version 7 (RFC 9562); ids of one process ascend as they are made.

    now_ms: Unix time in milliseconds that shall stand in the id (pure callers, imports); ids for
    one and the same `now_ms` ascend too. Without it the clock is read, and a clock that steps
    back does not break the order. Thread-safe; a forked child does not repeat its parent.
    """
    made = _new(uuid.UUID)
    # What UUID(int=…) does, without the checks of its six ways to be called: a third of the time.
    _set(made, "int", _uuid7_int(now_ms))
    _set(made, "is_safe", _SAFETY)
    return made


def uuid7_bytes(now_ms: int | None = None) -> bytes:
    """Return `uuid7(now_ms).bytes` without building the UUID object: 16 bytes, big-endian."""
    return _uuid7_int(now_ms).to_bytes(16, "big")


_VERSION: Final = 0xF << 76
_QUESTION: Final = 0x8 << 76


def question_id(appeal_id: uuid.UUID, ordinal: int) -> uuid.UUID:
    """Return the id of an appeal's question, from 1: a uuid of version 8 that follows from both.

    Nothing is drawn and nothing is looked up, so that the id can be made again from the events. It
    differs from every id of version 7 by its version, from its siblings by its last 16 bits.
    """
    made = _new(uuid.UUID)
    _set(made, "int", ((appeal_id.int & ~_VERSION) | _QUESTION) ^ ordinal)
    _set(made, "is_safe", _SAFETY)
    return made


def uuid7_ms(value: uuid.UUID) -> int:
    """Return the Unix time in milliseconds that stands in a uuid7."""
    return value.int >> 80


def _times_two(element: int) -> int:
    element <<= 1
    return element ^ 0b100101 if element & 0b100000 else element


def _products() -> tuple[tuple[int, ...], ...]:
    """Return for each of the 11 positions the product of every element with its weight."""
    rows = [tuple(range(32))]
    for _ in range(RECEIPT_CHARS - 1):
        rows.append(tuple(_times_two(element) for element in rows[-1]))
    return tuple(reversed(rows))


_PRODUCTS: Final = _products()
_VALUE: Final = {char: value for value, char in enumerate(ALPHABET)}
_PAIRS: Final = tuple(a + b for a in ALPHABET for b in ALPHABET)
_PAIR_SUMS: Final = tuple(
    tuple(_PRODUCTS[at][pair >> 5] ^ _PRODUCTS[at + 1][pair & 31] for pair in range(1024))
    for at in range(0, 10, 2)
)


def receipt_number() -> str:
    """Return a new receipt number: 11 characters, 50 random bits and a check character."""
    with _lock:
        bits = _entropy.take()
    return receipt_of(bits)


def receipt_of(bits: int) -> str:
    """Return the receipt number of the low 50 bits of `bits`, its check character added."""
    a, b, c, d, e = (
        bits >> 40 & 1023,
        bits >> 30 & 1023,
        bits >> 20 & 1023,
        bits >> 10 & 1023,
        bits & 1023,
    )
    sums = _PAIR_SUMS
    check = sums[0][a] ^ sums[1][b] ^ sums[2][c] ^ sums[3][d] ^ sums[4][e]
    pairs = _PAIRS
    return pairs[a] + pairs[b] + pairs[c] + pairs[d] + pairs[e] + ALPHABET[check]


_TYPED: Final = {
    **{ord(cyrillic): latin for cyrillic, latin in HOMOGLYPHS.items()},
    ord("I"): "1",
    ord("L"): "1",
    ord("O"): "0",
    ord("О"): "0",
    ord("Ο"): "0",
    ord("І"): "1",
    ord("Ӏ"): "1",
    ord("Ι"): "1",
} | dict.fromkeys(map(ord, " \t\r\n\xa0-‐‑‒–—−_"))


def check_receipt_number(value: str) -> str:
    """Return the receipt number as we write it, from the way a person typed it.

    Takes any case, dashes and spaces anywhere, O for 0, I and L for 1, and Cyrillic look-alikes.
    Raises ValidationError when it is not a receipt number or the check character is wrong.
    """
    folded = value[:64].upper().translate(_TYPED)
    digits = [_VALUE.get(char, -1) for char in folded]
    if len(digits) != RECEIPT_CHARS or -1 in digits:
        raise _not_a_receipt("not a receipt number", value)
    total = 0
    for row, digit in zip(_PRODUCTS, digits, strict=True):
        total ^= row[digit]
    if total:
        raise _not_a_receipt("the check character does not agree: a typing error", value)
    return folded


def _not_a_receipt(message: str, value: str) -> ValidationError:
    expected = "11 letters and digits, as on the receipt"
    return ValidationError(
        message, (Violation("ReceiptNumber", "receipt_number", message, value[:200], expected),)
    )
