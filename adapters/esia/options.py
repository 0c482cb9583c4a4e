"""The adapter's options; each wrong one is named by a ConfigurationError."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.esia import codes
from gateway.errors import ConfigurationError
from gateway.options_read import choice, flag, number, words, zone
from gateway.pinning import parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from adapters.esia.encode import Generation, Renewal

LOGIN_MINUTES: Final = 10
_AUTHENTICATION: Final = ("client_secret_post", "client_secret_basic", "private_key_jwt", "none")
_LEVELS: Final = ("simplified", "standard", "confirmed")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the manifest lists, read and checked. issuer: exactly as tokens name it."""

    provider: str
    url: str
    issuer: str
    client_id: str
    scope: str
    official_scope: str
    scope_org: str
    algorithms: tuple[str, ...]
    keys: tuple[str, ...]
    expired_keys: bool
    sign_with: str
    generation: Generation
    padded: bool
    pkce: bool
    renewal: Renewal
    organisations: str
    zone: ZoneInfo
    skew: float
    client_auth: str
    level_claim: str
    least_level: str
    organisations_claim: str

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Options:
        """Read the table."""
        provider = choice(table, "provider", ("esia", "oidc"))
        url = str(table.get("url", "")).rstrip("/")
        issuer = str(table.get("issuer", ""))
        if provider == "esia" and not issuer:
            issuer = f"http://{parse_target(url).named}/"
        algorithms = words(table, "algorithms") or (codes.GOST, codes.RSA)
        for name in algorithms:
            if name not in codes.KIND_OF:
                raise ConfigurationError(
                    "algorithms: такой алгоритм не разрешается · this algorithm is never allowed",
                    found=name,
                    expected=", ".join(codes.KIND_OF),
                    where="options.algorithms",
                )
        return cls(
            provider=provider,
            url=url,
            issuer=issuer,
            client_id=str(table.get("client_id", "")),
            scope=_scope(table, "scope"),
            official_scope=_scope(table, "official_scope"),
            scope_org=_scope(table, "scope_org"),
            algorithms=algorithms,
            keys=words(table, "keys"),
            expired_keys=flag(table, "expired_keys"),
            sign_with=str(table.get("sign_with", "")),
            generation=choice(table, "generation", ("v2", "v1")),
            padded=flag(table, "padded"),
            pkce=flag(table, "pkce"),
            renewal=choice(table, "renewal", ("start", "token")),
            organisations=choice(table, "organisations", ("roles", "orgs")),
            zone=zone(table),
            skew=number(table, "skew_seconds", 60, least=0, most=300),
            client_auth=choice(table, "client_auth", _AUTHENTICATION),
            level_claim=str(table.get("level_claim", "")),
            least_level=choice(table, "least_level", _LEVELS),
            organisations_claim=str(table.get("organisations_claim", "")),
        )

    def require(self) -> None:
        """Raise ConfigurationError for what nobody could log in without."""
        esia = {"sign_with": self.sign_with, "keys": self.keys}
        needed = {"client_id": self.client_id} | (
            esia if self.provider == "esia" else {"issuer": self.issuer}
        )
        for name, value in needed.items():
            if not value:
                raise ConfigurationError(
                    f"{name}: настройка не задана · this option is not set",
                    where=f"adapter_options.esia.{name}",
                    todo="docs/howto/esia.md",
                )

    def scopes(self, *, official: bool) -> str:
        """Return what is asked for, in the order given and each once."""
        whole = f"{self.scope} {self.official_scope}" if official else self.scope
        return " ".join(dict.fromkeys(whole.split()))


def _scope(table: Mapping[str, Any], name: str) -> str:
    return " ".join(str(table.get(name, "")).split())
