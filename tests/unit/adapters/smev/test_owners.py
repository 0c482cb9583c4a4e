"""Many systems speak through one queue: nobody names the appeal of another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.smev import ids, owners
from adapters.smev.adapter import Smev
from adapters.smev.codes import NAMESPACE
from adapters.smev.inbox import Inbox
from adapters.smev.messages import types as t
from adapters.smev.options import Options
from adapters.smev.outbox import Room
from gateway.adapter import Wire
from gateway.errors import TrustError, ValidationError
from gateway.lent import Lent
from gateway.testing.memory import FakeMemory

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
MID = "5f1b6a10-1c2d-11f1-8a3c-a1b2c3d4e5f6"
OURS = "4e0a5900-1c2d-11f1-8a3c-a1b2c3d4e5f6"
WITHDRAWN = "<OccurredOn>2026-03-07</OccurredOn><MessageKey>w-1</MessageKey></WithdrawAppeal>"
STATUS = (
    "<MessageKey>s-1</MessageKey>{}<Event>TakenToWork</Event><OccurredOn>2026-03-07</OccurredOn>"
)


@pytest.fixture
def memory():
    return FakeMemory(lambda: NOW)


@pytest.fixture
def channel(memory):
    return Smev({"key": "smev"}, lent=Lent(memory, lambda: None, lambda: NOW))


def wire(text, sender="IS-A", kind="request", **headers):
    name, _, rest = text.partition(">")
    body = f'{name} xmlns="{NAMESPACE}">{rest}'.encode()
    told = {t.KIND: kind, t.MESSAGE_ID: MID, t.SENDER: sender, t.VERSION: "1.3", **headers}
    return Wire(media_type="application/xml", body=body, headers=told)


def submitted(number="17", text="Не работает фонарь."):
    return (
        f"<SubmitAppeal><Appeal><ExternalId>{number}</ExternalId><Revision>1</Revision>"
        f"<Text>{text}</Text></Appeal></SubmitAppeal>"
    )


def withdrawn(key):
    return f"<WithdrawAppeal><Key>{key}</Key>{WITHDRAWN}"


def amended(number="17"):
    return (
        f"<AmendAppeal><ExternalId>{number}</ExternalId><Revision>2</Revision><Appeal>"
        f"<ExternalId>{number}</ExternalId><Revision>2</Revision><Text>Иначе.</Text></Appeal>"
        "</AmendAppeal>"
    )


def reported(key):
    return f"<SubmitStatus><Report>{STATUS.format(f'<Key>{key}</Key>')}</Report></SubmitStatus>"


EXTERNAL, RECEIPT = "<ExternalId>17</ExternalId>", "<ReceiptNumber>26-1</ReceiptNumber>"
NAMING = {
    "withdrawn by its number": withdrawn(EXTERNAL),
    "withdrawn by ours": withdrawn(RECEIPT),
    "amended": amended(),
    "reported by its number": reported(EXTERNAL),
    "reported by ours": reported(RECEIPT),
    "sent once more, to have its answers": submitted(),
}


@pytest.mark.parametrize("text", NAMING.values(), ids=NAMING)
def test_another_sender_cannot_name_the_appeal_of_one(channel, memory, text):
    channel.decode(wire(submitted()))
    channel.decode(wire(submitted("b-1"), sender="IS-B"))
    owners.remember(memory, "26-1", {"sender": "IS-A"})

    with pytest.raises(TrustError) as refused:
        channel.decode(wire(text, sender="IS-B"))

    assert refused.value.reason == "not_allowed"
    assert "IS-B" in refused.value.where, "the record says who it was"


@pytest.mark.parametrize("text", NAMING.values(), ids=NAMING)
def test_whose_it_is_names_it_as_before(channel, memory, text):
    channel.decode(wire(submitted()))
    owners.remember(memory, "26-1", {"sender": "IS-A"})

    assert channel.decode(wire(text)).items


def test_a_number_of_a_registration_alone_names_nothing(channel):
    """Numbers of a body's book can be guessed, and are whose the letter is told to."""
    with pytest.raises(ValidationError, match="registration"):
        channel.decode(wire(withdrawn("<RegistrationNumber>А-15/3</RegistrationNumber>")))


