"""Report → what a peer says of a document of ours, one item for each notification in it.

| Notification | of an appeal that was handed over | of a transfer (59-ФЗ art. 8) |
|---|---|---|
| Reception | state, in its own word | the same |
| Failure | RegistrationRefused | RefusedByReceiver |
| Registration | Registered | ReceiverRegistered |
| Forwarding | state | state |
| Consideration | Assigned, by the first executor of its task | state |
| Report | AnswerPrepared | state |
| Redirection | state: Transferred needs the number of a letter, which it does not tell | state |
| Answer | Answered | ReceiverAnswered |

What an event needs and the notification does not tell makes it a state, in the peer's own word.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.sed.codes import PEER, Ours, ours
from adapters.sed.document import key
from adapters.sed.edc import zipped
from adapters.sed.edc.leaves import Leaves
from gateway import limits
from gateway.adapter import Inbound
from gateway.errors import TooLargeError, Violation
from gateway.model import facts as f
from gateway.model.answer import Result
from gateway.model.base import FIRST_YEAR, Extra
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.fold import number_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from adapters.sed.edc.passport import Members

CARD: Final = "#sev"
"""Extra of a report: the leaves of its message, the files by name, the name of the message."""
FAILURES: Final = "sev.failure"
_AT: Final = "Report/Notification"
_ONE: Final = ("Reception", "Failure", "Registration")
_MANY: Final = ("Forwarding", "Consideration", "Report", "Redirection", "Answer")
_NO_DAY: Final = dt.date(FIRST_YEAR, 1, 1)
_STATE: Final = EventType.PEER_STATE_REPORTED
_LABELS: Final = {
    "Reception": "Сообщение получено",
    "Forwarding": "Направлен на рассмотрение",
    "Consideration": "Рассмотрен",
    "Report": "Отчёт об исполнении",
    "Redirection": "Перенаправлен",
    "Answer": "Ответ направлен",
}


class _Told(NamedTuple):
    """One notification. at: its element; word: name of it; on: when, as far as it is told."""

    word: str
    at: str
    moment: dt.datetime | None


def read(
    leaves: Leaves,
    resources: Mapping[str, tuple[str, str]],
    members: Members,
    zone: ZoneInfo,
    wrong: list[Violation],
    *,
    name: str,
    files: Mapping[str, bytes],
) -> tuple[Inbound, ...]:
    """Return an item for each notification; what is wrong is noted.

    name: of the message's own file. files: of its folder; items that share them hold the whole.
    """
    return _Report(leaves, resources, members, zone, wrong).items(name, files)


class _Report:
    def __init__(
        self,
        leaves: Leaves,
        resources: Mapping[str, tuple[str, str]],
        members: Members,
        zone: ZoneInfo,
        wrong: list[Violation],
    ) -> None:
        self._values = leaves.values
        self._leaves = leaves
        self._resources = resources
        self._members = members
        self._zone = zone
        self._wrong = wrong
        self._ids: dict[str, dict[str, str]] = {}

    def items(self, name: str, folder: Mapping[str, bytes]) -> tuple[Inbound, ...]:
        """Return everything that the report says."""
        uid = self._text(f"{_AT}/InitialDoc/@UID").lower()
        told = list(self._told())
        for path, value, text in (
            (f"{_AT}/InitialDoc/@UID", uid, "не назван документ · the report names no document"),
            (_AT, told, "нет уведомления · the report tells nothing"),
        ):
            if not value:
                self._wrong.append(Violation(path, "required", text))
        named = dict(self._resources.values())
        if len(told) * len(self._values) > limits.JSON_VALUES:
            raise TooLargeError(
                "слишком много уведомлений · too many notifications in one message",
                found=str(len(told)),
                where=_AT,
            )
        files = {file: self._members.take(file, where) for file, where in named.items()}
        files |= {file: self._members.take(file, file) for file in self._members.rest()}
        card = {
            "leaves": dict(self._values),
            "file": name,
            "files": {name: file.sha256 for name, file in files.items() if file},
        }
        known = ours(uid)
        sender = self._text("Report/Header/Sender/Contact/Organization/@UID").lower()
        mid = self._text("Report/Header/@MessageID").lower()
        about = (
            AppealKey(receipt_number=known.receipt)
            if known
            else AppealKey(external_id=key(f"{sender}/{uid}"))
        )
        raw = zipped.write(folder) if len(told) > 1 else b""
        out = []
        for n, one in enumerate(told):
            message_key = key(
                f"{mid or uid}/{one.word}/{n}" if len(told) > 1 else mid or f"{uid}/{one.word}"
            )
            event, facts = self._facts(one, known, sender)
            day = one.moment or self._sent()
            if day is None:
                text = "не сказано, когда · neither the event's time nor the message's is told"
                self._wrong.append(Violation("Report/Header/@Time", "required", text))
            report = PeerReport(
                message_key=message_key,
                key=about,
                event=event,
                occurred_on=day.astimezone(self._zone).date() if day else _NO_DAY,
                occurred_at=one.moment,
                ordinals=(known.question,) if known and known.question else (),
                extras=(Extra(peer=PEER, path=CARD, value=card),),
                **facts,
            )
            out.append(
                Inbound(
                    operation="answer" if report.event is EventType.ANSWERED else "status",
                    message_key=message_key,
                    report=report,
                    files=tuple(self._members.files.values()),
                    raw=raw,
                )
            )
        return tuple(out)

    def _told(self) -> Iterator[_Told]:
        for word in _ONE:
            at = f"{_AT}/{word}"
            if self._leaves.has(at):
                place = {"Reception": at, "Registration": f"{at}/@SystemDate"}.get(word, "")
                yield _Told(word, at, self._moment(place))
        for word in _MANY:
            for n in range(self._leaves.count(f"{_AT}/{word}")):
                at = f"{_AT}/{word}[{n}]"
                yield _Told(word, at, self._moment(f"{at}/Date"))

    def _facts(self, one: _Told, known: Ours | None, body: str) -> tuple[EventType, dict[str, Any]]:
        passed = known is not None and known.purpose == "passed"
        if known is not None and known.purpose == "answer":
            return self._state(one)
        match one.word:
            case "Failure":
                code = self._text(f"{one.at}/@Code") or "not_told"
                event = EventType.REFUSED_BY_RECEIVER if passed else EventType.REGISTRATION_REFUSED
                reason = f.ReasonFacts(code=code, system=FAILURES)
                return event, {"reason": reason, "comment": self._text(one.at)}
            case "Registration":
                return self._registered(one, body, passed=passed)
            case "Consideration" if not passed:
                return self._assigned(one)
            case "Report" if not passed:
                return self._prepared(one)
            case "Answer":
                return self._answered(one, body, passed=passed)
        return self._state(one)

    def _state(self, one: _Told) -> tuple[EventType, dict[str, Any]]:
        facts: dict[str, Any] = {
            "peer_state": f.PeerStateFacts(
                peer=PEER, code=one.word, label=_LABELS.get(one.word, "")
            )
        }
        if one.word in {"Forwarding", "Redirection"}:
            contact = f"{one.at}/Contact"
            facts["comment"] = ", ".join(
                filter(None, (self._called(contact), self._person(contact)))
            )
        return _STATE, facts

    def _registered(
        self, one: _Told, body: str, *, passed: bool
    ) -> tuple[EventType, dict[str, Any]]:
        number, day = self._number(one)
        if not number or day is None:
            return self._state(one)
        if passed:
            receiver = f.ReceiverFacts(organisation=body, number=number, date=day)
            return EventType.RECEIVER_REGISTERED, {"receiver": receiver}
        registration = f.RegistrationFacts(
            organisation=body, number=number, number_key=number_key(number), date=day
        )
        return EventType.REGISTERED, {"registration": registration}

    def _assigned(self, one: _Told) -> tuple[EventType, dict[str, Any]]:
        """The first responsible executor of the task that the notification names."""
        task = self._task(self._text(f"{one.at}/@TaskID"))
        if not task:
            return self._state(one)
        executors = range(self._leaves.count(f"{task}/Executor"))
        chosen = next(
            (
                n
                for n in executors
                if self._text(f"{task}/Executor[{n}]/@Responsible") in {"true", "1"}
            ),
            0,
        )
        contact = f"{task}/Executor[{chosen}]/Contact"
        organisation = self._called(contact)
        if not organisation:
            return self._state(one)
        due = _alone(self._text(f"{task}/Control/Deadline")).day("")
        return EventType.ASSIGNED, {
            "executor": f.ExecutorFacts(organisation=organisation, due=due),
            "executor_name": self._person(contact),
            "comment": self._text(f"{task}/Text"),
        }

    def _prepared(self, one: _Told) -> tuple[EventType, dict[str, Any]]:
        task = self._task(self._text(f"{one.at}/@TaskID"))
        executors = range(self._leaves.count(f"{task}/Executor")) if task else range(0)
        texts = [self._text(f"{task}/Executor[{n}]/Text") for n in executors]
        text = "\n".join(filter(None, texts))
        outcome = f.OutcomeFacts(result=Result.ANSWERED.value)
        answer = PeerAnswer(kind="final", outcome=outcome, text=text, has_text=bool(text))
        return EventType.ANSWER_PREPARED, {"outcome": outcome, "answer": answer}

    def _answered(self, one: _Told, body: str, *, passed: bool) -> tuple[EventType, dict[str, Any]]:
        number, day = self._number(one)
        document = self._document(one)
        if passed:
            if not number or day is None:
                return self._state(one)
            receiver = f.ReceiverFacts(organisation=body, number=number, date=day)
            return EventType.RECEIVER_ANSWERED, {"receiver": receiver}
        digests = []
        for n in range(self._leaves.count(f"{document}/File")) if document else ():
            told = self._resources.get(self._text(f"{document}/File[{n}]/@ResourceID"))
            file = self._members.take(*told) if told else None
            digests += [file.sha256] if file else []
        outcome = f.OutcomeFacts(result=Result.ANSWERED.value)
        text = self._text(f"{document}/Annotation") if document else ""
        signer = self._person(f"{document}/Author[0]/Contact") if document else ""
        answer = PeerAnswer(
            kind="final", number=number, date=day, outcome=outcome, text=text, has_text=bool(text),
            attachments=tuple(dict.fromkeys(digests)), signed_by=signer,
        )  # fmt: skip
        return EventType.ANSWERED, {"outcome": outcome, "answer": answer}

    def _number(self, one: _Told) -> tuple[str, dt.date | None]:
        at = f"{self._document(one)}/RegistrationInfo"
        return self._text(f"{at}/Number"), _alone(self._text(f"{at}/Date")).day("")

    def _document(self, one: _Told) -> str:
        """Return the place of the document that a notification names, empty when there is none."""
        return self._by_id(
            "Report/DocumentList/Document", "DocumentID", self._text(f"{one.at}/@DocumentID")
        )

    def _task(self, task_id: str) -> str:
        return self._by_id("Report/TaskList/Task", "TaskID", task_id)

    def _by_id(self, at: str, name: str, told: str) -> str:
        """The one with this identifier; the only one where none is told."""
        count = self._leaves.count(at)
        if at not in self._ids:
            places = [f"{at}[{n}]" for n in reversed(range(count))]
            self._ids[at] = {self._text(f"{place}/@{name}"): place for place in places}
        return self._ids[at].get(told, f"{at}[0]" if not told and count == 1 else "")

    def _called(self, contact: str) -> str:
        at = f"{contact}/Organization"
        return next(
            filter(
                None, (self._text(f"{at}/{name}") for name in ("@UID", "FullName", "ShortName"))
            ),
            "",
        )

    def _person(self, contact: str) -> str:
        at = f"{contact}/OfficialPerson"
        return self._text(f"{at}/FIO") or self._text(f"{at}/Post")

    def _text(self, path: str) -> str:
        return self._values.get(path, "").strip()

    def _moment(self, path: str) -> dt.datetime | None:
        return _alone(self._text(path)).moment("", self._zone) if path else None

    def _sent(self) -> dt.datetime | None:
        return self._moment("Report/Header/@Time")


def _alone(value: str) -> Leaves:
    """A table of one leaf, at "", so that reading it takes nothing."""
    found = Leaves([])
    found.values[""] = value
    return found
