"""What the simulated СЭД refuses, written apart from the adapter so that each checks the other.

`SOURCED` rules are those of the schema of МЭДО 2.6 and of folders in use; `OURS` are choices of
this simulator.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from lxml import etree

from gateway import contracts

NS: Final = "http://www.infpres.com/IEDMS"
X: Final = {"x": NS}
SOURCED: Final = (
    "карточка по схеме МЭДО 2.6 · the card is valid by the schema",
    "карточка в windows-1251, version = 2.6 · the card is written in windows-1251",
    "в папке есть envelope.ini в windows-1251 с разделами ПИСЬМО, АДРЕСАТЫ, ФАЙЛЫ · an envelope",
    "тип сообщения и его содержание – об одном · the header's type fits what follows",
    "тип уведомления и его элемент – об одном · the notification's type fits its element",
    "файлы карточки лежат в папке · the files that the card names are there",
)
OURS: Final = (
    "в папке нет лишних файлов, конверт называет все · the envelope lists every file",
    "имя файла с расширением, без пути и управляющих знаков, до 127 знаков · names of files",
    "uid сообщения обязателен и не повторяется с другим содержанием · uids of messages",
    "файл типа pdf начинается с %PDF · a pdf is a PDF",
    "пустых элементов нет, кроме annotation и files · no empty elements",
)
BY_SOURCE: Final = re.compile(
    r"document\.xml(:|,| не)|В папке нет envelope|envelope\.ini: |version: |header/@type"
    r"|notification/@type|файла нет в папке"
)
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""
KINDS: Final = {
    "Документ": "document", "Уведомление": "notification", "Квитанция": "acknowledgment",
}  # fmt: skip
NOTICES: Final = {
    "Зарегистрирован": "documentAccepted",
    "Отказано в регистрации": "documentRefused",
    "Назначен исполнитель": "executorAssigned",
    "Доклад подготовлен": "reportPrepared",
    "Доклад направлен": "reportSent",
    "Исполнение": "courseChanged",
    "Опубликование": "documentPublished",
}
_DECLARED: Final = re.compile(rb"<\?xml[^>]*encoding=[\"']windows-1251[\"']", re.IGNORECASE)
_NAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,120}\.[A-Za-z0-9]{1,8}")
_SECTION: Final = re.compile(r"^\[(.+)\]\s*$", re.MULTILINE)
_LISTED: Final = re.compile(r"^\d+=(.+?)\s*$", re.MULTILINE)
_MAY_BE_EMPTY: Final = {"annotation", "files"}


@cache
def schema() -> etree.XMLSchema:
    """Return the schema."""
    return etree.XMLSchema(etree.parse(contracts.folder("xsd", "medo") / "2.6" / "IEDMS.xsd"))


@cache
def reasons() -> tuple[str, ...]:
    """Return the 28 reasons of a refusal, in the order of the schema."""
    tree = etree.parse(contracts.folder("xsd", "medo") / "2.6" / "IEDMS.xsd")
    ns = {"s": "http://www.w3.org/2001/XMLSchema"}
    found = tree.findall(".//s:simpleType[@name='RefusalReason']//s:enumeration", ns)
    return tuple(str(value.get("value")) for value in found)


def refusals(files: dict[str, bytes]) -> list[str]:
    """Every reason not to take a folder, in Russian; empty when it is taken."""
    body = files.get("document.xml")
    if body is None:
        return ["В папке нет document.xml"]
    out = _envelope(files)
    if not _DECLARED.match(body):
        out.append("document.xml: кодировка не windows-1251")
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        return [*out, f"document.xml не читается: {error}"]
    validator = schema()
    if not validator.validate(root):
        errors: Any = validator.error_log
        out += [f"document.xml, строка {e.line}: {e.message}" for e in errors][:5]
        return out
    return out + _card(root) + _named(root, files)


def _envelope(files: dict[str, bytes]) -> list[str]:
    body = files.get("envelope.ini")
    if body is None:
        return ["В папке нет envelope.ini"]
    try:
        text = body.decode("cp1251").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return ["envelope.ini: кодировка не windows-1251"]
    out = []
    sections = _SECTION.findall(text)
    if sections != ["ПИСЬМО КП ПС СЗИ", "АДРЕСАТЫ", "ФАЙЛЫ"]:
        out.append(f"envelope.ini: разделы {sections}")
    listed = _LISTED.findall(text.rpartition("[ФАЙЛЫ]")[2])
    there = sorted(set(files) - {"envelope.ini"})
    if sorted(listed) != there:
        out.append(f"envelope.ini называет {sorted(listed)}, в папке {there}")
    return out


def _card(root: etree._Element) -> list[str]:
    out = []
    if root.get(f"{{{NS}}}version") != "2.6":
        out.append(f"version: {root.get(f'{{{NS}}}version')!r}")
    header = root[0]
    kind = header.get(f"{{{NS}}}type", "")
    if etree.QName(root[1]).localname != KINDS[kind]:
        out.append(f"header/@type говорит {kind}, в сообщении {etree.QName(root[1]).localname}")
    if not header.get(f"{{{NS}}}uid"):
        out.append("header/@uid не указан")
    if kind == "Уведомление":
        word = root[1].get(f"{{{NS}}}type", "")
        inside = etree.QName(root[1][0]).localname
        if NOTICES[word] != inside:
            out.append(f"notification/@type говорит {word}, внутри {inside}")
    for element in root.iter():
        name = etree.QName(element).localname
        if not len(element) and not (element.text or "").strip() and name not in _MAY_BE_EMPTY:
            out.append(f"пустой элемент {name}")
    return out


def _named(root: etree._Element, files: dict[str, bytes]) -> list[str]:
    out = []
    for file in root.iterfind("x:files/x:file", X):
        name = file.get(f"{{{NS}}}localName", "")
        if not _NAME.fullmatch(name):
            out.append(f"имя файла: {name!r}")
        data = files.get(name)
        if data is None:
            out.append(f"файла нет в папке: {name}")
        elif file.get(f"{{{NS}}}type") == "pdf" and not data.startswith(b"%PDF"):
            out.append(f"не PDF: {name}")
    return out
