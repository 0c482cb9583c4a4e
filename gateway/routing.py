"""Routing: which body gets a question and which peers get a delivery, by rules that people read.

Rules are data (TOML, gateway/policy/routing.example.toml). The first that matches decides; its
reason is kept. `explain` shows for every rule why it did or did not match. Pure.

An executor that begins with `@` is looked up for the place of the problem: `@management` is who
manages the house (any service of `gateway.keepers`), `@territory` the body of its territory,
`@territory:roads` the body that answers there for roads. While nobody is known, such a rule does
not match, and the explanation says why.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.errors import ConfigurationError
from gateway.model import facts as f
from gateway.served import LOOKED_UP, NOBODY, Served, asked, look_up, unknown_service, wrong_outcome

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Conditions of one rule; each that stands must hold, one value of its list is enough."""

    topic: tuple[str, ...] = ()
    oktmo: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    settlement: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    regime: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    service: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: who works on what matches, where it is delivered, and why in Russian.

    executor: an organisation of the directory, or `@…`: whoever serves the place.
    """

    id: str
    executor: str
    reason: str
    destinations: tuple[str, ...] = ()
    when: When = When()


class RouteSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What rules may look at: one question with its appeal's facts.

    topics: classifier codes of the question, blocks parted by dots. oktmo: 8 or 11 digits.
    urgency: the code that the source gave, whatever its list. subject, text: as the citizen wrote
    them. served: the place of the problem.
    """

    topics: tuple[str, ...] = ()
    oktmo: str = ""
    region: str = ""
    settlement: str = ""
    source: str = ""
    regime: str = ""
    type: str = ""
    urgency: str = ""
    subject: str = ""
    text: str = ""
    served: Served = NOBODY

    @property
    def place(self) -> str:
        """Return how surely the place is known: an outcome of the look-up."""
        return self.served.outcome


class Route(NamedTuple):
    """Where a question goes; `reason` names in Russian what matched, without personal data."""

    rule: str
    executor: str
    destinations: tuple[str, ...]
    reason: str

    def facts(self) -> f.RoutedFacts:
        """Return the payload of the `Routed` event."""
        return f.RoutedFacts(
            rule=self.rule,
            organisation=self.executor,
            destinations=self.destinations,
            reason=self.reason,
        )


class Condition(NamedTuple):
    """One condition of a rule: its key, whether it held, and what was found or missing.

    doubt: it did not hold only because the place is not known well enough. found: the executor
    that was looked up.
    """

    key: str
    held: bool
    words: str
    doubt: bool = False
    found: str = ""


class Explained(NamedTuple):
    """How one rule stands to a question: chosen, or matching too late, or why not."""

    rule: str
    matched: bool
    chosen: bool
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        """Say it on one line, in Russian."""
        state = "выбрано" if self.chosen else "подходит, но не первое" if self.matched else "нет"
        why = "; ".join(f"{'+' if c.held else '−'} {c.words}" for c in self.conditions)
        return f"{self.rule}: {state}" + (f" ({why})" if why else "")


_TITLES: Final = {
    "topic": "тема",
    "oktmo": "ОКТМО",
    "region": "регион",
    "settlement": "населённый пункт",
    "source": "источник",
    "regime": "порядок рассмотрения",
    "type": "вид обращения",
    "urgency": "срочность",
    "words": "слова",
    "place": "адрес",
    "service": "услуга дома",
}
_PREFIXED: Final = frozenset({"oktmo"})
_FOLDED: Final = frozenset({"region", "settlement"})
_WORD: Final = re.compile(r"\w+")


def route(subject: RouteSubject, rules: tuple[Rule, ...]) -> Route | None:
    """Return where the first matching rule sends the question, None when none matches."""
    words, over = _words(subject), list[str]()
    for rule in rules:
        conditions = _conditions(rule, subject, words)
        if all(c.held for c in conditions):
            return _route(rule, conditions, over)
        over += _doubts(rule, conditions)
    return None


