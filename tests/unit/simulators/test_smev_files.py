"""The file storage of the stand, over its real FTP server, with the client of the library."""

from __future__ import annotations

import ftplib
import io
from base64 import b64encode

import pytest

from simulators.smev.caller import Refused
from simulators.smev.ftp import Server
from simulators.smev.storage import Storage
from tests.gost_kit import needs_gost
from tests.unit.simulators.smev_kit import ASKED, Probe, ring


def serving(storage):
    server = Server(storage)
    server.start()
    return server


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "files", ("up", "load"))


@pytest.fixture
def port(storage):
    server = serving(storage)
    yield server.port
    server.shutdown()
    server.server_close()


def client(port, user, password):
    ftp = ftplib.FTP(encoding="utf-8", timeout=10)
    try:
        ftp.connect("127.0.0.1", port)
        ftp.login(user, password)
    except ftplib.Error:
        ftp.close()
        raise
    return ftp


def fetched(ftp, name):
    found = bytearray()
    ftp.retrbinary(f"RETR {name}", found.extend)
    return bytes(found)


@pytest.mark.parametrize("way", ["flat", "path", "folder"])
def test_a_file_is_put_by_its_uuid(storage, port, way):
    data = bytes(range(256)) * 1000
    with client(port, "up", "load") as ftp:
        if way == "folder":
            ftp.mkd("u-1")
            ftp.cwd("u-1")
        name = {"flat": "u-1", "path": "/u-1/Акт №1.pdf", "folder": "Акт №1.pdf"}[way]
        ftp.storbinary(f"STOR {name}", io.BytesIO(data))
    assert storage.path("u-1").read_bytes() == data
    assert storage.name("u-1") == ("u-1" if way == "flat" else "Акт №1.pdf")


def test_credentials_open_one_file_once(storage, port):
    storage.put("u-1/a.pdf", b"one")
    storage.put("u-2/b.pdf", b"two")
    let = storage.let("u-1", "a.pdf", "m")
    with client(port, let.user, let.password) as ftp:
        for other in ("u-2", "b.pdf", "../u-2", "u-2/b.pdf"):
            with pytest.raises(ftplib.error_perm):
                fetched(ftp, other)
        with pytest.raises(ftplib.error_perm):
            ftp.storbinary("STOR u-3", io.BytesIO(b"x"))
        assert ftp.size("a.pdf") == 3
        assert fetched(ftp, "a.pdf") == b"one"
    with pytest.raises(ftplib.error_perm):
        client(port, let.user, let.password)
    again = storage.let("u-1", "a.pdf", "m")
    storage.end(["m"])
    with pytest.raises(ftplib.error_perm):
        client(port, again.user, again.password)


@pytest.mark.parametrize("pair", [("up", "wrong"), ("nobody", "load"), ("", "")])
def test_nobody_else_comes_in(port, pair):
    with pytest.raises(ftplib.error_perm):
        client(port, *pair)


@needs_gost
def test_a_message_brings_the_credentials_of_its_file(tmp_path):
    probe = Probe(tmp_path)
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    b = alpha.names.b
    probe.storage.put("0f1e/Акт.pdf", b"content")
    told = b64encode(ring().streebog(b"content")).decode()
    more = (
        "<b:RefAttachmentHeaderList><b:RefAttachmentHeader><b:uuid>0f1e</b:uuid>"
        f"<b:Hash>{told}</b:Hash><b:MimeType>application/pdf</b:MimeType>"
        "</b:RefAttachmentHeader></b:RefAttachmentHeaderList>"
    )
    alpha.request(ASKED, more=more)
    server = serving(probe.storage)
    try:
        first = beta.get("Request").message.find(f".//{b('FSAttachment')}")
        probe.seconds = 61
        second = beta.get("Request").message.find(f".//{b('FSAttachment')}")
        names = [one.findtext(b("UserName")) for one in (first, second)]
        assert names[0] != names[1]
        with client(server.port, names[1], second.findtext(b("Password"))) as ftp:
            assert fetched(ftp, second.findtext(b("FileName"))) == b"content"
    finally:
        server.shutdown()
        server.server_close()


@needs_gost
def test_a_file_is_there_with_its_digest_and_within_the_quota(tmp_path):
    probe = Probe(tmp_path)
    alpha = probe.caller("ALPHA")
    probe.storage.put("0f1e", b"content")

    def sent(digest):
        more = (
            "<b:RefAttachmentHeaderList><b:RefAttachmentHeader><b:uuid>0f1e</b:uuid>"
            f"<b:Hash>{b64encode(digest).decode()}</b:Hash>"
            "<b:MimeType>application/pdf</b:MimeType>"
            "</b:RefAttachmentHeader></b:RefAttachmentHeaderList>"
        )
        try:
            alpha.request(ASKED, more=more)
        except Refused as error:
            return error.detail
        return ""

    assert sent(bytes(32)) == "AttachmentContentMiscoordination"
    probe.registry.system("ALPHA").quota = 10
    right = ring().streebog(b"content")
    assert sent(right) == ""
    assert sent(right) == "QuoteLimitExceeded"
    assert b"<f:RemainedTotalQuoteSize>3<" in probe.last.reply.body
