"""Who plays when all channels do: a simulated peer for each adapter, and its row."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from gateway.errors import ConfigurationError
from gateway.gost.engine import shared
from simulators.smev.keys import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.demo.stage import Stage
    from simulators.process import Running

OFFICE: Final = "office"
"""The peer that works on what the channels bring: it pulls its changes and answers over REST."""
GOST: Final = "libengine-gost-openssl"
SYSTEM: Final = "GATEWAY"
"""Mnemonic of our own system at the simulated СМЭВ."""
QUICK: Final[dict[str, Any]] = {
    "timeout": 1.0, "settle_after": 0.5, "backoff_base": 0.1, "backoff_cap": 1.0,
    "breaker_threshold": 40, "breaker_cool": 0.2, "breaker_cap": 0.5, "max_attempts": 60,
    "rate": 0, "max_in_flight": 8, "poll_every": 0.3, "ack_due": 0.5,
    "allow_private": ["127.0.0.1"],
}  # fmt: skip
"""Bounds for peers on the same machine that fail on purpose."""
GROUND: Final = "соглашение об информационном обмене (выдумано)"


RULE: Final = """
[[rule]]
id = "{id}"
executor = "gzhi"
destinations = ["office"{more}]
reason = "Пришло по каналам: исполнитель"
[rule.when]
source = [{sources}]
"""


class Player(NamedTuple):
    """One channel.

    brings: how appeals come from it; `submits`: over REST, since the system itself has no road into
    the gateway. needs: a program without which it cannot play, or the package that signs by ГОСТ.
    options: what a body would write into the peer's row.
    """

    title: str
    brings: Literal["asked", "pushes", "submits", "nothing"]
    disclosure: str = "full"
    needs: str = ""
    options: tuple[tuple[str, Any], ...] = ()


PLAYERS: Final[dict[str, Player]] = {
    "pos": Player("ПОС Госуслуг (имитатор)", "asked"),
    "sed": Player("СЭД по МЭДО (имитатор)", "asked", options=(("receipt_hours", 0.003),)),
    "sadko": Player("САДКО.ОГ (имитатор)", "asked", options=(("officer", "Выдуманцев А. Б."),)),
    "incident": Player("Инцидент (имитатор)", "asked"),
    "amqp": Player("Шина событий (RabbitMQ)", "asked", "problem_only", needs="rabbitmq-server"),
    "open311": Player("Городское приложение (Open311)", "pushes"),
    "asdou": Player(
        "АС ДОУ (имитатор)", "submits", options=(("author", "Выдуманцев Андрей Борисович"),)
    ),
    "sstu": Player(
        "Узел ССТУ.РФ (имитатор)",
        "submits",
        options=(
            ("tell_last", True),
            ("clock_skew", 1),
        ),
    ),
    "smev": Player("СМЭВ 3 (имитатор)", "asked", needs=GOST),
    "edds": Player("ЕДДС (имитатор)", "nothing", "problem_only", options=(("classifier", "sstu"),)),
}
"""Channels in the order in which they are told of."""


def code(name: str) -> str:
    """Return the code of a channel's peer; the story's own office is called `sed` already."""
    return "medo" if name == "sed" else name


def present(*besides: str) -> list[str]:
    """Return the channels that can play on this machine, but for those that play elsewhere."""
    return [
        name for name, player in PLAYERS.items() if name not in besides and is_here(player.needs)
    ]


def is_here(need: str) -> bool:
    """Whether a program, or the engine that signs by ГОСТ, is on this machine."""
    if need == GOST:
        try:
            shared()
        except ConfigurationError:
            return False
        return shutil.which("openssl") is not None
    return not need or shutil.which(need) is not None


def options(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what the settings say of faces that have no peer's row."""
    return {"open311": {"reading": True}} if "open311" in names else {}


KEYS: Final = "smev-keys"
"""Directory below the stage's with the keys of the simulated СМЭВ, and ours."""
LISTING: Final = ("pos", "incident", "sstu")
"""Channels whose systems show a list of what they hold, so that registers can be compared."""


def routing(names: Iterable[str]) -> str:
    """Return the rules that send what the channels bring to the office, and emergencies to ЕДДС."""
    bringers = [name for name in names if PLAYERS[name].brings != "nothing"]
    if not bringers:
        return ""
    sources = ", ".join(f'"{code(name)}"' for name in bringers)
    urgent = RULE.format(id="channels-urgent", more=', "edds"', sources=sources)
    reported = RULE.format(id="channels-reported", more=', "sstu"', sources='"sstu"')
    plain = RULE.format(id="channels", more="", sources=sources)
    return (
        (f'{urgent}urgency = ["emergency"]\n' if "edds" in names else "")
        + (reported if "sstu" in names else "")
        + plain
    )


def raise_curtain(
    stage: Stage, seed: int, names: Iterable[str], fail: float = 0.0
) -> dict[str, Running]:
    """Start the simulators, those that fail from the beginning."""
    more = ["--seed", str(seed)] + (["--fail", str(fail)] if fail else [])
    own = {"smev": ["--keys", str(stage.path(KEYS)), "--issue", SYSTEM, "--redeliver", "5"]}
    names = list(names)
    with ThreadPoolExecutor(4) as pool:
        started = pool.map(lambda name: stage.simulator(name, *more, *own.get(name, ())), names)
        return dict(zip(names, started, strict=True))


def signing(stage: Stage, names: Iterable[str]) -> dict[str, Any]:
    """Return what the settings say of keys and whom to trust, where СМЭВ plays.

    The keys are made here, since a gateway does not start without those that its settings name;
    the stand takes what is there.
    """
    if "smev" not in names:
        return {}
    workshop = Workshop(stage.path(KEYS))
    made = workshop.issue(SYSTEM.lower(), SYSTEM)
    ours = {"name": SYSTEM.lower(), "cert": str(made.cert), "key": str(made.key)}
    return {
        "trusted_authorities": [str(workshop.authority.cert)],
        "revocation_required": False,
        "signing_keys": [ours],
    }


def introduce(stage: Stage, running: Mapping[str, Running]) -> dict[str, str]:
    """Add a peer for each simulator and the office; return the keys of those that call us."""
    calls = {OFFICE: ["--name", "Исполнитель", *_shown("full")]}
    calls |= {name: _calls(name, simulator) for name, simulator in running.items()}
    with ThreadPoolExecutor(3) as pool:
        keys = pool.map(lambda name: _add(stage, code(name), calls[name]), calls)
        return dict(zip(calls, keys, strict=True))


def _calls(name: str, simulator: Running) -> list[str]:
    """Return the rest of the command that adds a channel's peer."""
    player = PLAYERS[name]
    calls = ["--name", player.title, *_shown(player.disclosure)]
    if player.brings == "pushes":
        return calls
    given = {**QUICK, **simulator.facts.get("options", {}), **dict(player.options)}
    return [*calls, "--adapter", name, *_options(given)]


def _add(stage: Stage, peer: str, calls: list[str]) -> str:
    told = stage.command("peer", "add", peer, *calls)
    return str(told.get("key", ""))


def _shown(level: str) -> list[str]:
    return ["--disclosure", level, *(["--disclosure-ground", GROUND] if level == "full" else [])]


def _options(values: Mapping[str, Any]) -> list[str]:
    pairs = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return [part for pair in pairs for part in ("-o", pair)]
