"""The other body of the stand: what it sends, and how it answers."""

from __future__ import annotations

import pytest

from simulators.smev import crew, payload
from simulators.smev.registry import Service, System
from tests.gost_kit import needs_gost
from tests.unit.simulators.smev_kit import Probe, ring

pytestmark = needs_gost


@pytest.fixture
def probe(tmp_path):
    made = Probe(tmp_path)
    now = made.house.now()
    der = ring().signing.keys.current(crew.MNEMONIC, now).certificate.der
    made.registry.add_system(System(mnemonic=crew.MNEMONIC, title=crew.TITLE), der)
    for kind, answers in crew.KINDS.items():
        providers = ["ALPHA", crew.MNEMONIC]
        made.registry.add_service(Service(kind=kind, providers=providers, answers=list(answers)))
    made.schemas.content(crew.schema())
    made.body = crew.Body(made.house)
    return made


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_its_appeals_fit_the_profile_and_are_the_same_by_seed(probe, version):
    told = probe.body.command({"emit": 30, "seed": 7, "version": version, "files": True})
    alpha, found, files = probe.caller("ALPHA", version), [], 0
    while (got := alpha.get("Request")) is not None:
        found.append(got.content.findtext("{*}Appeal/{*}ExternalId"))
        files += len(got.content.findall(".//{*}AttachmentIn"))
        alpha.ack(got.id)
    assert found == told["keys"]
    assert files > 5
    again = payload.submissions(7, probe.house.now().date(), 30, files=True)
    assert [one.external_id for one in again] == found


def test_it_answers_with_receipt_statuses_and_an_answer(probe):
    alpha = probe.caller("ALPHA")
    (one,) = payload.submissions(1, probe.house.now().date(), 1, files=True)
    number = alpha.request(one.content, attachments=one.files)
    assert probe.body.command({"answer": True}) == {"answered": 1, "heard": 0}
    names = []
    while (got := alpha.get("Response")) is not None:
        assert got.original == number
        names.append(got.content.tag.rpartition("}")[2])
        alpha.ack(got.id)
    assert names == ["Receipt", "Status", "Status", "Answer"]
    assert probe.account.counts()["open"] == 0


@pytest.mark.parametrize(("how", "word"), [("refusal", "Refusal"), ("rejected", "RequestRejected")])
def test_it_may_say_no(probe, how, word):
    alpha = probe.caller("ALPHA")
    (one,) = payload.submissions(1, probe.house.now().date(), 1, files=False)
    alpha.request(one.content)
    probe.body.command({"answer": True, "as": how})
    data = alpha.get("Response").data
    assert next(data.iter(f"{{*}}{word}"), None) is not None


def test_it_hears_what_is_answered_to_it(probe):
    (number,) = probe.body.command({"emit": 1})["ids"]
    alpha = probe.caller("ALPHA")
    got = alpha.get("Request")
    alpha.respond(got.reply_to, payload.receipt("1", probe.house.now()))
    alpha.ack(got.id)
    assert probe.body.command({"answer": True})["heard"] == 1
    assert probe.body.command({"heard": True}) == {"heard": {number: ["Receipt"]}}
    with pytest.raises(ValueError, match="unknown"):
        probe.body.command({"sing": True})


def test_a_trouble_of_the_line_does_not_meet_it(probe):
    probe.trouble("cut", times=0)
    probe.trouble("failure", times=0)
    probe.trouble("twice")
    probe.body.command({"emit": 1})
    assert len(probe.facts("doubled")) == 1
