"""zeep against the gateway; prints one line for each feature (see tests/interop/rows.py)."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import zeep
from requests import Session
from requests.auth import HTTPBasicAuth
from zeep import ns
from zeep.cache import InMemoryCache
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

HTTP, HTTPS, BUSY = (os.environ[f"INTEROP_{name}"] for name in ("HTTP", "HTTPS", "BUSY"))
PEER, KEY = (os.environ[f"INTEROP_{name}"] for name in ("PEER", "KEY"))
DIGEST, SECRET = (os.environ[f"INTEROP_{name}"] for name in ("DIGEST", "SECRET"))
BARRED, BARRED_KEY = os.environ["INTEROP_BARRED"], os.environ["INTEROP_BARRED_KEY"]
TEXT = os.environ["INTEROP_TEXT"]
NS = "{urn:gov:appeals:v1}"
WSA = "http://www.w3.org/2005/08/addressing"
CACHE = InMemoryCache()
CONTENT = bytes(range(256)) * 8
CONTENT = bytes(range(256)) * 8


def service(port="Basic", address=HTTP, user=PEER, key=KEY, form="wsdl", **options):
    session = Session()
    session.trust_env = False
    if user:
        session.auth = HTTPBasicAuth(user, key)
    session.verify = os.environ["INTEROP_CA"]
    session.cert = options.pop("cert", None)
    session.headers.update(options.pop("headers", {}))
    session.headers.update(options.pop("headers", {}))
    transport = Transport(session=session, cache=CACHE, timeout=20, operation_timeout=20)
    history = History()
    client = zeep.Client(f"{HTTP}?{form}", transport=transport, plugins=[history], **options)
    made = client.create_service(f"{NS}{port}", address)
    made.history = history
    return made


class History(zeep.Plugin):
    """What went out and what came back, with the addressing that zeep itself adds."""

    def egress(self, envelope, http_headers, operation, binding_options):
        self.sent = envelope
        return envelope, http_headers

    def ingress(self, envelope, http_headers, operation):
        self.answer, self.headers = envelope, http_headers
        return envelope, http_headers


def appeal(name, **more):
    return {"ExternalId": f"{PEER}-{name}", "Text": TEXT, **more}


def must(condition, *detail):
    if not condition:
        raise AssertionError(" ".join(map(str, detail)) or "not so")


def fault(call, name):
    """The typed detail of the fault that a call must end in, read by the contract's own type."""
    try:
        call()
    except zeep.exceptions.Fault as caught:
        (detail,) = caught.detail
        must(detail.tag == NS + name, detail.tag)
        types = zeep.Client(f"{HTTP}?wsdl", transport=Transport(cache=CACHE)).wsdl.types
        return types.get_element(detail.tag).parse(detail, types)
    raise AssertionError("no fault")


def wsdl():
    must(service().Ping().PeerCode == PEER)


def single_wsdl():
    must(service(form="singleWsdl").Ping().PeerCode == PEER)


def soap11():
    receipt = service().SubmitAppeal(appeal("11"))
    must(receipt.ExternalId == f"{PEER}-11", receipt)
    return receipt.ReceiptNumber


def soap12():
    receipt = service("Soap12").SubmitAppeal(appeal("12"))
    must(receipt.ExternalId == f"{PEER}-12", receipt)
    return receipt.ReceiptNumber


def addressing():
    ws = service("Ws")
    must(ws.Ping().PeerCode == PEER)
    sent, answer = headers_of(ws.history.sent), headers_of(ws.history.answer)
    must(answer["RelatesTo"] == sent["MessageID"], sent, answer)
    return answer["Action"]


def headers_of(envelope):
    found = envelope.xpath(f"//*[namespace-uri()='{WSA}']")
    return {block.tag.rpartition("}")[2]: block.text for block in found}


def https():
    must(service(address=HTTPS).Ping().PeerCode == PEER)


def basic():
    must(service("Soap12").Ping().PeerCode == PEER)


