"""Every row of the transition table, as a peer or one of our people meets it."""

from __future__ import annotations

import pytest

from gateway.errors import AccessError, StateError, ValidationError
from gateway.lifecycle import ROWS, Context, allowed_events, apply, missing_steps
from gateway.lifecycle.needs import NEEDS
from gateway.lifecycle.table import BY_EVENT
from gateway.model import facts as f
from gateway.model.events import Actor, EventType, State
from tests.unit.lifecycle_kit import CTX, PAYLOADS, SED, day, received, says, tell, types

ROAD = {
    "received": (),
    "moderation": ("SentToModeration",),
    "registered": ("Registered",),
    "assigned": ("Registered", "Assigned"),
    "in_work": ("Registered", "Assigned", "TakenToWork"),
    "answer_prepared": ("Registered", "Assigned", "TakenToWork", "AnswerPrepared"),
    "answered": ("Registered", "Assigned", "TakenToWork", "AnswerPrepared", "Answered"),
    "transferred": ("Registered", "Transferred"),
    "declined": ("Registered", "Declined"),
    "closed": ("Registered", "Declined", "Filed"),
}
DAYS = {
    "SentToModeration": 1,
    "Registered": 2,
    "Assigned": 3,
    "TakenToWork": 4,
    "AnswerPrepared": 18,
    "Transferred": 5,
    "Declined": 6,
    "Answered": 20,
    "Filed": 21,
}


def at(state: str, regime: str = "fz59"):
    """Return an appeal with one question in the state, told step by step by a peer."""
    return tell(received(regime=regime), *(says(name, DAYS[name]) for name in ROAD[state]))


def actor_for(row):
    kind = next((k for k in ("peer", "rule", "timer", "system") if k in row.who), "person")
    if kind == "person":
        return {"actor": Actor(kind="person", id="p-1"), "roles": frozenset(row.who)}
    return {"actor": Actor(kind=kind, id="sed")}


NOW_ROWS = [
    r for r in ROWS if not r.later and r.sources and r.event is not EventType.CONFLICT_RECORDED
]


@pytest.mark.parametrize(
    ("row", "source"),
    [
        pytest.param(row, source.value, id=f"{row.event}-from-{source}")
        for row in NOW_ROWS
        for source in row.sources
        if source.value in ROAD
    ],
)
def test_each_row_leads_where_the_table_says(row, source):
    regime = "message" if source == "moderation" or row.only or row.never else "fz59"
    outcome = apply(at(source, regime), says(row.event, 25, **actor_for(row)), CTX)

    assert outcome.kind == "applied"
    assert types(outcome) == [(row.event.value, "applied")]
    expected = source if row.to is None else row.to.value
    assert outcome.state.question(1).state == expected


def test_the_table_of_moves_is_the_canonical_one():
    moves = {(r.event.value, s.value, r.to.value) for r in NOW_ROWS for s in r.sources if r.to}
    assert moves == {
        ("SentToModeration", "received", "moderation"),
        ("ModerationPassed", "moderation", "received"),
        ("NotAnAppeal", "received", "closed"),
        ("NotAnAppeal", "moderation", "closed"),
        ("Registered", "received", "registered"),
        ("RegistrationRefused", "received", "closed"),
        ("RegistrationRefused", "moderation", "closed"),
        ("Transferred", "registered", "transferred"),
        ("Transferred", "assigned", "transferred"),
        ("Transferred", "in_work", "transferred"),
        ("RefusedByReceiver", "transferred", "registered"),
        ("ReturnedToUs", "transferred", "registered"),
        ("Assigned", "registered", "assigned"),
        ("Reassigned", "registered", "assigned"),
        ("Reassigned", "assigned", "assigned"),
        ("Reassigned", "in_work", "assigned"),
        ("Reassigned", "answer_prepared", "assigned"),
        ("TakenToWork", "assigned", "in_work"),
        ("AnswerPrepared", "assigned", "answer_prepared"),
        ("AnswerPrepared", "in_work", "answer_prepared"),
        ("AnswerRejected", "answer_prepared", "in_work"),
        ("Answered", "assigned", "answered"),
        ("Answered", "in_work", "answered"),
        ("Answered", "answer_prepared", "answered"),
        ("Declined", "registered", "declined"),
        ("Declined", "assigned", "declined"),
        ("Declined", "in_work", "declined"),
        ("Confirmed", "answered", "closed"),
        ("ReturnedForRework", "answered", "in_work"),
        *(("Withdrawn", s.value, "closed") for s in State if s.is_open),
        *(("Filed", s, "closed") for s in ("answered", "transferred", "declined")),
        *(("Reopened", s, "in_work") for s in ("answered", "transferred", "declined")),
    }


