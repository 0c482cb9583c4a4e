"""The simulated platform: what it refuses, what it keeps once, how its citizens take answers."""

import base64
import hashlib

import pytest

from simulators.pos import citizens, rules
from simulators.pos.citizens import Manner
from simulators.pos.store import Store

ITEM = {"kind": "item", "fz59": False, "stage": "execution"}


def update(event, stage="execution", **more):
    return {"id": "POS-1", "messageKey": "k", "event": event, "stage": stage, "state": "in_work",
            "at": "2026-03-10T10:00:00+03:00", **more}  # fmt: skip


def answer(number="POS-1", **more):
    return {
        **update("answered", "answered", decision="solved", answer={"text": "Сделано."}),
        "id": number,
        **more,
    }


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, "Не заполнено поле id"),
        ([], "Ожидается один объект"),
        (update("danced"), "Неизвестное событие danced"),
        (update("taken_to_work", "somewhere"), "Неизвестная стадия somewhere"),
        (answer(decision="done"), "Не указано решение"),
        (answer(answer={}), "Ответ без текста и файлов"),
        (answer(answer={"text": "я" * 10_000}), "Текст длиннее 9 999 знаков"),
        (update("registered", registration={"number": "1"}), "Не указана дата регистрации"),
        (update("assigned"), "Не указан исполнитель"),
        (update("postponed", postponed={"due": "2026-05-01"}), "Не указана причина переноса"),
        (update("redirected", "redirected"), "Не указан получатель"),
        (update("moderation_refused", "refused"), "Не указана причина отказа"),
        (update("clarification_asked"), "Не указано, что уточнить"),
        (update("declined", "answered"), "Не указана часть статьи 11"),
    ],
)
def test_what_is_wrong_is_refused_in_words(told, reason):
    assert any(line.startswith(reason) for line in rules.refusals(told, ITEM))


def test_nothing_is_told_of_what_is_not_there_nor_of_a_poll():
    assert rules.refusals(update("taken_to_work"), None) == ["Нет единицы с номером POS-1"]
    poll = rules.refusals(update("taken_to_work"), {**ITEM, "kind": "poll"})
    assert poll == ["Опрос и голосование не рассматриваются"]


def test_after_the_answer_no_work_follows_until_it_is_reopened():
    done = {**ITEM, "stage": "answered"}
    assert rules.refusals(update("taken_to_work"), done)
    assert rules.refusals(update("reopened"), done) == []
    assert rules.refusals(update("taken_to_work"), {**ITEM, "stage": "rework"}) == []


def test_a_file_that_is_not_what_it_says_is_refused():
    data = base64.b64encode(b"photo").decode()
    good = {"name": "a", "content": data, "sha256": hashlib.sha256(b"photo").hexdigest()}
    for file, taken in ((good, True), ({**good, "sha256": "0"}, False), ({"name": "a"}, False)):
        refused = rules.refusals(answer(answer={"attachments": [file]}), ITEM)
        assert (refused == []) is taken


def test_the_same_seed_makes_the_same_items():
    one, other, third = Store(), Store(), Store()
    first, second = one.emit(5, 7, "item"), other.emit(5, 7, "item")
    assert first == second
    assert first != third.emit(5, 8, "item")
    assert {item["fz59"] for item in one.emit(30, 1, "item")} == {True, False}


def test_pages_follow_their_cursor_to_the_end():
    store = Store()
    keys = [item["id"] for item in store.emit(7, 1, "item")]
    seen, cursor, more = [], "", True
    while more:
        page = store.page(cursor, 3)
        seen += [item["id"] for item in page["items"]]
        cursor, more = page["cursor"], page["more"]
    assert seen == keys
    assert store.page(cursor, 3)["items"] == []


def test_an_update_is_kept_once_by_its_key():
    store = Store(manner=Manner(0, 0))
    number = store.emit(1, 1, "item")[0]["id"]
    first = store.take("k", answer(number), b"{}")
    again = store.take("k", answer(number), b"{}")
    assert first["reference"] == again["reference"]
    assert store.holds()[0]["answers"] == 1


def test_a_message_is_returned_once_and_an_appeal_never():
    store = Store(manner=Manner(rate=0, rework=1))
    made = store.emit(20, 3, "item")
    for turn in range(2):
        for item in made:
            store.take(f"{item['id']}/{turn}", answer(item["id"]), b"{}")
    for held in store.holds():
        assert held["said"] == ([] if held["fz59"] else ["returned_for_rework"])
        assert held["stage"] == "answered"
    events = [e for e in store.page("", 200)["items"] if e.get("kind") == "event"]
    assert len({e["eventId"] for e in events}) == sum(not i["fz59"] for i in made)


def test_a_returned_answer_under_59_fz_is_an_item_of_its_own():
    store = Store()
    made = store.emit(9, 1, "item")
    appeal, message = (next(i["id"] for i in made if i["fz59"] is flag) for flag in (True, False))
    for number, own in ((appeal, True), (message, False)):
        event = {"id": number, "event": "returned_for_rework"}
        (key,) = store.command({"event": event})["keys"]
        assert store.page("", 99)["items"][-1].get("fz59", False) is own
        assert (store.refusals({**update("taken_to_work"), "id": key}) == []) is own
    stages = {item["key"]: item["stage"] for item in store.holds()}
    assert (stages[appeal], stages[message]) == ("submitted", "rework")


def test_what_is_to_come_later_comes_again():
    store = Store()
    number = store.emit(1, 1, "item")[0]["id"]
    cursor = store.page("", 10)["cursor"]
    store.acknowledge([{"id": number, "version": 1, "result": "later"}])
    assert [item["id"] for item in store.page(cursor, 10)["items"]] == [number]


def test_letters_are_cut_where_the_real_ones_are():
    item = Store().emit(1, 1, "item")[0]
    from email import message_from_bytes

    raw = citizens.letter({**item, "text": "я" * 12_000, "attachments": []}, 1)
    message = message_from_bytes(raw)
    text = message.get_payload(decode=True).decode(message.get_content_charset())
    assert text.count("я") - text.split("\n\n")[0].count("я") == rules.CUT


@pytest.mark.parametrize("seed", range(1, 31))
def test_letters_of_any_seed_are_written_and_read(tmp_path, seed):
    store = Store()
    command = {"emit": 5, "seed": seed, "as": "eml", "directory": str(tmp_path)}
    keys = store.command(command)["keys"]
    assert sorted(path.stem for path in tmp_path.glob("*.eml")) == sorted(keys)


def test_a_letter_that_its_charset_lacks_goes_in_utf_8():
    from email import message_from_bytes

    item = Store().emit(1, 1, "item")[0]
    for seed in range(6):
        raw = citizens.letter({**item, "text": "Яма 🕳 во дворе", "attachments": []}, seed)
        message = message_from_bytes(raw)
        assert message.get_content_charset() == "utf-8"
        assert "🕳" in message.get_payload(decode=True).decode()


def test_commands_that_mean_nothing_are_refused():
    store = Store()
    with pytest.raises(ValueError, match="unknown"):
        store.command({"dance": True})
    with pytest.raises(LookupError):
        store.command({"amend": "POS-404"})
    with pytest.raises(ValueError, match="kind"):
        store.command({"emit": 1, "kind": "song"})