def basic_refused():
    try:
        service(key="gw_0000000000_wrong").Ping()
    except (zeep.exceptions.TransportError, zeep.exceptions.Fault) as error:
        return str(error)[:80]
    raise AssertionError("a wrong key was taken")


def repeat():
    basic = service()
    first, again = (basic.SubmitAppeal(appeal("repeat")) for _ in range(2))
    must(first == again, first, again)


def stored(name, **more):
    basic = service()
    basic.SubmitAppeal(appeal(name, **more))
    return basic.GetAppeal({"ExternalId": f"{PEER}-{name}"}, IncludeText=True)


def text():
    found = stored("text").Text
    must(found == TEXT, found)


def list_():
    asked = {"QuestionIn": [{"Text": "Первый"}, {"Text": "Второй"}]}
    found = [q.Text for q in stored("list", Questions=asked).Questions.QuestionOut]
    must(found == ["Первый", "Второй"], found)


def instant():
    sent = datetime(2026, 11, 20, 9, 30, tzinfo=timezone(timedelta(hours=3)))
    found = stored("instant", ReceivedAt=sent).ReceivedAt
    must(found == sent, found)
    return found.isoformat()


def attached(basic):
    basic.SubmitAppeal(appeal("file"))
    kept = basic.AttachFile(
        OwnerKey={"ExternalId": f"{PEER}-file"}, FileName="фото.bin", Content=CONTENT,
        MessageKey=f"{PEER}-file-1",
    )  # fmt: skip
    return kept.AttachmentId


def attachment():
    basic = service()
    must(basic.GetAttachment(attached(basic)).Content == CONTENT)


def mtom_answer():
    accept = {"Accept": 'multipart/related; type="application/xop+xml"'}
    packed = service("Mtom", headers=accept)
    must(packed.GetAttachment(attached(service())).Content == CONTENT)
    media = packed.history.headers["Content-Type"]
    must(media.startswith("multipart/related"), media)
    return "asked for by Accept"


def fault_validation():
    wrong = appeal("wrong", ProblemAddress={"Oktmo": "1"})
    found = fault(lambda: service().SubmitAppeal(wrong), "ValidationFault")
    (first,) = found.Errors.FieldError
    must(found.Code == "validation" and first.Path.endswith("/ProblemAddress/Oktmo"), found)
    return f"{found.Code} {first.Path} {first.Code}"


def fault_conflict():
    basic = service()
    receipt = basic.SubmitAppeal(appeal("conflict"))
    other = appeal("conflict", Subject="Другое")
    found = fault(lambda: basic.SubmitAppeal(other), "ConflictFault")
    must(found.ReceiptNumber == receipt.ReceiptNumber, found)


def fault_not_found():
    key = {"ExternalId": "нет-такого"}
    found = fault(lambda: service("Soap12").GetAppeal(key), "NotFoundFault")
    must(found.Code == "not_found", found)


def fault_access():
    found = fault(service(user=BARRED, key=BARRED_KEY).Ping, "AccessFault")
    must(found.Code == "access", found)


def fault_busy():
    busy = service("Soap12", address=BUSY)
    found = fault(lambda: busy.SubmitAppeal(appeal("busy")), "BusyFault")
    must(found.RetryAfterSeconds >= 1, found)
    return f"RetryAfterSeconds {found.RetryAfterSeconds}"


def must_understand():
    element = zeep.xsd.Element(
        "{urn:example:strange}Strange",
        zeep.xsd.ComplexType(
            [],
            attributes=[
                zeep.xsd.Attribute(
                    "{http://schemas.xmlsoap.org/soap/envelope/}mustUnderstand", zeep.xsd.String()
                )
            ],
        ),
    )
    header = element(mustUnderstand="1")
    try:
        service().Ping(_soapheaders=[header])
    except zeep.exceptions.Fault as caught:
        must(caught.code.endswith("MustUnderstand"), caught.code)
        return caught.code
    raise AssertionError("executed")


def gzip_answer():
    basic = service()
    basic.FindAppeals(Max=100)
    coding = basic.history.headers.get("Content-Encoding")
    must(coding == "gzip", f"Content-Encoding {coding}")


