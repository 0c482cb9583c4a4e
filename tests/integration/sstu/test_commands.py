"""`gateway sstu`: a month that is looked at, packed for a closed network, carried and read back."""

import base64
import csv
import datetime as dt
import io
import json
import zipfile
from contextlib import contextmanager
from hashlib import sha256
from types import SimpleNamespace
from urllib.request import ProxyHandler, build_opener
from zoneinfo import ZoneInfo

import pytest
import typer
from pypdf import PdfReader
from typer.testing import CliRunner

from adapters.sstu import carry, review_csv
from adapters.sstu.client import BASE
from adapters.sstu.commands import attach
from adapters.sstu.decode import decode
from gateway import logs
from gateway.adapter import File, Wire
from gateway.model.answer import AnswerKind
from gateway.model.appeal import Regime
from gateway.model.base import Code
from gateway.model.events import EventType, PeerAnswer
from gateway.model.facts import OutcomeFacts, RegistrationFacts
from gateway.model.question import Question, Topic
from gateway.store import peers
from tests.integration.reconcile.conftest import BODY, CODE, node, stand
from tests.unit.adapters.sstu.scans import picture, tiff

__all__ = ["node", "stand"]
OTHER_CODE = "0005.0005.0055.1122"
OFFLINE = {"mode": "offline"}


@pytest.fixture
def sstu(stand):
    app = typer.Typer()

    @contextmanager
    def opened():
        logs.configure(stand.settings.log_level, stand.settings.log_format)
        yield SimpleNamespace(settings=stand.settings, url=stand.url, now=stand.now)

    @app.command("other")
    def other() -> None:
        """Another command, so that a group stands beside it."""

    attach(app, opened)

    def run(*arguments, code=0):
        done = CliRunner().invoke(app, ["sstu", *map(str, arguments)], env=stand.environ)
        assert done.exit_code == code, done.output
        assert "warning" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    return run


def _answer(stand, *files):
    return PeerAnswer(
        kind=AnswerKind.FINAL.value,
        number="ИСХ-1",
        date=stand.today(),
        outcome=OutcomeFacts(result="explained"),
        attachments=tuple(file.sha256 for file in files),
        text="Фонарь исправлен.",
    )


def _document(number, day):
    return {
        "departmentId": BODY, "isDirect": False, "format": "Other", "number": number,
        "createDate": day.isoformat(), "name": "Осинцева Мария",
        "questions": [{"code": CODE, "status": "NotRegistered", "incomingDate": day.isoformat()}],
    }  # fmt: skip


def _list_of(node):
    with build_opener(ProxyHandler({})).open(
        f"{node.address}{BASE}/analytics/ver.0.2/requests/{BODY}"
    ) as answer:
        return answer.read()


def _overview(day, number):
    row = {
        "ГруппаГ": "РФ", "Округ": "СЗФО", "Регион": "Ленинградская область", "Кол-во": "1",
        "Номер": number, "Дата": f"{day:%d.%m.%Y}", "Код": CODE, "Наименование": "Освещение",
        "Тип": "Жалоба", "Комп": "ОСВ", "ПВ": "СУБ", "Орган": "Комитет по надзору", "ОЖ": "0",
        "Контр": "1", "Вид письма": "интернет", "Цель напр.": "по компетенции",
        "Приемная": "Приёмная Президента",
    }  # fmt: skip
    cells = [row.get(header, "") for header in review_csv.HEADERS]
    return review_csv.HEAD + review_csv.line(cells)


def this_month(stand):
    return f"{stand.today():%Y-%m}"


def why(told):
    return {row["number"] or row["receipt"]: (row["reported"], row["why"]) for row in told["rows"]}


def states(stand):
    query = "SELECT state, count(*)::int FROM delivery WHERE destination = 'sstu' GROUP BY 1"
    return dict(stand.rows(query))


def test_a_month_says_what_is_reported_what_is_not_and_why(stand, sstu):
    reported, changed, unsendable, untold = (stand.submit() for _ in range(4))
    stand.deliver()
    stand.answer(changed)
    stand.report(unsendable, EventType.ANSWERED, answer=_answer(stand))
    stand.triage()
    stand.node.plan("refuse", key=stand.number_of(changed), text="узел занят")
    stand.dispatch()
    stand.node.control(drop=stand.number_of(untold))
    month = this_month(stand)

    told = sstu("month", month, "--json", code=1)

    assert not told["asked"]
    assert why(told) == {
        stand.number_of(reported): (True, "acknowledged"),
        stand.number_of(changed): (True, "changed_since"),
        stand.number_of(unsendable): (True, "changed_since"),
        stand.number_of(untold): (True, "acknowledged"),
    }
    asked = sstu("month", month, "--ask", "--json", code=1)
    assert why(asked)[stand.number_of(untold)] == (False, "lost_there")
    assert why(asked)[stand.number_of(reported)] == (True, "listed")
    assert (asked["appeals"], asked["not_reported"], asked["outdated"]) == (4, 1, 2)
    table = list(csv.reader(io.StringIO(sstu("month", month, "--csv", code=1)), delimiter=";"))
    assert len(table) == 5
    assert sstu("month", "2020-01", "--json")["rows"] == []


