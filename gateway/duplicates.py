"""The numbers by which others know an appeal, and whether two appeals are one letter; pure.

A covering letter is known by its folded number, its date and who gave the number: two bodies may
well use one number on one day. Who gave it is told in several ways, so it is a set of words:

| word               | when                                                                       |
|--------------------|----------------------------------------------------------------------------|
| `urog`             | the number has the form of УРОГ, or was told as one (`urog_number`)        |
| `id:SYSTEM=VALUE`  | the sender's identifier in a system                                        |
| `name:NAME`        | its name, folded                                                           |
| `org:CODE`         | the body of our directory that one of the former means; added when judging |

Two letters are one when they share a word. They are two when each sender is known for certain and
no word is shared. Otherwise nobody but a person can say: they are possible twins. So are letters
that share a word and that no rule may join: everything in a letter can be guessed, so joining needs
more than its words (docs/adr/0019).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from gateway.model.base import ExternalRef
from gateway.model.fold import fold_id, fold_name, number_key
from gateway.model.registration import ReferralIn, Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from gateway.model.organisation import Organisation

UROG: Final = "urog"
"""The register of letters of the President's office for citizens' appeals: one for the country."""

FEWEST_CHARS: Final = 6
"""A folded number shorter than this says too little to tell one letter from another."""

MOST_TWINS: Final = 10
"""Possible twins that are noted of one appeal; more would tell a person nothing."""

MOST_SENDERS: Final = 8
SENDER_CHARS: Final = 300

_UROG_NUMBER: Final = re.compile(r"A26-[0-9]{2}-[0-9]{5,}(?:-[0-9A-Z]+)*")


class Reference(NamedTuple):
    """One number somebody outside gave an appeal."""

    peer: str
    kind: str
    value: str
    value_key: str


class LetterKey(NamedTuple):
    """A covering letter as far as everybody tells it: its folded number and its date."""

    number_key: str
    date: date


class Letter(NamedTuple):
    """A covering letter. number: as spelt; senders: words for who gave it, none when not told."""

    key: LetterKey
    number: str
    senders: tuple[str, ...]


class Numbers(Protocol):
    """The part of an appeal that names numbers: `Appeal` itself, or `read` from its content."""

    @property
    def refs(self) -> tuple[ExternalRef, ...]:
        """What others call it."""

    @property
    def referrals(self) -> tuple[ReferralIn, ...]:
        """The letters with which it was forwarded."""

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """The numbers bodies gave it."""

    @property
    def historical(self) -> bool:
        """Whether it is imported history."""


class _Numbers(msgspec.Struct):
    refs: tuple[ExternalRef, ...] = ()
    referrals: tuple[ReferralIn, ...] = ()
    registrations: tuple[Registration, ...] = ()
    historical: bool = False


_NUMBERS: Final = msgspec.json.Decoder(_Numbers)


def read(content: bytes) -> Numbers | None:
    """Return the numbers in the stored content of an appeal, None when it cannot be read."""
    try:
        return _NUMBERS.decode(content)
    except msgspec.DecodeError:
        return None


def references(numbers: Numbers, peer: str) -> tuple[Reference, ...]:
    """Return every number that an appeal came with; peer: who sent it."""
    found = [(ref.peer or peer, ref.kind, ref.value) for ref in numbers.refs]
    found += [(peer, "letter", letter.number) for letter in numbers.referrals if letter.number]
    found += [(peer, "registration", r.number) for r in numbers.registrations if r.number]
    return tuple(
        Reference(peer, kind, value, number_key(value))
        for peer, kind, value in dict.fromkeys(found)
    )


def letter(numbers: Numbers, *, test: bool) -> Letter | None:
    """Return the covering letter of an appeal that came through another body, if it has one.

    A test message must not be taken for a citizen's letter, and nothing new may end in imported
    history, which nobody works on.
    """
    if test or numbers.historical:
        return None
    for told in numbers.referrals:
        folded = told.number_key or number_key(told.number)
        if told.date is not None and len(folded) >= FEWEST_CHARS:
            key = LetterKey(folded, told.date)
            return Letter(key, told.number, _senders(numbers, told, folded))
    return None


def _senders(numbers: Numbers, told: ReferralIn, folded: str) -> tuple[str, ...]:
    words: list[str] = []
    if _UROG_NUMBER.fullmatch(folded) or any(
        ref.kind == "urog_number" and (ref.value_key or number_key(ref.value)) == folded
        for ref in numbers.refs
    ):
        words.append(UROG)
    if told.from_org is not None:
        words += _words(told.from_org)
    plain = ("".join(filter(str.isprintable, word))[:SENDER_CHARS] for word in words)
    return tuple(dict.fromkeys(plain))[:MOST_SENDERS]


def _words(body: Organisation) -> list[str]:
    ids = [f"id:{i.system}={fold_id(i.value)}" for i in body.ids if fold_id(i.value)]
    names = [fold_name(name) for name in (body.full_name, body.short_name)]
    return ids + [f"name:{name}" for name in names if name]


class Judged(NamedTuple):
    """What a new letter is. into: the appeal it is the same letter as, and the word they share.

    twins: appeals it may be the same as, which a person must say.
    """

    into: UUID | None = None
    sender: str = ""
    twins: tuple[UUID, ...] = ()


class Letters:
    """The letters of new appeals and who holds such letters already, kept current by a batch.

    of: appeal → its letter. held: letter → appeal that goes on → words for the sender. bodies: word
    → body of the directory.
    """

    def __init__(
        self,
        of: Mapping[UUID, Letter],
        held: Mapping[LetterKey, Mapping[UUID, Sequence[str]]],
        bodies: Mapping[str, str],
    ) -> None:
        self.of = of
        self._bodies = bodies
        self._held = {
            key: {holder: set(words) for holder, words in holders.items()}
            for key, holders in held.items()
        }

    def holders(self) -> set[UUID]:
        """Return everybody who holds one of the letters."""
        return {holder for holders in self._held.values() for holder in holders}

    def judge(
        self,
        appeal_id: UUID,
        joins: Callable[[UUID], bool],
        apart: frozenset[UUID] = frozenset(),
    ) -> Judged:
        """Say what the letter of an appeal is.

        joins: whether a rule may join it to an appeal at all. apart: appeals it is known not to be.
        A letter that two appeals hold, because a person has said that they are two, joins neither
        by itself.
        """
        mine = self.of.get(appeal_id)
        if mine is None:
            return Judged()
        ours = self._known(mine.senders)
        shared: dict[UUID, set[str]] = {}
        perhaps: list[UUID] = []
        for holder, words in self._held.get(mine.key, {}).items():
            theirs = self._known(words)
            if holder == appeal_id or holder in apart:
                continue
            if ours & theirs:
                shared[holder] = ours & theirs
            elif not (_certain(ours) and _certain(theirs)):
                perhaps.append(holder)
        joined = [(holder, words) for holder, words in shared.items() if joins(holder)]
        if len(joined) == 1 and not apart:
            [(into, words)] = joined
            return Judged(into, min(words, key=_plainest))
        return Judged(twins=tuple(sorted((*shared, *perhaps))[:MOST_TWINS]))

    def settle(self, appeal_id: UUID, into: UUID | None) -> None:
        """Take note that an appeal lives with its letter, or that another goes on for it."""
        mine = self.of.get(appeal_id)
        if mine is not None:
            holders = self._held.setdefault(mine.key, {})
            holders.setdefault(into or appeal_id, set()).update(mine.senders)

    def _known(self, words: Sequence[str] | set[str]) -> set[str]:
        return {*words, *(f"org:{self._bodies[w]}" for w in words if w in self._bodies)}


NO_LETTERS: Final = Letters({}, {}, {})


def _certain(words: set[str]) -> bool:
    return any(word == UROG or word.startswith("org:") for word in words)


def _plainest(word: str) -> tuple[int, str]:
    """УРОГ before a body of ours, before an identifier, before a name."""
    order = (UROG, "org:", "id:", "name:")
    return next(n for n, start in enumerate(order) if word.startswith(start)), word