def test_each_type_has_exactly_one_row():
    assert [row.event for row in ROWS] == list(dict.fromkeys(row.event for row in ROWS))
    assert {row.event for row in ROWS} == set(EventType)


def test_each_need_named_by_a_row_has_a_check():
    named = {n for row in ROWS for n in (*row.needs, *row.expects)}
    assert named - {"not_complained_of"} == set(NEEDS)


@pytest.mark.parametrize("row", [r for r in ROWS if r.later], ids=lambda r: r.event)
def test_a_later_event_is_refused_and_says_so(row):
    regime = row.only[0] if row.only else "message"
    with pytest.raises(StateError, match="появится позже"):
        apply(received(regime=regime), says(row.event, 5), CTX)


def test_rework_of_a_59fz_answer_is_a_new_appeal():
    with pytest.raises(StateError, match="повторное обращение") as error:
        apply(at("answered"), says("ReturnedForRework", 25), CTX)
    assert error.value.current_state == "answered"
    assert "Filed" in error.value.allowed_events


def test_a_59fz_appeal_is_not_moderated_and_its_clock_knows_no_clarification():
    for event in ("SentToModeration", "ClarificationAsked"):
        with pytest.raises(StateError, match="59-ФЗ"):
            apply(received(), says(event, 5), CTX)


def test_a_59fz_answer_is_rated_but_not_confirmed():
    with pytest.raises(StateError, match="Rated"):
        apply(at("answered"), says("Confirmed", 25), CTX)
    outcome = apply(at("answered"), says("Rated", 25), CTX)
    assert outcome.kind == "applied"
    assert outcome.state.question(1).state == "answered"
    assert outcome.state.question(1).rating == f.RatingFacts(score=4, scale="1-5")


def test_a_rating_without_its_score_is_taken_from_a_peer_with_a_warning():
    outcome = apply(at("answered"), says("Rated", 25, f.RatingFacts(scale="1-5")), CTX)
    assert outcome.warnings == ("не указано: оценка",)
    assert outcome.state.question(1).rating is None


@pytest.mark.parametrize("regime", ["fz59", "message", "information_request"])
def test_only_an_incident_is_given_up_as_abusive(regime):
    person = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"registrar"})}
    insults = f.ReasonFacts(code="abusive", regime="not_an_appeal")
    with pytest.raises(StateError, match="оскорбительным"):
        apply(received(regime=regime), says("NotAnAppeal", 2, insults, **person), CTX)
    outcome = apply(received(regime="incident"), says("NotAnAppeal", 2, insults, **person), CTX)
    assert outcome.state.state == "closed"
    assert outcome.state.regime == "not_an_appeal"


def test_nobody_but_a_person_gives_up_an_incident_as_abusive():
    insults = f.ReasonFacts(code="abusive", regime="not_an_appeal")
    for actor in (SED, Actor(kind="rule", id="r"), Actor(kind="timer", id="t")):
        with pytest.raises(AccessError):
            apply(received(regime="incident"), says("NotAnAppeal", 2, insults, actor=actor), CTX)


def test_a_decision_on_a_message_may_be_put_off_for_long():
    postponed = f.ExtensionFacts(
        ground="postponed", decided_on=day(20), new_due=day(20).replace(year=2027)
    )
    ctx = Context(now=CTX.now, due={1: day(30)}, extension_days=365)
    outcome = apply(at("in_work", "message"), says("Extended", 20, postponed), ctx)
    assert (outcome.kind, outcome.warnings) == ("applied", ())
    assert outcome.state.question(1).extensions == (postponed,)


