"""The app: sends what it made up until it is taken, and asks where it stands."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from simulators.open311 import documents, rules
from simulators.open311.line import Line, Lost, Reply
from simulators.open311.requests import Made, make

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.peer import Journal

ATTEMPTS: Final = 10
_PAUSE: Final = 0.1
_FORMS: Final = ("json", "xml")
_OK: Final = 200


class App:
    """What was sent, by the app's own key. Thread-safe."""

    def __init__(self, journal: Journal, faults: Faults) -> None:
        self._journal = journal
        self._faults = faults
        self._lock = threading.Lock()
        self._items: dict[str, dict[str, Any]] = {}
        self._made: dict[str, Made] = {}
        self._sending = 0
        self._line: Line | None = None
        self._told: dict[str, Any] = {}

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out `push`, `emit`, `poll`, `idle`, `holds`; raise ValueError for anything else."""
        if "push" in command:
            return {"keys": self.push(dict(command["push"]))}
        if "emit" in command:
            told = {**self._told, "count": command["emit"], "seed": command.get("seed", 0)}
            return {"keys": self.push(told)}
        if command.get("poll"):
            return {"polled": self.poll()}
        if command.get("idle"):
            with self._lock:
                return {"idle": self._sending == 0}
        if command.get("holds"):
            return {"items": self.holds()}
        message = "push, emit, poll, idle or holds"
        raise ValueError(message)

    def push(self, told: dict[str, Any]) -> list[str]:
        """Make up requests and send them in a thread; return their keys.

        told: `address`, `key`, `count`, `seed`; `form` json or xml, both in turn when absent;
        `numbered` false: the app tells no number of its own; `jurisdiction`.
        """
        if not told.get("address") or not told.get("key"):
            message = "push needs the address of the gateway and the app's key"
            raise ValueError(message)
        line = Line(str(told["address"]), str(told["key"]))
        services, asked = self._catalogue(line, str(told.get("jurisdiction", "")))
        made = make(int(told.get("count", 1)), int(told.get("seed", 0)), services, asked)
        with self._lock:
            self._line, self._told = line, told
            self._sending += 1
            for one in made:
                self._made[one.key] = one
                self._items[one.key] = _item(one)
        threading.Thread(target=self._send_all, args=(line, made, told), daemon=True).start()
        return [one.key for one in made]

    def holds(self) -> list[dict[str, Any]]:
        """Return everything that was sent: its number, the statuses seen, what was wrong."""
        with self._lock:
            return [{**item, "statuses": list(item["statuses"])} for item in self._items.values()]

    def rows(self) -> list[dict[str, Any]]:
        """Return what a person sees on the page, newest first."""
        return [
            {name: value for name, value in item.items() if name != "answers"}
            for item in self.holds()[::-1]
        ]

    def poll(self) -> int:
        """Ask about every request once: its number by the token, then where it stands."""
        with self._lock:
            line, items = self._line, [dict(item) for item in self._items.values()]
        if line is None:
            return 0
        for n, item in enumerate(items):
            form = _FORMS[n % 2]
            if not item["service_request_id"] and item["token"] and item["type"] == "batch":
                tree = self._ask(line, item["key"], f"tokens/{item['token']}.{form}", form)
                item["service_request_id"] = tree[0].get("service_request_id") if tree else ""
                self._note(item["key"], service_request_id=item["service_request_id"])
            if item["service_request_id"]:
                self._stands(line, item, form)
        return len(items)

    def _stands(self, line: Line, item: dict[str, Any], form: str) -> None:
        number, key = item["service_request_id"], item["key"]
        tree = self._ask(line, key, f"requests/{number}.{form}", form)
        if not tree:
            return
        self._complain(key, rules.of_request(tree[0], self._made[key].secrets))
        told = f"{tree[0].get('status')}: {tree[0].get('status_notes') or ''}"
        if not item["statuses"] or item["statuses"][-1] != told:
            with self._lock:
                self._items[key]["statuses"].append(told)

    def _catalogue(
        self, line: Line, jurisdiction: str
    ) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
        """Read the services and what they ask, as a real app does before it shows its form."""
        query = {"jurisdiction_id": jurisdiction} if jurisdiction else {}
        try:
            services = documents.read(line.get("services.xml", keyed=False, **query).body, "xml")
            asked = {}
            for service in services:
                self._complain("", rules.of_service(service))
                if service["metadata"] == "true":
                    path = f"services/{service['service_code']}.json"
                    found = documents.read(line.get(path, keyed=False, **query).body, "json")
                    asked[service["service_code"]] = found["attributes"]
                    self._complain("", rules.of_definition(found["attributes"]))
        except (Lost, TypeError, KeyError) as error:
            message = f"the services cannot be read: {error!r}"
            raise ValueError(message) from error
        return services, asked

    def _send_all(self, line: Line, made: list[Made], told: dict[str, Any]) -> None:
        try:
            for n, one in enumerate(made):
                self._send(line, one, str(told.get("form") or _FORMS[n % 2]), told)
        finally:
            with self._lock:
                self._sending -= 1

    def _send(self, line: Line, one: Made, form: str, told: dict[str, Any]) -> None:
        """Send one request until it is answered; the same key each time."""
        headers = {"Idempotency-Key": one.key} if told.get("numbered", True) else {}
        fields = list(one.fields)
        if told.get("jurisdiction"):
            fields.append(("jurisdiction_id", str(told["jurisdiction"])))
        for attempt in range(1, ATTEMPTS + 1):
            fault = self._faults.take(one.key)
            try:
                reply = line.post(f"requests.{form}", fields, headers, fault)
            except Lost as error:
                self._wrote(one.key, attempt, fault, str(error))
                time.sleep(_PAUSE)
                continue
            self._wrote(one.key, attempt, fault, reply.status)
            planned = fault is not None and fault.kind in {"refuse", "error"}
            self._answered(one, form, reply, refused_as_planned=planned)
            if not planned and reply.status != 503:
                return
            time.sleep(float(reply.headers.get("retry-after", _PAUSE)))
        self._note(one.key, error="given up")

    def _answered(self, one: Made, form: str, reply: Reply, *, refused_as_planned: bool) -> None:
        try:
            tree = documents.read(reply.body, form)
        except ValueError as error:
            self._complain(one.key, [f"an answer that cannot be read: {error}"])
            return
        self._complain(one.key, rules.of_answer(form, reply.status, reply.media, tree))
        if refused_as_planned:
            if reply.status == _OK:
                self._complain(one.key, ["what is wrong was taken"])
            return
        if reply.status != _OK:
            self._note(one.key, error=str(tree[0].get("description")) if tree else "refused")
            return
        self._complain(one.key, rules.of_receipt(tree, one.service["type"]))
        for name in ("service_request_id", "token"):
            value = tree[0].get(name) or ""
            known = self._items[one.key][name]
            if known and value != known:
                self._complain(one.key, [f"another {name} than before"])
            self._note(one.key, **{name: value})
        self._note(one.key, error="")

    def _ask(self, line: Line, key: str, path: str, form: str) -> Any:
        """Return the list that a server answers with, empty when it refuses."""
        try:
            reply = line.get(path)
            tree = documents.read(reply.body, form)
        except (Lost, ValueError) as error:
            self._complain(key, [f"{path.partition('/')[0]}: {error}"])
            return []
        self._journal.write(asked=path.partition("?")[0], key=key, status=reply.status)
        self._complain(key, rules.of_answer(form, reply.status, reply.media, tree))
        return tree if reply.status == _OK else []

    def _complain(self, key: str, found: list[str]) -> None:
        if found:
            self._journal.write(complaint=found, key=key)
            with self._lock:
                if key in self._items:
                    self._items[key]["complaints"] += found

    def _note(self, key: str, **told: Any) -> None:
        with self._lock:
            self._items[key].update(told)

    def _wrote(self, key: str, attempt: int, fault: Any, result: Any) -> None:
        kind = fault.kind if fault else None
        self._journal.write(posted=key, attempt=attempt, fault=kind, result=result)
        self._note(key, attempts=attempt)


def _item(one: Made) -> dict[str, Any]:
    return {
        "key": one.key,
        "service_code": one.service["service_code"],
        "type": one.service["type"],
        "service_request_id": "",
        "token": "",
        "statuses": [],
        "answers": 0,
        "attempts": 0,
        "error": "",
        "complaints": [],
    }
