"""The name of an issuer is the same one however a program writes it."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import names

NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
        x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "73 Ульяновская область"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'ООО "Рога, копыта + хвосты"'),
        x509.NameAttribute(NameOID.OGRN, "1027700000000"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@example.ru"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Test CA"),
    ]
)
OGRN = "1.2.643.100.1=#120d" + b"1027700000000".hex()


WRITTEN = {
    "RFC 4514": NAME.rfc4514_string(),
    ".NET": "CN=Test CA, E=ca@example.ru, ОГРН=1027700000000,"
    ' O="ООО ""Рога, копыта + хвосты""", S=73 Ульяновская область, C=RU',
    "Java": f'C=ru,ST=73  Ульяновская  область,O=ООО \\"Рога\\, копыта \\+ хвосты\\",{OGRN},'
    f"1.2.840.113549.1.9.1=#160d{b'ca@example.ru'.hex()},CN=TEST CA",
    "older Java": f"EMAILADDRESS=ca@example.ru; OID.{OGRN}; CN=Test CA;"
    ' O="ООО \\"Рога, копыта + хвосты\\""; C=RU; ST=73 \\D0\\A3льяновская область',
    "OpenSSL": '/C=RU/ST=73 Ульяновская область/O=ООО "Рога, копыта + хвосты"'
    "/OGRN=1027700000000/emailAddress=ca@example.ru/CN=Test CA",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_each_way_to_write_a_name_gives_the_name_in_the_certificate(text):
    assert names.written(text) == names.of(NAME)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Test CA",
        "CN=Test CA",
        "CN=Test CA,,C=RU",
        'CN="Test',
        "CN=" + "a" * 5000,
        "/",
        "\\",
    ],
)
def test_what_is_another_name_or_none_finds_nothing(text):
    assert names.written(text) != names.of(NAME)


@given(st.text(st.sampled_from('cnCN=,;+"\\#/ 0aя'), max_size=200))
def test_hostile_names_are_read_without_a_crash(text):
    names.written(text)
