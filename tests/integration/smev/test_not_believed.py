"""What СМЭВ hands over and is not believed: kept as it came, recorded with why and from where."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from adapters.smev.adapter import Smev
from gateway import gost
from gateway.access.refusals import RefusalLog
from gateway.dispatch.ports import Destination, Policy
from gateway.errors import TrustError
from gateway.lent import Lent
from gateway.model.peer import Peer
from gateway.outbound import Outbound
from gateway.polling import Asked, Polling
from gateway.settings import KeyFile, Settings
from gateway.store import peers
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.memory import StoredMemory
from gateway.store.pool import Pool
from gateway.testing.memory import FakeMemory
from simulators.smev.keys import Workshop
from tests import gost_kit
from tests.gost_kit import needs_gost
from tests.integration.house import eventually
from tests.integration.smev.talk import state

pytestmark = needs_gost
PEER = "region"
"""Not the adapter's name: whose a message is goes by the code of the row."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys of a stand whose own certificate ends the day after tomorrow."""
    folder = tmp_path_factory.mktemp("smev-keys")
    authority(folder).certify(
        "smev", "/CN=СМЭВ на два дня", end=f"{datetime.now(UTC) + timedelta(days=2):%Y%m%d%H%M%SZ}"
    )
    return folder


def holder(folder, name):
    cert = folder / f"{name}.pem"
    der = gost_kit.openssl(folder / "openssl.cnf", "x509", "-in", cert, "-outform", "DER")
    return gost_kit.Holder(name, cert, folder / f"{name}.key", der)


def authority(folder):
    """The stand's own authority, as one that can revoke."""
    Workshop(folder)
    return gost_kit.Authority(folder, holder(folder, "ca"))


def revoking(folder, place, name):
    """Return the list of the stand's authority that takes one certificate back."""
    place.mkdir()
    other = gost_kit.Authority(place, holder(folder, "ca"))
    other.revoke(holder(folder, name))
    return str(other.crl("list"))


class OnTheWay(Outbound):
    """The way to СМЭВ, on which somebody changes what it hands over. sent: what СМЭВ was told."""

    spoil = staticmethod(lambda body: body)

    def __init__(self, **given) -> None:
        super().__init__(**given)
        self.sent = []

    def request(self, *given, **more):
        self.sent.append(more["body"].decode())
        response = super().request(*given, **more)
        if b":RequestMessage" not in response.body:
            return response
        return response._replace(body=self.spoil(response.body))


class Asking:
    """One process that asks the stand, over a real store.

    trust, options: of the house and of the peer, as a test sets them.
    """

    def __init__(self, stand, url, root, clock) -> None:
        self.stand, self.url, self.root, self.clock = stand, url, root, clock
        self.trust = {"trusted_authorities": (stand.facts["authority"],)}
        self.options = {"version": "1.3", "key": "smev"}
        self.out = OnTheWay(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=20.0)
        self.pool, self.committer = Pool(url), Committer(url)
        self.pool.open()
        self.committer.start()
        self.refusals = RefusalLog(url, clock)
        self.refusals.start()
        self.row = Peer(code=PEER, name="СМЭВ", adapter="smev", options=stand.facts["options"])
        with self.pool.connection() as db:
            peers.add(db, self.row, clock())

    def ask(self) -> None:
        issued = self.stand.facts["issued"]["GATEWAY"]
        named = {"revocation_required": False, **self.trust}
        settings = Settings(
            signing_keys=(KeyFile(name="smev", cert=issued["cert"], key=issued["key"]),), **named
        )
        signing = gost.open_signing(settings)
        lent = Lent(StoredMemory(self.pool, PEER, self.clock), lambda: signing, self.clock)
        base = self.stand.facts["endpoints"]["1.3"]
        channel = Smev(self.options, base=base, outbound=self.out, lent=lent)
        destination = Destination(PEER, channel, channel, Policy(timeout=5.0))
        Polling(
            self.pool, self.committer, BlobDirectory(self.root / "blobs"),
            lambda: {PEER: Asked(self.row, destination)}, owner="one", now=self.clock,
            refused=self.refusals.record,
        ).run_once(PEER)  # fmt: skip

    def rows(self, statement):
        with self.pool.connection() as db:
            return db.execute(statement).fetchall()

    def close(self) -> None:
        self.refusals.stop()
        self.committer.stop()
        self.out.close()
        self.pool.close()


@pytest.fixture
def asking(stand, pg_url, tmp_path, clock):
    made = Asking(stand, pg_url, tmp_path, clock)
    yield made
    made.close()


def changed(pattern, to, body):
    made = re.sub(pattern, to, body, count=1, flags=re.DOTALL)
    assert made != body
    return made


def tampered(body):
    return changed(rb"(<\w*:?Text>)", rb"\g<1>Chuzhoe: ", body)


def unsigned(body):
    return changed(rb"(<\w+:SMEVSignature>).*(</\w+:SMEVSignature>)", rb"\g<1>\g<2>", body)


