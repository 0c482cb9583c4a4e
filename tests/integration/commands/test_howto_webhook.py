"""The page on web hooks: its commands set one up, its receiver takes what the gateway sends."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.wires.channels.webhook import sign

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "webhook.md").read_text("utf-8")
FLAGS = re.DOTALL | re.MULTILINE
SECRET = b"dHdvIGFuZCB0aGlydHkgYnl0ZXMgb2Ygc2VjcmV0"


@pytest.fixture
def receiver(tmp_path):
    """The receiver of the page, as it stands there; its address and what it prints."""
    (tmp_path / "receiver.py").write_text(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1])
    (tmp_path / "hook.secret").write_bytes(SECRET + b"\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "receiver.py", "hook.secret", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while not _listens(port):
        assert process.poll() is None
        time.sleep(0.02)
    yield port, process.stdout
    process.terminate()
    process.wait()
    process.stdout.close()


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def set_up(house, port, secret):
    """Run the command of the page, with an address of this machine in it."""
    command = re.search(r"^gateway (peer add hook .*?)^gateway doctor", PAGE, FLAGS)[1]
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    given = {
        "url=https://partner.example/appeals": f"url=http://127.0.0.1:{port}/appeals",
        "secret_file=/etc/appeals-gateway/hook.secret": f"secret_file={secret}",
    }
    assert set(given) <= set(words)
    house.run(*(given.get(w, w) for w in words), "-o", 'allow_private=["127.0.0.1"]')


def test_what_the_page_sets_up_is_delivered_to_the_receiver_of_the_page(house, receiver, tmp_path):
    port, printed = receiver
    set_up(house, port, tmp_path / "hook.secret")
    assert house.json("doctor")["ok"]
    receipt = house.submit("e-1", peer="hook").receipt_number
    house.triage()
    house.report("m-1", receipt, "TakenToWork", peer="hook")
    house.triage()

    told = []
    while house.json("deliveries", "send", "-d", "hook", "--commit")["settled"]:
        told.append(printed.readline().split())

    assert told[-1] == ["ru.appeals.TakenToWork", receipt]
    states = house.rows("SELECT DISTINCT state FROM delivery WHERE destination = 'hook'")
    assert states == [("acknowledged",)]
    ((sent,),) = house.rows(
        "SELECT a.request FROM attempt a JOIN delivery d ON d.id = a.delivery_id"
        " WHERE d.event_type = 'TakenToWork'"
    )
    shown = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    assert shape(json.loads(sent)) == shape(shown), "the body on the page is one that was sent"


def shape(value):
    """The names of a document, without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    ("signature", "age", "status"),
    [
        (lambda at: sign(SECRET, "k", at, b"{}"), 0, 401),
        (lambda at: sign(b"another secret of 16", "k", at, BODY), 0, 401),
        (lambda at: sign(SECRET, "k", at, BODY), 600, 401),
        (lambda _: "", 0, 401),
        (lambda at: "v1,cm90YXRlZA== " + sign(SECRET, "k", at, BODY), 0, 204),
    ],
    ids=["another body", "another secret", "too old", "none", "one of two is right"],
)
def test_the_receiver_of_the_page_verifies(receiver, signature, age, status):
    port, _ = receiver
    at = int(time.time()) - age
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"webhook-id": "k", "webhook-timestamp": str(at), "webhook-signature": signature(at)}
    connection.request("POST", "/appeals", BODY, headers)
    assert connection.getresponse().status == status
    connection.close()


BODY = b'{"type": "ru.appeals.Answered", "subject": "9EGFDYVT0C7"}'