def test_what_the_node_could_not_upload_is_not_reported(stand, sstu):
    name = stand.submit()
    stand.deliver()
    number = stand.number_of(name)
    stand.node.control(stages={"forward_after": 3600, "upload_after": 3600})
    stand.node.control(exception="Нет связи с порталом", number=number)

    told = sstu("month", this_month(stand), "--ask", "--json", code=1)

    (row,) = told["rows"]
    assert (row["why"], row["detail"]) == ("exception", "Нет связи с порталом")


def test_what_only_the_node_has_is_expected_until_it_comes(stand, sstu):
    stand.node.control(plant=_document("А26-02-14057001", stand.today()))
    told = sstu("month", this_month(stand), "--ask", "--json", code=1)
    assert why(told) == {"А26-02-14057001": (True, "never_came")}
    stand.reconcile("--commit")

    (row,) = sstu("expected", "--json")["expected"]
    assert row["number"] == "А26-02-14057001"
    assert "А26-02-14057001" in sstu("expected")

    stand.submit(letter="A26-02-14057001")  # the same number, a Latin letter
    stand.triage()
    assert sstu("expected", "--json")["expected"] == []


def test_what_we_registered_ourselves_is_not_expected(stand, sstu):
    name = stand.submit()
    stand.deliver()
    stand.node.control(plant=_document("А26-02-14057009", stand.today()))
    for item in decode(Wire(media_type="", body=_list_of(stand.node)), dt.UTC).items:
        stand.take(item, peer="sstu")
    stand.triage()

    numbers = [row["number"] for row in sstu("expected", "--json")["expected"]]

    assert numbers == ["А26-02-14057009"]
    assert stand.number_of(name) not in numbers


def test_a_month_goes_to_a_closed_network_and_its_results_come_back(stand, sstu, tmp_path):
    stand.option(**OFFLINE)
    good, refused, bad = stand.submit(), stand.submit(), stand.submit(codes=("0001",))
    stand.deliver()
    stand.answer(good)
    stand.deliver()
    assert stand.held() == {}
    assert states(stand)["refused"] >= 1
    month = this_month(stand)
    assert why(sstu("month", month, "--json", code=1)) == {
        stand.number_of(good): (False, "handed_over"),
        stand.number_of(refused): (False, "handed_over"),
        stand.number_of(bad): (False, "refused"),
    }

    packed = sstu("pack", month, "--out", tmp_path / "out", "--json", code=1)
    assert (packed["packed"], packed["bad"], len(packed["parts"])) == (2, 1, 1)
    part = tmp_path / "out" / packed["parts"][0]
    assert len(zipfile.ZipFile(part).namelist()) == 2
    report = (tmp_path / "out" / f"sstu-{month}-report.csv").read_text("utf-8-sig")
    lines = {row["Квитанция"]: row for row in csv.DictReader(io.StringIO(report), delimiter=";")}
    assert "a short code is ambiguous" in lines[stand.receipt(bad)]["Причины"]
    assert lines[stand.receipt(good)]["Часть"] == part.name
    sstu("pack", month, "--out", tmp_path / "out", code=2)
    (read, _) = (stand.settings.data_dir / "audit.jsonl").read_text().splitlines()
    assert (json.loads(read)["what"], json.loads(read)["subject"]) == (
        "sstu pack",
        f"{month} → sstu",
    )

    stand.node.plan("refuse", key=stand.number_of(refused), text="Неверный орган")
    result = tmp_path / "result.ndjson"
    assert carry.carry(stand.node.facts["api"], str(result), [str(part)]) == 1
    assert stand.held() == {stand.number_of(good): ["Explained"]}
    with result.open("a") as cut:
        cut.write('{"name": "cut by a')
    assert carry.carry(stand.node.facts["api"], str(result), [str(part)]) == 0
    assert result.read_text().count('"sha256"') == 2
    result.write_text(result.read_text().replace('{"name": "cut by a', ""))
    dry = sstu("result", result, "--json", code=1)
    assert (dry["refused"], dry["waiting"]) == (1, 0)
    assert "acknowledged" not in states(stand)

    told = sstu("result", result, "--commit", "--json", code=1)
    assert told["acknowledged"] == dry["acknowledged"]
    assert why(sstu("month", month, "--json", code=1)) == {
        stand.number_of(good): (True, "acknowledged"),
        stand.number_of(refused): (False, "refused"),
        stand.number_of(bad): (False, "refused"),
    }
    assert stand.rows("SELECT error FROM delivery WHERE error LIKE 'Неверный%'")
    assert sstu("result", result, "--commit", "--json")["acknowledged"] == 0


