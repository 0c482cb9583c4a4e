import hashlib
import tomllib
from pathlib import Path

import pytest

import adapters.sstu
from adapters.sstu.adapter import Options, Sstu
from gateway.adapter import Channel, Codec
from gateway.errors import ConfigurationError
from gateway.model.events import EventType

FOLDER = Path(adapters.sstu.__file__).parent
MANIFEST = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))


def test_the_manifest_names_the_contract_that_lies_beside_it():
    for contract in MANIFEST["contracts"]:
        body = (FOLDER / contract["name"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == contract["sha256"]


def test_the_manifest_holds_the_keys_every_adapter_has():
    assert MANIFEST.keys() >= {
        "name", "title", "role", "stage", "contracts", "media_types", "idempotent_delivery",
        "reconcile_by", "settle_after", "ordering", "max_in_flight", "rate", "timeout",
        "allowed_hosts", "disclosure", "events", "personal_data", "conformity", "grade",
    }  # fmt: skip
    assert {*MANIFEST["events"], *MANIFEST["sends_on"]} <= {str(t) for t in EventType}


def test_the_code_is_what_the_manifest_says():
    codec = Sstu(MANIFEST["options"])
    assert isinstance(codec, Codec)
    assert isinstance(codec, Channel)


@pytest.mark.parametrize(
    "table",
    [
        {"department_id": "17"}, {"departments": ["x"]}, {"ack": "maybe"}, {"zone": "Mars/Base"},
        {"extended_as": "word"}, {"withdrawn_as": "Supported"}, {"zone": "../etc"},
    ],
)  # fmt: skip
def test_an_option_that_cannot_work_is_named(table):
    with pytest.raises(ConfigurationError) as caught:
        Options.of(table)
    assert caught.value.where.startswith("options.")


def test_without_an_address_files_still_work_and_sending_is_refused():
    codec = Sstu({})
    with pytest.raises(ConfigurationError):
        codec.deliver(None, "")
    assert not codec.probe().ok
