"""A citizen makes an appeal and follows it; nobody else sees it."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from gateway import policies
from gateway.model.appeal import Appeal
from gateway.model.person import Person
from gateway.store import peers
from gateway.triage import Triage
from tests.integration.cabinet.browser import BASE, Browser

XSS = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


def stored(house):
    ((content,),) = house.rows("SELECT c.bytes FROM content c JOIN appeal a ON a.content_id = c.id")
    return msgspec.json.decode(content, type=Appeal)


def multipart(token, key, *files, text="Во дворе нет света."):
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (("token", token), ("key", key), ("text", text))
    ]
    parts += [
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        f"Content-Type: text/plain\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + b"--b--\r\n"


def send_files(browser, *files, **more):
    page = browser.get("/my/new")
    body = multipart(page.token, page.hidden("key"), *files, **more)
    media = "multipart/form-data; boundary=b"
    return browser.ask("POST", "/my/appeals", body, content_type=media, origin=BASE)


def test_an_appeal_has_the_author_that_the_provider_named_and_how_he_was_known(house, browser):
    browser.citizen("1000")
    answer = browser.appeal(
        subject="Свет", address="ул. Ленина, 1", family="Поддельный", given="Пётр",
        method="in_person", level="simplified", peer="epgu", external_id="1",
    )  # fmt: skip
    assert answer.status == 303
    appeal = stored(house)
    author = appeal.applicants[0]

    assert (author.person.family, author.person.given) == ("Иванова", "Анна")
    assert author.contacts[0].value == "anna@example.org"
    proof = author.identification
    assert (proof.method, proof.level) == ("esia", "confirmed")
    assert proof.evidence_ref == "token sha256:1000"
    assert (datetime.now(UTC) - proof.at).total_seconds() < 60
    assert appeal.addresses[0].raw == "ул. Ленина, 1"
    assert house.rows("SELECT peer, wire, operation FROM message") == [
        ("cabinet", "rest", "SubmitAppeal")
    ] or house.rows("SELECT peer FROM message") == [("cabinet",)]


def test_its_author_follows_it_in_plain_words(house, browser):
    browser.citizen("1000")
    where = browser.appeal().where
    assert re.fullmatch(r"/my/appeals/[0-9a-f]{32}", where)
    page = browser.get(where)
    assert "Принято, ждёт регистрации" in page.text
    assert "Во дворе нет света." in page.text
    assert where in browser.get("/my/").text
    worker = Triage(house.url, policies.rules(house.settings), lambda: datetime.now(UTC))
    while worker.run_once().items:
        pass
    worker.close()
    assert browser.get(where).status == 200


def test_a_form_that_is_sent_twice_is_one_appeal(house, browser):
    browser.citizen("1000")
    page = browser.get("/my/new")
    told = {"token": page.token, "key": page.hidden("key")}
    first = browser.post("/my/appeals", text="Нет света", **told)
    assert browser.post("/my/appeals", text="Нет света", **told).where == first.where
    assert browser.post("/my/appeals", text="Нет света и воды", **told).where == first.where
    assert house.rows("SELECT count(*) FROM appeal") == [(1,)]


def test_another_citizen_sees_nothing_of_it_and_is_recorded(house, browser):
    where = browser.citizen("1000").appeal().where
    other = Browser(house, "192.0.2.9", secure=True).citizen("2000")
    absent = "/my/appeals/" + "0" * 32
    answers = [
        other.get(one)
        for there in (where, absent)
        for one in (there, f"{there}/{'0' * 64}", f"/api/v1{there}")
    ]
    assert [answer.status for answer in answers] == [404] * 6
    assert list(map(shown, answers[:3])) == list(map(shown, answers[3:])), "as if absent"
    assert where not in other.get("/my/").text
    assert all(r.startswith("not_allowed: appeal.read_own") for r in house.refused(6))
    ((who, address, code),) = house.rows("SELECT DISTINCT peer, address, code FROM refusal")
    assert re.fullmatch("citizen:[0-9a-f]{12}", who)
    assert (address, code) == ("192.0.2.9", "trust")


def shown(answer):
    """What an answer says, without the id of its request and the address that was asked for."""
    id_ = answer.header("correlation-id")
    return re.sub("/my/appeals/[0-9a-f]+", "/my/appeals/*", answer.text.replace(id_, "*"))


def test_the_key_of_another_citizens_form_leads_to_nothing_of_his(house, browser):
    browser.citizen("1000")
    page = browser.get("/my/new")
    key = page.hidden("key")
    first = browser.post("/my/appeals", token=page.token, key=key, text="Моё")
    other = Browser(house).citizen("2000")
    token = other.get("/my/new").token
    second = other.post("/my/appeals", token=token, key=key, text="Чужое")
    assert second.where != first.where
    assert "Моё" not in other.get(second.where).text


def test_an_official_is_no_citizen_and_sees_no_appeal_here(house, browser):
    where = browser.citizen("1000").appeal().where
    house.account(roles=("head", "registrar", "administrator"))
    official = Browser(house)
    house.rows("UPDATE account SET roles = '{head}' RETURNING 1")
    official.login()
    for path in (where, f"/api/v1{where}", "/my/new", "/api/v1/my/appeals"):
        assert official.get(path).status == 403


def test_files_come_with_it_and_are_given_back_to_be_saved(house, browser):
    browser.citizen("1000")
    content = b"<script>alert(1)</script>"
    answer = send_files(browser, ("фото двора.html", content), ("b.txt", b"\r\n--c\r\n"))
    assert answer.status == 303, answer.text
    page = browser.get(answer.where)
    href = re.search(rf'href="({answer.where}/[0-9a-f]{{64}})">фото', page.text)[1]
    file = browser.get(href)

    assert file.body == content
    assert file.header("content-type") == "application/octet-stream"
    assert file.header("content-disposition").startswith("attachment;")
    assert file.header("x-content-type-options") == "nosniff"
    assert Browser(house).citizen("2").get(href).status == 404


def test_a_file_of_another_appeal_is_not_given_by_an_own_one(house, browser):
    browser.citizen("1000")
    where = send_files(browser, ("a.txt", b"secret")).where
    digest = re.search(r"/([0-9a-f]{64})\"", browser.get(where).text)[1]
    other = Browser(house).citizen("2000")
    own = other.appeal().where
    assert other.get(f"{own}/{digest}").status == 404
    assert other.get(f"{where}/{digest}").status == 404


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([("a.txt", b"x" * (5 * 1024 * 1024 + 1))], 422),
        ([(f"{n}.txt", b"%d" % n) for n in range(11)], 422),
        ([("../../etc/passwd", b"x")], 422),
        ([("a.txt", b"x" * (13 * 1024 * 1024))], 413),
    ],
)
def test_files_past_a_limit_or_with_a_bad_name_are_refused(house, browser, files, status):
    browser.citizen("1000")
    answer = send_files(browser, *files)
    assert answer.status == status
    assert ("файл больше 5 МБ" in answer.text) == (files[0][0] == "a.txt" and status == 422)
    assert house.rows("SELECT count(*) FROM appeal") == [(0,)]


def test_what_was_written_stays_in_the_form_that_was_refused(house, browser):
    browser.citizen("1000")
    answer = browser.appeal(text=" ", subject=XSS)
    assert answer.status == 422
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert browser.appeal(text="x" * 20_001).status == 422


def test_nothing_that_a_person_wrote_becomes_markup(house, browser):
    person = Person(family=XSS, given=XSS)
    browser.citizen("1000", person=person)
    answer = browser.appeal(text=XSS, subject=XSS, address=XSS)
    pages = [browser.get(path).text for path in (answer.where, "/my/", "/my/new")]
    assert not any("<script" in page or "<img" in page for page in pages)
    assert all("&lt;script" in page for page in (pages[0], pages[2]))


def test_a_program_makes_an_appeal_and_reads_it(house, browser):
    browser.citizen("1000")
    csrf = json.loads(browser.get("/api/v1/my").body)["csrfToken"]
    draft = {
        "key": "k" * 32, "text": "Нет света",
        "files": [{"name": "a.txt", "content": base64.b64encode(b"x").decode()}],
    }  # fmt: skip

    def post(headers, **more):
        body = json.dumps(draft | more).encode()
        told = {"content_type": "application/json", "origin": BASE} | headers
        return browser.ask("POST", "/api/v1/my/appeals", body, **told)

    assert post({}).status == 403
    assert post({"x_csrf_token": csrf, "origin": "https://evil.example"}).status == 403
    assert post({"x_csrf_token": csrf}, applicants=[]).status == 422
    assert post({"x_csrf_token": csrf}, text=1).status == 422
    made = post({"x_csrf_token": csrf})
    assert made.status == 201, made.text
    one = json.loads(browser.get(json.loads(made.body)["href"]).body)
    assert one["stateTitle"] == "Принято, ждёт регистрации"
    assert one["appeal"]["text"] == "Нет света"
    (line,) = json.loads(browser.get("/api/v1/my/appeals").body)["items"]
    assert line["id"] == one["id"]


def test_a_program_that_is_not_logged_in_is_told_so(house, browser):
    answer = browser.get("/api/v1/my/appeals")
    assert answer.status == 401
    assert json.loads(answer.body)["code"] == "trust"
    assert not answer.header("www-authenticate")


def test_without_the_row_of_the_cabinet_it_says_what_is_missing(house, browser):
    browser.citizen("1000")
    with house.db() as db:
        peers.disable(db, "cabinet", house.now())
    house.serve.gate._read_at = float("-inf")
    answer = browser.appeal()
    assert answer.status == 500
    assert "peer add" not in answer.text
    assert "сбой у нас" in answer.text


def test_each_reading_is_in_the_register(house, browser):
    where = browser.citizen("1000").appeal().where
    number = re.search(r"<h1>[^\d]*</span> ([^<]+)</h1>", browser.get(where).text)[1]
    own = "SELECT who, subject, address FROM reading WHERE role = 'citizen'"
    ((who, subject, address),) = house.rows(own)
    assert re.fullmatch("citizen:[0-9a-f]{12}", who)
    assert (subject, address) == (number, "127.0.0.1")


def test_a_tie_that_is_cut_hides_the_appeal_from_its_author_too(house, browser):
    where = browser.citizen("1000").appeal().where
    house.rows("DELETE FROM citizen_appeal RETURNING 1")
    assert browser.get(where).status == 404
    assert house.rows("SELECT count(*) FROM appeal") == [(1,)]


BROKEN = (
    b"", b"--b", b"--b\r\n\r\n", b"token=1&token=2", b"\xff=\xff", b"a=1&" * 200,
    b"--b\r\nContent-Disposition: form-data\r\n\r\n\xff\r\n--b--",
)  # fmt: skip


@pytest.mark.parametrize(
    "media", ["multipart/form-data; boundary=b", "multipart/form-data", "", "text/plain"]
)
def test_a_broken_form_is_refused(house, browser, media):
    browser.citizen("1000")
    for body in BROKEN:
        answer = browser.ask("POST", "/my/appeals", body, content_type=media, origin=BASE)
        assert answer.status in (400, 403)
