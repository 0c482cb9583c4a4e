"""The stand has every system once, and says where each is."""

from __future__ import annotations

from argparse import Namespace

import pytest

from simulators import stand
from simulators.channels import crew
from simulators.demo.stage import Failed


class Peer:
    """A simulator that was started."""

    def __init__(self, name):
        self.address = f"http://{name}.example"
        self.facts = {"api": self.address, "options": {}}

    def control(self, **command):
        return {"keys": []}


class Stage:
    """A stage whose gateway refuses a second peer of one code, as the real one does."""

    def __init__(self, root):
        self.root = root
        self.address = "http://gateway.example"
        self.alive = False
        self.started = []
        self.peers = []

    def path(self, name):
        return self.root / name

    def inbox(self, peer):
        return self.root / peer

    def simulator(self, name, *arguments):
        self.started.append(name)
        return Peer(name)

    def command(self, *arguments):
        if arguments[:2] != ("peer", "add"):
            return {}
        code = arguments[2]
        if code in self.peers:
            raise Failed(f"conflict: there is a peer of this code: {code}")
        self.peers.append(code)
        return {"peer": code, "key": f"key-of-{code}"}

    def configure(self, settings, inboxes):
        self.settings = settings

    def start_gateway(self):
        return None

    def last_log(self):
        return ""


@pytest.mark.parametrize("fail", [False, True])
def test_every_system_is_there_once_and_has_its_address(tmp_path, capsys, fail):
    stage = Stage(tmp_path)
    stand._stand(stage, Namespace(seed=1, port=0, fail=fail))
    told = capsys.readouterr().out
    assert "conflict" not in told
    assert len(stage.started) == len(set(stage.started))
    assert set(stage.started) == {"sstu", "webhook", "fias", *crew.present()}
    assert all(f"http://{name}.example" in told for name in stage.started)


def test_the_stand_has_a_delivery_of_addresses(tmp_path, capsys):
    stage = Stage(tmp_path)
    stand._stand(stage, Namespace(seed=1, port=0, fail=False))
    assert (tmp_path / "fias-releases/2026.09.08/gar_xml.zip").is_file()
    assert stage.settings["adapter_options"]["fias"]["regions"] == [stand.REGION]
    assert "fias" in stage.settings["adapters"]
    assert "fias refresh --full --commit" in capsys.readouterr().out
