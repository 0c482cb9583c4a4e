"""The made-up city app against the served gateway: however it fails, nothing is doubled."""

from __future__ import annotations

import json
from urllib.request import urlopen

import pytest

from simulators.process import running
from tests.integration.house import eventually

WAYS = ("reset", "reset_after", "hang_before", "hang_after", "drip", "garbage", "refuse", "error",
        "busy")  # fmt: skip


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("app") / "app.jsonl"


@pytest.fixture(scope="module")
def app(journal):
    with running("open311", "--journal", str(journal)) as simulator:
        yield simulator


def push(app, town, count, **more):
    told = {"address": town.address, "key": town.keys["portal"], "count": count, **more}
    keys = app.control(push=told)["keys"]
    eventually(lambda: app.control(idle=True)["idle"])
    return keys


def held_of(app, keys):
    return [item for item in app.holds() if item["key"] in keys]


def of(town, where="true"):
    return town.rows(f"SELECT count(*) FROM appeal WHERE {where}")[0][0]


def test_what_the_app_sends_is_stored_and_it_has_nothing_to_complain_of(town, app, journal):
    before = of(town)
    keys = push(app, town, 12, seed=1)
    town.work()
    app.control(poll=True)

    held = held_of(app, keys)
    assert [item["key"] for item in held] == keys
    assert of(town) == before + 12
    assert [item["complaints"] for item in held] == [[]] * 12
    assert not any(item["error"] for item in held)
    for item in held:
        if item["type"] == "blackbox":
            assert not item["service_request_id"]
            continue
        assert item["statuses"][0].startswith("open: ")
        assert of(town, f"receipt_number = '{item['service_request_id']}'") == 1
    lines = journal.read_text("utf-8")
    assert town.keys["portal"] not in lines
    sent = [told["posted"] for told in map(json.loads, lines.splitlines()) if "posted" in told]
    assert sent == keys


@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "by the form"])
@pytest.mark.parametrize("kind", WAYS)
def test_however_the_app_fails_its_request_is_one_appeal(town, app, kind, numbered):
    before = of(town)
    app.plan(kind, seconds=0.3, pause=0.01)
    seed = 100 + 10 * WAYS.index(kind) + numbered
    keys = push(app, town, 2, seed=seed, numbered=numbered)

    held = held_of(app, keys)
    assert of(town) == before + 2
    assert all(item["service_request_id"] or item["token"] for item in held)
    assert [item["complaints"] for item in held] == [[], []]
    assert held[1]["attempts"] == 1


def test_statuses_seen_by_the_app_are_the_gateways(town, app):
    keys = push(app, town, 1, seed=3)
    town.work()
    app.control(poll=True)
    [item] = held_of(app, keys)
    assert item["service_request_id"], item
    assert town.report(item["service_request_id"], "app-o-1", "TakenToWork").status == 201
    app.control(poll=True)
    [item] = held_of(app, keys)
    first, second = item["statuses"]
    assert first.startswith("open: Принято")
    assert second.startswith("open: В работе")


def test_a_wrong_key_is_final_and_told(town, app):
    told = {"address": town.address, "key": "gw_0000000000_nobody", "count": 1, "seed": 4}
    keys = app.control(push=told)["keys"]
    eventually(lambda: app.control(idle=True)["idle"])
    [item] = held_of(app, keys)
    assert "api_key" in item["error"]
    assert item["attempts"] == 1


def test_more_is_sent_to_the_same_house_and_the_page_shows_it(town, app):
    push(app, town, 1, seed=5)
    keys = app.control(emit=2, seed=6)["keys"]
    eventually(lambda: app.control(idle=True)["idle"])
    assert all(item["attempts"] == 1 for item in held_of(app, keys))
    with urlopen(app.address) as answer:
        page = answer.read().decode()
    assert keys[1] in page
    assert "api_key is 403" in page
    assert "ensk-app" in page
