"""The page of a simulator: what a person sees, and what a hostile peer cannot make of it."""

from __future__ import annotations

import json
import re
import threading
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import simulators
from simulators.faults import Fault, Faults, Kind
from simulators.page import CELL_CHARS, POLICY, ROWS, Face, page
from simulators.peer import Answer, Journal, Peer
from simulators.words import FAULTS, HEADINGS

EVIL = "<script>alert(1)</script><img src=x onerror='alert(2)'>\" & \u202eнаправо\u202c שלום \ud800"
PEERS = sorted(
    path.parent.name for path in Path(simulators.__path__[0]).glob("*/rules.py")
)  # fmt: skip


class Seen(HTMLParser):
    """What a browser would find: tags with their attributes, and texts."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def face(*rows, emit="", rules=("правило · a rule",)):
    return Face("Система · A system", rules, rules, lambda: rows, "Пусто · Empty", emit)


def test_what_a_peer_sends_is_text_and_nothing_else():
    row = {EVIL: EVIL, "statuses": [EVIL, {EVIL: EVIL}]}
    trouble = {"at": EVIL, "key": EVIL, "what": EVIL, "status": EVIL, "why": [EVIL], "fault": EVIL}
    seen = Seen(page(face(row), [trouble], "http://127.0.0.1:1"))
    assert not seen.of("script", "img", "iframe", "object")
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in " ".join(seen.texts)
    assert "\\ud800" in " ".join(seen.texts)


def test_nothing_is_fetched_from_anywhere():
    html = page(face({"key": "1"}), [{"why": ["x"]}], "http://127.0.0.1:1")
    seen = Seen(html)
    fetched = [a[n] for _, a in seen.tags for n in ("src", "href", "action") if n in a]
    assert fetched
    assert all(target.startswith(("#", "data:")) for target in fetched)
    assert "url(" not in html.decode()
    assert "default-src 'none'" in POLICY
    assert "script-src" not in POLICY


def test_a_value_is_cut_and_only_the_newest_rows_stand():
    rows = [{"key": n, "text": "Ж" * 10_000} for n in range(ROWS + 5)]
    seen = Seen(page(face(*rows)))
    assert len([a for a in seen.of("th") if a.get("scope") == "row"]) == ROWS
    assert "Ж" * CELL_CHARS + "…" in seen.texts
    assert max(map(len, seen.texts)) < 5_000
    assert any(f"Всего · in all: {ROWS + 5}" in text for text in seen.texts)


def test_it_can_be_read_by_a_machine_that_reads_aloud():
    seen = Seen(page(face({"key": "1", "statuses": ["a"]}), [{"why": ["x"]}], "http://h"))
    assert seen.of("html") == [{"lang": "ru"}]
    assert [tag for tag, _ in seen.tags if re.fullmatch("h[1-6]", tag)] == ["h1"] + ["h2"] * 4
    assert all("scope" in attributes for attributes in seen.of("th"))
    ids = [a["id"] for _, a in seen.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in seen.of("a")} <= set(ids)
    assert seen.of("a")[0]["class"] == "skip"
    assert all(a.get("aria-label") for a in seen.of("div") if a.get("tabindex"))
    assert len(seen.of("main")) == len(seen.of("header")) == len(seen.of("footer")) == 1


def test_values_stand_as_a_person_reads_them():
    row = {
        "key": "7", "statuses": ["принято", "отвечено"], "said": [], "fz59": True, "closed": False,
        "at": "2026-11-22T20:52:00.144045+03:00", "time": "2026-11-22T17:52:00+00:00",
    }  # fmt: skip
    texts = Seen(page(face(row))).texts
    assert "принято, отвечено" in texts
    assert {"да\u00a0·\u00a0yes", "нет\u00a0·\u00a0no", "22.11.2026 20:52:00 +03:00"} <= set(texts)
    assert "22.11.2026 17:52:00 +00:00" in texts
    assert "[]" not in texts
    assert HEADINGS["said"] not in texts, "nothing stands in this column"


def test_nothing_yet_says_what_to_do():
    texts = "".join(Seen(page(face(emit='{"emit": 3}'), (), "http://127.0.0.1:7")).texts)
    assert "Пусто" in texts
    assert """curl -d '{"emit": 3}' http://127.0.0.1:7/_control""" in texts
    assert "Пока ни одного отказа" in texts


