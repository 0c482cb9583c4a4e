"""A poller of the peer `bus`, as a gateway's process has it."""

from gateway import registry
from gateway.dispatch.ports import Destination, Policy
from gateway.model.peer import Peer
from gateway.outbound import Outbound
from gateway.polling import Asked, Polling


def options(broker, name):
    return {
        **registry.read_manifest("adapters.amqp").options,
        "broker": broker,
        "allow_private": ["127.0.0.1"],
        "exchange": f"{name}.x",
        "inbox": f"{name}.in",
        "errors": f"{name}.errors",
        "reply_queues": [f"{name}.reply*"],
        "batch": 3,
    }


def poller(kind, pool, committer, blobs, broker, name, *, owner, now):
    made = kind(options(broker, name), outbound=Outbound(allowed_hosts=(), timeout=10.0))
    row = Peer(code="bus", name="bus", adapter="amqp")
    asked = Asked(row, Destination("bus", made, made, Policy(timeout=10.0)))
    return Polling(pool, committer, blobs, lambda: {"bus": asked}, owner=owner, now=now)
