"""A real clamd and a real ICAP server in front of it, each started by these tests.

clamd gets a signature database of one line, the digest of the EICAR test file, so nothing has to be
fetched; everything else is as Debian ships it.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from gateway.doctor import EICAR

ICAP_MODULES = "/usr/lib/*/c_icap/virus_scan.so"


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def listening(process, port, log):
    for _ in range(600):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"it did not start: {log.read_text()[-2000:] if log.exists() else ''}")


def stopped(process):
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="session")
def clamd_root(tmp_path_factory):
    return tmp_path_factory.mktemp("clamd")


@pytest.fixture(scope="session")
def clamd(clamd_root):
    """Address of a clamd that knows EICAR alone and takes at most 4 MB."""
    program = shutil.which("clamd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("needs the package clamav-daemon")
    root = clamd_root
    signatures = root / "signatures"
    signatures.mkdir()
    digest = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
    (signatures / "test.hdb").write_text(f"{digest}:{len(EICAR)}:Eicar-Test\n")
    port, log = free_port(), root / "clamd.log"
    config = root / "clamd.conf"
    config.write_text(
        f"DatabaseDirectory {signatures}\nTCPSocket {port}\nTCPAddr 127.0.0.1\n"
        f"LocalSocket {root}/clamd.sock\nForeground yes\nLogFile {log}\nStreamMaxLength 4M\n"
        "ConcurrentDatabaseReload no\nMaxThreads 4\n"
    )
    output = (root / "output").open("w")
    process = subprocess.Popen([program, "-c", str(config)], stdout=output, stderr=output)
    listening(process, port, log)
    yield f"clamd://127.0.0.1:{port}"
    stopped(process)
    output.close()


@pytest.fixture(scope="session")
def clamd_socket(clamd, clamd_root):
    """Address of the same clamd by its unix socket."""
    return f"clamd:{clamd_root}/clamd.sock"


@pytest.fixture(scope="session")
def icap(clamd, tmp_path_factory):
    """Address of a c-icap whose service asks that clamd."""
    program = shutil.which("c-icap", path="/usr/sbin:/usr/bin")
    modules = next(iter(Path("/").glob(ICAP_MODULES.lstrip("/"))), None)
    if program is None or modules is None:
        pytest.skip("needs the packages c-icap and libc-icap-mod-virus-scan")
    root = tmp_path_factory.mktemp("icap")
    port, log = free_port(), root / "server.log"
    config = root / "c-icap.conf"
    clam_port = clamd.rpartition(":")[2]
    config.write_text(
        f"PidFile {root}/c-icap.pid\nCommandsSocket {root}/c-icap.ctl\nPort 127.0.0.1:{port}\n"
        f"ServerLog {log}\nAccessLog {root}/access.log\nTmpDir {root}\n"
        f"ModulesDir {modules.parent}\nServicesDir {modules.parent}\n"
        f"TemplateDir {root}\nLoadMagicFile /etc/c-icap/c-icap.magic\n"
        "StartServers 1\nMaxServers 2\nThreadsPerChild 4\nMinSpareThreads 1\nMaxSpareThreads 4\n"
        "acl all src 127.0.0.1/255.255.255.255\nicap_access allow all\n"
        "Module common clamd_mod.so\n"
        f"clamd_mod.ClamdHost 127.0.0.1\nclamd_mod.ClamdPort {clam_port}\n"
        "Service antivirus_module virus_scan.so\nServiceAlias avscan virus_scan?mode=simple\n"
        "virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE DOCUMENT STREAM\n"
        "virus_scan.SendPercentData 0\nvirus_scan.MaxObjectSize 50M\n"
        "virus_scan.DefaultEngine clamd\n"
    )
    output = (root / "output").open("w")
    process = subprocess.Popen(
        [program, "-N", "-f", str(config)], stdout=output, stderr=output, cwd=root
    )
    listening(process, port, log)
    yield f"icap://127.0.0.1:{port}/avscan"
    stopped(process)
    output.close()
