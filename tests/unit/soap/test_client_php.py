"""A partner in PHP: its SoapServer reads what we send and writes what we have to understand."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from gateway import contracts, ns
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable
from tests.unit.soap import there as t

VERSIONS = ("1.1", "1.2")
SERVER = r"""<?php
$detail = ['Code' => 'c', 'Message' => 'm', 'CorrelationId' => 'x', 'RetryAfterSeconds' => 5,
           'CurrentState' => 's', 'Errors' => []];
class Partner {
    function SubmitStatus($given) {
        global $argv, $detail;
        file_put_contents('php://stderr', json_encode($given));
        switch ($argv[2]) {
            case 'receipt':
                return ['Receipt' => ['ReceiptNumber' => '77', 'ExternalId' => 'А-1',
                    'Revision' => 1, 'AcceptedAt' => '2026-11-20T09:00:00Z',
                    'ContentSha256' => str_repeat('0', 64)]];
            case 'busy': throw new SoapFault('Server', 'позже', null, $detail, 'BusyFault');
            case 'typed': throw new SoapFault('Server', 'нет', null, $detail, 'NotFoundFault');
            case 'array': throw new SoapFault('Server', 'нет', null, ['StateFault' => $detail]);
            case 'client': throw new SoapFault('Client', 'нет');
            case 'server': throw new SoapFault('Server', 'сбой');
            case 'word': throw new SoapFault('Нечто', 'сбой');
            case 'security': throw new SoapFault([$argv[3], 'FailedAuthentication'], 'нет');
        }
    }
}
$server = new SoapServer($argv[1], ['cache_wsdl' => WSDL_CACHE_NONE]);
$server->setClass('Partner');
$server->handle(file_get_contents('php://stdin'));
"""


def has_soap():
    if shutil.which("php") is None:
        return False
    said = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False).stdout
    return "soap" in said.lower().split()


pytestmark = pytest.mark.skipif(not has_soap(), reason="needs the packages php-cli and php-soap")


@pytest.fixture
def partner(tmp_path):
    """A server whose answers PHP writes; `partner.mode` is what it shall say."""
    (tmp_path / "server.php").write_text(SERVER, "utf-8")
    wsdl = contracts.folder("wsdl", "appeals") / "appeals-v1.wsdl"

    def answers(got):
        done = subprocess.run(
            ["php", "server.php", str(wsdl), server.mode, ns.WSSE],
            input=got.body, capture_output=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        if done.stderr.startswith(b"{"):
            server.given.append(json.loads(done.stderr))
        media = got.headers["content-type"].partition(";")[0]
        status = 500 if b":Fault>" in done.stdout else 200
        return status, f"{media}; charset=utf-8", done.stdout

    server = t.There()
    server.answers, server.given = answers, []
    yield server
    server.close()


@pytest.fixture
def out():
    made = t.outbound(timeout=30)
    yield made
    made.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_php_reads_the_report_and_its_receipt_is_read(partner, out, version):
    partner.mode = "receipt"
    client = t.client(partner.address, out, version, addressing=True)
    assert client.send(client.message("SubmitStatus", "k", Report=t.REPORT)).reference == "77"
    (given,) = partner.given
    assert given["Report"]["MessageKey"] == "0199-key"
    assert given["Report"]["Key"] == {"ExternalId": "А-1"}
    assert given["Report"]["OccurredOn"] == "2026-11-20"


@pytest.mark.parametrize(
    ("mode", "kind", "said"),
    [
        ("busy", PeerUnavailable, "later"),
        ("typed", PeerRefused, "NotFoundFault"),
        ("array", PeerRefused, "StateFault"),
        ("client", PeerRefused, "refused"),
        ("server", PeerDoubtful, "failed"),
        ("word", PeerDoubtful, "failed"),
        ("security", PeerRefused, "credentials"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_fault_of_php_is_read_for_what_it_says(partner, out, version, mode, kind, said):
    partner.mode = mode
    client = t.client(partner.address, out, version)
    with pytest.raises(kind) as caught:
        client.send(client.message("SubmitStatus", "k", Report=t.REPORT))
    assert said in caught.value.message
    assert b"Fault>" in caught.value.__cause__.response.body
