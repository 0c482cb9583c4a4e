"""A citizen's app and a dispatcher's office: requests, repeats without an id, and states."""

import base64
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from msgspec.structs import replace

from gateway import ns
from gateway.access.policy import Caller
from gateway.adapter import Stored
from gateway.errors import BusyError, ConflictError
from gateway.model.appeal import Appeal
from gateway.model.person import Applicant, ContactKind, ContactPoint
from gateway.soap.splitter import Part
from gateway.wires import contract as c
from gateway.wires.facades import dispatcher, standing
from gateway.wires.facades.standing import Standing
from tests.unit.wires.facades.kit import (
    NOW,
    Answer,
    Gateway,
    context,
    exchange,
    parts,
    receipt,
    soap,
)

NS = dispatcher.NAMESPACE
NIL = f'<Photo xsi:nil="true" xmlns:xsi="{ns.XSI}"/>'
JPEG = b"\xff\xd8\xff\xe0 pixels of a lamp"
NUMBER = "TK12V09W5EK"


def photo(data=JPEG, name=""):
    told = f"<fileName>{name}</fileName>" if name else ""
    return f"<Photo><content>{base64.b64encode(data).decode()}</content>{told}</Photo>"


def submission(*photos, client="", **fields):
    told = {
        "fullName": "Пробная Анна", "phone": "+7 (8422) 41-00-00", "city": "Ульяновск",
        "street": "улица Пробная", "house": "7а", "text": "Не горит фонарь", **fields,
    }  # fmt: skip
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
    inner += f"<photos>{''.join(photos or (photo(),))}</photos>"
    inner += f"<clientId>{client}</clientId>" if client else ""
    return f'<SubmitRequest xmlns="{NS}"><request>{inner}</request></SubmitRequest>'


class Held(Gateway):
    """Holds what it was sent, as the gateway does: by external id."""

    def __init__(self, **answers):
        super().__init__(GetStatus=self.status, SubmitAppeal=self.submit, **answers)
        self.numbers = {}

    def status(self, request, _context):
        number = self.numbers.get(request.keys[0].external_id)
        item = c.StatusItem(key=request.keys[0], found=bool(number), receipt_number=number)
        return c.GetStatusResponse(items=(item,))

    def submit(self, request, within):
        key = request.appeal.external_id
        within.repeat = key in self.numbers
        number = self.numbers.setdefault(key, f"{NUMBER[:-1]}{len(self.numbers)}")
        return c.SubmitAppealResponse(receipt=receipt(number))


def send(body, gateway=None, *, endpoint=None, **within):
    gateway = gateway or Held()
    endpoint = endpoint or dispatcher.endpoint(parts(gateway))
    return Answer(exchange(endpoint, soap(body), within=context("app", **within)))


