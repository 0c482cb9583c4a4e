"""What a peer's row says of our credentials, on real connections: shown, signed, refused."""

from __future__ import annotations

import base64
import datetime as dt
import shutil
import ssl

import pytest

from gateway.adapter import EncodeContext
from gateway.destinations import Builder
from gateway.errors import ConfigurationError, PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.model.appeal import Appeal
from gateway.model.events import Actor, Event, EventType
from gateway.model.ids import uuid7
from gateway.model.peer import Peer as Row
from gateway.settings import Settings
from gateway.soap import security
from tests.unit.outbound.peers import tls_server
from tests.unit.soap import there as t

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
PASSWORD = "пароль s3cret"


@pytest.fixture
def there():
    running = []

    def start(tls=None):
        running.append(t.There(tls))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def builder():
    made = []

    def make(**settings):
        made.append(Builder({}, Settings(**settings), lambda: NOW))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n", "utf-8")
    return str(path)


def row(url, adapter="soap", **options):
    private = ["127.0.0.1", "::1"]
    return Row(
        code="sed", adapter=adapter, options={"url": url, "allow_private": private, **options}
    )


def tell(destination, key="0199-key"):
    event = Event(
        appeal_id=uuid7(), seq=2, type=EventType.TAKEN_TO_WORK, occurred_at=dt.date(2026, 11, 19),
        recorded_at=NOW, actor=Actor(kind="person"),
    )  # fmt: skip
    context = EncodeContext(now=NOW, key=key)
    wire = destination.codec.encode(Appeal(receipt_number="0123456789A"), event, context)
    return destination.channel.deliver(wire, key)


def test_a_row_with_no_more_than_an_address_speaks_plain_soap(there, builder):
    partner = there()
    receipt = tell(builder().build(row(partner.address)))
    assert receipt.reference == "77"
    (got,) = partner.got
    assert got.headers["content-type"] == "text/xml; charset=utf-8"
    assert got.find("s:Header") is None


def test_a_row_chooses_version_addressing_and_login(there, builder, secret):
    partner = there()
    options = {"soap12": True, "addressing": True, "login": "text", "user": "шлюз"}
    destination = builder().build(row(partner.address, password_file=secret, **options))
    tell(destination)
    tell(destination)
    first, second = partner.got
    assert first.headers["content-type"].startswith("application/soap+xml")
    assert first.find("s:Header/wsse:Security/wsse:UsernameToken/wsse:Password").text == PASSWORD
    name = "s:Header/wsa:MessageID"
    assert first.find(name).text == second.find(name).text
    assert first.find("s:Header/wsa:To").text == partner.address


def test_a_certificate_of_ours_is_shown_to_a_peer_that_asks(there, builder, certificates, secret):
    partner = there(tls_server(certificates, ask=True))
    trusted = {"ca_bundle": str(certificates / "ca.pem")}
    shown = {
        "client_cert": str(certificates / "client.pem"),
        "client_key": str(certificates / "client.key"),
    }
    login = {"login": "basic", "user": "шлюз", "password_file": secret}
    assert tell(builder().build(row(partner.address, **trusted, **shown, **login))).status == 200
    pair = partner.got[0].headers["authorization"].partition(" ")[2]
    assert base64.b64decode(pair).decode() == f"шлюз:{PASSWORD}"
    with pytest.raises(PeerUnavailable):
        tell(builder().build(row(partner.address, **trusted)))
    assert len(partner.got) == 1


def test_a_web_hook_shows_it_too(there, builder, certificates, tmp_path):
    partner = there(tls_server(certificates, ask=True))
    hook = tmp_path / "hook.secret"
    hook.write_bytes(b"0123456789abcdef")
    destination = builder().build(
        row(
            partner.address,
            "webhook",
            ca_bundle=str(certificates / "ca.pem"),
            client_cert=str(certificates / "client.pem"),
            client_key=str(certificates / "client.key"),
            secret_file=str(hook),
        )
    )
    assert tell(destination).status == 200


