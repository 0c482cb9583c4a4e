"""The simulated service over a folder of releases, in this process on a free port."""

import random
import threading
import zipfile
from functools import partial

import pytest

from adapters.fias import options
from adapters.fias.download import Downloads
from gateway import registry
from gateway.retry import Backoff
from simulators.faults import Faults
from simulators.fias import __main__ as program
from simulators.peer import Journal

MANIFEST = registry.read_manifest("adapters.fias")
QUICK = Backoff(base=0.001, cap=0.001)


def make_zip(path, size=300_000, seed=1):
    """Write a delivery of that many bytes which do not get smaller, in two members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    with zipfile.ZipFile(path, "w") as archive:
        for member in ("36/AS_HOUSES_20260908_x.XML", "version.txt"):
            archive.writestr(member, chance.randbytes(size // 2))
    return path.read_bytes()


class Site:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.peer, self.service = program.service(folder, journal=Journal(), faults=Faults())
        self.made = []
        serve = partial(self.peer.server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()

    def options(self, **more):
        return {**MANIFEST.options, **program.options(self.peer), **more}

    def outbound(self, **more):
        made = options.read(self.options(**more)).outbound()
        self.made.append(made)
        return made

    def release(self, day, *, full=True, delta=True, size=300_000):
        """Lay a release there; return the bytes of its full delivery, or of its delta."""
        found = b""
        for wanted, name in ((delta, "gar_delta_xml.zip"), (full, "gar_xml.zip")):
            if wanted:
                found = make_zip(self.folder / day / name, size, seed=f"{day}{name}")
        return found

    def url(self, day, name="gar_xml.zip"):
        return f"{self.peer.address}/downloads/{day}/{name}"

    def downloads(self, folder, **more):
        given = {"backoff": QUICK, "plain": True, **more}
        hosts = given.pop("hosts", self.options()["hosts"])
        return Downloads(self.outbound(), folder, hosts, **given)

    def fail(self, **fault):
        self.service.command({"file": fault})

    @property
    def ranges(self):
        """What was asked of files, but for the questions how long they are."""
        asked = self.service.folder.asked
        return [one["range"] for one in asked if one["range"] != "bytes=0-0"]

    def stop(self):
        for outbound in self.made:
            outbound.close()
        self.peer.stop()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "releases")
    yield made
    made.stop()
