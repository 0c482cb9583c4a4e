"""Files that a sender, or the file storage, would have us choke on."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest

from adapters.smev import files
from adapters.smev.messages import types as t
from adapters.smev.options import Options
from adapters.smev.storage import Storage
from gateway.errors import (
    GatewayError,
    PeerRefused,
    PeerUnavailable,
    TooLargeError,
    ValidationError,
)

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
SECRET = "parol-etogo-fayla"


@contextmanager
def server(talk):
    """Serve one dialogue by a function that is given the connection."""
    with socket.create_server(("127.0.0.1", 0)) as there:

        def serve():
            with suppress(OSError):
                connection, _ = there.accept()
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield there.getsockname()[1]
    thread.join(5)


def storage(port):
    return Storage(Options(url="", version="1.3", key="", storage_host="127.0.0.1",
                           storage_port=port, table={}), timeout=5.0)  # fmt: skip


def named(name="file"):
    return t.FSAttachment(uuid="u-1", user_name="user", password=SECRET, file_name=name)


def endless(connection):
    while True:
        connection.sendall(b"220-one more line\r\n" * 100)


def long(connection):
    connection.sendall(b"220 " + b"x" * 1_000_000)


def no(connection):
    said = connection.makefile("rb")
    connection.sendall(b"220 ready\r\n")
    said.readline()
    connection.sendall(b"331 and the password\r\n")
    said.readline()
    connection.sendall(b"530 no\r\n")


@pytest.mark.parametrize("talk", [endless, long, no], ids=["endless", "long", "no"])
def test_a_storage_that_says_anything_at_all_ends_in_an_error_of_ours(talk):
    with server(talk) as port, pytest.raises(GatewayError) as refused:
        storage(port).fetch(named())
    assert SECRET not in str(refused.value)


def test_a_storage_that_never_ends_its_answer_is_away():
    with server(endless) as port, pytest.raises(PeerUnavailable) as away:
        storage(port).fetch(named())
    assert "lines" in away.value.found


def welcoming(heard):
    """Talk as a storage does until a file is asked for; of its own port, and another's address."""

    def talk(connection):
        said, port = connection.makefile("rb"), connection.getsockname()[1]
        connection.sendall(b"220 ready\r\n")
        passive = b"227 there (198,51,100,7,%d,%d)\r\n" % divmod(port, 256)
        for answer in (b"331 password\r\n", b"230 in\r\n", b"200 binary\r\n", passive):
            heard.append(said.readline())
            connection.sendall(answer)
        heard.append(said.readline())
        connection.sendall(b"550 no\r\n")

    return talk


def test_the_storage_sends_us_to_no_other_machine():
    """The answer to PASV names an address; the machine that was dialled is the one we go to."""
    heard = []
    with server(welcoming(heard)) as port, pytest.raises(PeerRefused):
        storage(port).fetch(named("file"))
    assert heard[-2:] == [b"PASV\r\n", b"RETR file\r\n"], "the way for the file was open"


@pytest.mark.parametrize("name", ["a\r\nDELE b", "a\nDELE b", "a\rDELE b"])
def test_a_name_of_a_file_is_no_command(name):
    heard = []
    with server(welcoming(heard)) as port, pytest.raises(PeerRefused):
        storage(port).fetch(named(name))
    assert heard[-2:] == [b"PASV\r\n", b"QUIT\r\n"], "it was not said"


class Endless:
    """A storage with a file of 50 MB under any name; fetched: how many."""

    fetched = 0

    def fetch(self, one):
        self.fetched += 1
        return bytes(50_000_000)


class Believing:
    """Every digest and signature holds."""

    class signing:  # noqa: N801
        class backend:  # noqa: N801
            @staticmethod
            def digest(method, data):
                return b""


def request(**lists):
    return t.RequestData(message_id="m", **lists)


def test_one_part_of_a_package_is_one_file():
    """Fifty headers that share a part of 60 MB would take three gigabytes."""
    headers = tuple(t.AttachmentHeader(content_id=f"c{n}", mime_type="a/b") for n in range(50))
    contents = tuple(t.AttachmentContent(id=f"c{n}", href="cid:one") for n in range(50))
    data = request(headers=headers, contents=contents)
    with pytest.raises(ValidationError, match="same part"):
        files.incoming(data, (), {"one": b"x"}, None, None, NOW)


def test_the_files_of_a_message_are_bounded_together():
    refs = tuple(t.RefAttachmentHeader(uuid=f"u-{n}", hash="", mime_type="a/b") for n in range(50))
    passes = tuple(
        t.FSAttachment(uuid=f"u-{n}", user_name="", password="", file_name="") for n in range(50)
    )
    there = Endless()
    with pytest.raises(TooLargeError, match="together"):
        files.incoming(request(ref_headers=refs), passes, {}, there, Believing, NOW)
    assert there.fetched * 50_000_000 <= files.MESSAGE_BYTES + 50_000_000
