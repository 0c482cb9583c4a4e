"""The generator: a seed, a day and a list of channels in, appeals out; no clock, no network."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from simulators.seed.files import letter_scan, photograph

if TYPE_CHECKING:
    from collections.abc import Iterable

ZONE: Final = ZoneInfo("Europe/Moscow")
FATES: Final = (
    "work", "work", "work", "work", "supported", "explained", "not_supported", "transferred",
    "declined", "extended", "split",
)  # fmt: skip
"""What the executing body will do with an appeal; `work`: nothing yet."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment with its bytes."""

    name: str
    media_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes, in hex."""
        return sha256(self.data).hexdigest()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An address as written, and the parts that the writer knew. street is bare, with its type."""

    raw: str
    region: str
    settlement: str
    street: str
    house: str
    apartment: str
    oktmo: str


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes: a person, or a company, or nobody who would give a name."""

    family: str = ""
    given: str = ""
    patronymic: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    postal: str = ""

    @property
    def full_name(self) -> str:
        """Family, given name and patronymic."""
        return " ".join(filter(None, (self.family, self.given, self.patronymic)))

    @property
    def anonymous(self) -> bool:
        """Whether nothing names the author."""
        return not (self.family or self.company)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a letter; code: of the classifier, empty when the source names none."""

    text: str
    code: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The covering letter with which another body forwarded the appeal."""

    sender: str
    number: str
    day: date
    received: date


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """One made-up appeal.

    channel: how it is handed over. external_id: its sender's number. received_at: aware instant.
    fate: what the executing body will do, one of FATES.
    """

    external_id: str
    channel: str
    received_at: datetime
    regime: str
    type: str
    subject: str
    text: str
    author: Author
    place: Place
    questions: tuple[Question, ...]
    files: tuple[File, ...] = ()
    letter: Letter | None = None
    collective: bool = False
    concerned: int | None = None
    fate: str = "work"

    @property
    def received_on(self) -> date:
        """The day it came in, in the zone of the installation."""
        return self.received_at.astimezone(ZONE).date()


def digest(appeal: Appeal) -> str:
    """Return what identifies the content on every wire: texts, codes, the place, the files."""
    told = {
        "subject": appeal.subject,
        "text": appeal.text,
        "questions": [[q.text, q.code] for q in appeal.questions],
        "place": appeal.place.raw,
        "files": sorted(file.sha256 for file in appeal.files),
    }
    return sha256(msgspec.json.encode(told)).hexdigest()


def generate(seed: int, today: date, channels: Iterable[tuple[str, int]]) -> list[Appeal]:
    """Return the appeals of a run: for each channel as many as asked, always the same ones.

    today: appeals came in during the four days before it, never on a later one.
    """
    source = Source(seed, today)
    return [source.appeal(channel) for channel, count in channels for _ in range(count)]


class Source:
    """Draws one appeal after another from a seeded generator."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = Random(seed)
        self._today = today
        self._made = 0
        self._topics = [(theme, code) for theme, codes in _data("topics").items() for code in codes]

    def appeal(self, channel: str) -> Appeal:
        """Make the next appeal; a portal's plain message has no topic and is no 59-ФЗ appeal."""
        draw = self._random
        self._made += 1
        place = self._place()
        plain = channel in _PLAIN and draw.random() < 0.12
        most = 2 if channel == "legacy" else 3
        questions = self._message() if plain else self._questions(place, most)
        subject = "" if plain else draw.choice(_data("texts")[self._theme]["subject"])
        author = self._author(place, anonymous=plain and draw.random() < 0.3)
        collective = not plain and draw.random() < 0.06
        return Appeal(
            external_id=f"{channel.upper()}-{self._today:%y}-{self._made:05d}",
            channel=channel,
            received_at=self._moment(),
            regime="message" if plain else "fz59",
            type="unknown" if plain else draw.choice(("complaint", "application", "proposal")),
            subject=subject,
            text=self._text(questions),
            author=author,
            place=place,
            questions=questions,
            files=self._files(channel),
            letter=self._letter() if channel == "sstu" else None,
            collective=collective,
            concerned=draw.randint(3, 90) if collective else None,
            fate="work" if plain else draw.choice(FATES),
        )

    _theme = ""

    def _questions(self, place: Place, most: int) -> tuple[Question, ...]:
        draw = self._random
        count = draw.choices((1, 2, 3), (70, 22, 8))[0]
        chosen = draw.sample(self._topics, min(count, most))
        self._theme = chosen[0][0]
        return tuple(
            Question(text=self._sentence(theme, place), code=code) for theme, code in chosen
        )

    def _message(self) -> tuple[Question, ...]:
        return (Question(text=self._random.choice(_data("texts")["words"]["message"])),)

    def _sentence(self, theme: str, place: Place) -> str:
        draw = self._random
        return str(draw.choice(_data("texts")[theme]["body"])).format(
            place=place.raw,
            days=draw.randint(2, 40),
            flat=place.apartment or draw.randint(1, 180),
            when=(self._today - timedelta(days=draw.randint(8, 60))).strftime("%d.%m.%Y"),
        )

    def _text(self, questions: tuple[Question, ...]) -> str:
        """The letter as its author wrote it, all questions in one text."""
        words = _data("texts")["words"]
        draw = self._random
        first, *others = (q.text for q in questions)
        parts = [draw.choice(words["greeting"]), first]
        parts += [draw.choice(words["also"]) + text[0].lower() + text[1:] for text in others]
        parts.append(draw.choice(words["ending"]))
        return "\n".join(filter(None, parts))

    def _place(self) -> Place:
        draw, data = self._random, _data("places")
        town = draw.choice(data["town"])
        street, bare = draw.choice(data["streets"])
        house = str(draw.randint(1, 140)) + draw.choice(("", "", "", "", "А", "/2", "Б", "к1"))
        flat = str(draw.randint(1, 220))
        form = draw.choice(data["forms"])
        raw = form.format(
            index=f"{town['index']}{draw.randint(1, 999):03d}", region=town["region"],
            town=town["town"], district=town["district"], village=town["village"],
            street=street, bare=bare, house=house, flat=flat, block=draw.randint(1, 4),
            micro=draw.choice(data["micro"]), garden=draw.choice(data["gardens"]),
        )  # fmt: skip
        return Place(
            raw=raw,
            region=town["region"],
            settlement=town["village"] if "{village}" in form else town["town"],
            street=bare if "{street}" in form or "{bare}" in form else "",
            house=house,
            apartment=flat if "{flat}" in form else "",
            oktmo=town["oktmo"],
        )

    def _author(self, place: Place, *, anonymous: bool) -> Author:
        draw, data = self._random, _data("people")
        if anonymous:
            return Author()
        reachable = {
            "email": f"zayavitel{self._made}@{draw.choice(data['mail'])}",
            "phone": f"+7 000 {draw.randint(100, 999)}-00-{draw.randint(10, 99)}",
            "postal": place.raw if draw.random() < 0.7 else self._place().raw,
        }
        if draw.random() < 0.05:
            return Author(company=draw.choice(data["companies"]), **reachable)
        his, hers = draw.choice(data["families"])
        father = draw.choice(data["men"])
        if draw.random() < 0.5:
            name = {"family": his, "given": draw.choice(data["men"])[0], "patronymic": father[1]}
        else:
            name = {"family": hers, "given": draw.choice(data["women"]), "patronymic": father[2]}
        if draw.random() < 0.05:
            name["patronymic"] = ""
        return Author(**name, **reachable)

    def _files(self, channel: str) -> tuple[File, ...]:
        if channel not in _WITH_FILES:
            return ()
        draw, made = self._random, []
        if draw.random() < 0.30:
            data = photograph(draw.randint(0, 2**30))
            made.append(File(name=f"Фото {self._made}.png", media_type="image/png", data=data))
        if draw.random() < 0.18:
            data = letter_scan(f"Appeal {self._made}")
            made.append(
                File(name=f"Заявление № {self._made}.pdf", media_type="application/pdf", data=data)
            )
        return tuple(made)

    def _letter(self) -> Letter:
        """A number as УРОГ gives it, with Cyrillic letters in the place of Latin ones."""
        draw = self._random
        sent = self._today - timedelta(days=draw.randint(4, 9))
        return Letter(
            sender="Управление Президента Российской Федерации по работе с обращениями граждан",
            number=f"А26-{draw.randint(1, 99):02d}-{draw.randint(10**7, 10**8 - 1)}-СО1",
            day=sent,
            received=sent + timedelta(days=draw.randint(0, 2)),
        )

    def _moment(self) -> datetime:
        draw = self._random
        day = self._today - timedelta(days=draw.randint(1, 4))
        clock = time(draw.randint(8, 19), draw.randint(0, 59), draw.randint(0, 59))
        return datetime.combine(day, clock, ZONE).astimezone(UTC)


_PLAIN: Final = frozenset({"soap12", "rest"})
_WITH_FILES: Final = frozenset({"soap11", "soap12", "zeep", "rest"})


@cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text("utf-8"))


def topic_name(code: str) -> str:
    """Return the classifier's name of a code."""
    return next(str(codes[code]) for codes in _data("topics").values() if code in codes)