def doubts(subject: RouteSubject, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Return which rules before the one that matches lack nothing but a sure place, and why."""
    words, over = _words(subject), list[str]()
    for rule in rules:
        conditions = _conditions(rule, subject, words)
        if all(c.held for c in conditions):
            break
        over += _doubts(rule, conditions)
    return tuple(over)


def explain(subject: RouteSubject, rules: tuple[Rule, ...]) -> tuple[Explained, ...]:
    """Return for every rule, in order, whether it matches and why or why not."""
    words, found, chosen = _words(subject), [], False
    for rule in rules:
        conditions = _conditions(rule, subject, words)
        matched = all(c.held for c in conditions)
        found.append(Explained(rule.id, matched, matched and not chosen, conditions))
        chosen = chosen or matched
    return tuple(found)


def _doubts(rule: Rule, conditions: tuple[Condition, ...]) -> list[str]:
    missing = [c for c in conditions if not c.held]
    if not missing or not all(c.doubt for c in missing):
        return []
    return [f"{rule.id}: {missing[-1].words}"]


def _route(rule: Rule, conditions: tuple[Condition, ...], over: list[str]) -> Route:
    matched = "; ".join(c.words for c in conditions)
    reason = f"{rule.reason} ({matched})" if matched else rule.reason
    if over:
        reason = f"{reason}; пропущено: {'; '.join(over)}"
    looked_up = next((c.found for c in conditions if c.found), "")
    return Route(rule.id, looked_up or rule.executor, rule.destinations, reason)


def _conditions(rule: Rule, subject: RouteSubject, words: tuple[str, ...]) -> tuple[Condition, ...]:
    found = []
    for key in When.__struct_fields__:
        wanted: tuple[str, ...] = getattr(rule.when, key)
        if not wanted:
            continue
        title = _TITLES[key]
        hit = next((value for value in wanted if _holds(key, value, subject, words)), None)
        if hit is None:
            told = "" if key == "words" else f", есть: {_told(key, subject) or 'не указано'}"
            found.append(
                Condition(
                    key,
                    held=False,
                    words=f"{title}: нужно {' | '.join(wanted)}{told}",
                    doubt=key == "service" and subject.served.in_doubt,
                )
            )
        else:
            found.append(Condition(key, held=True, words=f"{title}: {hit}"))
    if rule.executor.startswith(LOOKED_UP):
        keeper = look_up(rule.executor, subject.oktmo, subject.served)
        found.append(Condition("executor", *keeper))
    return tuple(found)


def _told(key: str, subject: RouteSubject) -> str:
    if key == "topic":
        return ", ".join(subject.topics)
    if key == "service":
        known = ", ".join(dict.fromkeys(k.service for k in subject.served.keepers))
        return known or ("" if subject.served.house else subject.served.unknown)
    return str(getattr(subject, key))


def _holds(key: str, value: str, subject: RouteSubject, words: tuple[str, ...]) -> bool:
    if key == "words":
        return _stems_found(_stems(value), words)
    if key == "topic":
        return any(code == value or code.startswith(value + ".") for code in subject.topics)
    if key == "service":
        return any(keeper.service == value for keeper in subject.served.keepers)
    told = getattr(subject, key)
    if key in _PREFIXED:
        return bool(told) and told.startswith(value)
    if key in _FOLDED:
        return fold(told) == fold(value)
    return bool(told == value)


def fold(text: str) -> str:
    """Return text as it is compared: small letters, ё as е, single spaces."""
    return " ".join(text.casefold().replace("ё", "е").split())


def _stems(value: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(value)))


def _words(subject: RouteSubject) -> tuple[str, ...]:
    # The empty word keeps a phrase from reaching over the end of the subject into the text.
    return (*_stems(subject.subject), "", *_stems(subject.text))


def _stems_found(stems: tuple[str, ...], words: tuple[str, ...]) -> bool:
    size = len(stems)
    return any(
        all(word.startswith(stem) for stem, word in zip(stems, words[at:], strict=False))
        for at in range(len(words) - size + 1)
    )


def read_rules(
    path: Path,
    *,
    peers: Collection[str] | None = None,
    organisations: Collection[str] | None = None,
) -> tuple[Rule, ...]:
    """Read a file of rules.

    peers, organisations: the codes there are; None does not check them. Raises ConfigurationError
    with file, rule and key: unknown keys, a rule twice, an empty value, an unknown code, or rules
    after one that takes everything and would never be asked.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "the rules cannot be read", where=str(path), found=str(error)
        ) from error
    listed = raw.get("rule")
    if set(raw) - {"rule"} or not isinstance(listed, list) or not listed:
        stray = ", ".join(sorted(set(raw) - {"rule"})) or "no rules"
        raise ConfigurationError(
            "a file of rules holds [[rule]] and nothing else", where=str(path), found=stray
        )
    rules: list[Rule] = []
    for position, entry in enumerate(listed, 1):
        name = entry.get("id", f"#{position}") if isinstance(entry, dict) else f"#{position}"
        where = f"{path}: rule {name}"
        try:
            rule = msgspec.convert(entry, Rule)
        except msgspec.ValidationError as error:
            raise ConfigurationError("a rule is wrong", where=where, found=str(error)) from error
        _check(rule, where)
        _known(rule, where, peers, organisations)
        if any(r.id == rule.id for r in rules):
            raise ConfigurationError("a rule stands twice", where=where, found=rule.id)
        if rules and rules[-1].when == When() and not rules[-1].executor.startswith(LOOKED_UP):
            raise ConfigurationError(
                "a rule that is never asked: the one before takes everything",
                where=where,
                found=rules[-1].id,
                todo="put the rule without [rule.when] last",
            )
        rules.append(rule)
    return tuple(rules)


