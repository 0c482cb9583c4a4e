"""Run the simulated СМЭВ 3: `python -m simulators.smev --port 0 --issue GATEWAY`.

`/smev/v1.1/ws`, `/smev/v1.2/ws`, `/smev/v1.3/ws` take SOAP 1.1, `?wsdl` describes them. `--issue`
makes a key for a system and registers it; `--system MNEMONIC=cert.pem` registers one that has its
own. `POST /_control` takes what every simulator takes, and

    {"trouble": {"kind": "again_late", "operation": "", "times": 3, "rate": 1.0}}
    {"counts": true}  {"holds": true}  {"message": "…"}  {"overdue": true}
    {"register": {"mnemonic": "…", "title": "…", "certificate": "PEM"}}
    {"service": {"kind": ["namespace", "root"], "providers": ["…"], "answers": [["…", "…"]]}}
    {"emit": n, "seed": s, "version": "1.3"}  {"answer": true}     the other body, see crew.py
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from simulators import peer as base
from simulators.faults import Fault, Faults
from simulators.faults import Kind as FaultKind
from simulators.page import Face
from simulators.smev import crew, described, rules
from simulators.smev.account import Account, Limits
from simulators.smev.desk import Desk
from simulators.smev.ftp import Server
from simulators.smev.house import House, Replies
from simulators.smev.keys import OWN, Files, Workshop, opened
from simulators.smev.names import VERSIONS, Kind
from simulators.smev.registry import Registry, Service, System, certificate
from simulators.smev.schemas import Schemas
from simulators.smev.storage import Storage
from simulators.smev.troubles import Planned, Troubles

OURS: Final = "smev"
"""How the settings of a gateway at this stand name the key that was issued for it."""
UPLOAD: Final = ("anonymous", "smev")
"""Of the file storage; real bodies are given an account of their own."""
_PATHS: Final = {f"/smev/v{version}/ws": version for version in VERSIONS}


class Plans(Faults):
    """Failures of every simulator; to clear them clears the troubles of this one, too."""

    def __init__(self, seed: int, troubles: Troubles) -> None:
        super().__init__(seed)
        self._troubles = troubles

    def clear(self) -> None:
        """Forget both plans."""
        super().clear()
        self._troubles.clear()


class Stand:
    """The addresses of the exchange over its desk."""

    def __init__(self, desk: Desk, body: crew.Body) -> None:
        self.desk = desk
        self.house = desk.house
        self.body = body
        self.address = ""

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes."""
        posts = [("POST", path, self.exchange) for path in _PATHS]
        return [*posts, *(("GET", path, self.describe) for path in _PATHS)]

    def exchange(self, request: base.Request) -> base.Answer:
        """Answer a call; failures are planned for the name of the operation."""
        version = _PATHS.get(request.path.partition("?")[0])
        if version is None:
            return base.Answer(404, b"not found")
        served = self.desk.serve(version, request.headers, request.body)
        return base.Answer(
            served.status,
            served.reply.body,
            served.reply.media_type,
            key=served.operation,
            store=served.keep,
            why=served.why,
        )

    def describe(self, request: base.Request) -> base.Answer:
        """Give the description of a version, or a schema of it."""
        path, _, query = request.path.partition("?")
        text = described.document(_PATHS.get(path, ""), f"{self.address}{path}", query)
        if text is None:
            return base.Answer(404, b"ask ?wsdl")
        return base.Answer(200, text, "text/xml; charset=utf-8")

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what `POST /_control` asks; raise ValueError for what is not known."""
        account = self.house.account
        match command:
            case {"trouble": dict(planned)}:
                self.house.troubles.plan(msgspec.convert(planned, Planned))
                return {"planned": True}
            case {"counts": True}:
                return {**account.counts(), "files": dict(self.house.storage.facts)}
            case {"overdue": True}:
                return account.overdue()
            case {"holds": True}:
                return {"items": account.holds()}
            case {"message": str(number)}:
                return {"items": account.holds(number)}
            case {"register": dict(told)}:
                system = System(mnemonic=told["mnemonic"], title=told.get("title", ""))
                system.quota = int(told.get("quota", 0))
                self.house.registry.add_system(system, certificate(told["certificate"]))
                return self.house.registry.told()
            case {"service": dict(told)}:
                self.house.registry.add_service(msgspec.convert(told, Service))
                return self.house.registry.told()
            case _:
                return self.body.command(command)

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "СМЭВ 3 · The interagency exchange",
            rules.SOURCED,
            rules.OURS,
            lambda: reversed(self.house.account.holds()),
            "Пока ни одного сообщения: пусть другое ведомство пошлёт обращения"
            " · No message yet: let the other body send appeals",
            '{"emit": 3, "seed": 1}',
            heading="Сообщения · Messages",
            by_source=rules.BY_SOURCE,
        )


def main() -> None:
    """Start the stand, print its address, serve until told to stop."""
    args = _arguments().parse_args()
    with tempfile.TemporaryDirectory(prefix="smev-") as folder:
        place = Path(folder)
        workshop = Workshop(Path(args.keys) if args.keys else place / "keys")
        journal, troubles = base.Journal(args.journal), Troubles(args.seed)
        house = _house(args, workshop, journal, troubles, place)
        stand = Stand(Desk(house), crew.Body(house))
        files = Server(house.storage, args.host, args.ftp_port)
        files.start()
        peer = base.Peer(
            "smev", stand.routes(), journal=journal, faults=_faults(args, troubles),
            control=stand.command, face=stand.face(), host=args.host, port=args.port,
        )  # fmt: skip
        stand.address = peer.address
        base.announce(peer, rules.SOURCED, rules.OURS, **_facts(args, workshop, peer, files))
        base.run_until_signal(peer)
        files.shutdown()
        files.server_close()


def _house(
    args: argparse.Namespace, workshop: Workshop, journal: base.Journal, troubles: Troubles,
    place: Path,
) -> House:  # fmt: skip
    registry = Registry()
    schemas = Schemas(Path(args.schemas) if args.schemas else None)
    keys: dict[str, Files] = {OWN: workshop.issue(OWN, "Имитатор СМЭВ")}
    bodies = {name: f"Выдуманная система {name}" for name in args.issue}
    bodies[crew.MNEMONIC] = crew.TITLE
    for mnemonic, title in bodies.items():
        keys[mnemonic] = workshop.issue(mnemonic.lower(), title)
        _register(registry, mnemonic, title, keys[mnemonic].cert)
    for told in args.system:
        mnemonic, _, path = told.partition("=")
        _register(registry, mnemonic, f"Система {mnemonic}", Path(path))
        bodies[mnemonic] = mnemonic
    for service in _services(args, tuple(bodies)):
        registry.add_service(service)
    schemas.content(crew.schema())
    account = Account(
        journal,
        Limits(redeliver=args.redeliver, queue=args.queue, attachments=args.attachments),
    )
    return House(
        account, registry, opened(keys, workshop.authority.cert), schemas,
        Storage(place / "files", UPLOAD), troubles, base.clock, secrets.token_bytes(16),
        Replies(split=args.split_parameters, plain=args.plain), statuses=args.statuses,
    )  # fmt: skip


def _services(args: argparse.Namespace, bodies: tuple[str, ...]) -> list[Service]:
    """Return the kinds of the appeals' profile, of which everybody is a provider, and others."""
    made = [
        Service(kind=kind, providers=list(bodies), answers=list(answers))
        for kind, answers in crew.KINDS.items()
    ]
    for told in args.kind:
        namespace, _, root = told.rpartition(" ")
        made.append(Service(kind=Kind(namespace, root), providers=list(bodies)))
    return made


