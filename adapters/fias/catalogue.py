"""The catalogue of deliveries: which releases of the register there are, and where they lie.

Two wires give the same list: REST (`GetAllDownloadFileInfo`, `GetLastDownloadFileInfo`) and, in
`adapters.fias.soap`, the older SOAP service. Published clients differ in how they spell the names
of fields, and dates come in three forms, so names are compared without case.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from gateway import limits
from gateway.errors import MalformedError, PeerUnavailable, TooLargeError
from gateway.jsonfields import parse
from gateway.outbound import Outbound, Response, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME: Final = "ФИАС"
OTHER_WAY: Final = (
    "проверьте адрес каталога; попробуйте другой способ · check the catalogue's address, or ask it "
    "the other way: [adapter_options.fias] kind = "
)
MOST: Final = 2**31 - 1
_URL_CHARS: Final = 2_000
_KNOWN: Final = ("versionid", "textversion", "garxmlfullurl", "garxmldeltaurl", "date", "expdate")
_DAY: Final = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")
_TICKS: Final = re.compile(r"/Date\((-?\d{1,14})(?:[+-]\d{4})?\)/")
"""An instant as .NET writes it in JSON: milliseconds since 1970."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One release of the register.

    version_id: its day as a number (`20260908`), by which releases are ordered. date: its day, None
    when the catalogue says none that can be read. full_url, delta_url: of `gar_xml.zip` and
    `gar_delta_xml.zip`, empty when the release has none. others: what else was said, by the
    catalogue's own names: files in formats that are given up, and what may come to be.
    """

    version_id: int
    text_version: str = ""
    date: dt.date | None = None
    full_url: str = ""
    delta_url: str = ""
    others: dict[str, str] = {}


class Catalogue(Protocol):
    """A wire by which the catalogue is asked."""

    def every(self) -> tuple[Delivery, ...]:
        """Return all releases, oldest first; raise DeliveryError or MalformedError."""
        ...

    def last(self) -> Delivery:
        """Return the newest release; raise DeliveryError or MalformedError."""
        ...


class RestCatalogue:
    """The catalogue as JSON. base: address that the names of the operations come after."""

    def __init__(self, outbound: Outbound, base: str) -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")

    def every(self) -> tuple[Delivery, ...]:
        """Return all releases, oldest first; raise DeliveryError or MalformedError."""
        found = self._ask("GetAllDownloadFileInfo")
        if not isinstance(found, list):
            raise MalformedError(
                "каталог – не список · the catalogue is no list", found=str(found), expected="[…]"
            )
        return releases(found)

    def last(self) -> Delivery:
        """Return the newest release; raise DeliveryError or MalformedError."""
        found = self._ask("GetLastDownloadFileInfo")
        return releases([found])[0]

    def _ask(self, operation: str) -> Any:
        answer = self._outbound.request(
            "GET", f"{self._base}/{operation}", headers={"Accept": "application/json"}
        )
        check(answer, NAME, safe=True)
        if len(answer.body) > limits.FIAS_CATALOGUE_BYTES:
            raise TooLargeError(
                "каталог слишком велик · the catalogue is too large",
                found=f"{len(answer.body)} bytes",
                expected=f"{limits.FIAS_CATALOGUE_BYTES} bytes",
            )
        require_no_page(answer, "soap")
        return parse(answer.body)


def require_no_page(answer: Response, other: str) -> None:
    """Raise PeerUnavailable for a page, or a description, in the place of an answer.

    other: the kind of catalogue to try then. Seen at the real service: the description of a SOAP
    service where an envelope belongs, and pages of maintenance with the status 200.
    """
    body = answer.body[:2_000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not body.startswith(b"<"):
        return
    if b"definitions" in body and b"schemas.xmlsoap.org/wsdl" in body:
        found = "WSDL"
    elif b"<!doctype html" in body or b"<html" in body:
        found = "HTML"
    else:
        found = "XML"
    if found == "XML" and other == "rest":
        return
    raise PeerUnavailable(
        f"{NAME}: вместо каталога пришла страница · a page came in the place of the catalogue",
        found=found,
        todo=OTHER_WAY + other,
    )


def releases(items: Iterable[Any]) -> tuple[Delivery, ...]:
    """Return the releases of a catalogue, oldest first.

    One that cannot be read is an error, not passed over: a chain of deltas would be broken without
    anybody seeing it. Raises MalformedError, and TooLargeError past `limits.FIAS_RELEASES`.
    """
    found: dict[int, Delivery] = {}
    for number, item in enumerate(items, 1):
        if number > limits.FIAS_RELEASES:
            raise TooLargeError(
                "слишком много выпусков · too many releases", expected=str(limits.FIAS_RELEASES)
            )
        read = _release(item, number)
        if found.setdefault(read.version_id, read) != read:
            raise MalformedError(
                "один выпуск назван дважды по-разному · a release is said twice, differently",
                found=str(read.version_id),
                where=f"/{number}",
            )
    return tuple(found[version] for version in sorted(found))


def _release(item: Any, number: int) -> Delivery:
    if not isinstance(item, dict):
        raise MalformedError(
            "выпуск – не объект · a release is no object",
            found=str(item),
            where=f"/{number}",
            todo=OTHER_WAY + "rest | soap",
        )
    given = {str(name): "" if value is None else str(value).strip() for name, value in item.items()}
    known = {name.lower(): value for name, value in given.items() if name.lower() in _KNOWN}
    version = known.get("versionid", "")
    plain = version.isascii() and version.isdigit() and len(version) <= len(str(MOST))
    if not (plain and 0 < int(version) <= MOST):
        raise MalformedError(
            "у выпуска нет номера · a release has no version",
            found=version,
            expected="VersionId: 20260908",
            where=f"/{number}/VersionId",
        )
    for name in ("garxmlfullurl", "garxmldeltaurl"):
        if len(known.get(name, "")) > _URL_CHARS:
            raise TooLargeError("адрес слишком длинный · the address is too long", where=name)
    return Delivery(
        version_id=int(version),
        text_version=known.get("textversion", ""),
        date=_date(known, int(version)),
        full_url=known.get("garxmlfullurl", ""),
        delta_url=known.get("garxmldeltaurl", ""),
        others={k: v for k, v in given.items() if v and k.lower() not in _KNOWN},
    )


def _date(known: Mapping[str, str], version: int) -> dt.date | None:
    """Return the day of a release: of Date, else of ExpDate, else that its number spells."""
    for name in ("date", "expdate"):
        if found := _day(known.get(name, "")):
            return found
    return _day(f"{version:08d}")


def _day(text: str) -> dt.date | None:
    """Read `08.09.2026`, `2026-09-08T00:00:00`, `/Date(1788825600000)/` or `20260908`."""
    try:
        if found := _DAY.match(text):
            day, month, year = map(int, found.groups())
            return dt.date(year, month, day)
        if found := _TICKS.fullmatch(text):
            return (
                dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
                + dt.timedelta(milliseconds=int(found[1]), hours=3)
            ).date()
        return dt.date.fromisoformat(text[:10]) if text else None
    except (ValueError, OverflowError):
        return None
