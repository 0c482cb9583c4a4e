"""The options of a peer's row that this adapter reads (README, options)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gateway.errors import ConfigurationError
from gateway.model.events import EventType
from gateway.options_read import choice, number, zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

Profile = Literal["2.6", "2.7", "2.7.1", "sev"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the peer's row says.

    profile: what is written out; everything is read. uid, organization: of us among participants.
    addressee, addressee_uid, mailbox: of them. signatory, signatory_post: who signs. kind: вид
    документа. given_on: events with which a СЭД is given an appeal that it did not send. answers:
    an answer with text or files goes as a document, or every answer as a notification. ack: what
    settles a delivery; SEV has no receipts, so there it is `write`. without_pdf: a document without
    a PDF, of which no container can be made, goes by МЭДО 2.6, or is refused. prune_days: how long
    what is done with is kept; 0: for ever.
    """

    profile: Profile = "2.6"
    uid: str = ""
    organization: str = ""
    addressee: str = ""
    addressee_uid: str = ""
    mailbox: str = ""
    signatory: str = ""
    signatory_post: str = ""
    kind: str = "Обращение гражданина"
    given_on: tuple[str, ...] = ("Received", "Transferred", "Amended", "FileAttached")
    answers: Literal["document", "notification"] = "document"
    ack: Literal["receipt", "write"] = "receipt"
    without_pdf: Literal["2.6", "refuse"] = "2.6"
    zone: ZoneInfo
    tables: str = ""
    directory: str = ""
    in_directory: str = ""
    out_directory: str = ""
    receipt_hours: float = 72.0
    settle_seconds: float = 5.0
    incomplete_seconds: float = 3600.0
    batch: int = 50
    prune_days: float = 90.0

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Settings:
        """Read the table; raise ConfigurationError naming the key that is wrong."""
        profile: Profile = choice(table, "profile", ("2.6", "2.7", "2.7.1", "sev"))
        numbers: dict[str, Any] = {
            name: number(table, name, getattr(cls, name), least=0)
            for name in ("receipt_hours", "settle_seconds", "incomplete_seconds", "prune_days")
        }
        texts: dict[str, Any] = {
            name: str(table.get(name, getattr(cls, name)))
            for name in (
                "uid", "organization", "addressee", "addressee_uid", "mailbox", "signatory",
                "signatory_post", "kind", "tables", "directory", "in_directory", "out_directory",
            )
        }  # fmt: skip
        given_on = tuple(map(str, table.get("given_on", cls.given_on)))
        if unknown := set(given_on) - {event.value for event in EventType}:
            raise ConfigurationError(
                "нет таких событий · no such events",
                found=", ".join(sorted(unknown)),
                where="options.given_on",
            )
        return cls(
            profile=profile,
            given_on=given_on,
            answers=choice(table, "answers", ("document", "notification")),
            ack="write" if profile == "sev" else choice(table, "ack", ("receipt", "write")),
            without_pdf=choice(table, "without_pdf", ("2.6", "refuse")),
            zone=zone(table),
            batch=int(number(table, "batch", cls.batch)),
            **numbers,
            **texts,
        )