def test_the_nodes_own_list_settles_too_and_names_what_never_came(stand, sstu, tmp_path):
    stand.option(**OFFLINE)
    name, later = stand.submit(), stand.submit()
    stand.deliver()
    month = this_month(stand)
    packed = sstu("pack", month, "--out", tmp_path / "out", "--json")
    with zipfile.ZipFile(tmp_path / "out" / packed["parts"][0]) as part:
        for member in part.namelist():
            stand.node.control(plant=json.loads(part.read(member)))
    stand.node.control(drop=stand.number_of(later))
    stand.node.control(plant=_document("А26-02-7", stand.today()))
    listing = tmp_path / "list.json"
    listing.write_bytes(_list_of(stand.node))

    told = sstu("result", listing, "--commit", "--json")

    assert (told["refused"], told["expected"], told["faults"]) == (0, 1, [])
    months = why(sstu("month", month, "--list", listing, "--json", code=1))
    assert months == {
        stand.number_of(name): (True, "listed"),
        stand.number_of(later): (False, "handed_over"),
        "А26-02-7": (True, "never_came"),
    }
    assert [r["number"] for r in sstu("expected", "--json")["expected"]] == ["А26-02-7"]
    assert stand.rows("SELECT 1 FROM delivery WHERE state = 'sent'")


def test_an_offline_delivery_that_is_asked_about_goes_on_waiting(stand, sstu):
    stand.option(**OFFLINE)
    stand.submit()
    stand.deliver()
    stand.ahead = dt.timedelta(days=3)
    stand.dispatch()
    assert states(stand) == {"sent": 1}
    assert stand.rows("SELECT count(*)::int FROM attempt WHERE outcome = 'found'") == [(1,)]
    assert stand.reconcile().code == 2


def test_a_question_that_changes_is_reported_again(stand):
    name = stand.submit()
    stand.deliver()
    number = stand.number_of(name)
    (before,) = json.loads(_list_of(stand.node))
    other = Question(text="Фонарь", topics=(Topic(code=Code(system="sstu", value=OTHER_CODE)),))
    stand.amend(name, questions=(other,))
    stand.deliver()
    (after,) = json.loads(_list_of(stand.node))
    assert (before["questions"][0]["code"], after["questions"][0]["code"]) == (CODE, OTHER_CODE)
    assert after["number"] == number


def test_several_scans_of_an_answer_reach_the_node_as_one_file(stand):
    name = stand.submit()
    scans = [
        ("Ответ.jpg", picture("JPEG")),
        ("Лист 2.png", picture("PNG")),
        ("Лист 3.tif", tiff("1", "L")),
    ]
    files = [
        File(sha256=sha256(data).hexdigest(), media_type="image/*", name=title, data=data)
        for title, data in scans
    ]
    stand.report(name, EventType.ANSWERED, *files, answer=_answer(stand, *files))
    stand.deliver()
    assert stand.held() == {stand.number_of(name): ["Explained"]}
    [(request,)] = stand.rows("SELECT request FROM attempt ORDER BY id DESC LIMIT 1")
    attachment = json.loads(request)["questions"][0]["attachment"]
    assert attachment["name"].endswith(".pdf")
    assert len(PdfReader(io.BytesIO(base64.b64decode(attachment["content"]))).pages) == 4


def test_the_overview_is_written_and_checked(stand, sstu, tmp_path):
    letter = f"А26-{stand.today():%m}-1"
    text = tmp_path / "urog.csv"
    text.write_bytes(_overview(stand.today(), letter))
    for item in review_csv.decode(text.read_bytes()).items:
        stand.take(item)
    stand.triage()
    month, out = this_month(stand), tmp_path / "overview.csv"

    said = sstu("overview", month, "--out", out)
    assert "строк · rows 1" in said
    assert out.read_bytes() == text.read_bytes()
    assert sstu("overview", month, "--check", out, "--json")["faults"] == []
    out.write_bytes(text.read_bytes().replace("СЗФО".encode(), "Север".encode()))
    (fault,) = sstu("overview", "--check", out, "--json", code=1)["faults"]
    assert (fault["line"], fault["column"], fault["rule"]) == (2, "Округ", "enumeration")
    sstu("overview", "2026-13", "--check", out, code=2)
    sstu("overview", code=2)


LATER = "soap"
"""A channel on which nothing is registered at once."""


def _registered(stand, name, number):
    stand.report(
        name,
        EventType.REGISTERED,
        registration=RegistrationFacts(organisation="gzhi", number=number, date=stand.today()),
    )
    stand.deliver()


