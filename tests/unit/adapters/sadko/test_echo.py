"""Whatever a card holds, it goes back with the answer as it came."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.regional.sadko.adapter import Sadko
from gateway.adapter import EncodeContext, Wire
from gateway.errors import ValidationError
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType
from simulators.sadko import rules

ADAPTER = Sadko({"officer": "Дежурнов Д. Д."})
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
EVENT = Event(
    appeal_id=UUID(int=1), seq=2, type=EventType.REGISTERED, occurred_at=NOW, recorded_at=NOW,
    actor=Actor(kind="person", id="registrar"),
    payload=f.RegistrationFacts(number="ИЖН-5", date=date(2026, 4, 1)),
)  # fmt: skip

short = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Mn"]), max_size=9)
number = st.integers(0, 99) | st.none()
stamp = st.sampled_from(["2026-02-26T00:00:00", "2026-02-26T10:41:07", None])
plain = st.none() | st.booleans() | st.integers(-9, 9) | short | st.lists(short, max_size=2)
cards = st.fixed_dictionaries(
    {"Guid": st.just("6f0c1b52"), "ReceivedFrom": st.just("Аппарат (тест)")},
    optional={
        "CitizenName": short, "CitizenSurname": short, "CitizenAddress": short,
        "CitizenAddressAreaId": number, "CitizenPhone": short, "CitizenEmail": short | st.none(),
        "CitizenSocialStatusId": number, "CitizenAnswerSendTypeId": number, "LetterTypeId": number,
        "CorrespondentId": number, "LetterNumber": short, "ReceiveDate": stamp, "Own": plain,
        "ControlOrgSendDate": stamp, "DeliveryTypeId": number, "ConsiderationFormId": number,
        "RegistrationNumber": short, "RegistrationDate": stamp, "DocSheetNumber": number,
        "Message": short, "Files": st.lists(
            st.fixed_dictionaries({"Name": short, "Data": st.just("QUJD")}), max_size=2),
    },
)  # fmt: skip
resolutions = st.none() | st.fixed_dictionaries(
    {"Guid": st.just("r"), "Author": st.just("А. А."), "Executor": st.just("Б. Б.")},
    optional={"DecisionId": number, "ControlDate": stamp, "ResolutionText": short, "Own": plain},
)


@settings(max_examples=300, deadline=None)
@given(cards, resolutions)
def test_a_card_comes_back_and_the_two_names_have_changed_places(card, resolution):
    sent = {"Card": card} | ({"Resolution": resolution} if resolution else {})
    body = json.dumps(sent).encode()
    (item,) = ADAPTER.decode(Wire(media_type="", body=body)).items
    try:
        wire = ADAPTER.encode(item.appeal, EVENT, EncodeContext(now=NOW))
    except ValidationError as error:
        raise AssertionError(error.violations) from error
    assert rules.refusals(json.loads(wire.body), sent) == []
