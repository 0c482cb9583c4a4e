"""An item that is right, the codec, and a wire of what a test says."""

import json

import pytest

from adapters.pos.adapter import Pos
from gateway.adapter import Wire


@pytest.fixture
def codec():
    return Pos({})


@pytest.fixture
def item():
    return {
        "id": "POS-1", "version": 1, "fz59": False, "submittedAt": "2026-03-02T10:15:00+03:00",
        "text": "Не горит фонарь у дома 5.",
    }  # fmt: skip


@pytest.fixture
def happened():
    def make(event, **more):
        return {"kind": "event", "id": "POS-1", "eventId": "E-1", "event": event,
                "at": "2026-03-10T23:30:00+03:00", **more}  # fmt: skip

    return make


def wire(document, media_type="application/json"):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Wire(media_type=media_type, body=body)


@pytest.fixture
def read(codec):
    def decode(document, **more):
        (found,) = codec.decode(wire(document, **more)).items
        return found

    return decode
