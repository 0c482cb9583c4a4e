"""The simulated web hook: repeats, other content under a key, asking, planned failures."""

import json

import pytest

from gateway.errors import PeerDoubtful, PeerRefused
from gateway.outbound import Outbound, check
from simulators.process import running


@pytest.fixture
def hook(tmp_path):
    with running("webhook", "--journal", str(tmp_path / "journal.jsonl")) as simulator:
        yield simulator


@pytest.fixture
def out():
    client = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=1.0)
    yield client
    client.close()


def post(out, hook, key, body):
    answer = out.request("POST", f"{hook.address}/in", headers={"Idempotency-Key": key}, body=body)
    return json.loads(check(answer, "hook").body)


def received(out, hook, key):
    return out.request("GET", f"{hook.address}/_received/{key}").status


def test_a_repeat_has_no_second_effect_and_other_content_is_refused(hook, out, tmp_path):
    assert not post(out, hook, "k1", b"one")["repeat"]
    assert post(out, hook, "k1", b"one")["repeat"]
    with pytest.raises(PeerRefused, match="409"):
        post(out, hook, "k1", b"two")
    (held,) = hook.holds()
    assert (held["key"], held["times"]) == ("k1", 2)
    lines = [json.loads(x) for x in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == [200, 200, 409]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("error", 404), ("hang_before", 404), ("reset", 404), ("hang_after", 200), ("garbage", 200)],
)
def test_asking_by_key_tells_what_became_of_it(hook, out, kind, status):
    hook.plan(kind, key="k1", seconds=10)
    with pytest.raises(PeerDoubtful):
        post(out, hook, "k1", b"one")
    assert received(out, hook, "k1") == status
    assert received(out, hook, "never") == 404


def test_its_page_shows_what_came_and_what_was_refused_but_no_body(hook, out):
    post(out, hook, "k-page", b"one secret")
    with pytest.raises(PeerRefused):
        post(out, hook, "k-page", b"two")
    shown = out.request("GET", f"{hook.address}/").body.decode()
    assert "k-page" in shown
    assert "Ключ занят другим содержанием" in shown
    assert "secret" not in shown
