"""What the simulated service refuses and does, and whose word that is."""

from __future__ import annotations

import re
from typing import Final

SOURCED: Final = (
    (
        "каталог: GetAllDownloadFileInfo и GetLastDownloadFileInfo, без параметров и без ключа · "
        "the catalogue has two operations, without parameters and without a key"
    ),
    (
        "пространство имён DownloadService встречается со знаком / на конце и без него · "
        "the namespace of DownloadService is seen with a slash at its end and without"
    ),
    (
        "вместо конверта SOAP может прийти WSDL (сообщали пользователи) · "
        "a WSDL may come in the place of an envelope (users told of it)"
    ),
    "SOAP: Fault – это HTTP 500, SOAPAction называет операцию · a Fault is HTTP 500 (SOAP 1.1 §6)",
    "Range, If-Range, 206 и 416 – по RFC 9110 · ranges are those of RFC 9110",
)
OURS: Final = (
    (
        "неизвестная операция – soap:Client с текстом, как пишет ASP.NET · "
        "an unknown operation is a Fault of the Client, in the words of ASP.NET"
    ),
    (
        "ETag и Last-Modified у файла есть; есть ли они у настоящего узла, неизвестно · "
        "a file has ETag and Last-Modified; whether the real host has is not known"
    ),
    (
        "выпуски – папки YYYY.MM.DD с gar_xml.zip и gar_delta_xml.zip · "
        "releases are directories with these two files"
    ),
    "сбои файлов – по заказу · failures of files are planned by whoever tests",
)
BY_SOURCE: Final = re.compile(r"SOAPAction |Range ")
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""
