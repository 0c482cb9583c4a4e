"""What the seed plants: who sends what, and every trap, chosen before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from simulators.demo import cast
from simulators.seed import forms
from simulators.seed.appeals import Appeal, Letter, generate

if TYPE_CHECKING:
    from datetime import date

COUNTS: Final = (
    ("zeep", 32), ("soap11", 40), ("soap12", 44), ("rest", 60), ("batch", 40), ("csv", 36),
    ("legacy", 40), ("xml", 30), ("sstu", 24),
)  # fmt: skip
TWINS: Final = 6
REPEATS: Final = 24
AMENDED: Final = 10
CONFLICTS: Final = 8
PEER: Final = {
    "zeep": "epgu", "soap11": "epgu", "soap12": "epgu", "rest": "site", "batch": "site",
    "csv": "archive", "legacy": "legacy", "xml": "mfc", "sstu": "urog",
}  # fmt: skip
_LATIN: Final = str.maketrans("АСО", "ACO")


class BadRow(NamedTuple):
    """A row that must be refused: where it stands, and what the error file must name."""

    row: int
    column: str
    rule: str


class Script(NamedTuple):
    """The whole plan. appeals: by external id, as they are at first."""

    appeals: dict[str, Appeal]
    twins: tuple[tuple[Appeal, Appeal], ...]
    """The same letter from УРОГ and as a row of the archive's table."""
    repeats: tuple[Appeal, ...]
    amended: dict[str, Appeal]
    conflicts: dict[str, Appeal]
    legacy_rows: tuple[list[str], ...]
    legacy_places: dict[int, Appeal]
    bad_rows: tuple[BadRow, ...]
    unmapped: frozenset[str]
    """Appeals that will be forwarded to a body whose ССТУ identifier nobody has mapped."""

    def of(self, *channels: str) -> list[Appeal]:
        """Return the appeals of some channels in their order."""
        return [a for a in self.appeals.values() if a.channel in channels]

    def final(self, external_id: str) -> Appeal:
        """Return an appeal as it must be in the end."""
        return self.amended.get(external_id, self.appeals[external_id])


def write(seed: int, today: date) -> Script:
    """Make the plan of a run."""
    made = generate(seed, today, COUNTS)
    appeals = {appeal.external_id: appeal for appeal in made}
    letters = [a for a in made if a.channel == "sstu"][:TWINS]
    twins = tuple((letter, _as_row(letter)) for letter in map(_still_open, letters))
    appeals |= {one.external_id: one for pair in twins for one in pair}
    plain = [a for a in made if a.channel in {"soap12", "rest"} and a.questions[0].code]
    waiting = [a for a in plain if a.fate == "work"]
    quiet = [a for a in made if a.channel in {"soap11", "zeep", "batch"} and a.fate == "work"]
    rows, places, bad = _legacy([a for a in made if a.channel == "legacy"])
    forwarded = next(a for a in made if a.channel == "soap11" and a.fate == "transferred")
    return Script(
        appeals=appeals,
        twins=twins,
        repeats=tuple([a for a in made if a.channel in {"soap11", "soap12", "rest"}][-REPEATS:]),
        amended={a.external_id: _amended(a) for a in waiting[:AMENDED]},
        conflicts={
            a.external_id: replace(a, text=f"{a.text}\nЭто другое письмо под тем же номером.")
            for a in quiet[:CONFLICTS]
        },
        legacy_rows=rows,
        legacy_places=places,
        bad_rows=bad,
        unmapped=frozenset({forwarded.external_id}),
    )


def transfer_to(script: Script, appeal: Appeal) -> str:
    """Return the code of the body that an appeal is forwarded to."""
    return cast.UNMAPPED if appeal.external_id in script.unmapped else "gorod"


def _still_open(letter: Appeal) -> Appeal:
    """A letter that is still worked on when it comes again: nothing is joined to what has ended."""
    return letter if letter.fate in {"work", "extended"} else replace(letter, fate="extended")


def _as_row(letter: Appeal) -> Appeal:
    """The same letter as a clerk typed it: Latin letters in the number, another number of ours."""
    assert letter.letter is not None
    typed: Letter = replace(letter.letter, number=letter.letter.number.translate(_LATIN))
    return replace(
        letter,
        external_id=letter.external_id.replace("SSTU", "CSV-П"),
        channel="csv",
        letter=typed,
    )


def _amended(appeal: Appeal) -> Appeal:
    author = replace(appeal.author, email=f"novyi.{appeal.author.email}")
    return replace(
        appeal, text=f"{appeal.text}\nДополнение: прошу отвечать на новый адрес.", author=author
    )


def _legacy(
    appeals: list[Appeal],
) -> tuple[tuple[list[str], ...], dict[int, Appeal], tuple[BadRow, ...]]:
    """Return the rows of the old table with bad ones between, their places, what is wrong."""
    traps: list[tuple[str, str, Any]] = [
        ("Дата поступления", "date", "31.02.2026"),
        ("ОКТМО", "lookalike", "7000ОО00"),
        ("Содержание", "required", ""),
        ("Вид", "enumeration", "Кляуза"),
        ("", "columns", None),
    ]
    rows: list[list[str]] = []
    places: dict[int, Appeal] = {}
    bad: list[BadRow] = []
    every = len(appeals) // len(traps)
    for index, appeal in enumerate(appeals):
        if index % every == every // 2 and traps:
            column, rule, value = traps.pop(0)
            spoilt = [f"ПЛОХ-{len(bad) + 1}", *forms.legacy_row(appeal)[1:]]
            if value is None:
                spoilt = [*spoilt, "лишняя ячейка"]
            else:
                spoilt[forms.LEGACY_COLUMNS.index(column)] = value
            rows.append(spoilt)
            bad.append(BadRow(len(rows) + 1, column, rule))
        rows.append(forms.legacy_row(appeal))
        places[len(rows) + 1] = appeal
    return tuple(rows), places, tuple(bad)
