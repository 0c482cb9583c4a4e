"""What an operator does with `gateway deliveries`: dry by default, one by one where it matters."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.commands.deliveries import app
from gateway.errors import BusyError
from gateway.store import deliveries, lanes


@pytest.fixture
def command(stand, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", stand.url)
    monkeypatch.setattr("gateway.store.schema.require_current", lambda url: None)

    def run(*words: object, fails: bool = False):
        result = CliRunner().invoke(app, [*map(str, words), "--json"])
        assert (result.exit_code != 0) is fails, result.output
        stand.clock.move(600)  # the command has the real clock, the dispatcher its own
        return None if fails else json.loads(result.stdout)

    return run


def refused(stand, *lane_keys, **more):
    ids = stand.owe(*lane_keys, **more)
    for id_ in ids:
        stand.hook.fault("refuse", key=str(id_))
    stand.dispatcher().run_once()
    assert {stand.state(id_) for id_ in ids} == {"refused"}
    return ids


def test_a_replay_is_dry_until_committed_and_opens_the_lane(stand, command):
    stand.destination()
    [id_] = refused(stand, "a")
    [after] = stand.owe("a")
    assert command("replay", id_)["committed"] is False
    assert stand.state(id_) == "refused"
    assert command("replay", id_, "--commit")["committed"] is True
    stand.dispatcher().run_once()
    assert [stand.state(i) for i in (id_, after)] == ["acknowledged", "acknowledged"]
    assert stand.outcomes(id_) == ["refused", "acknowledged"]


def test_a_filter_never_replays_what_may_reach_a_citizen(stand, command):
    stand.destination()
    [plain] = refused(stand, "a")
    [letter] = refused(stand, "b", may_reach_citizen=True)
    told = command("replay", "--destination", "hook", "--commit")
    assert [d["id"] for d in told["deliveries"]] == [str(plain)]
    assert told["kept"] == [str(letter)]
    assert [stand.state(i) for i in (plain, letter)] == ["retry", "refused"]
    command("replay", letter, "--commit")
    assert stand.state(letter) == "retry"


def test_a_filter_replays_no_doubt(stand, command):
    command("replay", "--destination", "hook", "--state", "unknown", fails=True)


def test_a_skipped_one_lets_its_lane_go_on(stand, command):
    stand.destination()
    [id_] = refused(stand, "a")
    [after] = stand.owe("a")
    command("skip", id_, "--reason", "дубль", "--commit")
    stand.dispatcher().run_once()
    assert [stand.state(i) for i in (id_, after)] == ["skipped", "acknowledged"]
    assert stand.rows("SELECT waiting, closed_by FROM lane") == [(0, "")]
    assert command("show", id_)["error"] == "дубль"


def test_one_in_the_middle_of_a_lane_can_be_skipped_and_brought_back(stand, command):
    stand.destination()
    first, middle, last = stand.owe("a", "a", "a")
    command("skip", middle, "--commit")
    stand.dispatcher().run_once()
    assert set(stand.hook.held()) == {str(first), str(last)}
    command("replay", middle, "--commit")
    stand.dispatcher().run_once()
    assert set(stand.hook.held()) == {str(first), str(middle), str(last)}
    assert stand.rows("SELECT waiting, head_seq FROM lane")[0][0] == 0


def test_a_person_confirms_a_doubt(stand, command):
    stand.destination(ask=False)
    [id_] = stand.owe("a")
    stand.hook.fault("reset_after", key=str(id_))
    stand.dispatcher().run_once()
    assert [d["id"] for d in command("list", "--state", "unknown")] == [str(id_)]
    command("confirm", id_, "--commit")
    assert stand.state(id_) == "acknowledged"
    assert stand.rows("SELECT waiting FROM lane") == [(0,)]


def test_what_a_worker_has_in_hand_is_left_alone(stand):
    stand.destination()
    [id_] = stand.owe("a")
    lanes.claim(stand.connection, [lanes.Want("hook", 1, 1, 60)], "other", stand.clock())
    with pytest.raises(BusyError), stand.connection.transaction():
        deliveries.skip(stand.connection, id_, stand.clock(), "now")
    assert stand.state(id_) == "ready"


def test_the_attempts_are_shown_without_personal_data(stand, command):
    stand.destination(disclosure="full", disclosure_ground="ст. 8")
    [id_] = stand.owe("a")
    stand.dispatcher().run_once()
    told = command("show", id_)
    assert told["attempts_made"][0]["outcome"] == "acknowledged"
    assert "Сидорова" not in json.dumps(told, ensure_ascii=False)
