"""No line of the log and no masked document shows a person or a secret."""

from __future__ import annotations

import io
import json
import logging
from datetime import date

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway import logs, masking
from simulators.seed.appeals import Source

PERSONAL = [
    "Петров Пётр Иванович",
    "Анна-Мария Сидорова-Блок Петровна",
    "Петров П.И.",
    "П. И. Петров",
    "+7 (913) 111-22-33",
    "89131112233",
    "8-913-111-22-33",
    "petrov.p+x@mail.example.ru",
    "112-233-445 95",
    "ул. Ленина, д. 5, кв. 12",
    "проспект Мира, дом 3/1, корп 2",
    "кв. 12",
    "gw_0a1b2c3d4e_secret-PART_of-it",
    "Basic cG9ydGFsOmd3X3g=",
    "eyJhbGciOiJHT1NUMzQxMF8yMDEyXzI1NiJ9.eyJzdWIiOjEwMDB9.c2lnbmF0dXJl",
    "MIIB" + "aB3+/_-9" * 20 + "==",
    "-----BEGIN PRIVATE KEY-----\nMEECAQAwEw==\n-----END PRIVATE KEY-----",
    "client_secret=abc-DEF_123",
    "code=s3cr3tc0d3",
    "id_token_hint=abc.def",
    "Set-Cookie: session=abcdef; HttpOnly",
    "snils=11223344595",
]


@pytest.mark.parametrize(
    "name",
    ["snils", "oid", "esia_oid", "id_token", "clientSecret", "access_token", "password", "totp",
     "Cookie", "Set-Cookie", "otp", "SignatureValue", "BinarySecurityToken"],
)  # fmt: skip
def test_a_field_of_a_login_or_a_signature_is_masked_whole(name):
    assert "s3cret" not in str(masking.value({name: "s3cret"}))


@given(st.integers(0, 100_000))
def test_a_generated_person_is_never_in_a_line_of_the_log(seed):
    author = Source(seed, date(2026, 11, 21)).appeal("portal").author
    name = author.full_name if author.patronymic else ""
    line = f"не принято от {name}, тел. {author.phone} ({author.email})"
    shown = masking.text(line)
    for known in filter(None, (author.family if name else "", author.phone, author.email)):
        assert known not in shown
    fields = {"fio": author.family, "phone": author.phone, "snils": "x", "address": author.postal}
    told = str(masking.value({"фио": author.family, **fields}))
    assert not author.postal or author.postal not in told


@pytest.mark.parametrize("secret", PERSONAL)
def test_what_looks_personal_is_masked_wherever_it_stands(secret):
    masked = masking.text(f"принято: {secret}; дальше")

    assert secret not in masked
    assert masking.MASK in masked
    assert masked.startswith("принято:")
    assert masked.endswith("дальше")


@pytest.mark.parametrize(
    "plain",
    [
        "А26-02-123/7",
        "2026-11-21T09:00:00Z",
        "01a20089-d349-717b-ac29-5d00a840e446",
        "ОГ-000001/2026",
        "triage.put_off",
        "10.0.0.1",
        "71G-KQ2-M4C",
        "нет такого пояса",
        "PostgreSQL 18.6",
        "Asia/Omsk",
        "1025500748613",
    ],
)
def test_numbers_ids_and_words_stay(plain):
    assert masking.text(plain) == plain


def test_the_id_of_a_key_stays_and_its_secret_goes():
    assert masking.text("key gw_0a1b2c_SECRET-x") == "key gw_0a1b2c_***"
    assert masking.text("postgresql://u:p4ss@h/db") == "postgresql://u:***@h/db"


@pytest.mark.parametrize("name", ["family", "FamilyName", "full_name", "телефон", "ФИО", "{u}Text"])
def test_a_field_with_a_personal_name_goes_whole_in_any_spelling(name):
    assert masking.is_personal(name)
    assert masking.value("что угодно", name) == "*** (10)"


def test_an_address_of_a_machine_stays_for_the_operator():
    assert masking.value("10.0.0.1", "address") == "10.0.0.1"
    assert "***" in masking.value("Омск, Ленина 5", "address")


def test_nested_values_are_walked_and_bytes_only_measured():
    given_ = {"a": [{"phone": "x", "n": 1}], "b": b"123", "c": None, "d": True, "lat": 55.1}

    assert masking.value(given_) == {
        "a": [{"phone": "*** (1)", "n": 1}],
        "b": "*** (3 bytes)",
        "c": None,
        "d": True,
        "lat": "***",
    }


def test_of_a_strange_document_only_codes_and_numbers_are_left():
    body = (
        '{"number":"А26-02-1/7","at":"2026-11-01","what":"Свободный текст о Петрове","x":{"k":1}}'
    )

    shown = json.loads(masking.document(body.encode()))

    assert (shown["number"], shown["at"], shown["x"]) == ("А26-02-1/7", "2026-11-01", {"k": 1})
    assert "Петров" not in shown["what"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_is_masked_element_by_element_in_any_encoding(encoding):
    body = '<a b="Пётр Петров"><Text>Секрет</Text><Id>e-1</Id><!-- Секрет -->и хвост</a>'

    shown = masking.document(body.encode(encoding))

    assert "<Id>e-1</Id>" in shown
    for secret in ("Секрет", "Пётр", "хвост"):
        assert secret not in shown


def test_a_peers_reply_keeps_its_words_but_for_persons():
    shown = masking.document("Отдел не найден: Петров Пётр Иванович".encode(), strict=False)

    assert shown == "Отдел не найден: ***"


@given(st.binary(max_size=300))
def test_hostile_bytes_never_break_the_mask(body):
    masking.document(body)
    masking.document(body, strict=False)


@pytest.fixture
def line():
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield lambda: json.loads(stream.getvalue().splitlines()[-1])
    structlog.reset_defaults()
    logs.configure("warning", "json")


def test_a_line_has_level_time_correlation_and_no_person(line):
    with logs.correlated("corr-1"):
        structlog.get_logger("x").warning(
            "peer.said", phone="89131112233", note="звонил Петров Пётр Иванович", code="busy"
        )

    found = line()
    assert found["event"] == "peer.said"
    assert (found["level"], found["correlation"], found["code"]) == ("warning", "corr-1", "busy")
    assert found["timestamp"].endswith("Z")
    assert found["phone"] == "*** (11)"
    assert found["note"] == "звонил ***"


def test_lines_of_libraries_are_masked_too(line):
    logging.getLogger("somebody.else").warning("cannot reach %s", "postgresql://u:p4ss@h/db")

    assert line()["event"] == "cannot reach postgresql://u:***@h/db"
    assert line()["logger"] == "somebody.else"


def test_a_traceback_and_what_the_database_tells_of_a_row_are_masked(line):
    told = "Петров Пётр Иванович\nDETAIL:  Failing row contains (1, Омск)"
    try:
        raise ValueError(told)
    except ValueError:
        structlog.get_logger("x").exception("defect")

    assert "Петров" not in line()["exception"]
    assert "Омск" not in line()["exception"]
    assert "ValueError" in line()["exception"]


def test_a_line_below_the_level_is_not_written(line):
    structlog.get_logger("x").warning("first")
    structlog.get_logger("x").debug("second")

    assert line()["event"] == "first"


def test_text_is_for_a_terminal():
    stream = io.StringIO()
    logs.configure("info", "text", stream)
    structlog.get_logger("x").info("peer.said", family="Петров")

    assert "peer.said" in stream.getvalue()
    assert "Петров" not in stream.getvalue()
    structlog.reset_defaults()
    logs.configure("warning", "json")
