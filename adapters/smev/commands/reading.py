"""What the commands work with: a message in a file, its signatures, and who signs and checks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, cast

import msgspec
import typer
from lxml import etree

from gateway import limits, ns, settings, xml, xmldsig
from gateway.errors import MalformedError, NotFoundError, TooLargeError
from gateway.gost import open_signing

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.settings import Settings
    from gateway.signing import Signing

File = Annotated[str, typer.Argument(help="Файл XML; - стандартный ввод · - is the input")]
Id = Annotated[str, typer.Option("--id", help="Id элемента · Id of the element")]
_CARRYING: Final = etree.XPath("//*[@Id = $id or @ID = $id or @id = $id]")
_REFERENCE: Final = f"{{{ns.DS}}}SignedInfo/{{{ns.DS}}}Reference"
_INCLUDE: Final = f"{{{ns.XOP}}}Include"


class Sealed(NamedTuple):
    """A signature of a message. name: what stands around it. uri: of its reference.

    target: the first element that carries the Id, None when none does.
    """

    name: str
    uri: str
    signature: _Element
    target: _Element | None


def content(file: str) -> bytes:
    """Return the bytes of a file, `-` for the input; raise NotFoundError, TooLargeError."""
    most = limits.SOAP_ROOT_BYTES
    try:
        if file == "-":
            found = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as stream:
                found = stream.read(most + 1)
    except OSError as error:
        raise NotFoundError(
            "файл не читается · the file cannot be read",
            found=f"{file}: {error.strerror}",
            todo="назовите файл с сообщением · name a file with a message, or - for the input",
        ) from error
    if len(found) > most:
        raise TooLargeError("файл слишком велик · the file is too large", expected=f"≤ {most}")
    return found


def message(data: bytes) -> _Element:
    """Return a message as the gateway reads one: bounded, without DTD, comments dropped."""
    return xml.parse(data).root


def document(data: bytes) -> _Element:
    """Return one that `message` took with its comments and instructions, which divide text."""
    options: dict[str, Any] = {**xml.OPTIONS, "remove_comments": False, "remove_pis": False}
    # By the name that the gateway takes an encoding by: libxml2 knows fewer of them.
    text = data.decode(xml.encoding_of(data)).removeprefix("\ufeff")
    return etree.fromstring(text.encode(), etree.XMLParser(encoding=xml.UTF8, **options))


def signatures(root: _Element) -> list[Sealed]:
    """Return the signatures of a message, in its order."""
    found = []
    for signature in root.iter(xmldsig.SIGNATURE):
        around = signature.getparent()
        reference = signature.find(_REFERENCE)
        uri = "" if reference is None else reference.get("URI", "")
        name = "Signature" if around is None else local(around)
        carrying = carriers(root, uri[1:]) if uri.startswith("#") else []
        found.append(Sealed(name, uri, signature, carrying[0] if carrying else None))
    return found


def carriers(root: _Element, name: str) -> list[_Element]:
    """Return the elements with an Id."""
    return cast("list[_Element]", _CARRYING(root, id=name))


def chosen(root: _Element, name: str) -> _Element | None:
    """Return the element with an Id, the first signed one without; raise NotFoundError.

    None when no Id is asked for and nothing is signed.
    """
    if not name:
        return next((each.target for each in signatures(root) if each.target is not None), None)
    carrying = carriers(root, name)
    if not carrying:
        raise NotFoundError("элемента с таким Id нет · no element has this Id", found=name)
    if len(carrying) > 1:
        raise MalformedError(
            "Id у нескольких элементов · several elements have this Id",
            found=", ".join(map(local, carrying)),
        )
    return carrying[0]


def whole(element: _Element) -> _Element:
    """Return the element when nothing of it was taken out by MTOM; raise MalformedError."""
    if element.find(f".//{_INCLUDE}") is not None:
        raise MalformedError(
            "внутри xop:Include, а подписан сам файл · the file itself is what is signed",
            where=local(element),
            todo="вставьте часть как base64 · put the part in its place as base64 first",
        )
    return element


def local(element: _Element) -> str:
    """Return the name of an element without its namespace."""
    return etree.QName(element).localname


def plain(text: str) -> str:
    """Return a text of a message as one line, which neither ends itself nor moves the cursor.

    A line that a stranger wrote would else stand among those that say what was verified.
    """
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def house() -> Settings:
    """Return the settings of this installation."""
    return settings.load(os.environ)  # noqa: TID251 - a command reads it for those behind it


def opened(given: Settings) -> Signing:
    """Return what signs and checks; raise ConfigurationError."""
    return open_signing(given)


def with_key(given: Settings, cert: str, key: str, password_file: str) -> Settings:
    """Return settings whose one key is in these files."""
    file = settings.KeyFile(name="file", cert=cert, key=key, password_file=password_file)
    return msgspec.structs.replace(given, signing_keys=(file,))