def test_a_key_with_a_password_is_opened_by_the_file_that_holds_it(
    there, builder, tmp_path, secret
):
    certificate, key = t.made_certificate(tmp_path, password=PASSWORD.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, PASSWORD.encode())
    partner = there(context)
    files = {"ca_bundle": str(certificate)}
    for name in ("sign", "client"):
        files[f"{name}_cert"], files[f"{name}_key"] = str(certificate), str(key)
    opened = {f"{name}_key_password_file": secret for name in ("sign", "client")}
    tell(builder().build(row(partner.address, **files, **opened)))
    signature = partner.got[0].find("s:Header/wsse:Security")[-1]
    assert signature.tag.endswith("}Signature")
    for name in opened:
        few = {key: value for key, value in opened.items() if key != name}
        with pytest.raises(ConfigurationError) as caught:
            builder().build(row(partner.address, **files, **few))
        assert name.partition("_")[0] in caught.value.where


def test_a_partner_that_refuses_our_password_says_what_to_look_at(there, builder, secret):
    partner = there()
    partner.answers = lambda _: (401, "text/html", b"<html>who are you</html>")
    destination = builder().build(
        row(partner.address, login="basic", user="u", password_file=secret)
    )
    with pytest.raises(PeerRefused) as caught:
        tell(destination)
    assert "password_file" in caught.value.todo
    assert "s3cret" not in str(caught.value)


def test_a_login_for_a_proxy_lies_in_a_file(there, builder, tmp_path):
    proxy, login = there(), tmp_path / "login"
    login.write_text("house:s3cret\n", "ascii")
    way = proxy.address.removesuffix("/back.svc")
    peer = row("http://sed.invalid/back.svc", proxy=way, proxy_password_file=str(login))
    tell(builder().build(peer))
    assert "aG91c2U6czNjcmV0" in str(proxy.got[0].headers)


@pytest.mark.parametrize("kept", ["s3cretword", "s3cret:\0word"])
def test_a_file_without_a_login_for_the_proxy_is_told_and_not_shown(builder, tmp_path, kept):
    login = tmp_path / "login"
    login.write_text(kept, "ascii")
    peer = row("http://sed.invalid/", proxy="http://p:1", proxy_password_file=str(login))
    with pytest.raises(ConfigurationError) as caught:
        builder().build(peer)
    assert "proxy_password_file" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_row_chooses_the_way_through_a_proxy(there, builder):
    proxy = there()
    way = proxy.address.removesuffix("/back.svc")
    tell(builder().build(row("http://sed.invalid/back.svc", proxy=way)))
    assert proxy.got[0].path == "http://sed.invalid:80/back.svc"


def wrong_rows(folder):
    """Options that cannot work, and the name that the error must say."""
    login = {"login": "digest", "user": "u", "password_file": str(folder / "password")}
    certificate, key = t.made_certificate(folder)
    _, other = t.made_certificate(folder, "other")
    (folder / "empty").write_text(" \n")
    (folder / "latin").write_bytes(b"\xff\xfe")
    sign = {"sign_cert": str(certificate), "sign_key": str(key)}
    return {
        "login": [
            {**login, "login": "kerberos"},
            {k: v for k, v in login.items() if k != "login"},
            {**login, "login": "text"},
            {**login, "login": "basic"},
        ],
        "user": [{k: v for k, v in login.items() if k != "user"}],
        "password_file": [
            {k: v for k, v in login.items() if k != "password_file"},
            {**login, "password_file": str(folder / "nowhere")},
            {**login, "password_file": str(folder / "empty")},
            {**login, "password_file": str(folder / "latin")},
        ],
        "sign_cert": [{"sign_key": str(key)}, {**sign, "sign_cert": str(folder / "nowhere")}],
        "sign_key": [
            {**sign, "sign_key": str(other)},
            {**sign, "sign_key": str(folder / "empty")},
            {"sign_cert": str(certificate)},
        ],
        "client_cert": [{"client_key": str(key)}, {"client_cert": str(folder / "nowhere")}],
    }


