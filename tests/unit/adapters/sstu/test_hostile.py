"""What a node, a proxy before it, or a sender may write, and what it may not bring about."""

import io
import json
import socket
import threading
from contextlib import suppress
from zipfile import ZipFile

import pytest

from adapters.sstu import carry, offline, review_csv
from adapters.sstu.adapter import Sstu
from gateway import limits
from gateway.adapter import Wire
from gateway.errors import MalformedError, PeerDoubtful, TooLargeError
from gateway.outbound import Response

BODY = "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"
PAGE = b"\n<!DOCTYPE html><html><body>\xd0\x92\xd1\x85\xd0\xbe\xd0\xb4</body></html>"
QUESTION = {"code": "0005.0005.0056.1147", "status": "InWork"}
DOCUMENT = {"departmentId": BODY, "number": "ОГ-1", "name": "Н.", "questions": [QUESTION]}
WIRE = Wire(media_type="application/json", body=json.dumps(DOCUMENT).encode())


class Says:
    """An `Outbound` of which every question has the same answer."""

    timeout = 1.0

    def __init__(self, body):
        self._body = body

    def request(self, *_args, **_more):
        return Response(200, {}, self._body)

    def stream(self, *_args, **_more):
        yield self._body


def node(body):
    return Sstu({"department_id": BODY}, base="http://node", outbound=Says(body))


ROW = review_csv.line(
    [{"Номер": "А-1", "Дата": "01.01.2026"}.get(name, "") for name in review_csv.HEADERS]
)


def test_a_page_is_no_word_of_the_node_that_it_took_the_document():
    with pytest.raises(PeerDoubtful):
        node(PAGE).deliver(WIRE, "k-1")
    assert node("Обращение принято".encode()).deliver(WIRE, "k-1").final


def test_a_list_full_of_one_number_is_not_read_to_its_end():
    row = {**DOCUMENT, "requestId": "r", "dt_modified": "2026-01-01 00:00:00"}
    listed = b"[" + json.dumps(row).encode() + b"," + json.dumps(row).encode() * 500

    with pytest.raises(PeerDoubtful, match="unreadable"):
        node(listed).settle(WIRE, "k-1")

    many = b"[" + b",".join([json.dumps(row).encode()] * 500) + b",broken"
    with pytest.raises(PeerDoubtful, match="several rows") as raised:
        node(many).settle(WIRE, "k-1")
    assert raised.value.found.count("r") == 20


def test_rows_of_one_appeal_past_its_questions_are_refused_one_by_one():
    found = review_csv.decode(review_csv.HEAD + ROW * (limits.QUESTIONS_PER_APPEAL + 1))

    (item,) = found.items
    assert len(item.appeal.questions) == limits.QUESTIONS_PER_APPEAL
    (refused,) = found.rejected
    assert refused.violations[0].code == "max_items"


def test_a_table_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(limits, "LIST_ROWS", 1_000)
    assert len(review_csv.decode(review_csv.HEAD + b"a\n" * 1_000).rejected) == 1_000

    with pytest.raises(TooLargeError):
        review_csv.decode(review_csv.HEAD + b"a\n" * 1_001)


@pytest.mark.parametrize("cell", ["=1+1", "+7", "-2", "@SUM(A1)", "\tx", "'=1", "＝1"])
def test_no_spreadsheet_runs_what_a_node_wrote(cell):
    assert review_csv.guarded([cell, "ОГ-1"]) == [f"'{cell}", "ОГ-1"]


def test_a_result_file_of_one_line_is_not_taken_into_memory():
    class Endless(io.RawIOBase):
        asked = 0

        def readline(self, size=-1):
            assert 0 < size <= offline.RESULT_LINE_BYTES + 1
            self.asked += size
            return b"x" * size

    source = Endless()
    with pytest.raises(MalformedError):
        list(offline.read(offline.lines(source)))
    assert source.asked == offline.RESULT_LINE_BYTES + 1


def test_what_is_shown_of_a_result_file_commands_no_terminal():
    line = json.dumps({"sha256": "\x1b[2Jgone", "status": 200}).encode()

    (fault,) = offline.read([line])

    assert "\x1b" not in fault.found


@pytest.fixture
def answering():
    """A server on the loopback that answers each call with given bytes and closes."""
    listening = []

    def serve(*answers):
        sock = socket.create_server(("127.0.0.1", 0))
        listening.append(sock)

        def run():
            with suppress(OSError):
                for answer in answers:
                    peer, _ = sock.accept()
                    with peer, peer.makefile("rb") as told:
                        size = 0
                        while line := told.readline().strip():
                            name, _, value = line.partition(b":")
                            size = int(value) if name.lower() == b"content-length" else size
                        told.read(size)
                        peer.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{sock.getsockname()[1]}"

    yield serve
    for sock in listening:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()


def http(status, body=b"", more=b""):
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
    return head + more + b"\r\n" + body


@pytest.mark.parametrize(
    "answer",
    [
        (http(302, more=b"Location: /login\r\n"), http(200, PAGE)),
        (http(200, PAGE),),
        (b"nonsense\r\n\r\n",),
        (http(200, b"x")[:-1],),
        (http(500, b"x" * 9)[:-5],),
    ],
    ids=["led away", "a page", "nonsense", "cut", "a refusal cut"],
)
def test_a_document_that_was_only_led_away_is_carried_again(answering, tmp_path, answer):
    package, result = tmp_path / "p.zip", tmp_path / "result.ndjson"
    with ZipFile(package, "w") as archive:
        archive.writestr("a.json", WIRE.body)
    address = answering(*answer)

    assert carry.carry(address, str(result), [str(package)]) == 1

    told = json.loads(result.read_text("utf-8"))
    assert not 200 <= told["status"] < 300
    assert carry.answered(str(result)) == set()


def test_a_text_with_a_line_end_of_unicode_is_an_answer_too(answering, tmp_path):
    package, result = tmp_path / "p.zip", tmp_path / "result.ndjson"
    with ZipFile(package, "w") as archive:
        archive.writestr("a.json", WIRE.body)
    address = answering(http(200, "принято\u2028ОГ-1\x85".encode()))

    assert carry.carry(address, str(result), [str(package)]) == 0

    assert len(carry.answered(str(result))) == 1
