"""An appeal in the form of each wire: what its sender would put there, and nothing more."""

from __future__ import annotations

import base64
import csv
import io
import uuid
import zipfile
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulators.seed.appeals import Appeal

NAMESPACE: Final = "urn:gov:appeals:v1"
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
ITEMS: Final = {
    "applicants": "Applicant", "questions": "QuestionIn", "topics": "Topic",
    "attachments": "AttachmentIn",
}  # fmt: skip
LEGACY_COLUMNS: Final = (
    "Номер", "Дата поступления", "Вид", "Форма", "ФИО", "Почтовый адрес", "Эл. почта",
    "Адрес проблемы", "ОКТМО", "Содержание", "Код вопроса 1", "Вопрос 1", "Код вопроса 2",
    "Вопрос 2", "Коллективное", "Откуда направлено", "Номер письма", "Дата письма",
)  # fmt: skip
DEFAULT_COLUMNS: Final = (
    "external_id", "revision", "received_at", "regime", "type", "form", "delivery_method",
    "subject", "text", "collective", "concerned_count", "family_name", "given_name", "patronymic",
    "applicant_organisation", "phone", "email", "postal_address", "problem_address",
    "problem_oktmo", "question_text", "question_topics", "referral_organisation",
    "referral_number", "referral_date", "referral_received_date",
)  # fmt: skip
_TYPES: Final = {"complaint": "Жалоба", "application": "Заявление", "proposal": "Предложение"}


def contract(appeal: Appeal, *, revision: int = 1) -> dict[str, Any]:
    """Return the document AppealIn as JSON; its members stand in the order of the schema."""
    author, place = appeal.author, appeal.place
    document: dict[str, Any] = {
        "externalId": appeal.external_id,
        "revision": revision,
        "regime": appeal.regime,
        "type": appeal.type,
        "form": "electronic",
        "deliveryMethod": "epgu" if appeal.channel in {"soap11", "soap12", "zeep"} else "site",
        "receivedAt": appeal.received_at.isoformat(),
        "direct": appeal.letter is None,
        "subject": appeal.subject,
        "text": appeal.text,
        "collective": appeal.collective,
        "concernedCount": appeal.concerned,
        "applicants": [_applicant(appeal)],
        "problemAddress": {
            "raw": place.raw, "oktmo": place.oktmo, "region": place.region,
            "settlement": place.settlement, "street": place.street, "house": place.house,
            "apartment": place.apartment,
        },
        "referral": _referral(appeal),
        "questions": [
            {
                "externalId": f"{appeal.external_id}/{n}",
                "text": q.text,
                "topics": [{"system": "sstu", "code": q.code}] if q.code else None,
            }
            for n, q in enumerate(appeal.questions, 1)
        ],
        "attachments": [
            {
                "fileName": file.name, "mediaType": file.media_type, "sha256": file.sha256,
                "content": base64.b64encode(file.data).decode(), "role": "appeal",
            }
            for file in appeal.files
        ],
        "replyTo": {"channel": "email", "address": author.email} if author.email else None,
    }  # fmt: skip
    told: dict[str, Any] = _told(document)
    return told


def _applicant(appeal: Appeal) -> dict[str, Any]:
    author = appeal.author
    person = {
        "familyName": author.family, "givenName": author.given, "patronymic": author.patronymic,
    }  # fmt: skip
    return {
        "role": "author",
        "person": person if author.family else None,
        "organisation": {"name": author.company} if author.company else None,
        "anonymous": True if author.anonymous else None,
        "phone": author.phone,
        "email": author.email,
        "postalAddress": {"raw": author.postal} if author.postal else None,
    }


def _referral(appeal: Appeal) -> dict[str, Any] | None:
    letter = appeal.letter
    if letter is None:
        return None
    return {
        "fromOrganisation": letter.sender, "number": letter.number,
        "date": letter.day.isoformat(), "receivedDate": letter.received.isoformat(),
    }  # fmt: skip


def _told(node: Any) -> Any:
    """Leave out what is not said."""
    if isinstance(node, dict):
        kept = {name: _told(value) for name, value in node.items()}
        return {name: value for name, value in kept.items() if value not in (None, "", [], {})}
    return [_told(item) for item in node] if isinstance(node, list) else node


def element(name: str, document: dict[str, Any], *, root: bool = False) -> str:
    """Return a document of the contract as an element in the contract's namespace."""
    head = f'<{name} xmlns="{NAMESPACE}">' if root else f"<{name}>"
    inner = "".join(_member(key, value) for key, value in document.items())
    return f"{head}{inner}</{name}>"