def token(user, secret, *, digest):
    token = UsernameToken(user, secret, use_digest=digest)
    found = service("Soap12", user="", wsse=token).Ping().PeerCode
    must(found == user, found)


def token_refused():
    try:
        service("Soap12", user="", wsse=UsernameToken(DIGEST, "wrong", use_digest=True)).Ping()
    except zeep.exceptions.Fault as caught:
        codes = [caught.code, *(code.localname for code in caught.subcodes or ())]
        must("FailedAuthentication" in str(codes), codes)
        return " ".join(map(str, codes))
    raise AssertionError("a wrong password was taken")


def client_certificate():
    pair = (os.environ["INTEROP_TLS_CERT"], os.environ["INTEROP_TLS_KEY"])
    found = service(address=HTTPS, user="", cert=pair).Ping().PeerCode
    must(found == os.environ["INTEROP_TLS"], found)


def signature(answers=""):
    """Send a signed call; answers: path of the certificate that signs what comes back."""
    import xmlsec
    from zeep.wsse import signature as wsse
    from zeep.wsse.utils import WSU

    class Stamped(wsse.BinarySignature):
        """Signs Body and the Timestamp that it adds."""

        def apply(self, envelope, headers):
            from zeep.wsse import utils

            security = utils.get_security_header(envelope)
            now = datetime.now(UTC).replace(microsecond=0)
            timestamp = WSU("Timestamp")
            timestamp.append(WSU("Created", now.strftime("%Y-%m-%dT%H:%M:%SZ")))
            expires = now + timedelta(minutes=5)
            timestamp.append(WSU("Expires", expires.strftime("%Y-%m-%dT%H:%M:%SZ")))
            security.append(timestamp)
            return super().apply(envelope, headers)

        def verify(self, envelope):
            if answers:
                key = wsse._make_verify_key(Path(answers).read_bytes())
                wsse._verify_envelope_with_key(envelope, key)
                covered = envelope.xpath("//*[local-name()='Reference']/@URI")
                by_id = {e.get(f"{{{ns.WSU}}}Id"): e for e in envelope.iter()}
                names = sorted(by_id[uri[1:]].tag.rpartition("}")[2] for uri in covered if uri)
                must({"Body", "Timestamp"} <= set(names), names)
            return envelope

    signed = Stamped(
        os.environ["INTEROP_SIGNER_KEY"],
        os.environ["INTEROP_SIGNER_CERT"],
        signature_method=xmlsec.constants.TransformRsaSha256,
        digest_method=xmlsec.constants.TransformSha256,
    )
    signer = os.environ["INTEROP_SIGNER"]
    must(service("Soap12", user="", wsse=signed).Ping().PeerCode == signer)


def say(name, verdict, detail=""):
    words = " ".join(str(detail or "").split())[:300]
    sys.stdout.write(f"{name}\t{verdict}\t{words}\n")
    sys.stdout.flush()


def row(name, work):
    try:
        say(name, "ok", work())
    except Exception as error:  # noqa: BLE001 - whatever it is, it goes into the row
        say(name, "fail", f"{type(error).__name__}: {error}")


def main():
    say("version", "ok", f"zeep {zeep.__version__}")
    for work in (
        wsdl, single_wsdl, soap11, soap12, addressing, https, basic, basic_refused, repeat, text,
        list_, instant, attachment, fault_validation, fault_conflict, fault_not_found,
        fault_access, fault_busy, must_understand, gzip_answer, mtom_answer,
    ):  # fmt: skip
        row(work.__name__.rstrip("_"), work)
    row("token_text", lambda: token(PEER, KEY, digest=False))
    row("token_digest", lambda: token(DIGEST, SECRET, digest=True))
    row("token_refused", token_refused)
    row("client_certificate", client_certificate)
    try:
        import xmlsec  # noqa: F401
    except ImportError as error:
        say("signature", "cannot", f"zeep signs with xmlsec, which is not here: {error}")
    else:
        row("signature", signature)
        row("signed_answer", lambda: signature(os.environ["INTEROP_ANSWERS_CERT"]))


if __name__ == "__main__":
    main()
