"""smev-sign and smev-verify: what signing a message of СМЭВ 3 costs beyond what it must cost.

The bare cost is what no implementation can go without: the exclusive canonical form of the signed
element and of SignedInfo by libxml2, one digest and one signature, by the same backend. Ours does
the transform of СМЭВ as well, writes the signature and puts it into its place; verifying finds the
references again. The peer of smev-sign-cli is the same work by the command line of OpenSSL: one
process for the digest and one for the signature, as public clients of СМЭВ do it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from base64 import b64decode
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from bench import machine
from bench.command import say
from bench.figures import Figure, Void, figure
from gateway import gost, ns, xml, xmldsig
from gateway.settings import KeyFile, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    from bench.command import Plan
    from gateway.signing import Signing, SigningKey

SIGN_TARGET: Final = 0.5
CLI_TARGET: Final = 15.0
SIZES: Final = (1_000, 5_000, 50_000)
JUDGED: Final = 5_000
"""Bytes of the message that the figure is about; the others stand beside it."""
_CONF: Final = """openssl_conf = conf
[conf]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
"""
_TYPES: Final = "urn://x-artefacts-smev-gov-ru/services/message-exchange/types/1.3"
_BASIC: Final = "urn://x-artefacts-smev-gov-ru/services/message-exchange/types/basic/1.3"
_OURS: Final = "urn://appeals-gateway/bench"


class Ground(NamedTuple):
    """A made-up key with all that signs by it."""

    directory: Path
    signing: Signing
    key: SigningKey


def measure(plan: Plan) -> list[Figure]:
    """Measure signing, verifying, and signing by the command line."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as place:
        ground = _ground(Path(place))
        beside = {str(size): _both(plan, ground, size, pairs=2) for size in SIZES if size != JUDGED}
        pairs = _pairs(plan, ground, JUDGED, plan.pairs)
        cli = _cli_pairs(plan, ground)
    detail: dict[str, object] = {
        "machine": machine.bare_shape(Path(tempfile.gettempdir())),
        "backend": ground.signing.backend.name,
        "bytes": len(etree.tostring(message(JUDGED), encoding="utf-8")),
        "other_sizes": beside,
    }
    unit = "messages/s"
    return [
        figure("smev-sign", unit, [(p["sign"], None, p["bare_sign"]) for p in pairs],
               judged="limit", target=SIGN_TARGET, run=plan.run, detail=detail),
        figure("smev-verify", unit, [(p["verify"], None, p["bare_verify"]) for p in pairs],
               judged="limit", target=SIGN_TARGET, run=plan.run, detail=detail),
        figure("smev-sign-cli", unit, cli, judged="peer", target=CLI_TARGET, run=plan.run),
    ]  # fmt: skip


def message(size: int) -> _Element:
    """Return a SenderProvidedRequestData of about so many bytes: an appeal with its questions."""
    line = (
        ("Во дворе дома <q>третью неделю</q> не вывозят мусор & не горит свет; прошу принять меры")
        .replace("<q>", "«")
        .replace("</q>", "»")
        .replace("&", "&amp;")
    )
    questions, number = "", 0
    while len(questions.encode()) < size - 900:
        number += 1
        questions += (
            f'<a:Question number="{number}" code="0005.0005.0056.1161"><a:Text>{line}</a:Text>'
            f"<a:Incoming>2026-11-{number % 27 + 1:02}</a:Incoming></a:Question>"
        )
    text = (
        f'<t:SenderProvidedRequestData xmlns:t="{_TYPES}" xmlns:b="{_BASIC}" Id="SIGNED_BY_CALLER">'
        "<t:MessageID>2fdb0b8e-e9f2-11f0-b0f5-0d6f3a4c5b6a</t:MessageID>"
        f'<b:MessagePrimaryContent><a:Appeal xmlns:a="{_OURS}" kind="statement">'
        "<a:Applicant><a:Family>Выдуманцев</a:Family><a:Given>Андрей</a:Given></a:Applicant>"
        f"<a:Questions>{questions}</a:Questions></a:Appeal></b:MessagePrimaryContent>"
        "</t:SenderProvidedRequestData>"
    )
    return etree.fromstring(text, etree.XMLParser(**xml.OPTIONS))


