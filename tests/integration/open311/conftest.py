"""A served gateway with the face, and a way to call it as an app does."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from gateway import policies
from gateway.settings import Settings
from gateway.triage import Triage
from tests.integration.house import House, own_database

APP = "portal"


class Town(House):
    """The served gateway with the face. options: over those of the manifest."""

    def __init__(self, url, root, **options):
        super().__init__(
            url,
            root,
            GATEWAY_ADAPTERS="sstu,open311",
            GATEWAY_ADAPTER_OPTIONS=json.dumps({"open311": options}),
        )
        self.triage = Triage(url, policies.rules(Settings()), lambda: datetime.now(UTC))

    def ask(self, path, *, peer="", **query):
        """GET below the prefix; the key goes in the query, as the standard has it."""
        if peer:
            query["api_key"] = self.keys[peer]
        tail = f"?{urlencode(query)}" if query else ""
        return self.call("GET", f"/open311/v2/{path}{tail}", peer="")

    def send_form(self, fields, *, peer=APP, form="json", **headers):
        """POST a request; the key goes in the form, as the standard has it."""
        pairs = [*(fields.items() if isinstance(fields, dict) else fields)]
        if peer:
            pairs.append(("api_key", self.keys[peer]))
        headers.setdefault("Content_Type", "application/x-www-form-urlencoded; charset=utf-8")
        body = urlencode(pairs).encode()
        return self.call("POST", f"/open311/v2/requests.{form}", body, peer="", **headers)

    def work(self):
        """Let triage do what is to be done."""
        while self.triage.run_once().items:
            pass

    def report(self, receipt, key, event, **more):
        """Tell the gateway what became of an appeal, over REST, and have it applied."""
        document = {"messageKey": key, "key": {"receiptNumber": receipt}, "event": event,
                    "occurredOn": f"{datetime.now(UTC):%Y-%m-%d}", **more}  # fmt: skip
        answer = self.post("/statuses", document)
        self.work()
        return answer

    def stop(self):
        if hasattr(self, "triage"):
            self.triage.close()
        super().stop()


@pytest.fixture(scope="module")
def own_town(pg_cluster, pg_template, tmp_path_factory, request):
    """Gateways with options of their own, by name, for all tests of a module."""
    with contextlib.ExitStack() as stack:

        def build(name, **options):
            digest = sha256(f"{request.module.__name__} {name}".encode()).hexdigest()[:12]
            url = stack.enter_context(own_database(pg_cluster, pg_template, f"town_{digest}"))
            made = Town(url, tmp_path_factory.mktemp("town"), **options)
            stack.callback(made.stop)
            return made

        yield build


@pytest.fixture(scope="module")
def town(own_town):
    """One gateway for all tests of a module; none of them may find a defect of ours."""
    made = own_town("shared", public_url="https://gw.example.org/open311/v2", contact="тел. 000")
    yield made
    assert not made.defects()
