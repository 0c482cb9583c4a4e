"""GetRequest and GetResponse: a message as its recipient gets it, signed by СМЭВ."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from simulators.smev.names import Kind
from simulators.smev.queues import Wanted
from simulators.smev.rules import Refusal
from simulators.smev.writing import element, included, metadata, signed, spoiled

if TYPE_CHECKING:
    from simulators.smev.house import House
    from simulators.smev.names import Names
    from simulators.smev.queues import Letter
    from simulators.smev.reading import Asked
    from simulators.smev.registry import System


class Given(NamedTuple):
    """A message for its recipient. parts: attachments by Content-ID."""

    envelope: bytes
    parts: dict[str, bytes]


def wanted(house: House, asked: Asked, caller: System) -> Wanted:
    """Return what the selector asks for; raise Refusal for a kind that is not this caller's."""
    b, selector = asked.names.b, asked.target
    namespace = (selector.findtext(b("NamespaceURI")) or "").strip()
    root = (selector.findtext(b("RootElementLocalName")) or "").strip()
    node = (selector.findtext(b("NodeID")) or "").strip()
    if not root:
        return Wanted(None, node)
    kind = Kind(namespace, root)
    if asked.operation.name == "GetRequest":
        service = house.registry.service(kind)
        if service is None or caller.mnemonic not in service.providers:
            raise Refusal("UnknownMessageType", f"{caller.mnemonic} не поставляет {kind}")
    elif not house.registry.answers(kind):
        raise Refusal("UnknownMessageType", f"вид сведений {kind} не зарегистрирован")
    return Wanted(kind, node)


def give(house: House, names: Names, letter: Letter) -> Given:
    """Return a message in its envelope."""
    asked = letter.form == "REQUEST"
    local = "Request" if asked else "Response"
    mark = f"SMEV_{secrets.token_hex(8)}"
    inside = letter.data if asked else _before(letter) + letter.data
    inside += metadata(
        names, letter.id, letter.form, house.party(letter.sender), letter.sent,
        recipient=house.party(letter.recipient), delivered=house.now(), name="",
        status="requestIsAcceptedBySmev" if asked else "responseIsAcceptedBySmev",
    )  # fmt: skip
    inside += _passes(house, letter)
    if asked:
        inside += element("t:ReplyTo", house.reply_to(letter.id))
    if letter.signature:
        inside += (
            f"<t:SenderInformationSystemSignature>{letter.signature}"
            "</t:SenderInformationSystemSignature>"
        )
    parts = {f"{secrets.token_hex(8)}@smev.simulator": data for data in letter.contents.values()}
    message = f'<t:{local} Id="{mark}">{inside}</t:{local}>{_contents(letter, list(parts))}'
    name = f"t:Get{local}Response"
    text = f"<{name}><t:{local}Message>{message}</t:{local}Message></{name}>"
    envelope = signed(names, text, names.t(local), house.signer())
    if house.troubles.take("broken_signature", f"Get{local}"):
        envelope = spoiled(envelope, names)
    return Given(envelope, parts)


def _before(letter: Letter) -> str:
    out = element("t:OriginalMessageId", letter.original)
    if letter.transaction or letter.version == "1.2":
        out += element("t:OriginalTransactionCode", letter.transaction)
    return out + element("t:ReferenceMessageID", letter.reference)


def _passes(house: House, letter: Letter) -> str:
    """Return FSAttachmentsList with credentials that were made for this delivery."""
    out = []
    for file in letter.files:
        one = house.storage.let(file.uuid, file.name, letter.id)
        out.append(
            element("b:uuid", one.uuid) + element("b:UserName", one.user)
            + element("b:Password", one.password) + element("b:FileName", one.name)
        )  # fmt: skip
    if not out:
        return ""
    listed = "".join(f"<b:FSAttachment>{one}</b:FSAttachment>" for one in out)
    return f"<b:FSAttachmentsList>{listed}</b:FSAttachmentsList>"


def _contents(letter: Letter, cids: list[str]) -> str:
    if not letter.contents:
        return ""
    listed = "".join(
        f"<b:AttachmentContent>{element('b:Id', name)}<b:Content>{included(cid)}</b:Content>"
        "</b:AttachmentContent>"
        for name, cid in zip(letter.contents, cids, strict=True)
    )
    return f"<b:AttachmentContentList>{listed}</b:AttachmentContentList>"