def swapped(body):
    """Name another method in the last signature, which is that of СМЭВ."""
    return changed(rb"(.*)gostr34102012-gostr34112012-256", rb"\g<1>gostr34102001-gostr3411", body)


def wrapped(body):
    """Put a forged request where it is looked for, and the signed one aside, as it was."""
    signed = re.search(rb"<(\w+:Request) .*</\1>", body, re.DOTALL)[0]
    forged = changed(rb'Id="[^"]*"', b'Id="FORGED"', tampered(signed))
    return body.replace(signed, forged + b'<w:Aside xmlns:w="urn:w">' + signed + b"</w:Aside>")


def require_recorded(asking, number, reason):
    """One refusal with its reason, peer, host and code; the message is kept as it came."""
    query = "SELECT peer, address, code, reason FROM refusal"
    ((*told, why),) = eventually(lambda: asking.rows(query))
    assert told == [PEER, "127.0.0.1", "trust"]
    assert why.partition(":")[0] == reason
    assert not any(reason in body for body in asking.out.sent)
    ((peer, body),) = asking.rows("SELECT peer, body FROM message")
    assert peer == PEER
    assert number.encode() in body
    assert asking.rows("SELECT count(*) FROM appeal") == [(0,)]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (tampered, "digest_mismatch"),
        (unsigned, "signature_missing"),
        (swapped, "algorithm_refused"),
        (wrapped, "signature_wrapped"),
    ],
)
def test_what_was_done_on_the_way_is_recorded_and_nothing_is_taken(asking, stand, spoil, reason):
    (number,) = stand.control(emit=1, seed=3)["ids"]
    asking.out.spoil = spoil
    asking.ask()
    require_recorded(asking, number, reason)
    assert state(stand, number) == "given", "СМЭВ is not told: it is asked for once more"


def test_a_certificate_of_nobody_we_trust_is_recorded_as_unknown(asking, stand):
    (number,) = stand.control(emit=1, seed=3)["ids"]
    asking.trust = {"trusted_authorities": (str(gost_kit.pki().foreign.cert),)}
    asking.ask()
    require_recorded(asking, number, "certificate_unknown")


def test_who_is_not_smev_may_not_speak_for_it_though_one_authority_certified_both(
    asking, stand, keys
):
    (number,) = stand.control(emit=1, seed=3)["ids"]
    asking.options["smev_certificates"] = [sha256(holder(keys, "other").der).hexdigest()]
    asking.ask()
    require_recorded(asking, number, "certificate_unknown")


def test_the_certificate_that_is_named_as_smevs_is_believed(asking, stand, keys):
    stand.control(emit=1, seed=3)
    asking.options["smev_certificates"] = [sha256(holder(keys, "smev").der).hexdigest()]
    asking.ask()
    assert asking.rows("SELECT count(*) FROM appeal") == [(1,)]
    assert asking.rows("SELECT count(*) FROM refusal") == [(0,)]


def test_a_certificate_that_was_taken_back_is_recorded_as_revoked(asking, stand, keys, tmp_path):
    (number,) = stand.control(emit=1, seed=3)["ids"]
    asking.trust["revocation_lists"] = (revoking(keys, tmp_path / "crl", "smev"),)
    asking.ask()
    require_recorded(asking, number, "certificate_revoked")


def test_a_certificate_that_has_ended_is_recorded_as_expired(asking, stand, clock):
    (number,) = stand.control(emit=1, seed=3)["ids"]
    clock.ahead = timedelta(days=3)
    asking.ask()
    require_recorded(asking, number, "certificate_expired")


def test_a_sender_whose_certificate_was_taken_back_is_told_the_code_alone(
    asking, stand, keys, tmp_path
):
    (number,) = stand.control(emit=1, seed=3)["ids"]
    asking.trust["revocation_lists"] = (revoking(keys, tmp_path / "crl", "other"),)
    asking.ask()
    require_recorded(asking, number, "certificate_revoked")
    stand.control(answer=True)
    assert stand.control(heard=True)["heard"][number] == ["RequestRejected"]
    ((correlation, path),) = asking.rows("SELECT correlation, path FROM refusal")
    assert "SenderInformationSystemSignature; OTHER" in path, "whose signature, and who sent it"
    (said,) = [body for body in asking.out.sent if "RequestRejected>" in body]
    assert f">trust ({correlation})<" in said


def test_a_number_that_another_sender_has_turns_no_answer_away_from_him(
    stand, connect, clock, stored
):
    """Whoever is heard under the MessageID of another does not get what the other is owed."""
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory)
    number = stand.control(emit=1, seed=3)["ids"][0]
    theirs = {"reply_to": "to-the-other", "sender": "SOMEBODY", "state": "given"}
    memory.put("received", number, theirs)

    batch = channel.receive("")
    with pytest.raises(TrustError) as refused:
        channel.decode(batch.messages[0].wire)
    channel.acknowledge(stored(batch, error=refused.value))

    assert refused.value.reason == "replayed"
    assert memory.get("received", number) == theirs
    assert state(stand, number) == "given", "and СМЭВ is told nothing of the message of the other"
