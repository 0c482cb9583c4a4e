"""Who may see what: no name leaves below `full`, and a new field of the model stays hidden."""

from __future__ import annotations

import datetime as dt
import types
import typing
import uuid
from enum import Enum
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gateway.disclosure import Level, disclose, disclose_event, files_of, level_of
from gateway.errors import ConfigurationError
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment, AttachmentGroup, AttachmentRole, Exif
from gateway.model.base import Entity, ExternalRef
from gateway.model.events import Actor, Event, EventType
from gateway.model.facts import (
    AmendmentFacts,
    AnswerFacts,
    ExecutorFacts,
    Facts,
    FileFacts,
    LinkFacts,
    ModerationFacts,
    NoFacts,
    PeerStateFacts,
    ReceivedFacts,
    RegistrationFacts,
)
from gateway.model.question import Question

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


PLAIN: dict[Any, Any] = {
    bool: True,
    int: 7,
    float: 7.0,
    dt.datetime: NOW,
    dt.date: NOW.date(),
    uuid.UUID: uuid.UUID(int=7),
}


def filled(kind: Any, path: str, depth: int = 0) -> Any:
    """A value of any type of the model in which every text names the place it stands in."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return filled(args[0], path, depth)
    if origin in (typing.Union, types.UnionType):
        return filled(next(a for a in args if a is not type(None)), path, depth)
    if origin is tuple:
        return (filled(args[0], path, depth),)
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, Entity):
        return entity(kind, path, depth)
    return f"<{path}>"


def entity(kind: type[Entity], path: str, depth: int) -> Entity | None:
    if depth > 6:
        return None
    hints = typing.get_type_hints(kind, include_extras=True)
    return kind(
        **{
            f.name: filled(hints[f.name], f"{path}.{f.name}".strip("."), depth + 1)
            for f in msgspec.structs.fields(kind)
        }
    )


def places(appeal: Appeal) -> set[str]:
    """The places whose texts are still there."""
    text = msgspec.json.encode(appeal).decode()
    return {part.split(">")[0] for part in text.split("<")[1:]}


WHOLE = filled(Appeal, "")
REGISTRATION = {"registrations.number", "registrations.number_key", "registrations.register"}
BODY = {"full_name", "short_name", "ogrn", "inn", "ids.system", "ids.value"}
REFERENCE = (
    {"receipt_number", "questions.state"}
    | REGISTRATION
    | {f"registrations.organisation.{name}" for name in BODY}
    | {"deadlines.rule", "deadlines.article"}
)
PROBLEM_PREFIXES = (
    "questions.annotation",
    "questions.topics.",
    "questions.kind.",
    "questions.owner_org.",
    "questions.competence.",
    "questions.outcome.ground.",
    "delivery_method.",
    "urgency.",
    "priority.",
    "transfers.number",
    "transfers.to_org.",
)


def test_every_text_of_the_model_is_filled_in_this_test():
    assert len(places(WHOLE)) > 300
    assert "applicants.person.family" in places(WHOLE)


def test_full_shows_everything():
    assert disclose(WHOLE, Level.FULL) is WHOLE


def test_a_reference_is_numbers_and_states():
    assert places(disclose(WHOLE, Level.REFERENCE_ONLY)) == REFERENCE


def test_the_problem_is_shown_without_the_person():
    seen = places(disclose(WHOLE, Level.PROBLEM_ONLY)) - REFERENCE
    assert {place for place in seen if not place.startswith(PROBLEM_PREFIXES)} == set()
    assert "questions.annotation" in seen
    assert not {place for place in seen if "extras" in place or "person" in place}


@pytest.mark.parametrize("level", [Level.PROBLEM_ONLY, Level.REFERENCE_ONLY])
def test_texts_are_shown_only_to_whom_they_were_redacted_for(level):
    asked = {"subject", "text", "questions.text"}
    assert not asked & places(disclose(WHOLE, level))
    shown = asked & places(disclose(WHOLE, level, text_is_redacted=True))
    assert shown == (asked if level is Level.PROBLEM_ONLY else set())


def test_the_place_of_the_problem_ends_at_the_house():
    flat = Address(
        raw="ул. Мира, 5, кв. 12", street="Мира", house="5", apartment="12",
        fias_guid="flat", fias_level=11, lat=55.1, lon=37.2,
    )  # fmt: skip
    home = Address(role=AddressRole.APPLICANT_RESIDENCE, street="Ленина", house="1")
    house = Address(street="Мира", house="5", fias_guid="house", fias_level=10)
    seen = disclose(Appeal(addresses=(flat, home, house)), Level.PROBLEM_ONLY).addresses
    assert seen == (Address(street="Мира", house="5", lat=55.1, lon=37.2), house)


def test_a_photograph_goes_without_its_name_and_a_scan_does_not_go():
    def image(**more: Any) -> Attachment:
        return Attachment(media_type="image/jpeg", declared_name="Иванов.jpg", **more)

    appeal = Appeal(
        attachments=(
            image(sha256="a" * 64, group=AttachmentGroup.PHOTO, exif=Exif(lat=55.0, lon=37.0)),
            image(sha256="b" * 64, group=AttachmentGroup.ENCLOSURE),
            image(sha256="c" * 64, group=AttachmentGroup.PHOTO, role=AttachmentRole.ANSWER),
            image(sha256="d" * 64),
        )
    )
    seen = disclose(appeal, Level.PROBLEM_ONLY)
    assert [(a.sha256, a.declared_name) for a in seen.attachments] == [("a" * 64, "photo-1.jpeg")]
    assert seen.attachments[0].exif == Exif()
    assert files_of(seen) == {"a" * 64}
    assert files_of(disclose(appeal, Level.REFERENCE_ONLY)) == frozenset()


def test_a_peer_always_sees_the_numbers_it_gave_itself():
    ours = ExternalRef(peer="pos", kind="id", value="17")
    theirs = ExternalRef(peer="urog", kind="id", value="18")
    appeal = Appeal(refs=(ours, theirs), questions=(Question(refs=(theirs, ours)),))
    seen = disclose(appeal, Level.REFERENCE_ONLY, peer="pos")
    assert (seen.refs, seen.questions[0].refs) == ((ours,), (ours,))
    assert disclose(appeal, Level.REFERENCE_ONLY).refs == ()


def test_an_event_loses_who_did_it_and_a_reference_what_it_says():
    event = Event(
        appeal_id=uuid.UUID(int=1),
        seq=2,
        type=EventType.REGISTERED,
        occurred_at=NOW,
        recorded_at=NOW,
        actor=Actor(kind="person", id="ivanova"),
        key="another peer's key",
        payload=RegistrationFacts(number="17"),
        content="ab" * 32,
    )
    problem = disclose_event(event, Level.PROBLEM_ONLY)
    assert (problem.actor, problem.key, problem.content) == (Actor(kind="system"), "", None)
    assert problem.payload == event.payload
    assert disclose_event(event, Level.REFERENCE_ONLY).payload == event.payload
    taken = replace(event, type=EventType.ASSIGNED, payload=ExecutorFacts(organisation="gzhi"))
    assert disclose_event(taken, Level.PROBLEM_ONLY).payload == taken.payload
    assert disclose_event(taken, Level.REFERENCE_ONLY).payload == NoFacts()
    assert disclose_event(event, Level.FULL) is event


def test_a_link_is_told_below_full_without_the_appeal_it_leads_to():
    merger = LinkFacts(
        kind="duplicate_of", appeal=str(uuid.UUID(int=2)), number="1-2/345", ground="по словам"
    )
    event = Event(
        appeal_id=uuid.UUID(int=1),
        seq=2,
        type=EventType.MERGED_AS_DUPLICATE,
        occurred_at=NOW,
        recorded_at=NOW,
        actor=Actor(kind="person", id="ivanova"),
        payload=merger,
    )

    assert disclose_event(event, Level.PROBLEM_ONLY).payload == LinkFacts(kind="duplicate_of")
    assert disclose_event(event, Level.FULL).payload == merger


def test_a_file_is_told_below_full_without_what_tells_it_from_others():
    event = Event(
        appeal_id=uuid.UUID(int=1), seq=2, type=EventType.FILE_ATTACHED, occurred_at=NOW,
        recorded_at=NOW, actor=Actor(kind="peer", id="portal"),
        payload=FileFacts(sha256="ab" * 32, role="evidence"), content="cd" * 32,
    )  # fmt: skip
    assert disclose_event(event, Level.PROBLEM_ONLY).payload == FileFacts(role="evidence")
    assert disclose_event(event, Level.REFERENCE_ONLY).payload == NoFacts()


def event_with(payload: Facts) -> Event:
    return Event(
        appeal_id=uuid.UUID(int=1), seq=2, type=EventType.RECEIVED, occurred_at=NOW,
        recorded_at=NOW, actor=Actor(kind="peer", id="portal"), payload=payload,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            ReceivedFacts(
                regime="fz59", peer="portal", external_id="Примерова-1", digest="ab" * 32,
                receipt_number="7K3M9QX2TBW", questions=2,
            ),
            ReceivedFacts(regime="fz59", receipt_number="7K3M9QX2TBW", questions=2),
        ),
        (AmendmentFacts(revision=2, questions=1, digest="ab" * 32),
         AmendmentFacts(revision=2, questions=1)),
        (AnswerFacts(kind="final", number="О-1", attachments=("ab" * 32,), has_text=True),
         AnswerFacts(kind="final", number="О-1")),
        (ExecutorFacts(organisation="gzhi", officer="17"), ExecutorFacts(organisation="gzhi")),
        (PeerStateFacts(peer="sstu", code="X", label="Передано Примеровой"), NoFacts()),
        (ModerationFacts(stage="portal", verdict="accepted", reason="хамит Примерова"),
         ModerationFacts(stage="portal", verdict="accepted")),
    ],
)  # fmt: skip
def test_below_full_no_event_tells_the_senders_numbers_or_a_digest(told, shown):
    event = event_with(told)
    assert disclose_event(event, Level.PROBLEM_ONLY).payload == shown
    assert disclose_event(event, Level.REFERENCE_ONLY).payload == NoFacts()
    assert disclose_event(event, Level.FULL).payload == told


def test_a_kind_of_fact_that_nobody_thought_of_is_told_to_nobody_below_full():
    class Novel(Facts, frozen=True, kw_only=True):
        secret: str = ""

    told = event_with(Novel(secret="Примерова"))
    assert disclose_event(told, Level.PROBLEM_ONLY).payload == NoFacts()


@pytest.mark.parametrize(("word", "ground"), [("full", ""), ("full", "  "), ("everything", "x")])
def test_full_needs_a_ground_and_an_unknown_level_is_refused(word, ground):
    with pytest.raises(ConfigurationError):
        level_of(word, ground)
