"""A system that is asked over HTTP for pages of JSON: what it has for us, and how its items stand.

| call | says |
|---|---|
| `GET {base}{path}` of items | `{"items": […], "cursor": "…", "more": bool}` |
| `GET {base}{path}` of states | `{"states": […], "cursor": "…", "more": bool}` |
| `POST {base}{path}`, `Idempotency-Key` | whatever the profile says |
| `GET {base}{path}` of one thing that we sent | the same again, or 404 |

The paths, and what one row holds, are the profile's; the adapters that have one say it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from gateway import limits
from gateway.adapter import RemoteState
from gateway.errors import (
    DeliveryError,
    GatewayError,
    PeerDoubtful,
    PeerUnavailable,
    TooLargeError,
)
from gateway.jsontext import check_values
from gateway.outbound import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.outbound import Outbound, Response

JSON: Final = "application/json"
VALUES: Final = 20 * limits.JSON_VALUES
"""Of one page."""
ROWS: Final = 1_000
"""Of one page, however many were asked for; each is stored by itself."""
CURSOR_CHARS: Final = 2_000
"""It goes into an address, and is kept."""
LIST_PAGES: Final = 100_000
LIST_SECONDS: Final = 3_600.0
"""How long one reconciliation reads states, in all; each page has the peer's own timeout."""
_REASON_CHARS: Final = 500
T = TypeVar("T")
_P = TypeVar("_P", bound="Items | States")


class Items(msgspec.Struct, frozen=True):
    """One page of what the system has for us; items stay the bytes that they are."""

    items: list[msgspec.Raw]
    cursor: str = ""
    more: bool = False

    def follows(self, cursor: str) -> bool:
        """Whether there is more at once after this page, which was asked for by a cursor."""
        return self.more and bool(self.items) and self.cursor != cursor


class States(msgspec.Struct, frozen=True):
    """One page of how items stand there; rows stay the bytes that they are."""

    states: list[msgspec.Raw]
    cursor: str = ""
    more: bool = False


class Pages:
    """One system. base: its address. name: what it is called in errors. key: a bearer's, or empty.

    Thread-safe, as its `Outbound` is.
    """

    def __init__(self, outbound: Outbound, base: str, name: str, key: str = "") -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._name = name
        self._headers = {"Accept": JSON}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def items(self, path: str) -> Items:
        """Return one page of items; raise DeliveryError."""
        page = self._page(path, Items)
        self._bounded(page.items, page.cursor)
        return page

    def states(self, path: str) -> States:
        """Return one page of states; raise DeliveryError."""
        page = self._page(path, States)
        self._bounded(page.states, page.cursor)
        return page

    def post(self, path: str, body: bytes, key: str = "", *, safe: bool = False) -> Response:
        """Send JSON once; raise PeerRefused, PeerUnavailable or PeerDoubtful.

        key: by which the system knows a repeat. safe: a repeat changes nothing there.
        """
        headers = {**self._headers, "Content-Type": JSON}
        if key:
            headers["Idempotency-Key"] = key
        answer = self._outbound.request(
            "POST", self._base + path, headers=headers, body=body, safe=safe
        )
        return check(answer, self._name, safe=safe)

    def find(self, path: str, shape: type[T]) -> tuple[Response, T] | None:
        """Return what became of something that we sent, None when it is not there.

        Raises PeerDoubtful when that cannot be known: whatever else is answered, a refusal of the
        question itself among it, says nothing of what was sent.
        """
        try:
            answer = self._outbound.request("GET", self._base + path, headers=self._headers)
            if answer.status == 404:
                return None
            check(answer, self._name, safe=True)
        except DeliveryError as error:
            raise PeerDoubtful(
                f"{self._name} cannot be asked: {error.message}", found=error.found, todo=error.todo
            ) from error
        found = decoded(answer.body, shape)
        if found is None:
            raise PeerDoubtful(f"what {self._name} says of it cannot be read")
        return answer, found

    def _page(self, path: str, shape: type[_P]) -> _P:
        answer = self._outbound.request("GET", self._base + path, headers=self._headers)
        check(answer, self._name, safe=True)
        try:
            check_values(answer.body, VALUES)
        except TooLargeError as error:
            raise PeerUnavailable(f"{self._name}: the page is too large") from error
        found = decoded(answer.body, shape)
        if found is None:
            size = f"{len(answer.body)} bytes"  # not the bytes: an item has its author in it
            raise PeerUnavailable(f"{self._name}: the page cannot be read", found=size)
        return found

    def _bounded(self, rows: list[msgspec.Raw], cursor: str) -> None:
        """Raise PeerUnavailable for a page whose rows or cursor cannot be kept."""
        if len(rows) > ROWS:
            raise PeerUnavailable(
                f"{self._name}: the page is too large",
                found=f"{len(rows)} rows",
                expected=f"at most {ROWS}",
            )
        if len(cursor) > CURSOR_CHARS or not cursor.isprintable():
            raise PeerUnavailable(
                f"{self._name}: the page has a cursor that cannot be kept",
                found=f"{len(cursor)} characters",
                expected=f"at most {CURSOR_CHARS} that can be printed",
            )


def listed(
    ask: Callable[[str], States],
    made: Callable[[bytes], RemoteState],
    clock: Callable[[], float] = monotonic,
) -> Iterator[RemoteState]:
    """Yield every row of every page; a row that cannot be read has no key, and says why.

    ask: returns the page after a cursor, the first after "". Raises DeliveryError, also when the
    pages do not end.
    """
    after, until = "", clock() + LIST_SECONDS
    for number in range(LIST_PAGES):
        if clock() > until:
            raise PeerUnavailable(
                "the states do not end",
                found=f"{number} pages in {LIST_SECONDS:.0f} s",
                todo="ask for a shorter interval",
            )
        page = ask(after)
        for raw in page.states:
            yield _row(bytes(raw), made)
        if not page.more or page.cursor in ("", after):
            return
        after = page.cursor
    raise PeerUnavailable("the states do not end", found=f"{LIST_PAGES} pages")


def _row(raw: bytes, made: Callable[[bytes], RemoteState]) -> RemoteState:
    try:
        return made(raw)
    except (msgspec.MsgspecError, GatewayError, ValueError, RecursionError) as error:
        why = f"строка не читается · the row cannot be read: {error}"[:_REASON_CHARS]
        return RemoteState(key="", key_folded="", exception_message=why, raw=raw)


def decoded(body: bytes, shape: type[T]) -> T | None:
    """Return JSON of a shape, None for anything else."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