def _check(rule: Rule, where: str) -> None:
    for key in ("id", "executor", "reason"):
        if not getattr(rule, key).strip():
            raise ConfigurationError("a value is empty", where=f"{where}, {key}")
    for key in When.__struct_fields__:
        for value in getattr(rule.when, key):
            if not value.strip() or (key == "words" and not _stems(value)):
                raise ConfigurationError("a value is empty", where=f"{where}, when.{key}")
    _check_place(rule, where)
    for code in rule.when.oktmo:
        if not code.isdecimal() or len(code) > 11:
            raise ConfigurationError(
                "an ОКТМО code is up to 11 digits", where=f"{where}, when.oktmo", found=code
            )
    for code in rule.when.topic:
        if code.endswith("."):
            raise ConfigurationError(
                "a topic is given by whole blocks, without the last dot",
                where=f"{where}, when.topic",
                found=code,
            )


def _check_place(rule: Rule, where: str) -> None:
    for outcome in rule.when.place:
        if known := wrong_outcome(outcome):
            raise ConfigurationError(
                "an address is never found so",
                where=f"{where}, when.place",
                found=outcome,
                expected=known,
            )
    named = [(f"{where}, when.service", service) for service in rule.when.service]
    for place, service in [*named, *((f"{where}, executor", s) for s in asked(rule.executor))]:
        if known := unknown_service(service):
            raise ConfigurationError(
                "no such service of a house", where=place, found=service, expected=known
            )


def _known(
    rule: Rule,
    where: str,
    peers: Collection[str] | None,
    organisations: Collection[str] | None,
) -> None:
    for code in rule.destinations:
        if peers is not None and code not in peers:
            raise ConfigurationError(
                "no such peer",
                where=f"{where}, destinations",
                found=code,
                expected=", ".join(sorted(peers)),
            )
    looked_up = rule.executor.startswith(LOOKED_UP)
    if organisations is not None and not looked_up and rule.executor not in organisations:
        raise ConfigurationError(
            "no such organisation", where=f"{where}, executor", found=rule.executor
        )