def test_what_has_no_number_is_passed_over_and_reported_when_it_has_one(stand, sstu):
    name = stand.submit(wire=LATER)
    stand.deliver()
    month = this_month(stand)

    assert states(stand) == {"skipped": 1}
    told = why(sstu("month", month, "--json", code=1))
    assert told == {stand.receipt(name): (False, "unnumbered")}

    _registered(stand, name, "ОГ-77")
    assert stand.held() == {"ОГ-77": ["InWork"]}
    assert why(sstu("month", month, "--json")) == {"ОГ-77": (True, "acknowledged")}


def test_a_month_names_the_refusal_behind_which_the_rest_waits(stand, sstu):
    name = stand.submit(codes=("0001",))
    stand.deliver()
    stand.answer(name)
    stand.deliver()
    assert set(states(stand)) == {"refused", "ready"}

    (row,) = sstu("month", this_month(stand), "--json", code=1)["rows"]

    assert row["why"] == "refused"
    assert "ССТУ would refuse" in row["detail"]


@pytest.mark.parametrize("brought", ["result", "list"])
def test_a_result_finds_what_was_packed_though_dispatch_was_stopped_by_a_refusal(
    stand, sstu, tmp_path, brought
):
    stand.option(**OFFLINE)
    name = stand.submit(codes=("0001",))
    stand.deliver()
    topic = Topic(code=Code(system="sstu", value=CODE))
    stand.amend(name, questions=(Question(text="Фонарь", topics=(topic,)),))
    stand.deliver()
    assert set(states(stand)) == {"refused", "ready"}
    month, number = this_month(stand), stand.number_of(name)
    packed = sstu("pack", month, "--out", tmp_path / "out", "--json")
    assert packed["packed"] == 1
    part = str(tmp_path / "out" / packed["parts"][0])
    result = tmp_path / "result.ndjson"
    stand.node.plan("refuse", key=number, text="Неверный орган")
    assert carry.carry(stand.node.facts["api"], str(result), [part]) == 1

    refused = sstu("result", result, "--commit", "--json", code=1)
    assert (refused["acknowledged"], refused["refused"]) == (0, 1)
    assert sstu("result", result, "--commit", "--json")["refused"] == 0

    result.unlink()
    assert carry.carry(stand.node.facts["api"], str(result), [part]) == 0
    file = tmp_path / "list.json"
    file.write_bytes(_list_of(stand.node))
    told = sstu("result", result if brought == "result" else file, "--commit", "--json")

    assert told["acknowledged"] == sum(states(stand).values())
    assert (told["refused"], told["waiting"]) == (0, 0)
    assert set(states(stand)) == {"acknowledged"}
    assert why(sstu("month", month, "--json")) == {number: (True, "acknowledged")}
    stand.answer(name)
    stand.deliver()
    assert states(stand)["sent"] == 1  # the lane is open again


@pytest.mark.parametrize("regime", [Regime.MESSAGE, Regime.INCIDENT])
def test_what_is_no_appeal_of_the_law_leaves_a_month_complete(stand, sstu, regime):
    stand.submit(regime=regime, wire=LATER)
    reported = stand.submit()
    stand.deliver()
    told = sstu("month", this_month(stand), "--json")
    assert why(told) == {stand.number_of(reported): (True, "acknowledged")}


def test_what_is_not_due_leaves_a_month_complete_and_is_counted(stand, sstu):
    stand.submit(regime=Regime.NOT_AN_APPEAL, wire=LATER)
    stand.triage()
    told = sstu("month", this_month(stand), "--json")
    assert (told["appeals"], told["not_due"], told["not_reported"]) == (1, 1, 0)
    assert "Не подлежит передаче · Not due: 1" in sstu("month", this_month(stand))


def test_what_is_expected_is_shown_in_the_zone_of_the_house(stand, sstu):
    stand.node.control(plant=_document("А26-02-14057001", stand.today()))
    stand.reconcile("--commit")
    zone = ZoneInfo(stand.settings.zone)
    [(seen,)] = stand.rows("SELECT first_seen FROM expectation")
    said = sstu("expected")
    assert zone.key in said
    assert f"{seen.astimezone(zone):%d.%m.%Y %H:%M:%S}" in said


def test_a_disabled_node_is_no_candidate(stand, sstu):
    stand.peer("sstu-old", adapter="sstu")
    sstu("month", this_month(stand), code=2)
    peers.disable(stand.connection, "sstu-old", stand.now())
    assert sstu("month", this_month(stand), "--json")["peer"] == "sstu"
    assert sstu("expected", "--json")["peer"] == "sstu"
    sstu("month", this_month(stand), "--peer", "sstu-old", code=2)


def test_peers_of_other_adapters_are_no_concern_of_a_node(stand, sstu, tmp_path):
    stand.peer("asdou", adapter="asdou")
    sstu("month", this_month(stand))
    sstu("pack", this_month(stand), "--out", tmp_path / "out")
