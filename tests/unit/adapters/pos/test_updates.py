"""What goes out, what is refused beforehand, and that the simulated platform takes what we send."""

import contextlib
import datetime as dt
import json
from pathlib import Path
from uuid import UUID

import pytest

from adapters.pos.adapter import Pos
from adapters.pos.encode import ENCODED
from gateway import registry
from gateway.adapter import EncodeContext
from gateway.errors import UnsupportedError, ValidationError
from gateway.model import facts as f
from gateway.model.answer import Answer, AnswerKind
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.base import ExternalRef
from gateway.model.events import Actor, Event, EventType
from gateway.model.question import Question
from gateway.testing.cases import found
from simulators.pos import rules

NOW = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)
CONTRACT = Path(__file__).parents[3] / "contract"
REF = ExternalRef(peer="pos", kind="pos_id", value="POS-1")
APPEAL = Appeal(refs=(REF,), questions=(Question(state="answered"),))


def event(kind, payload=None, **more):
    return Event(
        appeal_id=UUID(int=1), seq=2, type=kind, occurred_at=NOW, recorded_at=NOW,
        actor=Actor(kind="system"), payload=payload or f.NoFacts(), **more,
    )  # fmt: skip


def update(appeal, told, **context):
    wire = Pos({}).encode(appeal, told, EncodeContext(now=NOW, **context))
    return json.loads(wire.body)


def final(result, taken=None, **more):
    outcome = f.OutcomeFacts(result=result, actions_taken=taken)
    return event(EventType.ANSWERED, f.AnswerFacts(kind="final", outcome=outcome, **more))


def letter(text, **more):
    return Answer(text=text, **more)


@pytest.mark.parametrize(
    ("result", "taken", "decision"),
    [
        ("supported", True, "solved"), ("supported", False, "postponed"),
        ("supported", None, "postponed"), ("explained", None, "explained"),
        ("answered", None, "explained"), ("not_supported", None, "declined"),
        ("refused", None, "declined"), ("left_without_answer", None, "declined"),
    ],
)  # fmt: skip
def test_every_outcome_has_a_decision(result, taken, decision):
    appeal = Appeal(refs=(REF,), questions=(Question(),), answers=(letter("Ответ."),))
    assert update(appeal, final(result, taken))["decision"] == decision


def test_what_is_sent_on_is_what_has_a_word():
    manifest = registry.read_manifest("adapters.pos")
    assert set(manifest.sends_on) == {kind.value for kind in ENCODED}


def test_what_has_no_word_is_not_sent():
    for kind in EventType:
        if kind not in ENCODED:
            with pytest.raises(UnsupportedError):
                update(APPEAL, event(kind))


def test_the_letter_told_of_goes_and_not_a_later_one():
    first, second = UUID(int=7), UUID(int=8)
    appeal = Appeal(
        refs=(REF,),
        questions=(Question(),),
        answers=(letter("Первый.", id=first, number="1"), letter("Второй.", id=second, number="2")),
    )
    by_id = update(appeal, final("explained"), letter=str(first))
    by_number = update(appeal, final("explained", number="1"))
    latest = update(appeal, final("explained"))
    assert [one["answer"]["text"] for one in (by_id, by_number, latest)] == [
        "Первый.", "Первый.", "Второй."
    ]  # fmt: skip


def test_a_letter_that_ends_nothing_is_no_answer():
    interim = letter("Работы начнём 5 апреля.", kind=AnswerKind.INTERIM)
    appeal = Appeal(refs=(REF,), questions=(Question(),), answers=(interim,))
    told = update(appeal, event(EventType.LETTER_SENT, f.AnswerFacts(kind="interim")))
    assert (told["event"], told["letter"]["text"]) == ("letter", "Работы начнём 5 апреля.")
    assert "decision" not in told


def test_the_key_of_the_delivery_names_the_message():
    assert update(APPEAL, event(EventType.TAKEN_TO_WORK), key="k-1")["messageKey"] == "k-1"


def test_the_number_may_have_come_under_the_code_of_the_row():
    other = ExternalRef(peer="pos-oblast", kind="pos_id", value="POS-9")
    appeal = Appeal(refs=(other,), questions=(Question(),))
    told = event(EventType.TAKEN_TO_WORK)
    assert update(appeal, told, peer="pos-oblast")["id"] == "POS-9"
    with pytest.raises(ValidationError):
        update(appeal, told)


@pytest.mark.parametrize(
    ("kind", "payload", "places"),
    [
        (EventType.REGISTERED, f.RegistrationFacts(), ["/registration/number"]),
        (EventType.LETTER_SENT, f.AnswerFacts(kind="song"), ["/letter/kind"]),
        (EventType.ASSIGNED, f.ExecutorFacts(), ["/executor/organisation"]),
        (EventType.EXTENDED, f.ExtensionFacts(), ["/postponed/due", "/postponed/ground"]),
        (EventType.TRANSFERRED, f.TransferFacts(), ["/redirect/organisation"]),
        (EventType.ANSWERED, f.AnswerFacts(kind="final"), ["/decision", "/answer/text"]),
        (EventType.CLARIFICATION_ASKED, f.ClarificationFacts(), ["/text"]),
    ],
)  # fmt: skip
def test_what_an_update_lacks_is_named_before_it_is_sent(kind, payload, places):
    with pytest.raises(ValidationError) as caught:
        update(APPEAL, event(kind, payload))
    assert [v.path for v in caught.value.violations] == places


@pytest.mark.parametrize("kind", sorted(ENCODED))
def test_a_row_that_may_see_nothing_makes_no_defect(kind):
    for appeal in (APPEAL, Appeal(refs=(REF,)), Appeal()):
        with contextlib.suppress(ValidationError):
            assert update(appeal, event(kind))["id"] == "POS-1"


def test_how_the_place_looked_is_told_of_a_photograph():
    photo = Attachment(
        sha256="ab", declared_name="a.png", media_type="image/png", role=AttachmentRole.BEFORE
    )
    appeal = Appeal(
        refs=(REF,), questions=(Question(),), answers=(letter("Ответ.", attachments=(photo,)),)
    )
    told = update(appeal, final("explained"), files={"ab": b"x"})
    assert [file["role"] for file in told["answer"]["attachments"]] == ["before"]


def test_a_copy_to_another_body_leaves_the_item_where_it_is():
    facts = f.TransferFacts(organisation="water", number="И-1", copy=True)
    told = update(APPEAL, event(EventType.TRANSFERRED, facts))
    assert (told["event"], told["stage"]) == ("copied", "execution")


def test_the_simulated_platform_takes_every_golden_update():
    item = {"kind": "item", "fz59": False, "stage": "coordination"}
    taken = 0
    for case in found(CONTRACT, "pos"):
        wire = case.wire("wire_out") if case.goes_out else None
        if wire:
            assert rules.refusals(json.loads(wire.body), item) == [], case.name
            taken += 1
    assert taken >= 10
