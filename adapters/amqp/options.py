"""The peer's `[options]` that this adapter reads, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote, urlsplit

from gateway.errors import ConfigurationError
from gateway.options_read import number

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTS: Final = {"amqp": 5672, "amqps": 5671}
DEAD: Final = ".dead"
"""Behind the name of an exchange or queue: where the broker puts what nobody could consume."""
_NAME_BYTES: Final = 200
"""Of a name of an exchange or queue; AMQP has 255, and `DEAD` comes behind it."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where the broker is. host: name or literal address, without brackets. vhost: decoded."""

    tls: bool
    host: str
    port: int
    vhost: str

    @property
    def named(self) -> str:
        """`host:port`, for messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the codec and the channel need (manifest.toml says what each is for)."""

    broker: Broker | None
    user: str
    mode: Literal["structured", "binary"]
    exchange: str
    routing_prefix: str
    queue: str
    declare: bool
    delivery_limit: int
    inbox: str
    errors: str
    reply_queues: tuple[str, ...]
    batch: int
    heartbeat: int

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Options:
        """Read the table; raise ConfigurationError naming the option that is wrong."""
        mode = str(table.get("mode") or "structured")
        if mode not in ("structured", "binary"):
            raise ConfigurationError(
                "нет такого режима · no such mode",
                found=mode,
                expected="structured | binary",
                where="options.mode",
            )
        return cls(
            broker=broker(str(table.get("broker") or "")),
            user=str(table.get("user") or "guest"),
            mode="binary" if mode == "binary" else "structured",
            exchange=_name(table, "exchange", "appeals.events"),
            routing_prefix=_name(table, "routing_prefix", "appeals"),
            queue=_name(table, "queue", ""),
            declare=bool(table.get("declare", True)),
            delivery_limit=int(number(table, "delivery_limit", 20)),
            inbox=_name(table, "inbox", ""),
            errors=_name(table, "errors", ""),
            reply_queues=tuple(str(name) for name in table.get("reply_queues") or ()),
            batch=int(number(table, "batch", 50, most=1000)),
            heartbeat=int(number(table, "heartbeat", 30, least=5, most=3600)),
        )

    def may_reply(self, queue: str) -> bool:
        """Whether a queue that a message names as `reply_to` stands in the peer's row."""
        return any(
            queue.startswith(name[:-1]) if name.endswith("*") else queue == name
            for name in self.reply_queues
        )


def broker(url: str) -> Broker | None:
    """Return the parts of the option `broker`, None when it is empty; raise ConfigurationError."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise _wrong(url) from error
    if parts.scheme not in PORTS or not parts.hostname or parts.query or parts.fragment:
        raise _wrong(url)
    if "@" in parts.netloc:
        raise ConfigurationError(
            "имя и пароль не стоят в адресе · credentials do not belong into an address",
            where="options.broker",
            todo="user, password_file",
        )
    vhost = unquote(parts.path[1:]) or "/"
    return Broker(tls=parts.scheme == "amqps", host=parts.hostname, port=port, vhost=vhost)


def _wrong(url: str) -> ConfigurationError:
    return ConfigurationError(
        "это не адрес брокера · this is no address of a broker",
        found=url.rpartition("@")[2],
        expected="amqp://host:port/vhost | amqps://…",
        where="options.broker",
    )


def _name(table: Mapping[str, Any], key: str, default: str) -> str:
    name = str(table.get(key, default) or "")
    if len(name.encode()) > _NAME_BYTES or name.startswith("amq."):
        raise ConfigurationError(
            f"{key}: имя не подходит · the name does not fit",
            found=name,
            expected=f"до {_NAME_BYTES} байт, не amq.* · up to {_NAME_BYTES} bytes, not amq.*",
            where=f"options.{key}",
        )
    return name
