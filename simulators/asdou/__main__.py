"""Run the service: `python -m simulators.asdou --port 0 --journal asdou.jsonl`.

`POST /RequestExecutionService.svc` takes SendReport and SendFinalReport in SOAP 1.1. The system
gives out assignments in ways of its own, so `POST /_control` makes them known:
`{"emit": n, "seed": s, "responsible": false}`, or one of a given import id by
`{"assignment": {"importId": "…", "responsible": true}}`; `{"holds": true}` tells what
was received. Failures are planned by importId.
"""

from __future__ import annotations

from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from simulators import peer as base
from simulators.asdou import rules
from simulators.asdou.store import Store
from simulators.page import Face

PATH: Final = "/RequestExecutionService.svc"
SPACE: Final = "urn:asdou-profile:v0"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_OPERATIONS: Final = {"SendReport": "Report", "SendFinalReport": "FinalReport"}
_MEDIA: Final = "text/xml; charset=utf-8"


class Service:
    """The operations over the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def take(self, request: base.Request) -> base.Answer:
        """Take one call."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(request.body, parser)
        except etree.XMLSyntaxError as error:
            return _fault(f"не XML: {error}")
        calls = root.findall(f"{{{SOAP}}}Body/*")
        operation = etree.QName(calls[0]).localname if len(calls) == 1 else ""
        name = _OPERATIONS.get(operation, "")
        document = calls[0].find(f"{{{SPACE}}}{name}") if name else None
        if document is None:
            return _fault(f"нет такой операции: {operation}")
        if request.headers.get("soapaction", "").strip('"') != f"{SPACE}/{operation}":
            return _fault("SOAPAction не той операции")
        verdict = self.store.judge(name, document)
        taken = verdict.keep or verdict.code == "ALREADY_ACCEPTED"
        return base.Answer(
            200,
            _answer(operation, verdict.code, verdict.message),
            _MEDIA,
            key=verdict.key,
            store=verdict.keep,
            why=() if taken else tuple((verdict.message or verdict.code).split("; ")),
        )

    def describe(self, request: base.Request) -> base.Answer:  # noqa: ARG002
        """Say that there is a service here; its description is the one in wsdl/asdou."""
        body = f"<service xmlns='{SPACE}'>RequestExecutionService</service>"
        return base.Answer(200, body.encode(), _MEDIA, key="wsdl")

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what `POST /_control` asks; raise ValueError for what is not known."""
        match command:
            case {"emit": int(count)}:
                seed, responsible = int(command.get("seed", 0)), command.get("responsible", True)
                made = self.store.emit(count, seed, responsible=bool(responsible))
                return {"keys": [one["importId"] for one in made], "assignments": made}
            case {"assignment": {"importId": str(key), "responsible": bool(responsible)}}:
                self.store.assign(key, responsible=responsible)
                return {"keys": [key]}
            case {"holds": True}:
                return {"items": self.store.holds()}
        raise ValueError("unknown command")

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "АС ДОУ · A regional system of assignments",
            rules.SOURCED,
            rules.OURS,
            self.store.rows,
            "Пока ни одного доклада: они придут после ответа на обращение по поручению"
            " · No report yet: they come once an appeal with an assignment is answered",
            '{"emit": 3, "seed": 1}',
            by_source=rules.BY_SOURCE,
        )


def _answer(operation: str, code: str, message: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{operation}Response xmlns="{SPACE}">'
        f"<{operation}Result><code>{escape(code)}</code><message>{escape(message)}</message>"
        f"</{operation}Result></{operation}Response></s:Body></s:Envelope>"
    ).encode()


def _fault(text: str) -> base.Answer:
    body = (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        f"<faultstring>{escape(text)}</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    return base.Answer(500, body.encode(), _MEDIA, why=(text,))


def main() -> None:
    """Start the service, print its address, serve until told to stop."""
    args = base.arguments("asdou", __doc__).parse_args()
    service = Service(Store())
    peer = base.Peer(
        "asdou",
        [("POST", PATH, service.take), ("GET", PATH, service.describe)],
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        control=service.command,
        face=service.face(),
        host=args.host,
        port=args.port,
    )
    options = {
        "url": f"{peer.address}{PATH}",
        "allow_private": ["127.0.0.1"],
        "author": "Выдуманцев Андрей Борисович",
    }
    base.announce(peer, rules.SOURCED, rules.OURS, options=options)
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
