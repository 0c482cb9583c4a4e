"""The e-mails: encodings, labels, the cut, and letters that attack."""

import base64
import contextlib
import quopri

import pytest

from adapters.pos.adapter import Pos
from gateway.adapter import Wire
from gateway.errors import GatewayError, MalformedError, TooLargeError, ValidationError
from gateway.model.appeal import Regime

HEAD = "phone: +7 000 111-22-33\naddress: г. Примерск\nprobplace: ул. Новая, д. 1\n\n"


def letter(body, charset="utf-8", cte="8bit", subject="Сообщение ПОС № 1234567", more=b""):
    raw = body.encode(charset)
    how = {"8bit": bytes, "base64": base64.encodebytes, "quoted-printable": quopri.encodestring}
    title = base64.b64encode(subject.encode()).decode()
    return (
        f"Subject: =?utf-8?b?{title}?=\n".encode() + more
        + b"Message-ID: <1@pos.example>\nDate: Mon, 02 Mar 2026 10:00:00 +0300\n"
        + f"Content-Type: text/plain; charset={charset}\n".encode()
        + f"Content-Transfer-Encoding: {cte}\n\n".encode() + how[cte](raw)
    )  # fmt: skip


def mail(body, **options):
    (found,) = Pos(options).decode(Wire(media_type="message/rfc822", body=body)).items
    return found


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r", "iso-8859-5"])
@pytest.mark.parametrize("cte", ["8bit", "base64", "quoted-printable"])
def test_a_letter_reads_the_same_in_every_encoding(charset, cte):
    found = mail(letter(HEAD + "Течёт крыша.\nДо сих пор.", charset, cte)).appeal
    assert found.text == "Течёт крыша.\nДо сих пор."
    assert found.addresses[0].raw == "ул. Новая, д. 1"
    assert found.applicants[0].contacts[0].value == "+7 000 111-22-33"
    assert found.source_system.value == "epgu/pos"
    assert found.form.value == "electronic"


def test_a_charset_that_is_not_announced_is_guessed():
    raw = letter("Течёт крыша.", "windows-1251").replace(b"; charset=windows-1251", b"")
    assert mail(raw).appeal.text == "Течёт крыша."


@pytest.mark.parametrize(("chars", "cut"), [(9_998, False), (9_999, True), (12_000, True)])
def test_a_text_that_ends_at_9999_is_said_to_be_cut(chars, cut):
    found = mail(letter(HEAD + "я" * chars + "\n")).appeal
    assert found.text_truncated is cut
    assert [e.value for e in found.extras if e.path == "/truncated"] == [chars] * cut


def test_the_number_is_the_key_and_the_message_id_where_there_is_none():
    assert mail(letter("Текст.")).external_id == "1234567"
    assert mail(letter("Текст.", subject="ПОС")).external_id == "<1@pos.example>"
    assert mail(letter("номер: ПОС-7\nтелефон: 1\n\nТекст.")).external_id == "ПОС-7"


def test_the_order_is_what_the_subject_says_else_what_the_row_says():
    assert mail(letter("Текст.")).appeal.regime is Regime.MESSAGE
    assert mail(letter("Текст."), mail_regime="fz59").appeal.regime is Regime.FZ59
    assert mail(letter("Текст.", subject="59-ФЗ № 77777")).appeal.regime is Regime.FZ59


def test_a_text_may_have_colons_and_keeps_its_lines():
    text = "Просьба: починить.\nАдрес: тот же."
    assert mail(letter(text.replace("Адрес", "Дом"))).appeal.text == text.replace("Адрес", "Дом")
    assert mail(letter(HEAD + text)).appeal.text == text
    glued = "phone: 1\nПросьба: починить.\nЖду ответа."
    assert mail(letter(glued)).appeal.text == "Просьба: починить.\nЖду ответа."


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n\n", b"\xff\xfe\x00", b"hello", b"Subject: x\n\n",
        b"Subject: =?utf-8?b?!!!?=\n\nx",
        b"Subject: =?x?q?\xff?=\nContent-Type: text/plain; charset=zlib_codec\n\nx\x00",
        b"Content-Type: multipart/mixed\n\nx", b"Subject: x\nContent-Type: message/rfc822\n\ny",
    ],
)  # fmt: skip
def test_only_errors_of_the_house_come_out(body):
    with contextlib.suppress(GatewayError):
        mail(body)


