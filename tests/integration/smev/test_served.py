"""A served gateway that asks the stand, stores, acknowledges and answers."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from gateway.model.peer import Peer
from gateway.store import peers
from tests.gost_kit import needs_gost
from tests.integration.house import CHECKOUT, eventually

pytestmark = needs_gost
PEER = "region"
"""Not the adapter's name: whose an appeal is goes by the code of the row."""


@pytest.fixture
def syslog():
    """What hears of security events."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(30)
        yield there


@pytest.fixture
def served(stand, make_house, pg_url, tmp_path, syslog):
    """A gateway that answers, and beside it the process that asks and delivers."""
    given = stand.facts["settings"]
    env = {
        "GATEWAY_ADAPTERS": "smev",
        "GATEWAY_SIGNING_KEYS": json.dumps(given["signing_keys"]),
        "GATEWAY_TRUSTED_AUTHORITIES": ",".join(given["trusted_authorities"]),
        "GATEWAY_REVOCATION_REQUIRED": "false",
        "GATEWAY_POLL_SECONDS": "0.2",
        "GATEWAY_SYSLOG": f"udp://127.0.0.1:{syslog.getsockname()[1]}",
    }
    house = make_house(**env)
    row = Peer(
        code=PEER, name="СМЭВ", adapter="smev", disclosure="full", disclosure_ground="проба",
        options={**stand.facts["options"], "poll_every": 0.3},
    )  # fmt: skip
    with house.database() as db:
        peers.add(db, row, datetime.now(UTC))
    env |= {"PATH": os.defpath, "GATEWAY_DATABASE_URL": pg_url, "GATEWAY_DATA_DIR": str(tmp_path)}
    with (tmp_path / "work.log").open("w") as log:
        work = subprocess.Popen(
            [sys.executable, "-m", "gateway", "work"],
            env=env, cwd=CHECKOUT, stdout=log, stderr=log,
        )  # fmt: skip
        house.env = env
        yield house
        work.terminate()
        work.wait(30)
    assert "Traceback" not in (tmp_path / "work.log").read_text("utf-8")
    assert not house.defects()


def test_an_appeal_sent_twice_under_two_numbers_is_one_and_the_newest_gets_the_answers(
    stand, served
):
    sent = stand.control(emit=1, seed=3)
    eventually(lambda: stand.control(counts=True)["states"].get("accepted"))
    again = stand.control(emit=1, seed=3)
    eventually(lambda: stand.control(counts=True)["states"].get("accepted") == 2)
    (key,) = sent["keys"]
    assert again["keys"] == [key]

    assert served.rows("SELECT count(*) FROM appeal WHERE external_id = $1", key) == [(1,)]
    for (body,) in served.rows("SELECT body FROM message WHERE key = $1", key):
        checked = subprocess.run(
            [sys.executable, "-m", "gateway", "smev", "verify", "-"],
            env=served.env, cwd=CHECKOUT, input=body, capture_output=True, check=False,
        )  # fmt: skip
        assert checked.returncode == 0, "what is kept proves who signed it"
        assert checked.stdout.decode().count("trust") == 2, "СМЭВ and the sender"
    ((receipt,),) = served.rows("SELECT receipt_number FROM appeal WHERE external_id = $1", key)
    served.give(key, "sed", owner=PEER)
    told = served.post(
        "/statuses",
        {
            "messageKey": "sed-1", "key": {"receiptNumber": receipt}, "event": "TakenToWork",
            "occurredOn": datetime.now(UTC).date().isoformat(),
        },
        peer="sed",
    )  # fmt: skip
    assert told.status == 201, told.body

    def heard():
        stand.control(answer=True)
        return stand.control(heard=True)["heard"][again["ids"][0]]

    assert eventually(heard)[-1] == "RequestStatus"


def test_a_message_that_is_not_believed_stands_in_the_record_of_refusals(stand, served, syslog):
    stand.control(trouble={"kind": "broken_signature", "times": 1})
    sent = stand.control(emit=1, seed=9)
    (key,), (number,) = sent["keys"], sent["ids"]

    (row,) = eventually(
        lambda: served.rows("SELECT peer, address, code, reason FROM refusal WHERE peer = $1", PEER)
    )

    assert row[:3] == (PEER, "127.0.0.1", "trust")
    assert row[3].split(":")[0] in {"signature_wrong", "digest_mismatch"}
    heard = syslog.recv(9000).decode()
    assert "|trust_refused|" in heard
    assert f"suser={PEER} src=127.0.0.1 reason={row[3].split(':')[0]}" in heard
    ((id_, body),) = served.rows(
        "SELECT id, body FROM message WHERE peer = $1 ORDER BY id LIMIT 1", PEER
    )
    assert number.encode() in body
    assert b"SMEVSignature" in body, "kept as it came"
    told = subprocess.run(
        [sys.executable, "-m", "gateway", "messages", "explain", str(id_), "--json"],
        env=served.env, cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 1, told.stderr
    (violation,) = json.loads(told.stdout)["violations"]
    assert (violation["path"], violation["code"]) == ("Envelope", "trust")
    assert row[3].split(":")[0] in violation["message"]
    assert stand.control(overdue=True) == {"again": 1}
    eventually(lambda: served.rows("SELECT 1 FROM appeal WHERE external_id = $1", key))
