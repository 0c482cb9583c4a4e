"""What an event states besides its type: one small struct per kind of fact, without personal data.

Names, texts, phone numbers and addresses never stand here. They go to the `content` row of the
event and enter it as a salted digest (design §2.9), so that erasing them does not break the chain.
An empty string, None or 0 means "not told": rule (b) of model.md §3 fills such facts later.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every payload.

    Defaults are left out of the stored body, so a default is part of the version `v`: changing one
    needs an upcaster. msgspec compares a default by identity, therefore a string defaults only to
    `""` and a number only to 0, 1 or None; anything else is required.
    """


class NoFacts(Facts, frozen=True, kw_only=True):
    """The type says it all."""


class ReceivedFacts(Facts, frozen=True, kw_only=True):
    """What the gateway acknowledged: whose, under which number, how many questions.

    regime: порядок рассмотрения (`fz59`, `message`, …). digest: hex SHA-256 of the canonical
    content that the receipt names. questions: how many, at least 1. urgency, priority: codes that
    the source gave, by which terms may differ.
    """

    regime: str
    peer: str = ""
    external_id: str = ""
    revision: int = 1
    receipt_number: str = ""
    questions: int = 1
    digest: str = ""
    test: bool = False
    urgency: str = ""
    priority: str = ""


class RegistrationFacts(Facts, frozen=True, kw_only=True):
    """One body's registration of the appeal (59-ФЗ art. 8 part 2); the number belongs to that body.

    number_key: the number homoglyph-folded, for comparing spellings; may be empty.
    """

    organisation: str = ""
    number: str = ""
    number_key: str = ""
    date: dt.date | None = None
    register: str = ""


class AnnulmentFacts(Facts, frozen=True, kw_only=True):
    """A number of a register is void; it is never given again (model.md §1, Registration)."""

    organisation: str = ""
    number: str = ""
    number_key: str = ""
    ground: str = ""


class ReasonFacts(Facts, frozen=True, kw_only=True):
    """A coded reason: МЭДО refusal code, ground of a return, of a reopening, of "not an appeal".

    due: the day by which an answer that was sent back is to be mended, where somebody named it.
    """

    code: str = ""
    system: str = ""
    regime: str = ""
    due: dt.date | None = None


class ModerationFacts(Facts, frozen=True, kw_only=True):
    """A message was given to a moderator, or came back from one.

    stage: `portal` or `body`: who moderates. verdict: `accepted` or `rejected`; of a pass it is
    what the type says. reason: a code; words lie in the event's content.
    """

    stage: str = ""
    verdict: str = ""
    reason: str = ""


class ClarificationFacts(Facts, frozen=True, kw_only=True):
    """The author was asked to say more, or did; both texts lie in the events' contents.

    due: until when an answer is waited for.
    """

    due: dt.date | None = None


class RatingFacts(Facts, frozen=True, kw_only=True):
    """What the applicant thinks of an answer; a comment lies in the event's content.

    score: as the peer counts it. scale: the peer's name of its scale (`1-5`, `like`), since a bare
    number says nothing of it.
    """

    score: int | None = None
    scale: str = ""


class TopicFacts(Facts, frozen=True, kw_only=True):
    """A classifier code given to the question; `by` says whether a person, a rule or a peer did."""

    system: str = ""
    code: str = ""
    version: str = ""
    by: str = ""


class SplitFacts(Facts, frozen=True, kw_only=True):
    """The question gave birth to another, which keeps its state and dates."""

    ordinal: int
    """Ordinal of the new question, from 1."""


class TransferFacts(Facts, frozen=True, kw_only=True):
    """The question went to another body (59-ФЗ art. 8 parts 3, 3.1, 4; art. 11 part 1).

    ground: article and part as `8.3`, `8.3.1`, `8.4`, `11.1`. copy: only a copy went, the question
    stays with us. keeps_control: we asked the receiver for a report.
    """

    organisation: str = ""
    date: dt.date | None = None
    number: str = ""
    ground: str = ""
    copy: bool = False
    keeps_control: bool = False
    applicant_notified_on: dt.date | None = None


class ReceiverFacts(Facts, frozen=True, kw_only=True):
    """What the body that we transferred to told us about its own registration or answer."""

    organisation: str = ""
    number: str = ""
    date: dt.date | None = None


class ExecutorFacts(Facts, frozen=True, kw_only=True):
    """Who works on the question: a body or department, and the officer by an id, never by name."""

    organisation: str = ""
    officer: str = ""
    due: dt.date | None = None


class ExtensionFacts(Facts, frozen=True, kw_only=True):
    """The term was made longer (59-ФЗ art. 12 part 2), by at most 30 days, on one ground once."""

    ground: str = ""
    decided_on: dt.date | None = None
    new_due: dt.date | None = None
    applicant_notified_on: dt.date | None = None