def _ground(directory: Path) -> Ground:
    conf = directory / "gost.cnf"
    conf.write_text(_CONF, "ascii")
    steps = (
        "openssl genpkey -engine gost -algorithm gost2012_256 -pkeyopt paramset:A -out k.pem",
        (
            "openssl req -engine gost -x509 -new -key k.pem -md_gost12_256 -days 30"
            " -subj /CN=made-up -out c.pem"
        ),
    )
    for step in steps:
        done = subprocess.run(
            step.split(), cwd=directory, env=_environment(directory), capture_output=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise Void(f"libengine-gost-openssl is not there: {done.stderr[-200:].decode()}")
    file = KeyFile(name="bench", cert=str(directory / "c.pem"), key=str(directory / "k.pem"))
    signing = gost.open_signing(Settings(signing_keys=(file,)))
    return Ground(directory, signing, signing.keys.current("bench", datetime.now(UTC)))


def _environment(directory: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "OPENSSL_CONF": str(directory / "gost.cnf")}


def _pairs(plan: Plan, ground: Ground, size: int, pairs: int) -> list[dict[str, float]]:
    """Measure the four in turn, in alternating order; the first round is a warm-up."""
    seconds = plan.seconds(1.5, 0.3)
    work = _work(ground, size)
    rounds: list[dict[str, float]] = []
    for number in range(pairs + 1):
        steps = list(work.items()) if number % 2 else list(reversed(work.items()))
        seen = {name: _rate(step, seconds) for name, step in steps}
        told = ", ".join(f"{name} {seen[name]:.0f}" for name in work)
        say(f"{size} bytes, {f'pair {number}' if number else 'warm-up'}: {told}")
        rounds.append(seen)
    return rounds[1:]


def _both(plan: Plan, ground: Ground, size: int, pairs: int) -> dict[str, float]:
    rounds = _pairs(plan, ground, size, pairs)
    return {
        way: round(sum(r[way] / r[f"bare_{way}"] for r in rounds) / len(rounds), 3)
        for way in ("sign", "verify")
    }


def _work(ground: Ground, size: int) -> dict[str, Callable[[], object]]:
    """Return what is measured; each call does one message."""
    backend, key = ground.signing.backend, ground.key
    root = etree.Element(f"{{{_TYPES}}}SendRequestRequest")
    target = message(size)
    root.append(target)
    made = xmldsig.sign(target, key, backend)
    root.append(made)
    info = made.find(f"{{{ns.DS}}}SignedInfo")
    value = made.findtext(f"{{{ns.DS}}}SignatureValue")
    assert info is not None
    assert value is not None
    signature, certificate = b64decode(value), key.certificate.der
    signed_info = xml.c14n(info)

    def sign() -> None:
        place = root[1]
        root.replace(place, xmldsig.sign(target, key, backend))

    def bare_sign() -> None:
        backend.digest("streebog256", xml.c14n(target))
        backend.sign(key, xml.c14n(info))

    def verify() -> None:
        xmldsig.verify(root[1], target, backend)

    def bare_verify() -> None:
        backend.digest("streebog256", xml.c14n(target))
        xml.c14n(info)
        if not backend.verify(certificate, signed_info, signature):
            raise Void("the signature that was just made does not fit")

    return {"sign": sign, "bare_sign": bare_sign, "verify": verify, "bare_verify": bare_verify}


def _rate(step: Callable[[], object], seconds: float) -> float:
    done, begun = 0, time.perf_counter()
    end = begun + seconds
    while time.perf_counter() < end:
        for _ in range(20):
            step()
        done += 20
    return done / (time.perf_counter() - begun)


def _cli_pairs(plan: Plan, ground: Ground) -> list[tuple[float, float | None, float | None]]:
    """Sign whole messages by us and by two processes of OpenSSL each."""
    ours = _work(ground, JUDGED)["sign"]
    data = xmldsig.transform(deepcopy(message(JUDGED)))
    samples: list[tuple[float, float | None, float | None]] = []
    for _ in range(plan.pairs + 1):
        fast = _rate(ours, plan.seconds(1.0, 0.3))
        begun, count = time.perf_counter(), 10
        for _ in range(count):
            for command in ("-md_gost12_256 -binary", "-md_gost12_256 -sign k.pem"):
                subprocess.run(
                    ["openssl", "dgst", "-engine", "gost", *command.split()],
                    cwd=ground.directory, env=_environment(ground.directory), input=data,
                    capture_output=True, check=True,
                )  # fmt: skip
        slow = count / (time.perf_counter() - begun)
        say(f"by us {fast:.0f}/s, by the command line {slow:.1f}/s")
        samples.append((fast, slow, None))
    return samples[1:]
