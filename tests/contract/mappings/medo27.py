"""E: МЭДО 2.7, passport of the transport container (`passport.xml` of document.edc.zip)."""

from __future__ import annotations

from tests.contract.mappings.format import Format, Shape
from tests.contract.mappings.table import Row, Table
from tests.contract.mappings.trees import Xml
from tests.contract.mappings.values import DAY, DECIMAL, KEY, NUMBER

XML = Xml(
    "container",
    namespaces={"": "http://minsvyaz.ru/container"},
    prefix="c",
    qualified=True,
    repeated=frozenset({"author", "addressee", "attachment"}),
    order={
        "container": ("requisites", "authors", "addressees", "document", "attachments"),
        "requisites": ("documentKind", "classification", "annotation"),
        "author": ("organization", "registration", "sign"),
        "registration": ("number", "date", "registrationStamp"),
        "sign": ("person", "documentSignature"),
        "person": ("post", "name"),
        "documentSignature": ("signatureStamp",),
        "position": ("page", "topLeft", "dimension"),
        "topLeft": ("x", "y"),
        "dimension": ("w", "h"),
        "document": ("pagesQuantity",),
        "attachment": ("order", "description", "signature"),
    },
)

_AUTHOR = "authors/author[*]"
_MAIN = "attachments[group=text]"
_ENCLOSED = "attachments[*,group=enclosure]"


def _stamp(wire: str, kind: str) -> tuple[Row, ...]:
    stamp = f"{_MAIN}/stamps[*,kind={kind}]"
    return (
        Row(f"{wire}/@localName", f"{stamp}/image"),
        Row(f"{wire}/position/page", f"{stamp}/page", NUMBER),
        Row(f"{wire}/position/topLeft/x", f"{stamp}/x", DECIMAL),
        Row(f"{wire}/position/topLeft/y", f"{stamp}/y", DECIMAL),
        Row(f"{wire}/position/dimension/w", f"{stamp}/width", DECIMAL),
        Row(f"{wire}/position/dimension/h", f"{stamp}/height", DECIMAL),
    )


TABLE = Table(
    peer="medo",
    always={"source_system": {"system": "gateway.source", "value": "medo27"}},
    wire_always={"@version": "1.0"},
    rows=(
        Row("@uid", "refs[peer=medo,kind=uid]/value"),
        Row("requisites/documentKind", "document_kind{system=medo.kind}/value"),
        Row("requisites/annotation", "subject"),
        Row(f"{_AUTHOR}/organization/title", "referrals[*]/from_org/full_name"),
        Row(f"{_AUTHOR}/registration/number", "referrals[*]/number"),
        Row(f"{_AUTHOR}/registration/number", "referrals[*]/number_key", KEY, one_way=True),
        Row(f"{_AUTHOR}/registration/date", "referrals[*]/date", DAY),
        *_stamp(f"{_AUTHOR}/registration/registrationStamp", "registration"),
        Row(f"{_AUTHOR}/sign/person/post", "referrals[*]/signed_by[0]/post"),
        Row(f"{_AUTHOR}/sign/person/name", "referrals[*]/signed_by[0]/name"),
        Row(f"{_AUTHOR}/sign/documentSignature/@localName",
            f"{_MAIN}/signatures[*]/declared_name"),
        Row(f"{_AUTHOR}/sign/documentSignature/@type", f"{_MAIN}/signatures[*]/type"),
        *_stamp(f"{_AUTHOR}/sign/documentSignature/signatureStamp", "signature"),
        Row("addressees/addressee[*]/organization/title", "addressees[*]/organisation/full_name"),
        Row("document/@localName", f"{_MAIN}/declared_name"),
        Row("document/pagesQuantity", f"{_MAIN}/pages", NUMBER),
        Row("document/pagesQuantity", "sheet_count", NUMBER, one_way=True),
        Row("attachments/attachment[*]/@localName", f"{_ENCLOSED}/declared_name"),
        Row("attachments/attachment[*]/order", f"{_ENCLOSED}/order", NUMBER),
        Row("attachments/attachment[*]/description", f"{_ENCLOSED}/description"),
        Row("attachments/attachment[*]/signature/@localName",
            f"{_ENCLOSED}/signatures[0]/declared_name"),
    ),
    owners=(
        (_AUTHOR, "referrals[*]"),
        ("addressees/addressee[*]", "addressees[*]"),
        ("attachments/attachment[*]", _ENCLOSED),
        ("document", _MAIN),
    ),
)  # fmt: skip

FORMAT = Format("E", "МЭДО 2.7 passport", (Shape("xml", XML.read, XML.write, TABLE),))