class DeclineFacts(Facts, frozen=True, kw_only=True):
    """Left without an answer on the merits (59-ФЗ art. 11); part as `1`, `4.1`, `5`.

    notice: the applicant is told in writing, and the text lies in the event's content.
    """

    article: str
    part: str
    notice: bool = False


class OutcomeFacts(Facts, frozen=True, kw_only=True):
    """The result of the consideration.

    result: `supported`, `explained`, `not_supported`, `answered`, `left_without_answer`,
    `transferred` or `refused`. actions_taken: measures were taken; must be told when supported.
    """

    result: str = ""
    actions_taken: bool | None = None


class AnswerFacts(Facts, frozen=True, kw_only=True):
    """A letter to the applicant; its text and signer lie in the event's content.

    kind: `final`, `first_reaction`, `interim`, `notice`, `primary_public`. notice: for a notice,
    the ground as `8.3`, `11.5`, `12.2`. attachments: hex SHA-256 of each file, in order.
    has_text: the letter's text lies in the content.
    roles: what each attachment is for (`answer`, `before`, …), in order; empty: all are the letter.
    oral: answered at a personal reception with consent (59-ФЗ art. 13 part 3), no letter exists.
    """

    kind: str
    notice: str = ""
    number: str = ""
    date: dt.date | None = None
    outcome: OutcomeFacts | None = None
    attachments: tuple[str, ...] = ()
    has_text: bool = False
    oral: bool = False
    deliver_to_applicant: bool = False
    roles: tuple[str, ...] = ()


class DeliveryFacts(Facts, frozen=True, kw_only=True):
    """How the answer reached the applicant, or why not; `channel` is a code, never an address."""

    channel: str = ""
    at: dt.datetime | None = None
    failure: str = ""


class AmendmentFacts(Facts, frozen=True, kw_only=True):
    """The appeal's content was replaced by a higher revision; questions: how many it has now."""

    revision: int
    questions: int = 0
    digest: str = ""


class FileFacts(Facts, frozen=True, kw_only=True):
    """A file was added to the appeal; its name and declared type lie in the event's content.

    sha256: hex, of its bytes, which lie apart. role: a word of `AttachmentRole`.
    """

    sha256: str = ""
    role: str = ""


class LinkFacts(Facts, frozen=True, kw_only=True):
    """A relation to another appeal (model.md §1, Link): by its id, or by number and date.

    number, date: of the covering letter that ties them; number_key: folded; sender: who gave the
    number, as a word of `gateway.duplicates`. ground: why a person tied them or took them apart.
    """

    kind: str = ""
    appeal: str = ""
    number: str = ""
    date: dt.date | None = None
    number_key: str = ""
    sender: str = ""
    ground: str = ""


class PeerStateFacts(Facts, frozen=True, kw_only=True):
    """How the peer calls the state, in its own spelling; it moves nothing here."""

    peer: str = ""
    code: str = ""
    label: str = ""


class AddressFacts(Facts, frozen=True, kw_only=True):
    """What an address of the appeal was found to be; which object it is lies in the content.

    role: a word of `AddressRole`. outcome: of a `Resolution`, or `none` when the appeal names no
    such address any more. confidence: 0…1. level: of the object in ГАР (8 street, 10 house). by:
    `register` found it, `rule` a synonym that a person left, `person` chose it. gar_version:
    VersionId of the register. doubt: a person is to look at it.
    """

    role: str = ""
    outcome: str = ""
    confidence: float | None = None
    level: int | None = None
    by: str = ""
    gar_version: str = ""
    doubt: bool = False


class RoutedFacts(Facts, frozen=True, kw_only=True):
    """Which rule chose the executor and the destinations, and why, in Russian, without names."""

    rule: str = ""
    organisation: str = ""
    destinations: tuple[str, ...] = ()
    reason: str = ""


class DeadlineFacts(Facts, frozen=True, kw_only=True):
    """A term was opened, moved or closed.

    rule, article: of the policy table. kind: `duty` or `window`. confirmed: False when a year the
    term touches has no confirmed production calendar. due_*: a day, or for hours a full instant.
    """

    rule: str
    article: str = ""
    kind: Literal["duty", "window"]
    start: str = ""
    due_internal: str = ""
    due_legal: str = ""
    confirmed: bool = True
    ground: str = ""


class RefusalFacts(Facts, frozen=True, kw_only=True):
    """Somebody's word that no state of the appeal would let through; nothing was applied.

    claimed: type of the event claimed. code: of gateway.errors. reason: in our own words, without
    anything of what was said. places: elements of the report that are wrong.
    """

    claimed: str
    code: str = ""
    reason: str = ""
    places: tuple[str, ...] = ()


class ConflictFacts(Facts, frozen=True, kw_only=True):
    """Somebody's word that contradicts what is known; kept whole for a person, applied to nothing.

    claimed: type of the event claimed. code: which rule it broke. claim: its payload as JSON text.
    occurred_at: ISO date or instant that the claim named.
    """

    claimed: str
    code: str = ""
    reason: str = ""
    state: str = ""
    occurred_at: str = ""
    claim: str = ""
