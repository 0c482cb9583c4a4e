"""What is forgotten of the exchange, and when."""

from datetime import UTC, datetime, timedelta

from adapters.smev import forgetting, ids, inbox, outbox, owners
from gateway.testing.memory import FakeMemory

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


class Counting(FakeMemory):
    """Counts the deletions."""

    deletions = 0

    def forget(self, kind, before):
        self.deletions += 1
        return super().forget(kind, before)


def test_every_kind_that_the_adapter_remembers_is_forgotten():
    kinds = {
        owners.OWNER,
        outbox.APPEAL,
        outbox.RECEIVED,
        ids.NUMBER,
        ids.SENT,
        inbox.STATUS,
        inbox.UNTRUSTED,
    }

    assert set(forgetting.DAYS) == kinds


def test_what_a_late_answer_needs_stays_longer_than_what_tells_a_repeat():
    at = [NOW]
    memory = FakeMemory(lambda: at[0])
    for kind in forgetting.DAYS:
        memory.put(kind, "k", {})
    left = {}
    for days in (29, 31, 399, 401, 1831):
        forgetting.Daily(memory).forget(NOW + timedelta(days=days))
        left[days] = {kind for kind, _ in memory.rows}

    assert left[29] == set(forgetting.DAYS)
    assert left[31] == left[399] == {"appeal", "received", "number", "owner"}
    assert left[401] == {"owner"}, "whose an appeal is, as long as it is kept"
    assert left[1831] == set()


def test_it_is_done_once_a_day_however_often_the_queues_are_asked():
    memory = Counting(lambda: NOW)
    daily = forgetting.Daily(memory)
    for hours in (0, 1, 23):
        daily.forget(NOW + timedelta(hours=hours))
    once = memory.deletions
    daily.forget(NOW + timedelta(hours=25))

    assert (once, memory.deletions) == (len(forgetting.DAYS), 2 * len(forgetting.DAYS))
