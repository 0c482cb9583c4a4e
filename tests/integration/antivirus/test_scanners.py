"""What a real antivirus says of a file, by clamd's own protocol and by ICAP."""

import socket
import threading

import pytest

from gateway import antivirus
from gateway.doctor import EICAR, check_antivirus
from gateway.errors import BusyError, ConfigurationError
from gateway.settings import Settings

KINDS = ("clamd", "clamd_socket", "icap")


@pytest.fixture(params=KINDS)
def address(request):
    return request.getfixturevalue(request.param)


def scan(address, data, pieces=1):
    step = max(1, len(data) // pieces)
    return antivirus.scanner(address, 20.0).scan(
        (data[i : i + step] for i in range(0, len(data), step)), len(data)
    )


def test_the_test_file_is_found_and_named(address):
    assert "Eicar" in scan(address, EICAR).infected
    assert "Eicar" in scan(address, EICAR, pieces=7).infected


@pytest.mark.parametrize("data", [b"", b"an appeal", bytes(3_000_000)], ids=["none", "short", "3M"])
def test_a_clean_file_is_clean(address, data):
    assert scan(address, data).infected == ""


@pytest.mark.parametrize("kind", ["clamd", "clamd_socket"])
def test_a_file_that_is_too_long_for_clamd_is_no_clean_file(kind, request):
    with pytest.raises(ConfigurationError) as caught:
        scan(request.getfixturevalue(kind), bytes(6_000_000))
    assert "StreamMaxLength" in caught.value.todo


def test_a_service_that_icap_does_not_know_is_named(icap):
    with pytest.raises(ConfigurationError, match="did not check"):
        scan(icap.replace("avscan", "other"), b"x")


def test_the_doctor_says_whether_it_knows_the_test_file(address):
    (found,) = check_antivirus(Settings(antivirus=address))
    assert (found.level, "EICAR" in found.what) == ("ok", True)


@pytest.mark.parametrize("said", [b"", b"stream: OK", b"nonsense\0", b"ICAP/1.0 500 x\r\n\r\n"])
@pytest.mark.parametrize("form", ["clamd://127.0.0.1:{}", "icap://127.0.0.1:{}/avscan"])
def test_an_antivirus_that_says_nothing_clear_lets_nothing_through(form, said):
    """A peer that talks nonsense is made here; no real one does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                while not connection.recv(65_536).endswith((b"\0\0\0\0", b"0\r\n\r\n")):
                    pass
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        address = form.format(server.getsockname()[1])
        if form.startswith("clamd") and said == b"stream: OK":
            assert scan(address, b"x").infected == ""
        else:
            with pytest.raises((ConfigurationError, BusyError)):
                scan(address, b"x")
        thread.join()


@pytest.mark.parametrize("said", ["No such file", "Permission denied"])
def test_the_doctor_tells_an_operator_what_to_do_when_nobody_answers(tmp_path, said, monkeypatch):
    address = tmp_path / "clamd.ctl"
    if said == "Permission denied":

        def refuse(*_):
            raise PermissionError(13, said)

        monkeypatch.setattr(socket.socket, "connect", refuse)  # root may write to any socket

    (found,) = check_antivirus(Settings(antivirus=f"clamd:{address}"))

    assert found.level == "fail"
    assert found.what.startswith("антивирус не отвечает")
    assert said in found.what
    assert str(address) in found.what
    assert "запустите его" in found.todo
    assert "socket" in found.todo
    assert "send again" not in found.todo


def test_nobody_there_means_come_again():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        for address in (f"clamd://127.0.0.1:{port}", f"icap://127.0.0.1:{port}/avscan"):
            with pytest.raises(BusyError):
                scan(address, b"x")
    with pytest.raises(BusyError):
        scan("clamd:/no/such/socket", b"x")


@pytest.mark.parametrize(
    "address", ["x", "clamd://", "clamd://h:1/x", "icap://h", "http://h/x", "icap://h:99999/x"]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ConfigurationError, match="antivirus"):
        antivirus.scanner(address)
