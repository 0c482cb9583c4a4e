"""The calls to a provider: forms and bounded JSON, over the one HTTP client of the house.

What a provider answers may name a person or hold a token, so no error here quotes it: only its
status and a code of ЕСИА.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import msgspec

from adapters.esia import codes
from gateway.errors import (
    GatewayError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    TrustError,
)
from gateway.jsontext import check_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.outbound import Outbound, Response

ANSWER_BYTES: Final = 1024 * 1024
VALUES: Final = 20_000
_FORM: Final = "application/x-www-form-urlencoded"
_RETRY: Final = frozenset({408, 429, 500, 502, 503, 504})
_WORD_CHARS: Final = 40


def query(fields: Mapping[str, str]) -> str:
    """Return fields as a query; a space is `%20`, a plus `%2B`: nobody reads them otherwise."""
    return urlencode(fields, quote_via=quote)


class Calls:
    """Calls to one provider. name: what it is called in errors. Thread-safe, as `Outbound` is."""

    def __init__(self, outbound: Outbound, name: str) -> None:
        self._outbound = outbound
        self._name = name

    def form(
        self, url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Post a form and return the object that is answered.

        Raise TrustError(identity_refused), PeerRefused, PeerUnavailable, PeerDoubtful.
        """
        answer = self._outbound.request(
            "POST",
            url,
            headers={"Accept": "application/json", "Content-Type": _FORM, **(headers or {})},
            body=query(fields).encode("ascii"),
        )
        if answer.status // 100 == 2:
            return self._object(answer)
        raise self._refused(answer)

    def get(self, url: str, bearer: str = "") -> dict[str, Any]:
        """Ask for an object; raise PeerRefused, PeerUnavailable."""
        headers = {"Accept": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        answer = self._outbound.request("GET", url, headers=headers)
        if answer.status // 100 == 2:
            return self._object(answer)
        if answer.status in _RETRY:
            raise PeerUnavailable(f"{self._name} failed", found=f"HTTP {answer.status}")
        raise PeerRefused(f"{self._name} refused", found=f"HTTP {answer.status}")

    def _object(self, answer: Response) -> dict[str, Any]:
        found = _decoded(answer)
        if found is None:
            raise PeerRefused(
                f"{self._name}: the answer cannot be read", found=f"{len(answer.body)} bytes"
            )
        return found

    def _refused(self, answer: Response) -> GatewayError:
        """Return what a refusal of a form means; 5xx is a doubt, because a code is good once."""
        found = _decoded(answer) or {}
        if "error" in found:
            return refusal(self._name, found)
        if answer.status in (429, 503):
            return PeerUnavailable(f"{self._name} asks to come later", found=f"{answer.status}")
        if answer.status in _RETRY:
            return PeerDoubtful(f"{self._name} failed", found=f"HTTP {answer.status}")
        return PeerRefused(f"{self._name} refused", found=f"HTTP {answer.status}")


def refusal(name: str, told: Mapping[str, Any]) -> GatewayError:
    """Return the error that `error` and `error_description` of a provider stand for.

    The person's own matter is TrustError(identity_refused); a fault of our settings is PeerRefused
    with what to do, and of the provider PeerUnavailable.
    """
    word = told.get("error")
    word = word if isinstance(word, str) and word.isascii() and word.isprintable() else "?"
    code = codes.code_of(told.get("error_description")) or codes.code_of(word)
    meaning = codes.meanings().get(code)
    found = f"ESIA-{code} {word[:_WORD_CHARS]}" if code else word[:_WORD_CHARS]
    if meaning is None:
        if word in {"access_denied", "login_required", "interaction_required", "invalid_grant"}:
            return TrustError(
                "поставщик отказал во входе · the provider refused", "identity_refused", found=found
            )
        if word in {"temporarily_unavailable", "server_error"}:
            return PeerUnavailable(f"{name} failed", found=found)
        return PeerRefused(f"{name} refused", found=found, todo="adapters/esia/README.md")
    if meaning.who == "person":
        return TrustError(meaning.meaning, "identity_refused", found=found, todo=meaning.todo)
    if meaning.who == "theirs":
        return PeerUnavailable(meaning.meaning, found=found, todo=meaning.todo)
    return PeerRefused(meaning.meaning, found=found, todo=meaning.todo)


def _decoded(answer: Response) -> dict[str, Any] | None:
    if len(answer.body) > ANSWER_BYTES:
        return None
    try:
        check_values(answer.body, VALUES)
        found = msgspec.json.decode(answer.body)
    except (GatewayError, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
