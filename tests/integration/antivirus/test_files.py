"""No file leaves before the antivirus said that it is clean."""

import base64
import socket
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import antivirus
from gateway.app import now
from gateway.doctor import EICAR
from gateway.errors import InfectedError, PeerUnavailable, TooLargeError
from gateway.snapshots import StoredSnapshots
from gateway.store.blobs import BlobDirectory
from gateway.store.pool import Pool
from gateway.store.verdicts import Verdicts
from tests.integration.house import make_house, own_house

__all__ = ["make_house", "own_house"]


@pytest.fixture(scope="module")
def standing(own_house, clamd):
    return own_house("guarded", GATEWAY_ANTIVIRUS=clamd)


@pytest.fixture
def guarded(standing):
    """A house that asked of no file yet; each test gives its own a name."""
    with standing.database() as db:
        db.execute("TRUNCATE verdict")
    yield standing
    assert not standing.defects()


def attached(house, data, name="file.bin"):
    """Submit an appeal with the file and return the file's id."""
    content = base64.b64encode(data).decode()
    file = f"<AttachmentIn><FileName>{name}</FileName><Content>{content}</Content></AttachmentIn>"
    answer = house.soap(
        f"<SubmitAppeal><Appeal><ExternalId>{name}</ExternalId><Text>Прошу принять</Text>"
        f"<Attachments>{file}</Attachments></Appeal></SubmitAppeal>"
    )
    assert answer.status == 200, answer.body
    ((digest,),) = house.rows("SELECT encode(sha256, 'hex') FROM blob_ref WHERE name = $1", name)
    return digest


def asked(house, digest):
    return house.soap(f"<GetAttachment><AttachmentId>{digest}</AttachmentId></GetAttachment>")


def test_an_infected_file_is_taken_and_never_given_out(guarded):
    digest = attached(guarded, EICAR, "virus.txt")
    for _ in range(2):
        answer = asked(guarded, digest)
        assert answer.status == 500
        assert b"<Code>infected</Code>" in answer.body
        assert b"AccessFault" in answer.body
    rest = guarded.get(f"/attachments/{digest}")
    assert (rest.status, rest.json["code"]) == (403, "infected")
    assert guarded.rows("SELECT infected FROM verdict") == [("Eicar-Test.UNOFFICIAL",)]


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_clean_file_is_given_out_and_asked_about_once(guarded, size):
    digest = attached(guarded, b"x" * size, f"clean-{size}.txt")
    assert asked(guarded, digest).status == 200
    ((first,),) = guarded.rows("SELECT scanned_at FROM verdict")
    assert asked(guarded, digest).status == 200
    assert guarded.rows("SELECT scanned_at FROM verdict") == [(first,)]


def test_a_word_that_is_old_is_asked_for_again(guarded):
    digest = attached(guarded, EICAR, "late.txt")
    with guarded.database() as db:
        db.execute(
            "INSERT INTO verdict VALUES (decode($1, 'hex'), now() - interval '8 days', '')",
            (digest,),
        )
    assert b"<Code>infected</Code>" in asked(guarded, digest).body


def test_without_its_antivirus_the_gateway_gives_out_nothing(make_house):
    house = make_house(GATEWAY_ANTIVIRUS="clamd:/no/such/socket")
    digest = attached(house, b"clean", "clean.txt")
    answer = asked(house, digest)
    assert (answer.status, b"BusyFault" in answer.body) == (500, True)
    assert answer.headers["retry-after"] == "30"


@pytest.fixture
def forwarding(guarded, clamd):
    """What dispatch reads the files of answers from, asking the antivirus at an address."""
    pool = Pool(guarded.url)
    pool.open()

    def made(address=clamd):
        verdicts = Verdicts(pool, antivirus.scanner(address), timedelta(days=7), now)
        blobs = BlobDirectory(Path(guarded.log.name).parent / "blobs")
        return StoredSnapshots(pool, blobs, lambda _code: {}, now, verdicts)

    yield made
    pool.close()


def test_an_infected_file_is_not_forwarded(guarded, forwarding):
    digest = attached(guarded, EICAR, "infected.pdf")
    with pytest.raises(InfectedError):
        forwarding()._read(digest)


def test_what_cannot_be_checked_waits_and_holds_up_nothing_else(guarded, forwarding):
    digest = attached(guarded, b"clean", "unchecked.pdf")
    with pytest.raises(PeerUnavailable):
        forwarding("clamd:/no/such/socket")._read(digest)
    assert forwarding()._read(digest) == b"clean"


def test_a_file_that_is_too_large_for_an_encoder_is_not_read(guarded, forwarding):
    digest = attached(guarded, b"large", "large.pdf")
    with guarded.database() as db:
        db.execute("UPDATE blob SET size = 100000000 WHERE sha256 = decode($1, 'hex')", (digest,))
    with pytest.raises(TooLargeError):
        forwarding()._read(digest)


def test_an_antivirus_that_says_nothing_holds_up_nobody_but_who_waits_for_it(make_house):
    """The antivirus is a stand-in here: no real one takes questions and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        house = make_house(GATEWAY_ANTIVIRUS=f"clamd://127.0.0.1:{deaf.getsockname()[1]}")
        digests = [attached(house, b"file %d" % n, f"f{n}.txt") for n in range(10)]
        with ThreadPoolExecutor(10) as waiting:
            asked_for = [waiting.submit(asked, house, digest) for digest in digests]
            done, _ = wait(asked_for, timeout=30, return_when=FIRST_COMPLETED)
            answers = [each.result() for each in done]
            assert all(b"BusyFault" in answer.body for answer in answers)
            assert house.soap("<Ping/>").status == 200
            assert house.soap("<Ping/>", peer="sed").status == 200
            house.stop()
