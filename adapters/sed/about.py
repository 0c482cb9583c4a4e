"""What a message is about, in every form: who sent it, which document it brings or names.

Read as far as it can be: a message that is refused has to be answered too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sed import tree
from adapters.sed.codes import DOCUMENT
from adapters.sed.decode import kind_of, uid_of
from adapters.sed.edc import zipped
from adapters.sed.edc.decode import VERSIONS
from adapters.sed.edc.version import KIND
from adapters.sed.folder import of_files
from adapters.sed.sev.words import DOC_INFO, REPORT
from adapters.sed.sev.words import NS as SEV
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.sed.tree import Card

_PASSPORTS: Final = 8


class About(NamedTuple):
    """What a message is about; what it does not tell is empty.

    form: `medo` (2.6 and whatever is told in its words), `edc` (a container), `sev`, or empty.
    card: of the message. mid: its uid, in small letters. uid, title, number, date: of the document
    that it brings; of a notification uid and number are of the one that it names.
    """

    form: str
    card: Card
    mid: str
    uid: str = ""
    title: str = ""
    number: str = ""
    date: str = ""

    @property
    def brings(self) -> bool:
        """Whether it brings a document, so that its registration can be refused."""
        if self.form == "sev":
            return self.card.root == DOC_INFO
        return self.form == "edc" or (self.form == "medo" and kind_of(self.card) == DOCUMENT)

    @property
    def subject(self) -> str:
        """The document in words, by its number where that is known: `Письмо № 7`."""
        number = f"№ {self.number}" if self.number else ""
        return " ".join(filter(None, (self.title, number))) or self.uid or self.mid


def about(files: Mapping[str, bytes]) -> About | None:
    """Return what the message of these files is about; None when it cannot be read."""
    try:
        root, note = tree.parse(of_files("", dict(files)).body)
        card = tree.card(root, note)
    except GatewayError:
        return None
    mid = uid_of(card)
    if card.namespace == SEV and card.root in {DOC_INFO, REPORT}:
        return _sev(card, mid)
    if card.root != tree.ROOT:
        return About("", card, mid)
    if card.namespace in VERSIONS and card.values.get("header/@type", "").strip() == KIND:
        return _container(card, mid, files)
    if any(place.startswith("container/") for place in card.values):
        return _container(card, mid, files)
    values = _Values(card)
    uid = values.text("document/@uid") or values.text("notification/@uid")
    number, date = values.text("document/num/number"), values.text("document/num/date")
    return About("medo", card, mid, uid, values.text("document/kind"), number, date)


class _Values:
    """The values of a card, without the space around them."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def text(self, place: str) -> str:
        return self._card.values.get(place, "").strip()


def _container(card: Card, mid: str, files: Mapping[str, bytes]) -> About:
    name = card.values.get("container/body", "").strip()
    passport = _passport(files[name], name) if name in files else None
    if passport is None:
        return About("edc", card, mid)
    values = _Values(passport)
    at = "authors/author/registration"
    return About(
        "edc", card, mid, values.text("@uid"), values.text("requisites/documentKind"),
        values.text(f"{at}/number"), values.text(f"{at}/date"),
    )  # fmt: skip


def _passport(body: bytes, name: str) -> Card | None:
    """The one passport of a container; None when there is none, or nothing says which it is."""
    try:
        members = zipped.read(body, name, [])
    except GatewayError:
        return None
    spaces = {version.container for version in VERSIONS.values()}
    found: dict[str, tuple[Card, bytes]] = {}
    for member, data in members.items():
        if member.lower().endswith(".xml") and len(found) < _PASSPORTS:
            try:
                card = tree.card(*tree.parse(data))
            except GatewayError:
                continue
            if card.root == "container" and card.namespace in spaces:
                found[member] = card, data
    # One that another one names is an enclosure: of a letter that is passed on.
    alone = [
        card
        for member, (card, _) in found.items()
        if not any(f'"{member}"'.encode() in data for _, data in found.values())
    ]
    return alone[0] if len(alone) == 1 else None


def _sev(card: Card, mid: str) -> About:
    values = _Values(card)
    if card.root == REPORT:
        at = "Notification/InitialDoc"
        return About("sev", card, mid, values.text(f"{at}/@UID"), "", values.text(f"{at}/Number"))
    first, mark = "DocumentList/Document", "/@MainDocument"
    mains = (
        at.removesuffix(mark)
        for at, value in card.values.items()
        if at.startswith(first) and at.endswith(mark) and value.strip() in {"true", "1"}
    )
    place = next(mains, first)
    return About(
        "sev", card, mid, values.text(f"{place}/@UID") or values.text(f"{place}/@DocumentID"),
        values.text(f"{place}/Group"), values.text(f"{place}/RegistrationInfo/Number"),
        values.text(f"{place}/RegistrationInfo/Date"),
    )  # fmt: skip
