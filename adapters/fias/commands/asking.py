"""`gateway fias`: resolve and suggest."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from adapters.fias.commands.parsing import lines, read_from, text_of
from gateway import limits, screen
from gateway.addresses.found import Question, Resolved
from gateway.addresses.suggest import suggest
from gateway.errors import GatewayError, NotFoundError, TooLargeError
from gateway.store import addresses, suggestions, synonyms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from gateway.addresses.found import Place

OUTCOMES: Final = {
    "exact": "точно · exact",
    "street_only": "улица есть, дома нет · street only",
    "ambiguous": "неоднозначно · ambiguous",
    "not_found": "не найдено · not found",
}
ROLES: Final = {
    "postal_code": "индекс", "country": "страна", "region": "регион", "municipality": "район",
    "settlement": "населённый пункт", "district": "район города", "plan": "микрорайон, СНТ",
    "street": "улица", "house": "дом", "block": "корпус", "building": "строение",
    "letter": "литера", "stead": "участок", "apartment": "квартира", "room": "комната",
    "other": "—",
}  # fmt: skip

Text = Annotated[
    list[str] | None, typer.Argument(metavar="АДРЕС", help="Текст адреса · The text of an address")
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="36", help="Вероятный регион · A likelier region"),
]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one text. error: why it could not be asked."""

    address: str
    found: Resolved | None = None
    error: str = ""


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the commands; `opened` lends the database while one runs."""
    _resolve(group, opened)
    _suggest(group, opened)


def _resolve(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("resolve")
    def resolve(
        text: Text = None,
        *,
        region: Regions = None,
        strict: Annotated[
            bool, typer.Option("--strict", help="Только в этих регионах · Only in those regions")
        ] = False,
        file: Annotated[
            str, typer.Option("--file", metavar="ФАЙЛ", help="Адрес в строке; - ввод · - is stdin")
        ] = "",
        as_json: screen.Json = False,
    ) -> None:
        """Найти адрес в ГАР; код 1, если не точно · Find an address; 1 unless exact."""
        if bool(text) == bool(file):
            raise NotFoundError(
                "АДРЕС или --file · one of them is asked", todo='gateway fias resolve "АДРЕС"'
            )
        with opened() as gw, gw.connection() as db:
            regions = _codes(region or (), gw.settings.address_regions, strict=strict)
            kept = _kept(db, regions if strict else ())
            if file:
                exact = _of_file(db, kept, file, regions, strict=strict, as_json=as_json)
            else:
                asked = Question(text=" ".join(text or ()), regions=regions, strict=strict)
                (found,) = addresses.resolve(db, kept, [asked])
                (screen.document if as_json else _tell)(found)
                exact = found.outcome == "exact"
        if not exact:
            raise typer.Exit(screen.FOUND)


def _suggest(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("suggest")
    def complete(
        text: Text = None,
        *,
        region: Regions = None,
        limit: Annotated[
            int, typer.Option("--limit", min=1, max=limits.SUGGESTIONS, help="Не больше · At most")
        ] = 10,
        as_json: screen.Json = False,
    ) -> None:
        """Дополнить адрес, как при вводе · Complete an address as it is typed."""
        typed = " ".join(text or ())
        if len(typed) > limits.ADDRESS_TEXT:
            raise TooLargeError(
                "the text is too long", expected=f"at most {limits.ADDRESS_TEXT} characters"
            )
        with opened() as gw, gw.connection() as db:
            regions = _codes(region or (), gw.settings.address_regions)
            gazetteer = _kept(db, ()).read(db)
            found = suggest(
                gazetteer,
                typed,
                regions,
                limit,
                houses=partial(suggestions.houses, db),
            )
        if as_json:
            screen.document(found)
        else:
            rows = [(one.label, one.level, one.oktmo, one.guid) for one in found.items]
            screen.table(
                "Варианты · Suggestions", ("адрес · address", "ур.", "ОКТМО", "GUID"), rows
            )
        if not found.items:
            raise typer.Exit(screen.FOUND)


def _codes(given: Sequence[str], known: Sequence[str], *, strict: bool = False) -> tuple[str, ...]:
    """Return the regions that are asked for, and behind them those of the settings."""
    for code in given:
        if not (code.isascii() and code.isdigit() and len(code) == 2):
            raise NotFoundError(
                "a region is two digits", found=code, expected="36", where="--region"
            )
    return tuple(given) if given and strict else (*given, *known)


def _kept(db: Connection[Any], only: Sequence[str]) -> addresses.Kept:
    """Return the names in memory; raise NotFoundError when nothing is loaded that could answer."""
    kept = addresses.Kept(synonyms.names, regions=tuple(map(int, only)))
    if not kept.read(db).regions:
        raise NotFoundError(
            "no register of addresses is loaded",
            found=", ".join(only),
            todo="load it: gateway fias load gar_xml.zip --region 36",
        )
    return kept


def _of_file(
    db: Connection[Any],
    kept: addresses.Kept,
    file: str,
    regions: tuple[str, ...],
    *,
    strict: bool,
    as_json: bool,
) -> bool:
    """Resolve a file, an address a line, in batches; return whether all are exact."""
    counts: Counter[str] = Counter()
    with read_from(file) as stream:
        for line in _batches(db, kept, lines(stream), regions, strict=strict):
            outcome = line.found.outcome if line.found is not None else "error"
            counts[outcome] += 1
            if as_json:
                screen.document(line)
            else:
                best = line.found.best if line.found is not None else None
                typer.echo(
                    "\t".join((outcome, _guid(best), line.address, line.error or _label(best)))
                )
    if not as_json:
        screen.say(
            ", ".join(f"{OUTCOMES.get(name, name)}: {n}" for name, n in counts.most_common())
        )
    return set(counts) <= {"exact"}


def _batches(
    db: Connection[Any],
    kept: addresses.Kept,
    given: Iterator[bytes],
    regions: tuple[str, ...],
    *,
    strict: bool,
) -> Iterator[Line]:
    """Yield what became of each line, in order; a line that cannot be asked says why."""
    while batch := list(islice(given, limits.ADDRESSES_PER_CALL)):
        read = [_read(line) for line in batch]
        asked = [
            Question(text=line.address, regions=regions, strict=strict)
            for line in read
            if not line.error
        ]
        found = iter(addresses.resolve(db, kept, asked))
        for line in read:
            yield line if line.error else msgspec.structs.replace(line, found=next(found))


def _read(line: bytes) -> Line:
    try:
        text = text_of(line)
    except GatewayError as error:
        return Line(address=line[:400].decode("utf-8", "replace")[:200], error=str(error))
    if len(text) > limits.ADDRESS_TEXT:
        too_long = f"too_large: at most {limits.ADDRESS_TEXT} characters"
        return Line(address=text[:200], error=too_long)
    return Line(address=text)


def _tell(found: Resolved) -> None:
    screen.say(f"Итог · outcome: {OUTCOMES[found.outcome]}, {found.confidence:.2f}")
    if found.best is not None:
        best = found.best
        for title, value in (
            ("Адрес · address", best.label),
            ("Муниципальное деление · municipal", best.municipal_label),
            ("GUID", best.guid),
            ("ОКТМО", best.oktmo),
            ("Индекс · postal code", best.postal_code),
            ("Кадастровый номер · cadastral", best.cadastral_number),
        ):
            if value:
                screen.say(f"{title}: {value}")
    for note in found.notes:
        screen.say(f"  {note}")
    screen.table(
        "Слова · Tokens",
        ("слово · token", "за что принято · taken for", "почему · why"),
        [(token.text, ROLES.get(token.role, token.role), token.why) for token in found.tokens],
    )
    if found.candidates:
        screen.table(
            "Кандидаты · Candidates",
            ("уверенность", "адрес · address", "GUID"),
            [(f"{one.confidence:.2f}", one.label, one.guid) for one in found.candidates],
        )
    screen.say(f"ГАР: {found.version}")


def _guid(place: Place | None) -> str:
    return place.guid if place is not None else ""


def _label(place: Place | None) -> str:
    return place.label if place is not None else ""
