import pytest

from adapters.sstu.codes import readable_topic, status_for, status_of, topic_fault
from gateway.model.answer import Result
from gateway.model.events import State


@pytest.mark.parametrize(
    ("state", "result", "extended", "received", "word"),
    [
        ("received", None, False, False, "NotReceived"),
        ("received", None, False, True, "NotRegistered"),
        ("moderation", None, False, True, "NotRegistered"),
        ("registered", None, False, True, "InWork"),
        ("assigned", None, False, True, "InWork"),
        ("with_contractor", None, False, True, "InWork"),
        ("in_work", None, True, True, "InWorkExtended"),
        ("inspection", None, False, True, "InWork"),
        ("answer_prepared", None, True, True, "InWorkExtended"),
        ("answered", Result.SUPPORTED, False, True, "Supported"),
        ("answered", Result.NOT_SUPPORTED, False, True, "NotSupported"),
        ("answered", Result.EXPLAINED, True, True, "Explained"),
        ("answered", Result.ANSWERED, False, True, "Answered"),
        ("answered", None, False, True, "Answered"),
        ("answered", Result.REFUSED, False, True, "NotSupported"),
        ("transferred", None, False, True, "Transferred"),
        ("declined", None, False, True, "LeftWithoutAnswer"),
        ("closed", Result.SUPPORTED, False, True, "Supported"),
        ("closed", None, False, True, "LeftWithoutAnswer"),
        ("of their own making", None, False, True, ""),
    ],
)
def test_every_state_has_its_word(state, result, extended, received, word):
    assert status_for(state, result, extended=extended, received=received) == word


def test_every_state_of_the_life_cycle_has_a_word():
    assert all(status_for(s, None, extended=False, received=True) for s in State)


def test_what_the_peer_said_stays_only_while_it_fits():
    def word(said, state, result, extended=False):
        return status_for(state, result, extended=extended, received=True, said=said)

    assert word("InWorkExtended", "in_work", None, extended=True) == "InWorkExtended"
    assert word("InWork", "in_work", None, extended=True) == "InWorkExtended"
    assert word("InWorkExtended", "in_work", None) == "InWork"
    assert word("Supported", "answered", Result.EXPLAINED) == "Explained"
    assert word("NotRecieved", "received", None) == "NotRegistered"


def test_a_withdrawn_appeal_is_reported_as_the_row_says():
    word = status_for("closed", None, extended=False, received=True, withdrawn_as="Explained")
    assert word == "Explained"


def test_the_known_misspelling_is_read():
    assert status_of("NotRecieved") == status_of("NotReceived") == "NotReceived"
    assert not status_of("notreceived")


@pytest.mark.parametrize("code", ["0005.0005.0055.1122", "0001.0003.0029.0201.0074"])
def test_four_and_five_blocks_are_read_and_sent(code):
    assert readable_topic(code)
    assert not topic_fault(code)


@pytest.mark.parametrize(
    ("code", "readable", "why"),
    [
        ("0001", True, "ambiguous"),
        ("", False, "no topic"),
        ("0005.0005", False, "group"),
        ("0005.0005.0056.0000", True, "group"),
        ("0000.0001.0002.0003", True, "methodical"),
        ("0001.0002.0027.01262", False, "not a code"),
        ("٠٠٠٥.0005.0055.1122", False, "not a code"),
        ("0005.0005.0055.1122.0001.0001", False, "not a code"),
    ],
)
def test_other_codes_are_refused_with_the_reason(code, readable, why):
    assert readable_topic(code) is readable
    assert why in topic_fault(code)
