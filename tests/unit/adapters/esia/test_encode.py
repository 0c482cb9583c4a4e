"""What is signed, byte by byte, and how it is put into an address."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest

from adapters.esia import client, encode

ASKED = encode.Asked(
    client_id="SHLYUZ",
    scope="openid fullname",
    timestamp="2025.09.02 13:00:29 +0300",
    state="b7f9d3a0-0000-4000-8000-00000000000a",
    redirect_uri="https://шлюз.example/вход",
)


def test_the_time_is_written_in_the_zone_with_its_offset():
    moment = datetime(2025, 9, 2, 10, 0, 29, tzinfo=UTC)

    assert encode.timestamp(moment, ZoneInfo("Europe/Moscow")) == "2025.09.02 13:00:29 +0300"
    assert encode.timestamp(moment, ZoneInfo("Asia/Kamchatka")) == "2025.09.02 22:00:29 +1200"


@pytest.mark.parametrize(
    ("generation", "org", "last", "text"),
    [
        ("v1", "", "код", "openid fullname{t}SHLYUZ{s}"),
        ("v2", "", "", "SHLYUZopenid fullname{t}{s}https://шлюз.example/вход"),
        ("v2", "", "code", "SHLYUZopenid fullname{t}{s}https://шлюз.example/входcode"),
        ("v2", "org_ogrn", "", "SHLYUZopenid fullnameorg_ogrn{t}{s}https://шлюз.example/вход"),
    ],
)
def test_the_string_under_the_signature(generation, org, last, text):
    whole = text.format(t=ASKED.timestamp, s=ASKED.state)

    assert encode.signed(ASKED._replace(scope_org=org), generation, last) == whole.encode()


def test_both_strings_for_renewing_a_token():
    start = encode.signed_to_renew(ASKED, "v2", "start", "обновление")
    token = encode.signed_to_renew(ASKED, "v2", "token", "обновление")

    assert start == encode.signed(ASKED, "v2")
    assert token.endswith(f"{ASKED.state}обновление".encode())
    assert encode.signed_to_renew(ASKED, "v1", "token", "x") == encode.signed(ASKED, "v1")


def test_a_plus_and_a_space_arrive_as_they_are():
    text = client.query({"timestamp": ASKED.timestamp})

    assert text == "timestamp=2025.09.02%2013%3A00%3A29%20%2B0300"
    assert dict(parse_qsl(text)) == {"timestamp": ASKED.timestamp}


def test_the_challenge_is_that_of_the_specification():
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert encode.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_padding_is_an_option():
    assert encode.base64url(b"\xff\xfe") == "__4"
    assert encode.base64url(b"\xff\xfe", padded=True) == "__4="


def test_the_first_generation_knows_neither_hash_nor_challenge():
    fields = encode.begin_fields(ASKED, "v1", "secret", "HASH", "verifier")

    assert not {"client_certificate_hash", "code_challenge", "scope_org"} & set(fields)
    assert "nonce" not in encode.begin_fields(ASKED, "v2", "secret", "HASH", "verifier")
