"""`gateway smev transform` and `gateway smev sign`: both write XML to the standard output."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from lxml import etree

from adapters.smev.commands import reading
from gateway import xml, xmldsig
from gateway.errors import ConfigurationError, MalformedError

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.settings import Settings

_PLACE: Final = "Signature"
"""What the names of all elements made for a signature end with."""


def add(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("transform")(transform)
    group.command("sign")(sign)


def transform(file: reading.File, element: reading.Id = "") -> None:
    """Вывести байты, по которым считается дайджест · Write the bytes that are digested.

    Без --id берётся первый подписанный элемент, а в документе без подписи весь документ: тогда
    преобразуется он сам, без канонизации перед ним, как в контрольных примерах. Without --id the
    first signed element is taken, in a document without a signature all of it.
    """
    data = reading.content(file)
    target = reading.chosen(reading.message(data), element)
    if target is None:
        made = xmldsig.transform(reading.whole(reading.document(data)))
    else:
        made = xmldsig.digested(reading.whole(target))
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()


def sign(
    file: reading.File,
    element: reading.Id = "",
    key: Annotated[str, typer.Option("--key", help="Имя из signing_keys · a name there")] = "",
    cert: Annotated[str, typer.Option("--cert", help="Файл сертификата · certificate")] = "",
    key_file: Annotated[str, typer.Option("--key-file", help="Файл ключа · private key")] = "",
    password_file: Annotated[
        str, typer.Option("--password-file", help="Файл с паролем ключа · file of its password")
    ] = "",
) -> None:
    """Подписать элемент и вывести сообщение · Sign an element and write the message.

    Подпись встаёт в пустой элемент для неё (CallerInformationSystemSignature), иначе сразу за
    подписанным. It is put into the empty element made for it, else behind what it signs.
    """
    settings, name = _key(key, cert, key_file, password_file)
    root = reading.message(reading.content(file))
    target = reading.whole(_target(root, element))
    signing = reading.opened(settings)
    now = datetime.now(UTC)  # noqa: TID251 - a command reads the clock for those behind it
    made = xmldsig.sign(target, signing.keys.current(name, now), signing.backend)
    _put(made, target)
    written = etree.tostring(root, encoding="utf-8")
    again = xml.parse(written).root
    uri = f"#{xmldsig.identifier(target)}"
    found = next(each for each in reading.signatures(again) if each.uri == uri)
    assert found.target is not None
    xmldsig.verify(found.signature, found.target, signing.backend)
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()


def _key(key: str, cert: str, key_file: str, password_file: str) -> tuple[Settings, str]:
    """Return the settings to sign by and the name of the key in them."""
    if bool(key) == bool(key_file):
        raise ConfigurationError(
            "назовите один ключ · name one key",
            expected="--key NAME, or --cert FILE --key-file FILE",
        )
    if key:
        return reading.house(), key
    return reading.with_key(reading.house(), cert, key_file, password_file), "file"


def _target(root: _Element, name: str) -> _Element:
    """Return what is to be signed: by its Id, or the only element that has one."""
    if name:
        found = reading.chosen(root, name)
        assert found is not None
        return found
    named = [
        each
        for each in root.iter("*")
        if xmldsig.identifier(each) and next(each.iterancestors(xmldsig.SIGNATURE), None) is None
    ]
    if len(named) != 1:
        raise MalformedError(
            "назовите элемент: --id · name the element",
            found=", ".join(map(xmldsig.identifier, named)) or "no element has an Id",
        )
    return named[0]


def _put(signature: _Element, target: _Element) -> None:
    """Put a signature into the first empty element for one behind the target, or beside it."""
    for behind in target.itersiblings():
        if reading.local(behind).endswith(_PLACE) and not len(behind):
            behind.text = None
            behind.append(signature)
            return
    if target.getparent() is None:
        raise MalformedError(
            "корень сообщения подписать некуда · there is no place for a signature beside the root",
            where=reading.local(target),
            todo="подпишите элемент внутри сообщения · sign an element inside of the message",
        )
    signature.tail = target.tail
    target.tail = None
    target.addnext(signature)
