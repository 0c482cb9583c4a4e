"""What the simulated СЭД writes: documents, receipts and notifications, in its own hand."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from simulators.peer import clock

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from simulators.seed.appeals import Appeal

ZONE: Final = ZoneInfo("Europe/Moscow")
NS: Final = "http://www.infpres.com/IEDMS"
UID: Final = "11111111-1111-4111-8111-111111111111"
BODY: Final = "Администрация города Энска (имитатор)"
MAILBOX: Final = "GATEWAY~MEDOGU"
_HEAD: Final = "Тестов Т.Т."
Files = dict[str, bytes]


def new_uid(draw: Random) -> str:
    """Return a uid from a seeded generator."""
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def stamp(moment: datetime | None = None) -> str:
    """Return an instant as МЭДО writes it: local, without offset."""
    at = (moment or clock(ZONE)).astimezone(ZONE).replace(tzinfo=None, microsecond=0)
    return at.isoformat()


def today() -> str:
    """Return the day."""
    return stamp()[:10]


def folder(kind: str, mid: str, inner: str, subject: str, files: Files | None = None) -> Files:
    """Return the files of a message."""
    beside = files or {}
    card = (
        f'<?xml version="1.0" encoding="windows-1251"?>\n<xdms:communication xmlns:xdms="{NS}" '
        f'xdms:version="2.6"><xdms:header xdms:type="{kind}" xdms:uid="{mid}" '
        f'xdms:created="{stamp()}"><xdms:source xdms:uid="{UID}"><xdms:organization>{BODY}'
        f"</xdms:organization></xdms:source></xdms:header>{inner}</xdms:communication>"
    )
    names = ["document.xml", *beside]
    envelope = (
        "[ПИСЬМО КП ПС СЗИ]\r\n"
        f"ТЕМА={subject}\r\nШИФРОВАНИЕ=0\r\nАВТООТПРАВКА=1\r\nЭЦП=1\r\nДОСТАВЛЕНО=1\r\n"
        f"ПРОЧТЕНО=1\r\n[АДРЕСАТЫ]\r\n0={MAILBOX}\r\n[ФАЙЛЫ]\r\n"
        + "".join(f"{n}={name}\r\n" for n, name in enumerate(names))
    )
    body = card.encode("cp1251", "xmlcharrefreplace")
    return {
        "document.xml": body,
        "envelope.ini": envelope.encode("cp1251", "replace"),
        **beside,
    }


def document(appeal: Appeal, mid: str, uid: str, number: str, *, replaces: bool = False) -> Files:
    """Return an appeal with its covering letter."""
    beside: Files = {}
    named = []
    for n, file in enumerate(appeal.files):
        suffix = file.name.rpartition(".")[2].lower()
        name = f"scan{n}.{suffix}"
        beside[name] = file.data
        kind = ' xdms:type="pdf"' if suffix == "pdf" else ""
        named.append(
            f'<xdms:file xdms:localName="{name}" xdms:localId="{n}"{kind}>'
            "<xdms:group>Текст приложения</xdms:group></xdms:file>"
        )
    instead = "<xdms:insteadOfDistributed>true</xdms:insteadOfDistributed>" if replaces else ""
    who = escape(appeal.author.full_name or appeal.author.company or "Не назван")
    where = escape(appeal.author.postal or appeal.place.raw)
    inner = (
        f'<xdms:document xdms:uid="{uid}"><xdms:kind>Обращение гражданина</xdms:kind>'
        f"{_num(number, today())}{instead}<xdms:signatories><xdms:signatory><xdms:organization>"
        f"{BODY}</xdms:organization><xdms:person>{_HEAD}</xdms:person><xdms:post>Глава</xdms:post>"
        f"<xdms:signed>{today()}</xdms:signed></xdms:signatory></xdms:signatories><xdms:addressees>"
        "<xdms:addressee><xdms:organization>Инспекция жилищного надзора (тест)</xdms:organization>"
        "</xdms:addressee></xdms:addressees><xdms:pages>1</xdms:pages><xdms:annotation>"
        f"{escape((appeal.subject or appeal.text)[:4000])}</xdms:annotation><xdms:correspondents>"
        f"<xdms:correspondent><xdms:person>{who[:511]}</xdms:person><xdms:contactInfo>"
        f"{where[:511]}</xdms:contactInfo></xdms:correspondent></xdms:correspondents>"
        f"</xdms:document><xdms:files>{''.join(named)}</xdms:files>"
    )
    return folder("Документ", mid, inner, f"ЭСД МЭДО ({number})", beside)


def receipt(mid: str, about: str, *, accepted: bool, comment: str = "") -> Files:
    """Return a receipt of a message."""
    told = f"<xdms:comment>{escape(comment[:2047])}</xdms:comment>" if comment else ""
    inner = (
        f'<xdms:acknowledgment xdms:uid="{about}"><xdms:time>{stamp()}</xdms:time>'
        f"<xdms:accepted>{str(accepted).lower()}</xdms:accepted>{told}</xdms:acknowledgment>"
    )
    return folder("Квитанция", mid, inner, "Квитанция")


def notice(mid: str, word: str, element: str, about: tuple[str, str], inner: str) -> Files:
    """Return a notification. about: uid and number of the document."""
    uid, number = about
    content = (
        f'<xdms:notification xdms:type="{word}" xdms:uid={quoteattr(uid)}><xdms:{element}>'
        f"<xdms:time>{stamp()}</xdms:time><xdms:foundation>{_num(number, '')}</xdms:foundation>"
        f"{inner}</xdms:{element}></xdms:notification>"
    )
    return folder("Уведомление", mid, content, f"{word} ({number})")


def accepted(mid: str, about: tuple[str, str], number: str) -> Files:
    """Return «Зарегистрирован»."""
    return notice(mid, "Зарегистрирован", "documentAccepted", about, _num(number, today()))


def refused(mid: str, about: tuple[str, str], reason: str) -> Files:
    """Return «Отказано в регистрации»."""
    inner = f"<xdms:reason>{escape(reason)}</xdms:reason>"
    return notice(mid, "Отказано в регистрации", "documentRefused", about, inner)


def assigned(mid: str, about: tuple[str, str]) -> Files:
    """Return «Назначен исполнитель»."""
    inner = (
        f"<xdms:secretary><xdms:person>{_HEAD}</xdms:person></xdms:secretary><xdms:manager>"
        "<xdms:person>Менеджеров М.М.</xdms:person></xdms:manager><xdms:executor>"
        "<xdms:organization>Отдел ЖКХ (имитатор)</xdms:organization><xdms:person>"
        "Исполнителев И.И.</xdms:person></xdms:executor>"
    )
    return notice(mid, "Назначен исполнитель", "executorAssigned", about, inner)


def course(mid: str, about: tuple[str, str]) -> Files:
    """Return «Исполнение»."""
    inner = "<xdms:courseText>Назначен осмотр дома</xdms:courseText>"
    return notice(mid, "Исполнение", "courseChanged", about, inner)


def prepared(mid: str, about: tuple[str, str]) -> Files:
    """Return «Доклад подготовлен»."""
    inner = (
        f"<xdms:signatory><xdms:person>{_HEAD}</xdms:person><xdms:signed>{today()}</xdms:signed>"
        "</xdms:signatory>"
    )
    return notice(mid, "Доклад подготовлен", "reportPrepared", about, inner)


def sent(mid: str, about: tuple[str, str], number: str) -> Files:
    """Return «Доклад направлен»."""
    inner = f"<xdms:report>{_num(number, today())}</xdms:report>"
    return notice(mid, "Доклад направлен", "reportSent", about, inner)


def published(mid: str, about: tuple[str, str], number: str) -> Files:
    """Return «Опубликование»."""
    inner = (
        f"<xdms:num><xdms:number>{number}</xdms:number><xdms:date>{stamp()}</xdms:date></xdms:num>"
        "<xdms:publicationPoint>Сайт (имитатор)</xdms:publicationPoint>"
    )
    return notice(mid, "Опубликование", "documentPublished", about, inner)


def answer(mid: str, uid: str, about: tuple[str, str], number: str, scan: bytes) -> Files:
    """Return the answer itself: a document that answers ours by link."""
    theirs, their_number = about
    inner = (
        f'<xdms:document xdms:uid="{uid}"><xdms:kind>Ответ</xdms:kind>{_num(number, today())}'
        f"<xdms:signatories><xdms:signatory><xdms:person>{_HEAD}</xdms:person><xdms:signed>"
        f"{today()}</xdms:signed></xdms:signatory></xdms:signatories><xdms:addressees>"
        "<xdms:addressee><xdms:organization>Инспекция (тест)</xdms:organization></xdms:addressee>"
        "</xdms:addressees><xdms:pages>1</xdms:pages><xdms:annotation>Работы выполнены"
        f'</xdms:annotation><xdms:links><xdms:link xdms:uid="{theirs}"><xdms:linkType>В ответ на'
        f"</xdms:linkType><xdms:reference>{_num(their_number, '')}</xdms:reference></xdms:link>"
        '</xdms:links></xdms:document><xdms:files><xdms:file xdms:localName="answer.pdf" '
        'xdms:localId="0" xdms:type="pdf"><xdms:group>Текст документа</xdms:group></xdms:file>'
        "</xdms:files>"
    )
    return folder("Документ", mid, inner, f"ЭСД МЭДО ({number})", {"answer.pdf": scan})


def _num(number: str, day: str) -> str:
    date = f"<xdms:date>{day}</xdms:date>" if day else ""
    return f"<xdms:num><xdms:number>{escape(number[:31])}</xdms:number>{date}</xdms:num>"
