"""The stand of СМЭВ as a process: its addresses, its control, its failures on the line."""

from __future__ import annotations

import ftplib
import uuid
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.request import urlopen

import pytest

from simulators.process import running
from simulators.smev.caller import Caller, Refused
from simulators.smev.keys import Files, opened
from tests.gost_kit import needs_gost

pytestmark = needs_gost
ASK = "urn:probe"
ASKED = '<p:Ask xmlns:p="urn:probe"/>'


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    place = tmp_path_factory.mktemp("smev")
    arguments = [
        "--keys", str(place / "keys"), "--journal", str(place / "journal.jsonl"),
        "--issue", "ALPHA", "--issue", "BETA", "--kind", f"{ASK} Ask", "--redeliver", "0.2",
    ]  # fmt: skip
    with running("smev", *arguments) as started:
        started.control(
            service={"kind": [ASK, "Ask"], "providers": ["BETA"], "answers": [[ASK, "Tell"]]}
        )
        yield started


@pytest.fixture
def caller(stand):
    facts = stand.facts
    files = {
        name: Files(Path(pair["cert"]), Path(pair["key"])) for name, pair in facts["issued"].items()
    }
    ring = opened(files, Path(facts["authority"]))
    lines = []

    def make(name, version="1.3"):
        url = facts["endpoints"][version]
        host, path = url.removeprefix("http://").split("/", 1)
        line = HTTPConnection(host, timeout=10)
        lines.append(line)

        def send(headers, body):
            try:
                line.request("POST", f"/{path}", body, headers)
                answer = line.getresponse()
                return answer.headers["Content-Type"], answer.read()
            except (OSError, HTTPException):
                line.close()
                raise

        return Caller(ring.signer(name, datetime.now(UTC)), send, version)

    yield make
    for line in lines:
        line.close()
    stand.control(clear_faults=True)


def test_it_says_where_everything_is(stand):
    assert set(stand.facts["endpoints"]) == {"1.1", "1.2", "1.3"}
    for version, url in stand.facts["endpoints"].items():
        with urlopen(f"{url}?wsdl") as answer:
            text = answer.read().decode()
        assert f'location="{url}"' in text
        assert f"urn://x-artefacts-smev-gov-ru/services/message-exchange/{version}" in text
    with urlopen(stand.address) as page:
        assert "СМЭВ" in page.read().decode()
    ftp = stand.facts["ftp"]
    with ftplib.FTP(timeout=10) as client:
        client.connect(ftp["host"], ftp["port"])
        client.login(ftp["user"], ftp["password"])


def test_a_reply_that_was_lost_after_storing_is_found_by_the_repeat(stand, caller):
    alpha, beta = caller("ALPHA"), caller("BETA")
    stand.plan("reset_after", key="SendRequest")
    number = str(uuid.uuid1())
    with pytest.raises((OSError, HTTPException)):
        alpha.request(ASKED, message_id=number)
    with pytest.raises(Refused, match="MessageIsAlreadySent"):
        alpha.request(ASKED, message_id=number)
    assert beta.get("Request").id == number
    beta.ack(number)
    (row,) = stand.control(message=number)["items"]
    assert (row["sent_again"], row["given"], row["acked"], row["status"]) == (1, 1, 1, "accepted")


def test_what_was_lost_before_storing_was_never_sent(stand, caller):
    alpha, beta = caller("ALPHA"), caller("BETA")
    stand.plan("error", key="SendRequest", status=503)
    with pytest.raises(Exception, match=r"well-formed"):
        alpha.request(ASKED)
    assert beta.get("Request") is None


def test_troubles_are_told_to_the_process_and_counts_come_back(stand, caller):
    alpha, beta = caller("ALPHA", "1.1"), caller("BETA", "1.1")
    stand.control(trouble={"kind": "again_early"})
    number = alpha.request(ASKED)
    assert [beta.get("Request").id, beta.get("Request").id] == [number, number]
    beta.ack(number)
    counts = stand.control(counts=True)
    assert counts["open"] == 0
    assert counts["facts"]["given"] >= 2
    stand.control(trouble={"kind": "failure", "times": 0})
    stand.control(clear_faults=True)
    assert beta.get("Request") is None