LACKS = [
    ("Registered", f.RegistrationFacts(date=day(2)), "Registration/Number"),
    ("Registered", f.RegistrationFacts(number="1"), "Registration/Date"),
    ("RegistrationRefused", f.ReasonFacts(), "Reason"),
    ("TopicAssigned", f.TopicFacts(system="sstu"), "Topic"),
    ("Transferred", f.TransferFacts(date=day(3), number="1"), "Transfer/ToOrganisation"),
    ("Transferred", f.TransferFacts(organisation="o", number="1"), "Transfer/Date"),
    ("Transferred", f.TransferFacts(organisation="o", date=day(3)), "Transfer/Number"),
    ("ReturnedToUs", f.ReasonFacts(), "Reason"),
    ("ReceiverRegistered", f.ReceiverFacts(date=day(3)), "Registration/Number"),
    ("ReceiverRegistered", f.ReceiverFacts(number="1"), "Registration/Date"),
    ("Assigned", f.ExecutorFacts(), "Executor/Organisation"),
    ("Extended", f.ExtensionFacts(decided_on=day(3), new_due=day(9)), "Extension/Ground"),
    ("Extended", f.ExtensionFacts(ground="10.2", new_due=day(9)), "Extension/DecidedOn"),
    ("Extended", f.ExtensionFacts(ground="10.2", decided_on=day(3)), "Extension/NewDueDate"),
    ("Answered", f.AnswerFacts(kind="final", number="1"), "Outcome/Result"),
    (
        "Answered",
        f.AnswerFacts(kind="final", number="1", outcome=f.OutcomeFacts(result="supported")),
        "Outcome/ActionsTaken",
    ),
    ("Declined", f.DeclineFacts(article="11", part="7"), "Decline/Part"),
    ("Declined", f.DeclineFacts(article="12", part="1"), "Decline/Part"),
    ("Reopened", f.ReasonFacts(), "Reason"),
    ("PeerStateReported", f.PeerStateFacts(peer="sstu"), "PeerState"),
]


@pytest.mark.parametrize(("event", "payload", "path"), LACKS)
def test_a_missing_fact_is_named_by_its_place(event, payload, path):
    source = BY_EVENT[EventType(event)].sources[0].value
    with pytest.raises(ValidationError) as error:
        apply(at(source), says(event, 25, payload), CTX)
    assert [v.path for v in error.value.violations] == [path]


def test_a_registration_of_tomorrow_is_refused_but_not_one_where_the_day_has_begun():
    # 12:00 in Moscow on 30 June is 23:00 at UTC+14 and still 30 June everywhere.
    payload = f.RegistrationFacts(organisation="o", number="1", date=day(30))
    assert apply(received(), says("Registered", 30, payload), CTX).kind == "applied"
    tomorrow = f.RegistrationFacts(organisation="o", number="1", date=day(30).replace(month=7))
    with pytest.raises(ValidationError):
        apply(received(), says("Registered", 30, tomorrow), CTX)


def test_a_peer_may_leave_out_the_letter_but_our_own_signer_may_not():
    bare = f.AnswerFacts(kind="final", outcome=f.OutcomeFacts(result="explained"))
    outcome = apply(at("in_work"), says("Answered", 20, bare), CTX)
    assert outcome.kind == "applied"
    assert outcome.warnings == (
        "не указано: номер ответа",
        "не указано: файл ответа (кроме устного, 13 ч. 3)",
    )
    head = Actor(kind="person", id="p-1")
    with pytest.raises(ValidationError) as error:
        apply(
            at("in_work"),
            says("Answered", 20, bare, actor=head, roles=frozenset({"head"})),
            CTX,
        )
    assert [v.path for v in error.value.violations] == ["Answer/Number", "Answer/Attachments"]


def test_an_oral_answer_needs_no_file():
    oral = f.AnswerFacts(
        kind="final", number="1", oral=True, outcome=f.OutcomeFacts(result="explained")
    )
    assert apply(at("in_work"), says("Answered", 20, oral), CTX).warnings == ()


