"""Who plays: the peers with their options, the bodies of the directory, routing, failures."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from simulators.channels import crew
from simulators.demo.stage import Inbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.demo.stage import Stage
    from simulators.process import Running

DEPARTMENT: Final = "7d9a2c31-4f6e-4a0b-9c55-1f0e6a2b8d10"
"""GUID of our own made-up body in ССТУ."""
GUIDS: Final = {
    "gorod": "b1f4e0a7-92c8-4d3e-8a61-5c7d9e0f1a22",
    "fond": "e3c85d19-0b7a-4f92-a4d6-8e1f2c3b4a55",
}
"""GUIDs of the bodies that appeals are forwarded to. `fond` is not mapped at first."""
UNMAPPED: Final = "fond"
BODIES: Final = f"""id;full_name;short_name;kind;id:sstu
gzhi;Выдуманная жилищная инспекция;ГЖИ;роив;{DEPARTMENT}
press;Пресс-служба;;подразделение;
gorod;Администрация выдуманного города;Администрация;омсу;{GUIDS["gorod"]}
fond;Выдуманный фонд капитального ремонта;Фонд;подвед;
"""
ROUTING: Final = """
[[rule]]
id = "incidents"
executor = "press"
destinations = ["hook"]
reason = "Сообщение без темы: пресс-служба"
[rule.when]
regime = ["message"]

[[rule]]
id = "utilities"
executor = "gzhi"
destinations = ["sed", "sstu", "hook"]
reason = "Коммунальное хозяйство: инспекция и управляющая организация"
[rule.when]
topic = ["0005.0005.0056"]

[[rule]]
id = "everything-else"
executor = "gzhi"
destinations = ["sed", "sstu"]
reason = "Остальное по 59-ФЗ: инспекция"
"""
HOOK_TOPIC: Final = "0005.0005.0056"
KINDS: Final = (
    "refuse", "error", "busy", "hang_before", "hang_after", "drip", "garbage", "reset",
    "reset_after",
)  # fmt: skip
"""Every way in which a simulator can fail."""
LEAST_SHARE: Final = 5
"""Percent of all calls that must fail in each way."""
QUICK: Final = {
    "timeout": 0.5, "settle_after": 0.25, "backoff_base": 0.1, "backoff_cap": 0.5,
    "breaker_threshold": 12, "breaker_cool": 0.2, "breaker_cap": 0.5, "max_attempts": 60,
    "rate": 0, "max_in_flight": 8,
}  # fmt: skip
"""Bounds for peers on the same machine that fail on purpose: patience in tenths of a second."""
SENDERS: Final = {
    "epgu": "Портал (SOAP)",
    "site": "Сайт приёма обращений (REST)",
    "archive": "Районный архив (CSV, UTF-8)",
    "legacy": "Старая СЭД (CSV, windows-1251)",
    "mfc": "МФЦ (XML)",
    "urog": "УРОГ (документы ССТУ)",
}
SAME_LETTERS: Final = ("archive", "urog")
"""Senders of which the operator knows that they bring the same letters, those of УРОГ."""
INBOXES: Final = [
    Inbox("archive", profile="appeals-default"),
    Inbox("legacy", profile="legacy-cp1251"),
    Inbox("mfc"),
    Inbox("urog", codec="sstu"),
]


def configure(
    stage: Stage,
    port: int = 0,
    adapters: tuple[str, ...] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write the settings, the routing rules and the file of bodies.

    adapters: those that are switched on besides ССТУ. options: by name, of registers beside them.
    more: settings.
    """
    stage.path("routing.toml").write_text(crew.routing(adapters) + ROUTING, "utf-8")
    stage.path("bodies.csv").write_text(BODIES, "utf-8")
    stage.configure(
        {
            "data_dir": str(stage.path("data")),
            "port": port,
            "organisation": "gzhi",
            "register_channels": ["*"],
            "routing_file": str(stage.path("routing.toml")),
            "pg_allow_nobody": True,
            "dispatch_workers": 16,
            "poll_seconds": 0.3,
            "adapters": [*dict.fromkeys(("sstu", *adapters, *(options or {})))],
            "adapter_options": {**crew.options(adapters), **(options or {})},
            **crew.signing(stage, adapters),
            **(more or {}),
        },
        INBOXES,
    )


def introduce(stage: Stage, sstu: Running, hook: Running) -> dict[str, str]:
    """Load the directory, add every peer; return the keys of those that call us."""
    secret = stage.path("hook.secret")
    secret.write_text(secrets.token_hex(32), "ascii")
    secret.chmod(0o600)
    stage.command("org", "import", str(stage.path("bodies.csv")), "--commit")
    calls: dict[str, list[str]] = {
        code: ["--name", name, *_options(_sender_options(code))] for code, name in SENDERS.items()
    }
    calls["sed"] = [
        "--name", "СЭД инспекции", "--disclosure", "full",
        "--disclosure-ground", "исполнитель по 59-ФЗ, ст. 10",
    ]  # fmt: skip
    calls["sstu"] = [
        "--no-key", "--name", "Узел ССТУ.РФ", "--adapter", "sstu", "--disclosure", "full",
        "--disclosure-ground", "Указ Президента РФ от 17.04.2017 № 171",
        *_options(_sstu_options(sstu)),
    ]  # fmt: skip
    calls["hook"] = [
        "--no-key", "--name", "Управляющая организация", "--adapter", "webhook",
        "--disclosure", "problem_only", *_options(_hook_options(hook, str(secret))),
    ]  # fmt: skip
    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(
            lambda item: stage.command("peer", "add", item[0], *item[1]), calls.items()
        )
    return {answer["peer"]: answer["key"] for answer in answers if "key" in answer}


def fail(simulator: Running, seconds: float = 2.0) -> None:
    """Let every way of failing have its share of what is sent, and some of what is asked."""
    shares = dict.fromkeys(KINDS, LEAST_SHARE + 1)
    simulator.control(mix={"shares": shares, "seconds": seconds, "pause": 0.2})
    asking = dict.fromkeys(("error", "hang_before", "reset", "garbage"), LEAST_SHARE)
    simulator.control(mix={"shares": asking, "seconds": seconds, "key": "analytics"})


def _sender_options(code: str) -> dict[str, Any]:
    return {"tell": "pull"} | ({"same_letters": "urog"} if code in SAME_LETTERS else {})


def _sstu_options(sstu: Running) -> dict[str, Any]:
    return {
        **QUICK,
        "url": sstu.facts["api"],
        "department_id": DEPARTMENT,
        "allow_private": ["127.0.0.1"],
        "tell_last": True,
        "events": [
            "Registered", "Extended", "Transferred", "Answered", "Declined", "Withdrawn", "Amended",
        ],
        "clock_skew": 1,
    }  # fmt: skip


def _hook_options(hook: Running, secret: str) -> dict[str, Any]:
    return {
        **QUICK,
        "url": f"{hook.address}/events",
        "secret_file": secret,
        "allow_private": ["127.0.0.1"],
        "events": ["Registered", "Answered", "Transferred", "Declined", "Extended"],
    }


def _options(values: dict[str, Any]) -> list[str]:
    import json

    pairs = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return [part for pair in pairs for part in ("-o", pair)]