def test_a_row_that_cannot_work_is_told_by_the_name_of_its_option(builder, tmp_path, secret):
    for name, cases in wrong_rows(tmp_path).items():
        for options in cases:
            with pytest.raises(ConfigurationError) as caught:
                builder().build(row("http://sed.example/x", **options))
            assert name in f"{caught.value.message} {caught.value.where}", options
            assert "s3cret" not in str(caught.value)


def test_a_trusted_wire_may_carry_a_password(builder, secret):
    options = {"login": "text", "user": "u", "password_file": secret}
    builder(trusted_wire=True).build(row("http://sed.example/x", **options))
    with pytest.raises(ConfigurationError):
        builder().build(row("http://sed.example/x", **options))


def test_the_files_of_a_row_are_not_needed_to_read_it(builder, tmp_path, secret):
    """`gateway peer option` says what is wrong with words, and the building with files."""
    options = {"login": "digest", "user": "u", "password_file": secret}
    shutil.rmtree(tmp_path)
    made = row("http://sed.example/x", **options)
    assert builder().wrong(made) == []
    assert builder().hindrance(made) is not None


@pytest.mark.parametrize("soap12", [False, True], ids=["1.1", "1.2"])
def test_answers_are_believed_by_the_certificates_of_the_row_and_by_no_others(
    there, builder, tmp_path, soap12
):
    partner = there()
    pairs = [t.made_certificate(tmp_path, name, "ec") for name in ("old", "new", "other")]
    both = tmp_path / "answers.pem"
    both.write_bytes(pairs[0][0].read_bytes() + pairs[1][0].read_bytes())
    destination = builder().build(row(partner.address, answer_cert=str(both), soap12=soap12))

    def signed_by(pair, at=NOW):
        signer = security.load(pair[0].read_bytes(), pair[1].read_bytes())

        def answers(got):
            status, media, body = t.receipt(got)
            return status, media, security.sign_envelope(body, signer, at)

        return answers

    for pair in pairs[:2]:
        partner.answers = signed_by(pair)
        assert tell(destination).reference == "77"
    for partner.answers in (
        signed_by(pairs[2]),
        signed_by(pairs[0], NOW - dt.timedelta(hours=1)),
        t.receipt,
    ):
        with pytest.raises(PeerDoubtful, match="not believed"):
            tell(destination)


@pytest.mark.parametrize("text", [b"", b"no certificate"], ids=["empty", "another file"])
def test_a_file_without_a_certificate_for_answers_is_named(builder, tmp_path, text):
    path = tmp_path / "answers.pem"
    path.write_bytes(text)
    with pytest.raises(ConfigurationError, match="answer_cert") as refused:
        builder().build(row("https://sed.example/", answer_cert=str(path)))
    assert refused.value.found == str(path)


@pytest.mark.parametrize(
    "options",
    [{"soap12": True}, {"login": "digest", "user": "шлюз"}],
    ids=["soap 1.2", "a login in the message"],
)
def test_what_does_not_go_with_the_signature_of_smev_2_is_told_before_anything_is_sent(
    builder, tmp_path, secret, options
):
    certificate, key = t.made_certificate(tmp_path, kind="ec")
    signs = {"wsse": "smev2", "sign_cert": str(certificate), "sign_key": str(key)}
    if "login" in options:
        options = {**options, "password_file": secret}
    with pytest.raises(ConfigurationError, match="wsse=smev2") as refused:
        builder().build(row("https://sed.example/", **signs, **options))
    assert next(iter(options)) in refused.value.found
    basic = {"login": "basic", "user": "шлюз", "password_file": secret}
    assert builder().build(row("https://sed.example/", **signs, **basic))