ANSWER = (
    "<Status><Report>"
    + STATUS.format("<Key><ExternalId>26-1</ExternalId></Key>")
    + "</Report></Status>"
)


def test_an_answer_to_no_request_of_ours_is_about_no_appeal_of_ours(channel):
    """СМЭВ signed it, for another system: what it says of a number of ours counts for nothing."""
    with pytest.raises(TrustError, match="none to a request of ours"):
        channel.decode(wire(ANSWER, kind="response", **{t.ORIGINAL_ID: OURS}))


@pytest.mark.parametrize("text", NAMING.values(), ids=NAMING)
def test_an_answer_is_about_its_own_appeal_and_asks_for_nothing(channel, text):
    """The body that we asked about one appeal answers with a request about another."""
    channel.decode(wire(submitted()))
    headers = {t.ORIGINAL_ID: OURS, t.APPEAL: "26-2"}
    with pytest.raises(TrustError, match="none to a request of ours"):
        channel.decode(wire(text, kind="response", **headers))


def test_who_answered_for_an_appeal_is_the_one_who_may_report_on_it(channel):
    headers = {t.ORIGINAL_ID: OURS, t.APPEAL: "26-1"}
    channel.decode(wire(ANSWER, sender="BODY-A", kind="response", **headers))

    assert channel.decode(wire(reported(RECEIPT), sender="BODY-A")).items
    with pytest.raises(TrustError):
        channel.decode(wire(reported(RECEIPT), sender="BODY-B"))


CHANGING = {name: text for name, text in NAMING.items() if "once more" not in name}


@pytest.mark.parametrize("text", CHANGING.values(), ids=CHANGING)
def test_a_test_message_changes_no_appeal_but_one_of_a_test(channel, memory, text):
    """TestMessage says that nothing is to change; `submit` is marked, the rest was done."""
    channel.decode(wire(submitted()))
    owners.remember(memory, "26-1", {"sender": "IS-A"})

    with pytest.raises(ValidationError, match="a test message changes no appeal"):
        channel.decode(wire(text, **{t.TEST: "1"}))


@pytest.mark.parametrize("text", CHANGING.values(), ids=CHANGING)
def test_an_appeal_of_a_test_is_changed_by_test_messages(channel, memory, text):
    channel.decode(wire(submitted(), **{t.TEST: "1"}))
    owners.remember(memory, "26-1", {"sender": "IS-A", "test": True})

    assert channel.decode(wire(text, **{t.TEST: "1"})).items


def test_a_test_message_reports_on_nothing_that_was_not_brought_by_one(channel):
    with pytest.raises(ValidationError, match="a test message changes no appeal"):
        channel.decode(wire(reported(RECEIPT), **{t.TEST: "1"}))


@pytest.mark.parametrize(("signed", "state"), [(True, "queued"), (False, "refused")])
def test_another_body_cannot_say_for_smev_that_a_message_of_ours_is_refused(memory, signed, state):
    """In the place of an answer, and СМЭВ named no request that it answers."""
    record = ids.settle(memory, "d-1", ids.begin(memory, "d-1", "26-1"), "queued")
    told = t.AsyncProcessingStatus(
        original_message_id=record.id, category="requestIsRejectedBySmev"
    )
    answer = t.ResponseMessage(
        version="1.3", root=None, metadata=t.Metadata(),
        data=t.ResponseData(message_id=MID, to="", async_status=told),
        signed=(t.Signed(who="sender", element=None, signature=object() if signed else None),),
    )  # fmt: skip

    options = Options(url="", version="1.3", key="", table={})
    Inbox(Room(options, memory, None, None, None), None)._note(answer)

    assert ids.known(memory, "d-1").state == state
