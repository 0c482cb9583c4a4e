"""A stand to try things on: `python -m simulators.stand [--port 8080] [--fail] [--keep]`.

Starts the gateway with its embedded database and the simulated peers, adds every peer, prints
addresses, keys and calls to paste, and runs until Ctrl-C. Everything made here goes away with it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from datetime import date, datetime
from typing import TYPE_CHECKING

from simulators.channels import crew
from simulators.demo import cast
from simulators.demo.stage import Failed, Stage
from simulators.gar import delivery, region
from simulators.seed import forms
from simulators.seed.appeals import ZONE, generate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.process import Running

REGION = "36"
HOUSES = 5_000
RELEASE = date(2026, 9, 8)
"""Of the made-up delivery of addresses."""
FAILING = 0.05
"""The share of calls that fail at each channel with `--fail`."""

SHEET = """
Шлюз · gateway       {address}   (SOAP: {address}/soap/appeals.svc?wsdl, REST: {address}/docs)
Узел ССТУ · node     {sstu}   (сбои · failures: POST {sstu}/_control)
Веб-хук · web hook   {hook}
Каналы · channels; по каждому адресу имитатора – страница полученного · each shows what it received
{channels}
ФИАС · addresses     {fias}   (поставка выдумана · a made-up delivery of region {region})
Каталог · directory  {root}   (gateway.log, journals *.jsonl, gateway.toml)

Ключи · keys
{keys}

Послать обращение по REST · submit over REST
  curl -u {site} -H 'Content-Type: application/json' --data @{root}/appeal.json \\
    {address}/api/v1/appeals

По каналам: пусть имитатор ПОС даст три обращения · let the simulated ПОС give three appeals
  curl -d '{{"emit": 3, "seed": 1}}' {pos}/_control

По SOAP · over SOAP
  curl -u {epgu} -H 'Content-Type: text/xml; charset=utf-8' \\
    -H 'SOAPAction: "urn:gov:appeals:v1/SubmitAppeal"' --data-binary @{root}/appeal.xml \\
    {address}/soap/appeals.svc

Файлом · as a file (ответ появится в · the answer appears in {inbox}/out)
  cp {root}/appeals.csv {inbox}/in/

Что стало · what became of it
  curl -u {site} {address}/api/v1/changes
  GATEWAY_CONFIG={root}/gateway.toml {gateway} deliveries list
  GATEWAY_CONFIG={root}/gateway.toml {gateway} evidence {example}
  GATEWAY_CONFIG={root}/gateway.toml {gateway} reconcile sstu

Адреса · addresses
  GATEWAY_CONFIG={root}/gateway.toml {gateway} fias catalogue
  GATEWAY_CONFIG={root}/gateway.toml {gateway} fias refresh --full --commit

Узел замолчит, сохранив · the node stores and says nothing
  curl -d '{{"fault": {{"kind": "hang_after", "times": 3}}}}' {sstu}/_control

Остановить · to stop: Ctrl-C
"""


def main() -> int:
    """Run until told to stop; return 1 when something did not start."""
    parser = argparse.ArgumentParser(prog="simulators.stand", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the gateway; 0: a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the example appeals")
    parser.add_argument("--fail", action="store_true", help="peers fail as in the demo")
    parser.add_argument("--keep", action="store_true", help="leave the directory")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with Stage(keep=args.keep) as stage:
            return _stand(stage, args)
    except KeyboardInterrupt:
        sys.stdout.write("Остановлено · stopped\n")
        return 0


def _stand(stage: Stage, args: argparse.Namespace) -> int:
    sstu = stage.simulator("sstu")
    hook = stage.simulator("webhook", "--bodies")
    names = crew.present("sstu")  # its node stands beside the channels
    channels = crew.raise_curtain(stage, args.seed, names, FAILING if args.fail else 0.0)
    register = _register(stage, args.seed)
    given = {"fias": {**register.facts["options"], "regions": [REGION]}}
    cast.configure(stage, args.port, adapters=tuple(names), options=given)
    try:
        stage.start_gateway()
        keys = cast.introduce(stage, sstu, hook)
        keys |= {crew.code(name): key for name, key in crew.introduce(stage, channels).items()}
    except Failed as error:
        sys.stdout.write(f"{error}\n")
        return 1
    if args.fail:
        for simulator in (sstu, hook):
            cast.fail(simulator)
    example = _examples(stage, args.seed)
    _open(channels, keys, stage.address)
    peers = {"sstu": sstu, "hook": hook, "fias": register, **channels}
    sys.stdout.write(_sheet(stage, peers, keys, example))
    sys.stdout.flush()
    while stage.alive:
        time.sleep(0.5)
    sys.stdout.write(f"Шлюз остановился сам · the gateway ended: {stage.last_log()}\n")
    return 1


def _register(stage: Stage, seed: int) -> Running:
    """Draw a small region, and start the catalogue that has it as its only delivery."""
    folder = stage.path("fias-releases")
    day = folder / RELEASE.strftime("%Y.%m.%d")
    day.mkdir(parents=True)
    drawn = region.plan(REGION, HOUSES, seed)
    delivery.full(drawn, day / "gar_xml.zip", version=int(f"{RELEASE:%Y%m%d}"))
    return stage.simulator("fias", "--folder", str(folder))


def _open(channels: Mapping[str, Running], keys: Mapping[str, str], address: str) -> None:
    """Let the city app know where the gateway is, and send its first request."""
    if "open311" in channels:
        to = {"address": address, "user": "open311", "key": keys["open311"], "count": 1, "seed": 1}
        channels["open311"].control(push=to)


def _sheet(stage: Stage, peers: Mapping[str, Running], keys: dict[str, str], example: str) -> str:
    return SHEET.format(
        address=stage.address,
        sstu=peers["sstu"].address,
        hook=peers["hook"].address,
        pos=peers["pos"].address,
        fias=peers["fias"].address,
        region=REGION,
        channels="\n".join(
            f"  {name:9} {peers[name].address}  {player.title}"
            for name, player in crew.PLAYERS.items()
            if name in peers
        ),
        root=stage.root,
        keys="\n".join(f"  {peer:8} {key}" for peer, key in keys.items()),
        site=f"site:{keys['site']}",
        epgu=f"epgu:{keys['epgu']}",
        inbox=stage.inbox("archive"),
        gateway=f"{sys.executable} -m gateway",
        example=example,
    )


def _examples(stage: Stage, seed: int) -> str:
    """Write one appeal for each wire; return the number of the first."""
    today = datetime.now(ZONE).date()
    rest, soap, *rows = generate(seed, today, [("rest", 1), ("soap11", 1), ("csv", 5)])
    stage.path("appeal.json").write_bytes(forms.as_json(rest))
    stage.path("appeal.xml").write_bytes(forms.envelope(soap))
    stage.path("appeals.csv").write_bytes(forms.table(rows))
    return rest.external_id


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