class TestSubmit:
    def test_a_request_becomes_an_incident_with_its_photographs(self):
        gateway = Held()
        answer = send(submission(photo(), photo(b"\x89PNG\r\n\x1a\n1", "двор.png")), gateway)
        assert answer.text("SubmitRequestResult") == f"{NUMBER[:-1]}0"
        given = gateway.asked[-1].appeal
        assert (given.regime, given.text) == ("incident", "Не горит фонарь")
        assert given.applicants[0].person.full_name == "Пробная Анна"
        assert given.applicants[0].phone == "+7 (8422) 41-00-00"
        assert given.problem_address.raw == "Ульяновск, улица Пробная, 7а"
        assert [(f.file_name, f.media_type) for f in given.attachments] == [
            ("photo-1.jpg", "image/jpeg"), ("двор.png", "image/png"),
        ]  # fmt: skip

    def test_a_repeat_without_an_id_gets_the_first_number(self):
        gateway = Held()
        first = send(submission(), gateway).text("SubmitRequestResult")
        assert (
            send(submission(photo(name="IMG_2.jpg")), gateway).text("SubmitRequestResult") == first
        )
        assert len(gateway.numbers) == 1

    def test_so_does_one_across_midnight_but_not_one_of_the_next_week(self):
        gateway = Held()
        late = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
        first = send(submission(), gateway, now=late).text("SubmitRequestResult")
        assert (
            send(submission(), gateway, now=late + timedelta(seconds=2)).text("SubmitRequestResult")
            == first
        )
        later = send(submission(), gateway, now=late + timedelta(days=7)).text(
            "SubmitRequestResult"
        )
        assert later != first

    @pytest.mark.parametrize(
        "other",
        [submission(photo(JPEG + b"1")), submission(photo(), photo(JPEG + b"1")),
         submission(text="Не горит фонарь у входа"), submission(house="7"),
         submission(phone="+78422410000"), submission(fullName="Пробный Иван")],
    )  # fmt: skip
    def test_anything_else_is_another_request(self, other):
        gateway = Held()
        assert send(submission(), gateway).text("SubmitRequestResult") != send(other, gateway).text(
            "SubmitRequestResult"
        )

    def test_an_apps_own_id_is_the_key_when_it_has_one(self):
        gateway = Held()
        send(submission(client="app-17"), gateway)
        assert gateway.asked[-1].appeal.external_id == "app-17"
        gateway.answers["SubmitAppeal"] = ConflictError("taken")
        answer = send(submission(client="app-17"), gateway)
        assert (answer.fault, answer.text("Code")) == (True, "conflict")

    @pytest.mark.parametrize(
        "wrong",
        [submission(phone="нет"), submission(phone="123"), submission(house=""),
         submission(*[photo()] * 4), submission().replace(photo(), ""),
         submission().replace(photo(), NIL),
         submission(photo(name="a/b.jpg"))],
    )  # fmt: skip
    def test_what_the_form_does_not_allow_is_refused(self, wrong):
        gateway = Held()
        answer = send(wrong, gateway)
        assert (answer.text("Code"), gateway.asked) == ("validation", [])

    @pytest.mark.parametrize("data", [b"", b"MZ\x90\x00", b"<svg/>", b"%PDF-1.7"])
    def test_what_is_no_picture_is_refused_with_its_place(self, data):
        gateway = Held()
        answer = send(submission(photo(), photo(data)), gateway)
        assert answer.text("Code") == "validation"
        assert gateway.kept == [("SubmitRequest", "validation")]
        assert answer.texts("Path") == ["/SubmitRequest/request/photos/Photo[2]/content"]

    @pytest.mark.parametrize(
        "data", [b"RIFF0000WEBPVP8 ", b"\x00\x00\x00\x18ftypheic", b"GIF89a", JPEG]
    )
    def test_what_phones_make_is_taken(self, data):
        assert not send(submission(photo(data))).fault

    @pytest.mark.parametrize(
        ("start", "found"),
        [(b"MZ\x90\x00 of a program", ""), (JPEG[:16], "image/jpeg"), (b"", "image/png")],
        ids=["a program", "another picture", "from the store"],
    )
    def test_one_that_went_to_the_disk_is_what_its_bytes_say(self, start, found):
        data = Stored(sha256="0" * 64, size=300_000, start=start)
        part = Part("a", "image/png", data.sha256, data)
        assert dispatcher._media_type(part) == found

    @pytest.mark.parametrize("name", ["..", ".", "a&#x202e;gpj.exe", "&#xa0;", "&#x2066;a"])
    def test_a_photograph_is_called_by_a_name(self, name):
        gateway = Held()
        answer = send(submission(photo(), photo(name=name)), gateway)
        assert answer.text("Code") == "validation"
        assert answer.texts("Path") == ["/SubmitRequest/request/photos/Photo[2]/fileName"]
        assert not gateway.numbers

    def test_a_photograph_that_is_too_large_is_told_by_its_place(self, monkeypatch):
        monkeypatch.setattr(dispatcher.limits, "ATTACHMENT_INLINE_BYTES", 10)
        answer = send(submission())
        assert answer.text("Code") == "too_large"
        assert answer.texts("Path") == ["/SubmitRequest/request/photos/Photo[1]/content"]


def question(number=NUMBER, phone=""):
    told = f"<phone>{phone}</phone>" if phone else ""
    return f'<GetRequestStatus xmlns="{NS}"><number>{number}</number>{told}</GetRequestStatus>'


STANDING = Standing(NUMBER, "in_work", NOW, NOW + timedelta(hours=1), date(2026, 12, 20), "АДС-7")


@pytest.fixture
def stored(monkeypatch):
    """One request under one phone; remembers what was asked."""
    asked = []

    def find(_pool, peer, number, phone, guessed):
        asked.append((peer, number, phone))
        if number != NUMBER or peer != "app":
            guessed()
        right = standing.spelled(phone) == "78422410000" if phone else peer == "app"
        return STANDING if number == NUMBER and right else None

    monkeypatch.setattr(dispatcher.standing, "find", find)
    monkeypatch.setattr(dispatcher, "MISS_SECONDS", 0)
    return asked


