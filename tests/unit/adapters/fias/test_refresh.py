"""What has to be fetched: deltas along an unbroken chain, a full delivery where there is none."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from adapters.fias import state
from adapters.fias.catalogue import Delivery
from adapters.fias.refresh import FULL_TODO, file_name, find, plan, require_allowed
from adapters.fias.versions import before, chain
from gateway.errors import BusyError, ConfigurationError, MalformedError

MOSCOW = ZoneInfo("Europe/Moscow")


def catalogue(*versions, full=(), without=()):
    return [
        Delivery(
            version_id=version,
            full_url=f"https://f/{version}/full" if version in full else "",
            delta_url="" if version in without else f"https://f/{version}/delta",
        )
        for version in versions
    ]


def steps(found):
    return [(step.kind, step.version, step.over, step.regions) for step in found.steps]


def test_a_chain_holds_every_release_after_the_loaded_one():
    assert chain(1, {1: True, 3: True, 2: True}).versions == (2, 3)
    assert chain(3, {1: True, 3: True}) == ((), "")


@pytest.mark.parametrize(
    ("loaded", "releases", "why"),
    [
        (1, {2: True, 3: True}, "not in it any more"),
        (1, {1: True, 2: False, 3: True}, "no delta: 2"),
        (5, {1: True}, "newer"),
        (1, {}, "empty"),
    ],
)
def test_a_broken_chain_says_where(loaded, releases, why):
    found = chain(loaded, releases)
    assert found.versions == ()
    assert why in found.broken


def test_a_delta_is_loaded_over_the_release_before_it():
    assert before(4, [1, 3, 4, 9]) == 3
    assert before(1, [1, 3]) == 0


def test_regions_go_by_deltas_from_where_each_is():
    found = plan({36: 1, 77: 2}, catalogue(1, 2, 3, full={3}))
    assert steps(found) == [("delta", 2, 1, (36,)), ("delta", 3, 2, (36, 77))]
    assert not found.needs_full
    assert found.steps[0].name == "2_gar_delta_xml.zip"
    assert found.steps[0].url == "https://f/2/delta"
    require_allowed(found, full=False)


def test_what_is_up_to_date_or_newer_needs_nothing():
    assert steps(plan({36: 3, 77: 9}, catalogue(1, 2, 3))) == []


def test_a_broken_chain_asks_for_a_full_load_and_says_how():
    found = plan({36: 1}, catalogue(1, 2, 3, full={3}, without={2}))
    assert steps(found) == [("full", 3, 0, (36,))]
    with pytest.raises(ConfigurationError, match="no delta: 2") as caught:
        require_allowed(found, full=False)
    assert (caught.value.todo, caught.value.found) == (FULL_TODO, "36")
    require_allowed(found, full=True)


def test_a_region_that_is_added_is_loaded_whole_then_goes_with_the_others():
    found = plan({36: 2}, catalogue(1, 2, 3, 4, full={1, 3}), (36, 77))
    assert steps(found) == [
        ("full", 3, 0, (77,)),
        ("delta", 3, 2, (36,)),
        ("delta", 4, 3, (36, 77)),
    ]
    assert list(found.why) == [77]


def test_only_the_regions_that_are_wanted_are_refreshed():
    assert steps(plan({36: 1, 77: 1}, catalogue(1, 2), (77,))) == [("delta", 2, 1, (77,))]


def test_nothing_named_and_nothing_loaded_is_told():
    with pytest.raises(ConfigurationError, match="no region is named"):
        plan({}, catalogue(1))


def test_a_catalogue_without_a_beginning_is_told():
    with pytest.raises(MalformedError, match="empty"):
        plan({36: 1}, [])
    with pytest.raises(MalformedError, match="no full delivery"):
        plan({}, catalogue(1), (36,))


def test_a_delivery_is_found_by_version_and_kind_or_the_newest_are_named():
    known = catalogue(1, 2, full={2})
    assert find(known, 2, "full") == "https://f/2/full"
    for version, kind in ((1, "full"), (7, "delta")):
        with pytest.raises(ConfigurationError) as caught:
            find(known, version, kind)
        assert caught.value.expected == "1, 2"
    assert file_name(2, "full") == "2_gar_xml.zip"


def at(hour, minute=0, day=8):
    return dt.datetime(2026, 9, day, hour, minute, tzinfo=MOSCOW).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("now", "ended", "is_due"),
    [
        (at(3, 5), None, True),
        (at(4, 5), None, False),
        (at(3, 5), at(3, 1), False),
        (at(3, 5), at(3, 40, day=7), True),
        (at(15), at(3, 30), True),
    ],
)
def test_a_refresh_begins_once_in_each_named_hour(now, ended, is_due):
    last = None if ended is None else state.State(at=ended, error="не удалось", failures=1)
    assert state.due(last, (3, 15), now, MOSCOW) is is_due


def test_failures_are_counted_until_one_succeeds(tmp_path):
    assert state.read(tmp_path) is None
    state.note(tmp_path, at(3), version=20260904)
    state.note(tmp_path, at(4), error="нет связи")
    found = state.note(tmp_path, at(5), error="нет связи")
    assert (found.version, found.failures) == (20260904, 2)
    assert state.read(tmp_path) == found
    assert state.note(tmp_path, at(6), version=20260908).failures == 0


def test_a_note_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / state.FILE).write_text("не JSON")
    assert state.read(tmp_path) is None


def test_two_do_not_fetch_into_one_folder(tmp_path):
    with state.alone(tmp_path), pytest.raises(BusyError), state.alone(tmp_path):
        pass
    with state.alone(tmp_path):
        pass
