"""What the stand refuses: written apart from the adapter, so each checks the other."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from simulators.esia.crypt import OpenSsl
    from simulators.esia.store import System

SOURCED: Final = (
    (
        "ESIA-007053: client_secret не подходит к строке, сертификату или хэшу · "
        "client_secret does not fit the string, the certificate or its hash"
    ),
    (
        "ESIA-007014, 007003: нет обязательного параметра; он неверен или повторён · "
        "a parameter is missing, wrong or repeated"
    ),
    "ESIA-007015: неверное время запроса · the time of the request is wrong",
    "ESIA-007023: адрес возврата не зарегистрирован · redirect_uri is not registered",
    "ESIA-007006, 007013, 007019: область доступа неизвестна, не названа, не разрешена · scopes",
    (
        "ESIA-007011: код использован, просрочен, чужой или с другим адресом возврата · "
        "the code is used, expired, another system's or for another address"
    ),
    "ESIA-007039, 007040: code_verifier без code_challenge или не к нему · PKCE does not fit",
    "ESIA-007002: у мнемоники нет такого сертификата · the mnemonic has no such certificate",
    "ESIA-007004: человек отказался · the person declined",
    "ESIA-007009: такой способ получить токен не поддерживается · the way is not supported",
)
OURS: Final = (
    "Время запроса расходится с часами не более чем на 5 минут · 5 minutes of skew",
    "Код живёт 120 секунд, токен доступа 3600 · a code lives 120 s, an access token 3600",
    (
        "Неизвестной системе и незарегистрированному адресу отвечают страницей, не перенаправлением"
        " · an unknown system and address are answered by a page, never by a redirect"
    ),
    (
        "state обязан быть UUID, client_certificate_hash обязателен на v2 · "
        "state has to be a UUID, client_certificate_hash is required on v2"
    ),
    "Данные человека – в пределах областей доступа токена · data within the token's scopes",
)
SKEW: Final = timedelta(minutes=5)
KNOWN_SCOPES: Final = frozenset(
    {
        "openid", "fullname", "birthdate", "gender", "snils", "inn", "id_doc", "email", "mobile",
        "contacts", "addresses", "usr_org", "org_shortname", "org_fullname", "org_ogrn",
    }
)  # fmt: skip
NEEDED: Final = (
    "client_id", "client_secret", "redirect_uri", "scope", "response_type", "state", "timestamp",
    "access_type",
)  # fmt: skip
NEEDED_FOR_TOKEN: Final = (
    "client_id", "client_secret", "redirect_uri", "scope", "state", "timestamp", "token_type",
    "grant_type",
)  # fmt: skip
_STAMP: Final = re.compile(r"\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d [+-]\d{4}", re.ASCII)
_ERRORS: Final = {
    "007002": "unauthorized_client", "007003": "invalid_request", "007004": "access_denied",
    "007006": "invalid_scope", "007009": "unsupported_grant_type", "007011": "invalid_grant",
    "007013": "invalid_scope", "007014": "invalid_request", "007015": "invalid_request",
    "007019": "invalid_scope", "007023": "invalid_request", "007039": "invalid_request",
    "007040": "invalid_grant", "007053": "invalid_client",
}  # fmt: skip


class Refused(Exception):
    """A refusal with a code of ЕСИА. detail: for the journal and the page of the stand."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"ESIA-{code}: {detail}")
        self.code = code
        self.error = _ERRORS[code]


class Sent(NamedTuple):
    """The parameters of a request as they came. repeated: names that came more than once."""

    values: dict[str, str]
    repeated: tuple[str, ...] = ()

    def get(self, name: str) -> str:
        """Return a value, empty for none."""
        return self.values.get(name, "")


def check_asked(sent: Sent, system: System, generation: str, now: datetime, *, token: bool) -> None:
    """Raise Refused for parameters that do not fit; what is signed is checked by `check_secret`."""
    needed = NEEDED_FOR_TOKEN if token else NEEDED
    if sent.repeated:
        raise Refused("007003", f"repeated: {', '.join(sent.repeated)}")
    if not sent.get("scope"):
        raise Refused("007013", "no scope")
    for name in (*needed, *(("client_certificate_hash",) if generation == "v2" else ())):
        if not sent.get(name):
            raise Refused("007014", f"no {name}")
    if not token and sent.get("response_type") != "code":
        raise Refused("007003", "response_type")
    if not token and sent.get("access_type") not in {"online", "offline"}:
        raise Refused("007003", "access_type")
    if token and sent.get("token_type") != "Bearer":
        raise Refused("007003", "token_type")
    _check_state(sent.get("state"))
    _check_time(sent.get("timestamp"), now)
    for scope in f"{sent.get('scope')} {sent.get('scope_org')}".split():
        if scope not in KNOWN_SCOPES:
            raise Refused("007006", f"unknown scope {scope}")
        if scope not in system.scopes:
            raise Refused("007019", f"scope {scope} is not permitted")
    if sent.get("code_challenge") and sent.get("code_challenge_method") != "S256":
        raise Refused("007003", "code_challenge_method")


def check_secret(
    openssl: OpenSsl, sent: Sent, system: System, generation: str, last: str, *, renewed: bool
) -> None:
    """Raise Refused(007053) unless client_secret is the system's signature of the string.

    last: the code, when one is exchanged. renewed: a refresh token takes part by the setting of
    the system.
    """
    given = sent.get
    if generation == "v1":
        text = given("scope") + given("timestamp") + given("client_id") + given("state")
    else:
        ending = given("redirect_uri") + last
        if renewed and system.renewal == "token":
            ending = given("refresh_token")
        text = (
            given("client_id") + given("scope") + given("scope_org") + given("timestamp")
            + given("state") + ending
        )  # fmt: skip
        if given("client_certificate_hash") != openssl.hashed(system.certificate):
            raise Refused("007053", "client_certificate_hash is not that of the certificate's DER")
    secret = given("client_secret")
    try:
        signature = base64.b64decode(
            secret.translate(str.maketrans("-_", "+/")) + "=" * (-len(secret) % 4), validate=True
        )
    except (binascii.Error, ValueError) as error:
        raise Refused("007053", "client_secret is no base64") from error
    check = openssl.cms_fits if generation == "v1" else openssl.fits
    if not check(system.certificate, text.encode(), signature):
        raise Refused("007053", "client_secret does not fit the string")


def check_verifier(challenge: str, verifier: str) -> None:
    """Raise Refused unless a PKCE verifier fits what the login began with (RFC 7636, 4.6)."""
    if verifier and not challenge:
        raise Refused("007039", "the login began without code_challenge")
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if challenge and made.decode() != challenge:
        raise Refused("007040", "code_verifier does not fit")


def _check_state(state: str) -> None:
    try:
        good = str(uuid.UUID(state)) == state.lower()
    except ValueError:
        good = False
    if not good:
        raise Refused("007003", "state is no UUID")


def _check_time(stamp: str, now: datetime) -> None:
    if not _STAMP.fullmatch(stamp):
        raise Refused("007015", f"timestamp {stamp!r}")
    said = datetime.strptime(stamp, "%Y.%m.%d %H:%M:%S %z")
    if abs(said - now) > SKEW:
        raise Refused("007015", f"timestamp {stamp!r}, the clock of ЕСИА is {now.isoformat()}")
