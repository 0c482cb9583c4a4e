"""Talks to a broker: pinned addresses, TLS, a total time for every call; with `stream`, of pika.

A connection of pika belongs to one thread at a time; `publisher` lends each sender one of its own.
pika bounds a connection's opening, not the wait for a confirm, so a timer of the connection's own
loop ends the stream when the time of a call is over, as its heartbeat does.
"""

from __future__ import annotations

import logging
import ssl
import weakref
from contextlib import contextmanager, suppress
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pika
from pika import exceptions as trouble
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from adapters.amqp.options import DEAD, Broker, Options
from adapters.amqp.stream import Stream
from gateway import secretfile
from gateway.errors import (
    ConfigurationError,
    DeliveryError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
)
from gateway.model.fold import FORBIDDEN
from gateway.pinning import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


APPLICATION: Final = "appeals-gateway"
CLOSING_SECONDS: Final = 1.0
"""How long the broker is waited for when a connection is given up in order."""
_QUORUM: Final = {"x-queue-type": "quorum"}
_BREAKS: Final = (trouble.AMQPError, AMQPConnectorException, OSError, ssl.SSLError)
_SAID_CHARS: Final = 300
_SECRET_CHARS: Final = 6
"""A shorter password, as `guest`, is a word that may stand anywhere."""

logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it meets is raised, and told by us


def require() -> None:
    """Raise ImportError when pika is not installed; this module may have been loaded before."""
    import_module("pika")


class Message(NamedTuple):
    """One message to publish. headers: of the message itself."""

    exchange: str
    routing_key: str
    body: bytes
    content_type: str
    message_id: str
    type: str = ""
    headers: Mapping[str, str] = {}
    correlation_id: str = ""


class Got(NamedTuple):
    """One message that was taken and not acknowledged."""

    tag: int
    left: int
    """How many more the queue held when this one was taken."""
    properties: Any
    body: bytes


class _Late(trouble.AMQPConnectionError):  # type: ignore[misc] # pika has no types
    """The total time of a call is over."""


@contextmanager
def _within(connection: Any, deadline: float) -> Iterator[None]:
    """End a connection when the time is over or the broker says too much (`stream`).

    Raises PeerUnavailable when the time is over now.
    """
    left = deadline - monotonic()
    if left <= 0:
        raise PeerUnavailable("время вызова вышло · the time of the call is over")
    stream = connection._impl  # noqa: SLF001 - pika has no deadline of its own
    stream.heard = 0
    over = _Late("the total time of the call is over")
    timer = stream.ioloop.call_later(left, lambda: stream._terminate_stream(over))  # noqa: SLF001
    try:
        yield
    finally:
        if connection.is_open:
            stream.ioloop.remove_timeout(timer)


def _close(connection: Any) -> None:
    if not connection.is_open:
        return
    with suppress(*_BREAKS, DeliveryError), _within(connection, monotonic() + CLOSING_SECONDS):
        connection.close()


