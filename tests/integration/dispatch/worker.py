"""A worker of its own process, to be killed: `worker.py URL HOOK ASK IDEMPOTENT [named]`.

named: it bears a name by which its neighbours can tell that it is dead.
"""

import datetime as dt
import sys

from gateway.adapter import EncodeContext
from gateway.dispatch import Destination, Dispatcher, Policy, Snapshot, owner
from gateway.model.appeal import Appeal
from gateway.outbound import Outbound
from gateway.wires.channels.webhook import Addresses, WebhookChannel, WebhookCodec


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Appeals:
    def load(self, deliveries):
        return {
            d.id: Snapshot(
                Appeal(id=d.appeal_id, receipt_number="0123456789A"),
                None,
                EncodeContext(now=now()),
            )
            for d in deliveries
        }


def main() -> None:
    url, address, ask, idempotent = sys.argv[1:5]
    channel = WebhookChannel(
        Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=60),
        Addresses(f"{address}/hook", f"{address}/_received/{{key}}" if ask == "ask" else ""),
        peer="hook",
        secret=b"a secret of the tests",
        now=now,
    )
    policy = Policy(timeout=60, can_ask=ask == "ask", idempotent=idempotent == "idempotent")
    made = Destination("hook", WebhookCodec("urn:test"), channel, policy)
    name = owner.name() if "named" in sys.argv else "doomed"
    Dispatcher(url, lambda: {"hook": made}, Appeals(), owner=name, now=now).run_once()


if __name__ == "__main__":
    main()
