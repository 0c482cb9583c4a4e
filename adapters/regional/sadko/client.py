"""Talks to a site of САДКО.ОГ: a token, the inbox, one item of it, the outbox.

Addresses below the base: `token`, `Inbox`, `InboxResol/{Guid}` and `InboxLetter/{Guid}` (the last
two are assumed), `OutboxResol`. The certificate that we show stands in the peer's row.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from adapters.regional.media import is_page
from adapters.regional.sadko.codes import JSON, PATCH
from gateway import limits
from gateway.errors import (
    DeliveryError,
    InputError,
    MalformedError,
    PeerDoubtful,
    PeerUnavailable,
    TooLargeError,
)
from gateway.jsonfields import parse
from gateway.jsontext import check_values
from gateway.outbound import Answered, Outbound, Response, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.adapter import Wire

NAME: Final = "САДКО.ОГ"
EARLY_SECONDS: Final = 30.0
"""So long before its end a token is no longer shown."""
TOKEN_CHARS: Final = 16_000
_UNTOLD_SECONDS: Final = 300.0
"""How long a token lasts whose answer does not say so."""
_REFUSALS: Final = re.compile(
    rb"invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type"
    rb"|invalid_scope"
)
_LIST_VALUES: Final = 8 * limits.LIST_ROWS
"""Marks of the list: a line has three fields, and may have more that nobody asked for."""
_FORM: Final = "application/x-www-form-urlencoded"
_TODO: Final = (
    "проверьте client_id, client_secret_file и сертификат · check client_id, client_secret_file "
    "and the certificate of the peer's row"
)


class Credential(NamedTuple):
    """What a token is asked for with. secret: read again for each token, as a file changes."""

    client_id: str
    secret: Callable[[], bytes]
    scope: str = ""


class Site:
    """One site. Thread-safe: threads share the token, and one of them asks for it."""

    def __init__(self, outbound: Outbound, base: str, credential: Credential) -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._credential = credential
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def inbox(self, until: float) -> tuple[Any, datetime | None]:
        """Return the list of the inbox as it stands, and the site's own time where it tells it."""
        answer = check(self._call("GET", "Inbox", until), NAME, safe=True)
        return _listed(answer.body), _date(answer.headers.get("date", ""))

    def item(self, kind: str, guid: str, until: float) -> bytes:
        """Return one item of the inbox as it stands."""
        answer = self._call("GET", f"{quote(kind, safe='')}/{quote(guid, safe='')}", until)
        return check(answer, NAME, safe=True).body

    def put(self, wire: Wire, until: float) -> Response:
        """Send one document to the outbox; POST with the media type of a patch, as it wants it."""
        answer = check(self._call("POST", "OutboxResol", until, wire.body), NAME)
        if is_page(answer.body):
            raise PeerDoubtful(
                f"{NAME} answered with a page, as what stands before it does",
                found=f"HTTP {answer.status}",
                todo="look at the card there, then confirm or replay by hand",
            ) from Answered(answer)
        return answer

    def deadline(self) -> float:
        """Return when a call that begins now has to be over."""
        return monotonic() + self._outbound.timeout

    def _call(self, method: str, path: str, until: float, body: bytes = b"") -> Response:
        """Ask with a token; a 401 means that nothing was done, so one fresh token is tried."""
        token = self._ticket("", until)
        answer = self._ask(method, path, until, token, body)
        if answer.status == 401:
            answer = self._ask(method, path, until, self._ticket(token, until), body)
        if answer.status == 401:
            raise PeerUnavailable(
                f"{NAME} takes no token of ours: nothing was done", found="401", todo=_TODO
            )
        return answer

    def _ask(self, method: str, path: str, until: float, token: str, body: bytes) -> Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": JSON}
        if method == "POST":
            headers["Content-Type"] = PATCH
        url = f"{self._base}/{path}"
        return self._outbound.request(method, url, headers=headers, body=body, timeout=_left(until))

    def _ticket(self, refused: str, until: float) -> str:
        """Return a token that is not the refused one; raise PeerUnavailable, nothing is stored."""
        with self._lock:
            if self._token and self._token != refused and monotonic() < self._until:
                return self._token
            self._token = ""
            try:
                found = self._granted(until)
                token, lasts = found["access_token"], found.get("expires_in", _UNTOLD_SECONDS)
                if not (isinstance(token, str) and _is_header(token)):
                    raise MalformedError("not a token")
                seconds = float(lasts)
            except DeliveryError as error:
                raise PeerUnavailable(
                    f"{NAME} gave no token: {error.message}",
                    found=_reason(error),
                    todo=_TODO,
                ) from error
            except (InputError, KeyError, TypeError, ValueError, ArithmeticError) as error:
                message = f"{NAME} gave something else than a token"
                raise PeerUnavailable(message, todo=_TODO) from error
            self._token, self._until = token, monotonic() + max(seconds - EARLY_SECONDS, 1.0)
            return token

    def _granted(self, until: float) -> Any:
        asked = {
            "grant_type": "client_credentials",
            "client_id": self._credential.client_id,
            "client_secret": self._credential.secret().decode("utf-8", "replace"),
        }
        if self._credential.scope:
            asked["scope"] = self._credential.scope
        answer = self._outbound.request(
            "POST",
            f"{self._base}/token",
            headers={"Content-Type": _FORM, "Accept": JSON},
            body=urlencode(asked).encode(),
            timeout=_left(until),
            safe=True,
        )
        return parse(check(answer, NAME, safe=True).body)


def _reason(error: DeliveryError) -> str:
    """Return why there is no token, in none of the site's own words but those of RFC 6749 §5.2.

    A page that tells of an error may show the call that it refuses, and with it the secret.
    """
    answered = error.__cause__
    if not isinstance(answered, Answered):
        return error.found
    word = _REFUSALS.search(answered.response.body)
    return f"{answered.response.status} {word[0].decode() if word else ''}".strip()


def _is_header(token: str) -> bool:
    return len(token) <= TOKEN_CHARS and token.isascii() and token.isprintable()


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise PeerUnavailable(f"{NAME} took too long: nothing more was asked")
    return left


def _listed(body: bytes) -> Any:
    """Return the list; it may be longer than a document may be large, as a site may forget none."""
    try:
        check_values(body, _LIST_VALUES)
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except TooLargeError as error:
        raise PeerUnavailable(
            "the inbox is too long", found=f"{len(body)} bytes", expected=str(limits.LIST_ROWS)
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerUnavailable(
            f"{NAME} answered with something else than JSON", found=str(error)[:200]
        ) from error