class Session:
    """One connection with one channel in confirm mode; used by one thread at a time.

    secret: what a broker was given and may say again for a reason; it is told to nobody.
    """

    _channel: Any = None

    def __init__(self, connection: Any, named: str, secret: str) -> None:
        self._connection = connection
        self._named = named
        self._secret = secret
        self.idle_since = monotonic()
        # a channel whose row changed is only let go, so nobody else closes its connections
        self._end = weakref.finalize(self, _close, connection)
        self._end.atexit = False

    def begin(self, deadline: float) -> None:
        """Open the channel in confirm mode; raise PeerUnavailable."""
        with self._asked(deadline):
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()

    def is_alive(self, deadline: float) -> bool:
        """Whether the connection may be used again: reads what the broker has said meanwhile."""
        try:
            with _within(self._connection, deadline):
                self._connection.process_data_events(0)
        except (*_BREAKS, DeliveryError):
            return False
        return bool(self._connection.is_open and self._channel.is_open)

    @property
    def is_open(self) -> bool:
        """Whether the channel may still be used: a broker closes it where it lacks a right."""
        return bool(self._channel.is_open)

    def publish(self, message: Message, deadline: float) -> None:
        """Publish and wait for the confirm; raise PeerRefused or PeerDoubtful."""
        properties = pika.BasicProperties(
            content_type=message.content_type,
            delivery_mode=2,
            message_id=message.message_id or None,
            correlation_id=message.correlation_id or None,
            type=message.type or None,
            app_id=APPLICATION,
            headers=dict(message.headers) or None,
        )
        with _within(self._connection, deadline):
            try:
                self._channel.basic_publish(
                    message.exchange, message.routing_key, message.body, properties, mandatory=True
                )
            except trouble.UnroutableError as error:
                raise PeerRefused(
                    "ни одна очередь не ждёт этого сообщения · no queue is bound for it",
                    where=f"{message.exchange or '(default)'} / {message.routing_key}",
                    todo="bind a queue to the exchange, or let `declare = true` do it; then"
                    " `gateway deliveries` sends again",
                ) from error
            except trouble.NackError as error:
                raise PeerDoubtful(
                    "брокер не принял сообщение, но одна из очередей могла его взять · the broker"
                    " did not take responsibility, one of the queues may have it",
                    where=self._named,
                ) from error
            except trouble.ChannelClosedByBroker as error:
                raise PeerRefused(
                    "брокер отказал · the broker refused",
                    found=_told(f"{error.reply_code} {error.reply_text}", self._secret),
                    where=f"{message.exchange} / {message.routing_key}",
                    todo="check exchange, rights of the user and the broker's max_message_size",
                ) from error
            except _BREAKS as error:
                raise PeerDoubtful(
                    "подтверждения нет · no confirm came",
                    found=_say(error, self._secret),
                    where=self._named,
                ) from error

    def take(self, queue: str, deadline: float) -> Got | None:
        """Take one message without acknowledging it, None when there is none."""
        with self._asked(deadline):
            method, properties, body = self._channel.basic_get(queue, auto_ack=False)
        if method is None:
            return None
        return Got(method.delivery_tag, method.message_count, properties, body)

    def done(self, tag: int, deadline: float, *, again: bool = False) -> None:
        """Acknowledge a message, or give it back to come again."""
        with self._asked(deadline):
            if again:
                self._channel.basic_nack(tag, requeue=True)
            else:
                self._channel.basic_ack(tag)

    def declare_events(self, options: Options, deadline: float) -> None:
        """Declare exchange, quorum queue, and where the broker puts what nobody can consume."""
        with self._asked(deadline):
            self._channel.exchange_declare(options.exchange, "topic", durable=True)
            if not options.queue:
                return
            dead = f"{options.queue}{DEAD}"
            self._channel.exchange_declare(dead, "fanout", durable=True)
            self._channel.queue_declare(dead, durable=True, arguments=_QUORUM)
            self._channel.queue_bind(dead, dead)
            arguments = {
                **_QUORUM,
                "x-dead-letter-exchange": dead,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
                "x-delivery-limit": options.delivery_limit,
            }
            self._channel.queue_declare(options.queue, durable=True, arguments=arguments)
            self._channel.queue_bind(options.queue, options.exchange, f"{options.routing_prefix}.#")

    def declare_inbox(self, options: Options, deadline: float) -> None:
        """Declare the queue that appeals come from, and the one that refusals go to.

        Neither has a limit of deliveries: what we could not take yet must come again.
        """
        with self._asked(deadline):
            for name in filter(None, (options.inbox, options.errors)):
                self._channel.queue_declare(name, durable=True, arguments=_QUORUM)

    def look(self, options: Options, deadline: float) -> str:
        """Say what is there; raise PeerUnavailable when exchange or inbox are not."""
        with self._asked(deadline):
            self._channel.exchange_declare(options.exchange, passive=True)
            if not options.inbox:
                return f"exchange {options.exchange}"
            found = self._channel.queue_declare(options.inbox, passive=True)
            return f"{options.inbox}: {found.method.message_count}"

    def close(self) -> None:
        """Close in order, within CLOSING_SECONDS; what was not acknowledged comes again."""
        self._end()

    @contextmanager
    def _asked(self, deadline: float) -> Iterator[None]:
        """Tell a break as PeerUnavailable: what is asked here stores nothing of ours."""
        try:
            with _within(self._connection, deadline):
                yield
        except trouble.ChannelClosedByBroker as error:
            raise PeerUnavailable(
                "брокер не дал сделать то, что нужно · the broker does not let us",
                found=_told(f"{error.reply_code} {error.reply_text}", self._secret),
                where=self._named,
                todo="create exchange and queues as README.md says, or set `declare`",
            ) from error
        except _BREAKS as error:
            raise PeerUnavailable(
                "соединение с брокером прервано · the connection broke",
                found=_say(error, self._secret),
                where=self._named,
            ) from error


