"""Run the service: `python -m simulators.fias --port 0 --folder DIR`.

DIR holds releases: `2026.09.08/gar_xml.zip`, `2026.09.08/gar_delta_xml.zip`. The catalogue answers
below `/WebServices/Public`, files below `/downloads`. `POST /_control` takes
`{"file": {"kind": "break", "at": 1000, "times": 1}}` (kinds: `simulators.fias.folder`),
`{"page": "html"|"wsdl"|""}` for the catalogue's answers, `{"space": "bare"|"slash"|"both"}` for the
namespaces that are understood, `{"spelling": "lower"|"upper"|""}` for names of fields in REST,
`{"asked": true}`. Other failures are planned for the keys `rest`, `soap` and `file`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from simulators import peer as base
from simulators.fias import rules, soap
from simulators.fias.folder import FileFault, Folder
from simulators.page import Face

BASE: Final = "/WebServices/Public"
SERVICE: Final = f"{BASE}/DownloadService.asmx"
JSON: Final = "application/json; charset=utf-8"
XML11: Final = "text/xml; charset=utf-8"
XML12: Final = "application/soap+xml; charset=utf-8"
HTML: Final = (
    b"<!DOCTYPE html><html><body>\xd0\xa0\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd1\x8b</body></html>"
)
SPACES: Final = {
    "bare": (soap.BARE,),
    "slash": (soap.SLASH,),
    "both": (soap.BARE, soap.SLASH),
}
_SPELLED: Final = {"lower": str.lower, "upper": str.upper}


class Service:
    """The catalogue over a folder, by both wires."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.address = ""
        self.page = ""
        self.spaces: tuple[str, ...] = SPACES["both"]
        self.spelling = ""

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes; longer ones win."""
        return [
            ("GET", f"{BASE}/{soap.ALL}", self.rest),
            ("GET", f"{BASE}/{soap.LAST}", self.rest),
            ("POST", SERVICE, self.call),
            ("GET", "/downloads/", self.folder.answer),
        ]

    def rest(self, request: base.Request) -> base.Answer:
        """Answer by REST."""
        if paged := self._paged("rest"):
            return paged
        found = [self._spelled(one) for one in self.folder.releases(self.address)]
        if request.path.endswith(soap.LAST):
            if not found:
                return base.Answer(204, key="rest")
            return base.Answer(200, _json(found[0]), JSON, key="rest")
        return base.Answer(200, _json(found), JSON, key="rest")

    def call(self, request: base.Request) -> base.Answer:
        """Answer by SOAP."""
        if paged := self._paged("soap"):
            return paged
        try:
            call = soap.read(request.body)
        except ValueError as error:
            return _fault(soap.SOAP11, str(error))
        action = request.headers.get("soapaction", "").strip('"')
        known = call.operation in {soap.ALL, soap.LAST} and call.space in self.spaces
        said = action.removesuffix(call.operation).rstrip("/")
        if not known or (call.soap == soap.SOAP11 and said != call.space.rstrip("/")):
            return _fault(
                call.soap,
                f"SOAPAction {action or call.operation}: Server did not recognize the value of"
                " HTTP Header SOAPAction",
            )
        body = soap.reply(call, self.folder.releases(self.address))
        media = XML12 if call.soap == soap.SOAP12 else XML11
        return base.Answer(200, body, media, key="soap")

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what the control address asks; raise ValueError or LookupError."""
        match command:
            case {"file": dict(fault)}:
                self.folder.plan(msgspec.convert(fault, FileFault))
            case {"clear_files": True}:
                self.folder.clear()
            case {"page": str(page)}:
                self.page = page
            case {"space": str(space)}:
                self.spaces = SPACES[space]
            case {"spelling": str(spelling)}:
                self.spelling = spelling
            case {"asked": True}:
                return {"asked": self.folder.asked}
            case _:
                raise ValueError("unknown command")
        return {"done": True}

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "ФИАС: каталог поставок · the catalogue of deliveries",
            rules.SOURCED,
            rules.OURS,
            lambda: self.folder.asked[::-1],
            "Пока ни одного файла не спросили · No file was asked for yet",
            by_source=rules.BY_SOURCE,
            heading="Файлы спрошены · Files asked for",
        )

    def _paged(self, key: str) -> base.Answer | None:
        if self.page == "html":
            return base.Answer(200, HTML, "text/html; charset=utf-8", key=key)
        if self.page == "wsdl":
            return base.Answer(200, soap.WSDL, XML11, key=key)
        return None

    def _spelled(self, one: dict[str, Any]) -> dict[str, Any]:
        spell = _SPELLED.get(self.spelling, str)
        return {spell(name): value for name, value in one.items()}


def service(folder: Path, **more: Any) -> tuple[base.Peer, Service]:
    """Return a peer over a folder of releases, not serving yet."""
    made = Service(Folder(folder))
    peer = base.Peer("fias", made.routes(), control=made.command, face=made.face(), **more)
    made.address = peer.address
    return peer, made


def options(peer: base.Peer) -> dict[str, Any]:
    """Return what `[adapter_options.fias]` says of this peer."""
    return {
        "url": f"{peer.address}{BASE}",
        "soap_url": f"{peer.address}{SERVICE}",
        "hosts": [peer.address.removeprefix("http://")],
        "allow_private": ["127.0.0.1"],
    }


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _fault(version: str, text: str) -> base.Answer:
    media = XML12 if version == soap.SOAP12 else XML11
    return base.Answer(500, soap.fault(version, text), media, key="soap", why=(text,))


def main() -> None:
    """Serve a folder of releases, print the address, go on until told to stop."""
    parser = base.arguments("fias", __doc__)
    parser.add_argument("--folder", type=Path, required=True, help="with YYYY.MM.DD/gar_xml.zip")
    args = parser.parse_args()
    peer, _ = service(
        args.folder,
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        host=args.host,
        port=args.port,
    )
    base.announce(peer, rules.SOURCED, rules.OURS, options=options(peer))
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