def _member(key: str, value: Any) -> str:
    name = key[0].upper() + key[1:]
    if isinstance(value, dict):
        return element(name, value)
    if isinstance(value, list):
        return f"<{name}>{''.join(element(ITEMS[key], item) for item in value)}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{name}>{text}</{name}>"


def as_json(appeal: Appeal) -> bytes:
    """Return the document AppealIn as it is posted to REST."""
    return msgspec.json.format(msgspec.json.encode(contract(appeal)))


def envelope(appeal: Appeal, namespace: str = SOAP11) -> bytes:
    """Return a whole SOAP call of SubmitAppeal."""
    return wrapped(element("SubmitAppeal", {"appeal": contract(appeal)}, root=True), namespace)


def wrapped(inner: str, namespace: str) -> bytes:
    """Return an element in an envelope of SOAP 1.1 or 1.2, by its namespace."""
    return f'<e:Envelope xmlns:e="{namespace}"><e:Body>{inner}</e:Body></e:Envelope>'.encode()


def bundle(appeals: Iterable[Appeal], more: str = "") -> bytes:
    """Return the XML file that holds several appeals; more: items written by hand, at the end."""
    items = "".join(element("AppealIn", contract(appeal)) for appeal in appeals) + more
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    return f'{head}<Appeals xmlns="{NAMESPACE}">{items}</Appeals>\n'.encode()


def table(appeals: Sequence[Appeal]) -> bytes:
    """Return the default table in UTF-8: one row a question, rows of one appeal together."""
    rows = [row for appeal in appeals for row in _default_rows(appeal)]
    return b"\xef\xbb\xbf" + _csv([list(DEFAULT_COLUMNS), *rows]).encode()


def _default_rows(appeal: Appeal) -> list[list[str]]:
    author, letter = appeal.author, appeal.letter
    common = [
        appeal.external_id, "1", appeal.received_at.isoformat(), "59-ФЗ", appeal.type, "письменная",
        "почта", appeal.subject, appeal.text, "да" if appeal.collective else "нет",
        str(appeal.concerned or ""), author.family, author.given, author.patronymic,
        author.company, author.phone, author.email, author.postal, appeal.place.raw,
        appeal.place.oktmo,
    ]  # fmt: skip
    tail = ["", "", "", ""]
    if letter:
        dates = (letter.day.isoformat(), letter.received.isoformat())
        tail = [letter.sender, letter.number, *dates]
    return [[*common, q.text, q.code, *tail] for q in appeal.questions]


def legacy_row(appeal: Appeal) -> list[str]:
    """Return one row of the old registry system's table: two questions at most, days only."""
    first, second = (*appeal.questions, None)[:2]
    assert first is not None
    letter = appeal.letter
    return [
        appeal.external_id, appeal.received_on.strftime("%d.%m.%Y"), _TYPES.get(appeal.type, ""),
        "Письменное", appeal.author.full_name or appeal.author.company, appeal.author.postal,
        appeal.author.email, appeal.place.raw, appeal.place.oktmo, appeal.text, first.code,
        first.text, second.code if second else "", second.text if second else "",
        "да" if appeal.collective else "нет", letter.sender if letter else "",
        letter.number if letter else "", letter.day.strftime("%d.%m.%Y") if letter else "",
    ]  # fmt: skip


def legacy_table(rows: Iterable[list[str]]) -> bytes:
    """Return the old registry system's table in windows-1251."""
    return _csv([list(LEGACY_COLUMNS), *rows]).encode("cp1251")


def _csv(rows: Iterable[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def sstu_document(appeal: Appeal, department: str) -> dict[str, Any]:
    """Return the ССТУ document of an appeal that was forwarded and has only just come in."""
    letter = appeal.letter
    assert letter is not None
    return {
        "departmentId": department,
        "isDirect": False,
        "format": "Other",
        "number": letter.number,
        "createDate": letter.day.isoformat(),
        "name": appeal.author.full_name or appeal.author.company,
        "address": appeal.author.postal,
        "email": appeal.author.email,
        "questions": [
            {
                "code": q.code,
                "status": "NotRegistered",
                "incomingDate": letter.received.isoformat(),
            }
            for q in appeal.questions
        ],
    }


def document(appeal: Appeal, department: str) -> bytes:
    """Return the ССТУ document as a file of its own."""
    return msgspec.json.encode(sstu_document(appeal, department))


def package(documents: Iterable[dict[str, Any]]) -> bytes:
    """Return a zip of documents, each `{GUID}.json`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for document in documents:
            name = uuid.uuid5(uuid.NAMESPACE_URL, document["number"])
            archive.writestr(f"{name}.json", msgspec.json.encode(document))
    return out.getvalue()