def test_what_is_no_letter_is_refused():
    with pytest.raises(MalformedError):
        mail(b"just some bytes without a header")


def nested(depth):
    out = b"Subject: x\n"
    for n in range(depth):
        out += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n)
    return out + b"\ntext\n"


@pytest.mark.parametrize(
    "body",
    [
        nested(200),
        nested(12),
        b"Subject: x\nContent-Type: text/plain; a=" + b'";' * 100_000 + b"\n\nx",
        b"Subject: " + b"x" * 100_000 + b"\n\nx",
        b'Content-Type: multipart/mixed; boundary="b"\nSubject: x\n\n'
        + b"--b\nContent-Type: image/png\n\nx\n" * 2_000,
    ],
    ids=["very deep", "deep", "long parameters", "long subject", "many parts"],
)
def test_letters_that_attack_are_refused_by_a_bound(body):
    with pytest.raises(TooLargeError):
        mail(body)


def test_a_page_of_tags_takes_time_in_proportion():
    raw = letter("<script>" * 60_000 + "<p>" * 60_000, cte="base64")
    with pytest.raises(GatewayError):
        mail(raw.replace(b"text/plain", b"text/html"))


def test_the_same_letter_comes_back_from_what_it_became():
    codec = Pos({})
    wire = Wire(media_type="message/rfc822", body=letter(HEAD + "Цвет: красный\n\nТекст: да."))
    again = codec.restore(codec.decode(wire).items[0])
    assert codec.leaves(again) == codec.leaves(wire)
    assert codec.decode(again).items[0].external_id == "1234567"


def test_a_character_whose_number_has_no_end_is_left_as_it_is_written():
    page = b"Subject: x\nContent-Type: text/html\n\na &#" + b"9" * 5_000 + b"; &lt;"
    assert mail(page).appeal.text.endswith("9; &lt;")


def nested(spelt, depth=40):
    parts = b"".join(
        b"Content-Type: multipart/mixed; %b=b%d\n\n--b%d\n" % (spelt, n, n) for n in range(depth)
    )
    return b"Subject: x\n" + parts + b"\n\ntext\n"


@pytest.mark.parametrize("spelt", [b"boundary", b"Boundary", b"bOUNDARY", b"boundary*"])
def test_boundaries_are_counted_however_they_are_spelt(spelt, monkeypatch):
    monkeypatch.setattr("adapters.pos.letter.BytesParser", None)
    with pytest.raises(TooLargeError, match="nested too deep"):
        mail(nested(spelt))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_long_header_is_refused_behind_every_end_of_a_row(end, monkeypatch):
    monkeypatch.setattr("adapters.pos.letter.BytesParser", None)
    body = b"Subject: x" + end + b"Content-Type: text/plain" + b';"' * 9_000 + end * 2 + b"text"
    with pytest.raises(TooLargeError, match="too long"):
        mail(body)


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_empty_parts_are_counted_before_they_are_made(end, monkeypatch):
    monkeypatch.setattr("adapters.pos.letter.BytesParser", None)
    head = b"Subject: x\nContent-Type: multipart/digest; boundary=X\n\n"
    with pytest.raises(TooLargeError, match="too many parts"):
        mail(head + (b"--X" + end * 2) * 20_001)


def test_rows_are_counted_together_with_the_boundaries_around_them(monkeypatch):
    monkeypatch.setattr("adapters.pos.letter.BytesParser", None)
    with pytest.raises(TooLargeError, match="too many rows"):
        mail(nested(b"boundary", depth=30) + b"\n" * 300_000)


def test_a_type_that_can_be_none_is_bytes_of_an_unknown_one():
    body = (
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nID: 1\r\n\r\ntext\r\n--b\r\n"
        b"Content-Type: image/p\0n\xffg; name=a\r\n\r\nAAAA\r\n--b--\r\n"
    )
    (item,) = Pos({}).decode(Wire(media_type="message/rfc822", body=body)).items
    assert [file.media_type for file in item.files] == ["application/octet-stream"]


def test_a_line_with_a_control_character_before_its_colon_has_no_label():
    with pytest.raises(ValidationError) as caught:
        mail(letter("Номер: 1\nМ\0е: да\n\nТекст"))
    assert [v.path for v in caught.value.violations] == ["/text"]
