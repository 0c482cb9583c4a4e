"""Whether a name that a person wrote may be one of the registry: word by word, figures exactly.

Typing errors are counted by Damerau and Levenshtein (a swap of neighbours is one). First names,
initials and titles may be left out or added; a figure is never mistaken for another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from gateway.addresses import keys

if TYPE_CHECKING:
    from gateway.addresses.gazetteer import Region

EDIT: Final = 0.93
EDITS: Final = 0.75
"""Two errors in one word: worth showing, never sure (`Рудничная` is not `Брусничная`)."""
INITIAL: Final = 0.98
SHORTENED: Final = 0.95
LEFT_OUT: Final = 0.94
"""A first name; less than MARGIN of the verdict: `Попова` is first the street of that very name."""
ADDED: Final = 0.91
"""A letter before the name that the registry has not: `Б. Садовая` is hardly `Садовая`."""
ENDING: Final = 0.95
MOST: Final = 24
KEYS_OF_WORD: Final = 400
"""Keys with one word that are looked through."""
_SPELT: Final = 5
_SHORT: Final = 3
_LONG: Final = 8

_FIRST: Final = frozenset(
    """
    александра алексея анатолия андрея антона аркадия бориса вадима валентина валерия
    василия виктора виталия владимира владислава вячеслава геннадия георгия германа григория
    давида даниила дениса дмитрия евгения егора ивана игоря ильи иосифа карла кирилла клары
    константина кузьмы льва лизы любови людмилы максима марата марины марии михаила надежды
    николая олега ольги павла петра розы романа рихарда саввы сакко семена сергея софьи
    степана тараса тимофея феликса федора фридриха юлиуса юрия якова анны веры галины
    екатерины елены зои ирины лидии натальи нины раисы светланы тамары татьяны ульяны
    богдана емельяна ефима захара матвея мусы наримана никиты прокофия родиона станислава
    трофима эрнста глеба гурия арсения артема артура афанасия всеволода демьяна игната
    инессы кондрата лазаря леонида макара мичмана назыма паши поли серго сулеймана хади
    фатиха шамиля яна мажита
    """.split()  # noqa: SIM905
)
_TITLE: Final = frozenset(
    """
    академика адмирала архитектора братьев генерала героя героев доктора капитана комиссара
    комдива космонавта лейтенанта летчика маршала мичмана партизана писателя политрука
    полковника поэта профессора сержанта солдата союза советского сестер художника
    композитора майора инженера конструктора рядового россии святого ген ак акад марш проф
    космон
    """.split()  # noqa: SIM905
)


LONGEST: Final = 12
"""Words of a name: what is longer, and is not there as it stands, is no misspelt name."""
_ENDINGS: Final = ("ая", "ый", "ий", "ое", "ой", "ые", "ие")


class Like(NamedTuple):
    """A key that may be meant: by what factor it is less likely, and why, in Russian."""

    key: int
    factor: float
    why: str


def alike(region: Region, key: str) -> list[Like]:
    """Return the keys of a region that may be meant by a key it does not have, likelier first."""
    asked = key.split()
    if len(asked) > LONGEST:
        return []
    if strange := _ordinals(region, asked):
        key, asked = " ".join(sorted(strange)), strange
        number = region.keys.get(key)
        if number is not None:
            return [Like(number, EDIT, f"опечатка в числе: {key}")]
    numbers: set[int] = set()
    longest = sorted((word for word in asked if len(word) > 1), key=_weight)[:3]
    unknown = [word for word in longest if word not in region.words]
    for word in longest:
        numbers.update(region.keys_of(word)[:KEYS_OF_WORD])
    for word in unknown or longest[:1]:
        for known in _spellings(region, word):
            numbers.update(region.keys_of(known)[:KEYS_OF_WORD])
    found = []
    for number in numbers:
        spelt = region.spelt[number]
        if spelt != key and (judged := compare(asked, spelt.split())):
            found.append(Like(number, *judged))
    if not found and len(asked) == 1 and (pair := _split(region, key)):
        found.append(pair)
    found.sort(key=lambda like: (-like.factor, like.key))
    return found[:MOST]


def _ordinals(region: Region, asked: list[str]) -> list[str]:
    """Return the words with a misspelt ordinal as its number, nothing when there is none."""
    if len(asked) == 1:
        return []
    jubilee = any(word.isdigit() for word in asked)
    for at, word in enumerate(asked):
        if len(word) < _SPELT or word in region.words:
            continue
        if jubilee and OSA.distance(word, "летия") == 1:
            return [*asked[:at], "лет", *asked[at + 1 :]]
        near = process.extract(word, keys.ORDINALS, scorer=OSA.distance, score_cutoff=1, limit=None)
        numbers = {keys.ordinal(hit[0]) for hit in near}
        if len(numbers) == 1:
            return [*asked[:at], str(numbers.pop()), *asked[at + 1 :]]
    return []


def compare(asked: list[str], known: list[str]) -> tuple[float, str] | None:
    """Return how much less likely a name is for what differs, and what; None when it is another."""
    left = [word for word in asked if word not in known]
    right = [word for word in known if word not in asked]
    if any(word.isdigit() for word in left) or any(word.isdigit() for word in right):
        return None
    factor, why = 1.0, []
    dropped = False
    common = len(asked) - len(left)
    for word in sorted(left, key=len, reverse=True):
        near = ((_one(word, other), other) for other in right)
        best = max(
            near, key=lambda one: (one[0] > 0 and len(one[1]) > 1, one[0]), default=(0.0, "")
        )
        if best[0]:
            factor *= best[0]
            right.remove(best[1])
            common += min(len(word), len(best[1])) > 1
            sign = "сокращение" if best[1].startswith(word) else "опечатка"
            why.append(f"{sign}: {word} → {best[1]}")
        elif word in _FIRST or word in _TITLE or (len(word) == 1 and not right):
            dropped = True
            factor *= LEFT_OUT if len(word) > 1 else ADDED
            why.append(f"не учтено: {word}")
        else:
            return None
    for place, other in enumerate(right):
        if not (other in _FIRST or other in _TITLE or len(other) == 1):
            return None
        factor *= INITIAL if place else LEFT_OUT
        why.append(f"в реестре ещё: {other}")
    if not common or (dropped and right):  # `Розы` is not left out where `Карла` is written
        return None
    return factor, "; ".join(why)


def _one(word: str, other: str) -> float:
    """Return how likely a word is another one, 0 when it is not."""
    short, long = sorted((word, other), key=len)
    if len(short) == 1:
        return INITIAL if long.startswith(short) else 0.0
    if word[:-2] == other[:-2] and _adjective(word) and _adjective(other):
        return ENDING
    if _typing(word, other):
        return EDIT if OSA.distance(word, other) == 1 else EDITS
    if len(word) >= 2 and other.startswith(word) and len(other) > len(word) + 2:
        return SHORTENED
    return 0.0


def _typing(word: str, other: str) -> bool:
    allowed = limit(max(len(word), len(other)))
    if not allowed:
        return False
    distance = OSA.distance(word, other, score_cutoff=allowed)
    return distance <= allowed


def limit(length: int) -> int:
    """Return how many errors are taken for errors in a word of so many letters."""
    return 0 if length <= _SHORT else 1 if length < _LONG else 2


def named(region: Region, word: str) -> bool:
    """Tell whether a word stands in a name of the region, as it is or misspelt."""
    return word in region.words or (
        len(word) > _SHORT and any(len(other) > _SHORT for other in _spellings(region, word))
    )


def _adjective(word: str) -> bool:
    return word.endswith(_ENDINGS)


def _weight(word: str) -> tuple[bool, bool, int]:
    """Sort the telling words first: not figures, not first names, the longest."""
    return word.isdigit(), word in _FIRST or word in _TITLE, -len(word)


def _spellings(region: Region, word: str) -> list[str]:
    """Return the words of a region that a word may be: itself, or those a few errors away."""
    if word.isdigit():
        return []
    found = [
        near for near in region.near(word) if near != word and len(near) > 1 and _typing(word, near)
    ]
    if not found and limit(len(word) + 1) > 1:
        found = _far(region, word)
    if _adjective(word):
        others = (word[:-2] + ending for ending in _ENDINGS)
        found += [other for other in others if other in region.words and other != word]
    if not found and len(word) >= 2:
        found = _begin(region, word)
    return found


def _far(region: Region, word: str) -> list[str]:
    """Return the words two errors away, where none is nearer."""
    found: list[str] = []
    for length in range(len(word) - 2, len(word) + 3):
        bucket = region.by_length.get(length, [])
        hits = process.extract(word, bucket, scorer=OSA.distance, score_cutoff=2, limit=20)
        found += [hit[0] for hit in hits]
    return found


def _begin(region: Region, word: str) -> list[str]:
    found = [
        known
        for length, bucket in region.by_length.items()
        if length > len(word) + 2
        for known in bucket
        if known.startswith(word)
    ]
    return found if len(found) <= 40 else []


def _split(region: Region, word: str) -> Like | None:
    """Return a key of two words that were written as one."""
    for at in range(2, len(word) - 1):
        key = " ".join(sorted((word[:at], word[at:])))
        number = region.keys.get(key)
        if number is not None:
            return Like(number, EDIT, f"слитно: {word} → {word[:at]} {word[at:]}")
    return None
