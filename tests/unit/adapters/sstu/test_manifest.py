import hashlib
import tomllib
from pathlib import Path

import pytest

import adapters.sstu
from adapters.sstu.adapter import Options, Sstu
from adapters.sstu.codes import status_for
from gateway.adapter import Channel, Codec
from gateway.errors import ConfigurationError
from gateway.lifecycle.table import ROWS
from gateway.model.answer import Result
from gateway.model.events import EventType, State

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


OUTCOMES = {
    State.ANSWERED: Result.EXPLAINED,
    State.TRANSFERRED: Result.TRANSFERRED,
    State.DECLINED: Result.LEFT_WITHOUT_ANSWER,
}


def test_every_event_that_changes_the_status_there_is_sent_on():
    for row in ROWS:
        for source in row.sources if row.to and not row.later else ():
            kept = OUTCOMES.get(source) if row.to is State.CLOSED else None
            words = [
                status_for(state, OUTCOMES.get(state) or kept, extended=False, received=True)
                for state in (source, row.to)
            ]
            assert words[0] == words[1] or row.event in MANIFEST["sends_on"], row.event


def test_the_code_is_what_the_manifest_says():
    codec = Sstu(MANIFEST["options"])
    assert isinstance(codec, Codec)
    assert isinstance(codec, Channel)


@pytest.mark.parametrize(
    "table",
    [
        {"department_id": "17"}, {"departments": ["x"]}, {"ack": "maybe"}, {"zone": "Mars/Base"},
        {"attachment_base64": 0}, {"package_documents": "много"}, {"merge_pages": -1},
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