class Door:
    """Opens sessions of one peer's row. table: its whole options. Raises ConfigurationError."""

    def __init__(self, options: Options, table: Mapping[str, Any]) -> None:
        assert options.broker
        self._options = options
        self._broker: Broker = options.broker
        self._table = table
        self._resolver = Resolver(tuple(table.get("allow_private") or ()))
        self._tls = _tls(table) if self._broker.tls else None

    def open(self, deadline: float) -> Session:
        """Connect and open a channel in confirm mode; raise PeerUnavailable."""
        addresses = self._resolver.addresses(self._broker.host, deadline)
        left = deadline - monotonic()
        if left <= 0:
            raise PeerUnavailable("время вызова вышло · the time of the call is over")
        each = left / len(addresses)
        password = self._password()
        parameters = [self._parameters(str(address), each, password) for address in addresses]
        try:
            connection = pika.BlockingConnection(parameters, _impl_class=Stream)
        except (trouble.ProbableAuthenticationError, trouble.AuthenticationError) as error:
            raise PeerUnavailable(
                "брокер не принял имя или пароль · the broker does not know the user",
                where=self._broker.named,
                todo="user, password_file",
            ) from error
        except trouble.ProbableAccessDeniedError as error:
            raise PeerUnavailable(
                "нет доступа к virtual host · no access to the virtual host",
                found=self._broker.vhost,
                where=self._broker.named,
                todo="rabbitmqctl set_permissions",
            ) from error
        except _BREAKS as error:
            raise PeerUnavailable(
                "брокер не отвечает · the broker does not answer",
                found=_say(error, password),
                where=self._broker.named,
            ) from error
        session = Session(connection, self._broker.named, password)
        try:
            session.begin(deadline)
        except BaseException:
            session.close()
            raise
        return session

    def _parameters(self, address: str, seconds: float, password: str) -> Any:
        tls = pika.SSLOptions(self._tls, self._broker.host) if self._tls else None
        return pika.ConnectionParameters(
            host=address,
            port=self._broker.port,
            virtual_host=self._broker.vhost,
            credentials=pika.PlainCredentials(self._options.user, password),
            heartbeat=self._options.heartbeat,
            blocked_connection_timeout=None,
            connection_attempts=1,
            retry_delay=0,
            socket_timeout=seconds,
            stack_timeout=seconds,
            ssl_options=tls,
            client_properties={"connection_name": APPLICATION},
        )

    def _password(self) -> str:
        if not self._table.get("password_file") and self._options.user == "guest":
            return "guest"
        return secretfile.read(self._table, "password_file").decode()


def _say(error: BaseException, secret: str) -> str:
    text = str(error)
    return _told(f"{type(error).__name__}: {text}" if text else type(error).__name__, secret)


def _told(text: str, secret: str) -> str:
    """Return what a broker said without the secret and what no text may hold, and not too much."""
    shown = text.replace(secret, "***") if len(secret) >= _SECRET_CHARS else text
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", shown[:_SAID_CHARS])


def _tls(table: Mapping[str, Any]) -> ssl.SSLContext:
    """Return the context of the row's `ca_bundle`, `client_cert`, `client_key`."""
    where = "ca_bundle"
    try:
        context = ssl.create_default_context(cafile=str(table.get("ca_bundle") or "") or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        where = "client_cert"
        if certificate := str(table.get("client_cert") or ""):
            password = (
                secretfile.read(table, "client_key_password_file")
                if table.get("client_key_password_file")
                else ""
            )
            context.load_cert_chain(
                certificate, str(table.get("client_key") or "") or None, password
            )
    except OSError as error:
        raise ConfigurationError(
            f"{where}: файл не читается · cannot be loaded: {error}", where=f"options.{where}"
        ) from error
    return context
