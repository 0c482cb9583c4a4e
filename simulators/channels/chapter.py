"""The chapter of the demo in which every channel brings its appeals and gets its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.channels import crew
from simulators.channels.round import Round
from simulators.demo.tell import Step

if TYPE_CHECKING:
    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller

APPEALS: Final = 42


def tell(stage: Stage, teller: Teller, seed: int, number: int) -> None:
    """Play a round without failures on a stage whose gateway runs; `number` of its step."""
    names = crew.present("sstu")  # its node has played since the first step
    for name, player in crew.PLAYERS.items():
        if name not in names and name != "sstu":
            teller.say(f"{player.title}: нет {player.needs}, пропущено", "left out")
    running = crew.raise_curtain(stage, seed, names)
    teller.say(f"Каналы: {', '.join(running)}", "channels, each with a simulated peer")
    account = Round(stage, teller, running, seed).play(APPEALS)
    for name, counted in account.items():
        teller.note(
            f"{crew.PLAYERS[name].title}: дано {counted.given}, номер и ответ у {counted.back}"
        )
        if counted.missing:
            teller.fault(f"{name}: без ответа · without an answer {list(counted.missing)[:5]}")
    teller.step(Step(
        number, "обращения пришли по каждому каналу, номер и ответ вернулись туда же",
        "appeals came by every channel, number and answer went back",
        sum(c.given for c in account.values()), sum(c.back for c in account.values()),
    ))  # fmt: skip
