"""A private RabbitMQ of this session, and a city's queues in it; nothing of the machine's own."""

import json
import time
import uuid
from datetime import UTC, datetime

import pika
import pytest

from adapters.amqp.adapter import Amqp
from gateway import registry
from gateway.adapter import EncodeContext
from gateway.model.appeal import Appeal
from gateway.outbound import Outbound
from simulators.amqp.broker import Broker, MissingError, free_port
from tests.interop.authority import Authority

MANIFEST = registry.read_manifest("adapters.amqp")
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Who issued the broker's certificate, and ours."""
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue("broker")
    made.issue("gateway")
    return made


@pytest.fixture(scope="session")
def tls_port():
    return free_port()


@pytest.fixture(scope="session")
def broker(tmp_path_factory, authority, tls_port):
    """It also listens with TLS, to those who show a certificate of the authority."""
    certificate, key = authority.paths("broker")
    more = (
        f"listeners.ssl.1 = 127.0.0.1:{tls_port}\nssl_options.cacertfile = {authority.path}\n"
        f"ssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n"
        "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
    )
    try:
        made = Broker(tmp_path_factory.mktemp("rabbitmq"), more=more)
    except MissingError as error:
        pytest.skip(str(error))
    made.start()
    yield made
    made.stop()


class Side:
    """The other side of the bus, and the gateway's channel to it; names of its own each time."""

    def __init__(self, broker) -> None:
        self.broker = broker
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self._made = []

    def channel(self, timeout=10.0, **options):
        """The adapter on this broker."""
        given = {
            **MANIFEST.options,
            "broker": self.broker.address,
            "allow_private": ["127.0.0.1"],
            "exchange": f"{self.name}.x",
            "queue": f"{self.name}.q",
            "inbox": f"{self.name}.in",
            "errors": f"{self.name}.errors",
            **options,
        }
        self.options = given
        made = Amqp(given, outbound=Outbound(allowed_hosts=(), timeout=timeout))
        self._made.append(made)
        return made

    def wire(self, key="k-1", number="2026-00017"):
        """An event that can be sent."""
        context = EncodeContext(now=NOW, key=key, options=MANIFEST.options)
        return Amqp(MANIFEST.options).encode(Appeal(receipt_number=number), None, context)

    def connect(self):
        parameters = pika.ConnectionParameters("127.0.0.1", self.broker.port, heartbeat=0)
        return pika.BlockingConnection(parameters)

    def read(self, queue):
        """Everything that waits in a queue: (properties, body), taken away."""
        out = []
        with self.connect() as connection:
            channel = connection.channel()
            while True:
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return out
                out.append((properties, body))

    def events(self):
        return self.read(f"{self.name}.q")

    def age(self):
        """Let the queues be old enough to outlive SIGKILL: 3.10 notes a new one a little late."""
        time.sleep(8)

    def count(self, queue):
        with self.connect() as connection:
            found = connection.channel().queue_declare(queue, passive=True)
            return found.method.message_count

    def put(self, *documents, **properties):
        """Publish documents into the inbox, as a city would."""
        with self.connect() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            arguments = {"x-queue-type": "quorum"}
            channel.queue_declare(f"{self.name}.in", durable=True, arguments=arguments)
            for document in documents:
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                told = pika.BasicProperties(delivery_mode=2, **properties)
                channel.basic_publish("", f"{self.name}.in", body, told, mandatory=True)

    def close(self):
        for made in self._made:
            made.close()


def until(condition, seconds=60.0):
    """Wait until it holds: after a start the broker's queues are there a little later than it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)
    return found


@pytest.fixture
def side(broker):
    made = Side(broker)
    yield made
    made.close()