def _register(registry: Registry, mnemonic: str, title: str, path: Path) -> None:
    der = certificate(path.read_text("ascii"))
    registry.add_system(System(mnemonic=mnemonic, title=title), der)


def _faults(args: argparse.Namespace, troubles: Troubles) -> Faults:
    """Return the plan that the command line asks for: each kind has the same share."""
    faults = Plans(args.seed, troubles)
    kinds: list[FaultKind] = [
        msgspec.convert(k, FaultKind) for k in args.fail_kinds.split(",") if k
    ]
    for kind in kinds if args.fail else ():
        rate = args.fail / len(kinds)
        faults.plan(Fault(kind=kind, rate=rate, times=0, seconds=args.fail_seconds))
    return faults


def _facts(
    args: argparse.Namespace, workshop: Workshop, peer: base.Peer, files: Server
) -> dict[str, Any]:
    """Return what a client needs: addresses, whom to trust, the keys that were issued."""
    issued = {name: workshop.issue(name.lower(), name) for name in args.issue}
    endpoints = {version: f"{peer.address}{path}" for path, version in _PATHS.items()}
    secret = workshop.folder / "upload.password"
    secret.write_text(UPLOAD[1], "ascii")
    secret.chmod(0o600)
    options = {
        "url": endpoints["1.3"], "version": "1.3", "key": next(iter(issued), "").lower(),
        "storage": f"{args.host}:{files.port}", "storage_user": UPLOAD[0],
        "storage_password_file": str(secret), "allow_private": [args.host],
    }  # fmt: skip
    settings = {
        "trusted_authorities": [str(workshop.authority.cert)],
        "revocation_required": False,
        "signing_keys": [
            {"name": name.lower(), "cert": str(pair.cert), "key": str(pair.key)}
            for name, pair in issued.items()
        ],
    }
    return {
        "endpoints": endpoints,
        "ftp": {"host": args.host, "port": files.port, "user": UPLOAD[0], "password": UPLOAD[1]},
        "authority": str(workshop.authority.cert),
        "certificate": str(workshop.issue(OWN, OWN).cert),
        "issued": {name: {"cert": str(p.cert), "key": str(p.key)} for name, p in issued.items()},
        "body": crew.MNEMONIC,
        "settings": settings,
        "options": options,
    }


def _arguments() -> argparse.ArgumentParser:
    parser = base.arguments("smev", __doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--keys", default="", help="folder of keys; kept and used again. Else made for this run")
    add("--issue", action="append", default=[], help="mnemonic to make a key for and register")
    add("--system", action="append", default=[], help="MNEMONIC=cert.pem to register")
    add("--kind", action="append", default=[], help="'namespace root' to register as a kind")
    add("--redeliver", type=float, default=900.0, help="seconds without Ack until given again")
    add("--queue", type=int, default=100_000, help="messages that a queue holds")
    add("--attachments", type=int, default=5 * 1024 * 1024, help="bytes of attachments by MTOM")
    add("--ftp-port", type=int, default=0)
    add("--statuses", action="store_true", help="GetStatus tells that a request passed")
    add("--schemas", default="", help="folder of the operator's schemas, instead of ours")
    add("--plain", action="store_true", help="no package around an answer without attachments")
    add("--split-parameters", action="store_true", help="parameters of packages by RFC 2231")
    return parser


if __name__ == "__main__":
    main()