@pytest.mark.parametrize("name", [*PEERS, "webhook"])
def test_every_rule_stands_in_both_languages(name):
    module = import_module(f"simulators.{name}.{'__main__' if name == 'webhook' else 'rules'}")
    assert module.SOURCED
    assert module.OURS
    for rule in (*module.SOURCED, *module.OURS):
        russian, english = rule.split(" · ")
        assert re.search(r"[а-я]{2}", russian), rule
        assert re.search(r"[a-z]{2}", english), rule
        words = re.sub(r"\S*[_{(]\S*", "", english)
        assert not re.search(r"[а-я]{3}", words), rule


def test_every_way_to_fail_has_a_name():
    assert set(FAULTS) == set(Kind.__args__)
    assert all(
        re.search("[а-я]", name)
        for name in (*FAULTS.values(), *HEADINGS.values())
        if name != "SHA-256"
    )


def test_a_reason_stands_under_the_rule_that_it_follows_from():
    by_source = re.compile("нет номера")
    given = face()._replace(by_source=by_source)
    texts = Seen(page(given, [{"why": ["нет номера", "нет ключа"]}])).texts
    assert texts.index("нет ключа") == texts.index("нет номера") + 1
    assert {HEADINGS["sourced"] + " ", HEADINGS["ours"] + " "} <= set(texts)
    assert HEADINGS["sourced"] + " " not in Seen(page(face(), [{"why": ["нет номера"]}])).texts


@pytest.fixture
def peer():
    def take(request):
        if request.body == b"reasons":
            return Answer(422, b"{}", "application/json", key="K-2", why=("нет номера", "нет даты"))
        if request.body == b"plain":
            return Answer(400, "Нет тела".encode(), key="K-3")
        return Answer(200, b"", key="K-1", store=lambda: {"key": "K-1"})

    missing = Answer(404, "Не было".encode(), key="ask")
    routes = [("POST", "/in", take), ("GET", "/in", lambda _: missing)]
    faults = Faults()
    made = Peer("try", routes, journal=Journal(), faults=faults, control=dict, face=face())
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join(5)


def ask(peer, path, body=None):
    try:
        with urlopen(Request(peer.address + path, data=body), timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_columns_keep_their_order_whatever_row_comes_first():
    rows = [{"key": "1", "status": None, "kind": "a"}, {"key": "2", "status": 400, "kind": "b"}]
    seen = Seen(page(face(*rows))).texts
    order = [seen.index(HEADINGS[name] + " ") for name in ("key", "status", "kind")]
    assert order == sorted(order)


def test_what_was_refused_and_why_stands_on_the_page(peer):
    for body in (b"reasons", b"plain", b"fine"):
        ask(peer, "/in", body)
    ask(peer, "/in")
    texts = Seen(ask(peer, "/")[2]).texts
    assert {"K-2", "нет номера; нет даты", "K-3", "Нет тела"} <= set(texts)
    assert "K-1" not in texts
    assert "Не было" not in texts


def test_a_planned_failure_stands_on_the_page(peer):
    peer.faults.plan(Fault(kind="busy"))
    assert ask(peer, "/in", b"fine")[0] == 503
    texts = Seen(ask(peer, "/")[2]).texts
    assert FAULTS["busy"] in texts
    assert "K-1" in texts


def test_a_person_who_looks_takes_no_planned_failure(peer):
    peer.faults.plan(Fault(kind="error"))
    status, headers, _ = ask(peer, "/")
    assert status == 200
    assert headers["content-security-policy"] == POLICY
    assert ask(peer, "/in", b"fine")[0] == 500


def test_the_journal_keeps_the_newest_troubles_and_bears_any_text(tmp_path):
    journal = Journal(str(tmp_path / "journal.jsonl"))
    for n in range(ROWS + 1):
        journal.write(key=f"K-{n}", path="/in", why=(EVIL,))
    journal.write(key="fine", path="/in", why=())
    journal.close()
    troubles = journal.troubles()
    assert len(troubles) == ROWS
    assert troubles[0]["key"] == f"K-{ROWS}"
    last = json.loads((tmp_path / "journal.jsonl").read_text("utf-8").splitlines()[0])
    assert last["why"] == [EVIL]