def test_only_part_1_of_article_11_owes_no_notice():
    def warned(part):
        payload = f.DeclineFacts(article="11", part=part)
        return bool(apply(at("registered"), says("Declined", 6, payload, text=False), CTX).warnings)

    assert {p: warned(p) for p in ("1", "2", "3", "4", "4.1", "5", "5.1", "6")} == {
        "1": False,
        "2": True,
        "3": True,
        "4": True,
        "4.1": True,
        "5": True,
        "5.1": True,
        "6": True,
    }


def test_a_peer_raises_only_what_its_manifest_lists():
    ctx = Context(now=CTX.now, granted=frozenset({EventType.REGISTERED}))
    assert apply(received(), says("Registered", 2), ctx).kind == "applied"
    with pytest.raises(AccessError):
        apply(at("registered"), says("Assigned", 3), ctx)


def test_a_rule_may_not_say_that_something_is_no_appeal():
    with pytest.raises(AccessError):
        apply(received(), says("NotAnAppeal", 2, actor=Actor(kind="rule", id="r")), CTX)
    with pytest.raises(AccessError):
        apply(received(), says("NotAnAppeal", 2), CTX)


def test_a_person_acts_by_role():
    executor = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"executor"})}
    assert apply(at("assigned"), says("TakenToWork", 4, **executor), CTX).kind == "applied"
    with pytest.raises(AccessError):
        apply(at("registered"), says("Declined", 4, **executor), CTX)


def test_nothing_is_inferred_from_our_own_people_and_they_cause_no_conflicts():
    executor = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"executor"})}
    with pytest.raises(StateError):
        apply(at("registered"), says("TakenToWork", 4, **executor), CTX)
    with pytest.raises(StateError) as error:
        apply(at("declined"), says("TakenToWork", 20, **executor), CTX)
    assert error.value.allowed_events[:1] == ("Filed",)


@pytest.mark.parametrize(
    ("state", "event", "steps"),
    [
        ("received", "Answered", ["Registered", "Assigned"]),
        ("registered", "Answered", ["Assigned"]),
        ("received", "TakenToWork", ["Registered", "Assigned"]),
        ("registered", "AnswerRejected", ["Assigned", "AnswerPrepared"]),
        ("received", "Declined", ["Registered"]),
        ("registered", "Delivered", ["Assigned", "Answered"]),
        ("registered", "ReturnedToUs", ["Transferred"]),
        ("received", "Extended", ["Registered"]),
        ("in_work", "Answered", []),
        ("in_work", "Filed", None),
        ("received", "Reopened", None),
        ("declined", "Answered", None),
        ("registered", "RegistrationRefused", None),
        ("moderation", "Registered", ["ModerationPassed"]),
        ("moderation", "Answered", ["ModerationPassed", "Registered", "Assigned"]),
        ("in_work", "ReturnedForRework", ["Answered"]),
        ("registered", "Rated", ["Assigned", "Answered"]),
    ],
)
def test_the_fewest_missing_steps(state, event, steps):
    found = missing_steps(State(state), BY_EVENT[EventType(event)])
    assert (None if found is None else list(map(str, found))) == steps


def test_allowed_events_directly_and_with_inference():
    direct = allowed_events(State.REGISTERED, "fz59", ahead=False)
    assert direct == (
        "Split",
        "TopicAssigned",
        "TopicChanged",
        "Transferred",
        "Assigned",
        "Reassigned",
        "Extended",
        "Declined",
        "Withdrawn",
        "Amended",
        "MergedAsDuplicate",
        "Unmerged",
        "LinkAdded",
        "PeerStateReported",
        "FileAttached",
    )
    assert set(allowed_events(State.REGISTERED, "fz59")) - set(direct) == {
        "RefusedByReceiver",
        "ReturnedToUs",
        "ReceiverRegistered",
        "ReceiverAnswered",
        "TakenToWork",
        "AnswerPrepared",
        "AnswerRejected",
        "Answered",
        "Delivered",
        "DeliveryFailed",
        "Rated",
    }


def test_the_kit_has_a_payload_of_the_right_class_for_each_type():
    from gateway.model.events import PAYLOADS as CLASSES

    assert {t for t, p in PAYLOADS.items() if type(p) is not CLASSES[t]} == set()
    assert SED.kind == "peer"
