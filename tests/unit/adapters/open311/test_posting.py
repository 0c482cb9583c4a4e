"""The key of a form that has none: one request a day, also across midnight."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from adapters.open311.call import call_of
from adapters.open311.posting import Posting
from gateway.access.policy import Caller
from gateway.errors import ConflictError, ValidationError
from gateway.wires import contract as c
from gateway.wires.room import Room
from gateway.wires.service import Context

LAMP = {"service_code": "street-light", "lat": "56.8", "long": "60.5", "description": "Темно"}


class House:
    """Takes requests by key, as the committer does; its clock is moved by the test."""

    def __init__(self):
        self.service, self.room, self.now = self, Room(), datetime(2026, 4, 1, 12, tzinfo=UTC)
        self.taken, self.kept = {}, []

    async def enter(self, scope, headers, correlation):
        return Caller(peer="app")

    def context(self, caller, wire, correlation, body, media_type, address=""):
        return Context(caller=caller, wire=wire, correlation=correlation, now=self.now, body=body,
                       media_type=media_type, address=address)  # fmt: skip

    async def accept(self, inbound, context):
        number, text = self.taken.setdefault(
            inbound.external_id, (f"R-{len(self.taken)}", inbound.appeal.text)
        )
        if text != inbound.appeal.text:
            raise ConflictError("other content", receipt_number=number)
        return SimpleNamespace(receipt_number=number)

    async def call(self, request, context):
        [key] = request.keys
        found = key.external_id in self.taken
        return c.GetStatusResponse(items=(c.StatusItem(key=key, found=found),))

    async def keep(self, context, error, operation):
        self.kept.append((context.body, error.code, operation))


@pytest.fixture
def house():
    return House()


@pytest.fixture
def post(house, codec):
    posting = Posting(house, codec.services, codec.options)

    def send(at=None, headers=(), **more):
        body = urlencode({**LAMP, **more}).encode()
        if at is not None:
            house.now = datetime.fromisoformat(at)
        scope = {"path": "/open311/v2/requests.json", "method": "POST", "query_string": b"",
                 "headers": [(b"x-api-key", b"k"), *headers]}  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": body}

        tree, _ = asyncio.run(posting.post(call_of(scope, "/open311/v2/"), receive))
        return tree[0]["service_request_id"]

    return send


def test_the_same_form_is_one_request_within_a_day_and_another_the_day_after(post):
    first = post("2026-04-01T05:00:00+00:00")
    assert post("2026-04-01T23:59:59+00:00") == first
    assert post("2026-04-02T05:00:00+00:00") != first


def test_a_repeat_after_midnight_is_known(post):
    first = post("2026-04-01T23:59:58+00:00")
    assert post("2026-04-02T00:00:03+00:00") == first
    assert post("2026-04-02T00:59:59+00:00") == first


def test_a_first_form_after_midnight_has_the_key_of_its_own_day(post):
    first = post("2026-04-02T00:00:03+00:00")
    assert post("2026-04-02T20:00:00+00:00") == first


def test_an_apps_own_number_holds_for_ever(post, house):
    own = [(b"idempotency-key", b"app-1")]
    first = post("2026-04-01T05:00:00+00:00", own)
    assert post("2027-04-01T05:00:00+00:00", own) == first
    assert house.taken.keys() == {"app-1"}
    assert post(client_request_id="app-1") == first
    assert post(**{"attribute[client_request_id]": "app-1"}) == first
    with pytest.raises(ConflictError):
        post(headers=own, description="Другое")


def test_what_is_refused_is_kept_and_what_was_held_is_given_back(post, house):
    with pytest.raises(ValidationError):
        post(lat="95")
    [(body, code, operation)] = house.kept
    assert (code, operation) == ("validation", "SubmitAppeal")
    assert b"lat=95" in body
    assert house.room.held == 0