class TestStatus:
    def test_it_is_told_in_words_with_the_dispatchers_own_number(self, stored):
        answer = send(question())
        assert [answer.text(f"GetRequestStatusResult/{name}") for name in (
            "number", "state", "stateText", "acceptedAt", "dueDate", "registrationNumber",
        )] == [
            NUMBER, "in_work", "На рассмотрении", "2026-11-20T12:00:00+00:00", "2026-12-20",
            "АДС-7",
        ]  # fmt: skip
        dispatcher.FACADE.contract.validate(answer.element)

    def test_misses_are_the_same_to_the_byte(self, stored):
        wrong = (question("TK12V09W5E0"), question("не номер"), question(phone="+78422410001"))
        seen = {
            (send(each).status, send(each).element.tag, tuple(send(each).element.itertext()))
            for each in wrong
        }
        assert len(seen) == 1
        assert "not_found" in seen.pop()[2]

    def test_misses_are_rationed_and_hits_are_not(self, stored):
        endpoint = dispatcher.endpoint(parts(Held()))
        for _ in range(20):
            assert not send(question(phone="+78422410000"), endpoint=endpoint).fault
        for _ in range(dispatcher.OF_NUMBER.burst):
            assert send(question(phone="1"), endpoint=endpoint).text("Code") == "not_found"
        stored.clear()
        refused = send(question(phone="+78422410000"), endpoint=endpoint)
        assert (refused.text("Code"), stored) == ("busy", [])
        assert int(refused.text("RetryAfterSeconds")) > 0
        assert send(question("TK12V09W5E0"), endpoint=endpoint).text("Code") != "busy"

    def test_a_peer_that_guesses_numbers_is_stopped_too(self, stored):
        endpoint = dispatcher.endpoint(parts(Held()))
        codes = [
            send(question(f"нет-{place}"), endpoint=endpoint).text("Code")
            for place in range(dispatcher.OF_PEER.burst + 1)
        ]
        assert codes == ["not_found"] * dispatcher.OF_PEER.burst + ["busy"]

    def test_so_is_one_address_whatever_peer_it_uses(self, stored):
        endpoint = dispatcher.endpoint(parts(Held()))

        def code(place):
            within = replace(base, caller=Caller(peer=f"app-{place}"), address="192.0.2.7")
            return Answer(exchange(endpoint, soap(question("нет")), within=within)).text("Code")

        base = context()
        codes = [code(place) for place in range(dispatcher.OF_ADDRESS.burst + 1)]
        assert codes == ["not_found"] * dispatcher.OF_ADDRESS.burst + ["busy"]

    def test_a_peers_own_request_is_told_however_many_misses_came_from_its_address(self, stored):
        endpoint = dispatcher.endpoint(parts(Held()))

        def code(peer, body):
            within = replace(context(), caller=Caller(peer=peer), address="192.0.2.7")
            return Answer(exchange(endpoint, soap(body), within=within)).text("Code")

        for place in range(dispatcher.OF_PEER.burst):
            code("app" if place % 2 else "other", question(f"нет-{place}"))
        assert code("other", question()) == "busy"
        assert code("other", question(phone="+78422410000")) == "busy"
        assert code("app", question("нет")) == "busy"
        for _ in range(50):
            assert code("app", question()) is None
            assert code("app", question(phone="+78422410000")) is None

    def test_without_ration_the_answer_comes_no_sooner_than_a_miss(self, stored, monkeypatch):
        endpoint = dispatcher.endpoint(parts(Held()))
        for place in range(dispatcher.OF_PEER.burst):
            send(question(f"нет-{place}"), endpoint=endpoint)
        monkeypatch.setattr(dispatcher, "MISS_SECONDS", 0.05)
        begun = time.monotonic()
        assert send(question("нет"), endpoint=endpoint).text("Code") == "busy"
        assert time.monotonic() - begun >= 0.05

    def test_the_store_being_away_is_no_miss(self, stored, monkeypatch):
        def away(*_):
            raise BusyError("the store is away")

        endpoint = dispatcher.endpoint(parts(Held()))
        monkeypatch.setattr(dispatcher.standing, "find", away)
        for _ in range(dispatcher.OF_NUMBER.burst + 1):
            assert "away" in send(question(), endpoint=endpoint).text("Message")


class OneAppeal:
    """A pool whose store holds one appeal of a peer, under one phone."""

    @contextmanager
    def connection(self):
        yield None


@pytest.mark.parametrize(
    ("peer", "number", "phone", "asked", "told"),
    [
        ("app", NUMBER, "", False, True),
        ("app", NUMBER, "1", False, False),
        ("app", "TK12V09W5E0", "", True, False),
        ("other", NUMBER, "", True, False),
        ("other", NUMBER, "+78422410000", True, True),
        ("other", "нет", "", True, False),
    ],
)
def test_all_but_a_peers_own_appeals_are_guesses(monkeypatch, peer, number, phone, asked, told):
    appeal = Appeal(
        applicants=(
            Applicant(contacts=(ContactPoint(kind=ContactKind.PHONE, value="+78422410000"),)),
        )
    )
    row = SimpleNamespace(peer="app", bytes=msgspec.json.encode(appeal))
    monkeypatch.setattr(
        standing.reading, "rows", lambda _db, _sql, wanted: [row] if wanted == NUMBER else []
    )
    monkeypatch.setattr(standing, "_standing", lambda *_: STANDING)
    guesses = []
    found = standing.find(OneAppeal(), peer, number, phone, lambda: guesses.append(1))
    assert (bool(guesses), found is not None) == (asked, told)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [("+7 (842) 241-00-00", "78422410000"), ("8 842 2410000", "78422410000"),
     ("842-241-00-00", "78422410000"), ("41-00-00", "410000"), ("нет", ""), ("٣", "")],
)  # fmt: skip
def test_a_phone_is_compared_by_its_digits(typed, digits):
    assert standing.spelled(typed) == digits
