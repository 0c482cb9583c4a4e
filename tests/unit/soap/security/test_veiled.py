"""A stranger learns by no difference whether a certificate is a peer's, or still holds."""

import pytest

from gateway.soap import security
from tests.unit.soap.security.kit import (
    NOW,
    SKI,
    THUMBPRINT,
    Ctx,
    Peers,
    b64,
    certificate,
    refused,
    signed,
    str_,
    timestamp,
)

FORGED = ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA")


def identified(kind):
    return str_(f'<wsse:KeyIdentifier ValueType="{kind}">{b64(b"1")}</wsse:KeyIdentifier>')


def registered(der):
    return Ctx(keys=Peers(registered={der: "omsu"}))


REFUSALS = {
    "forged": (signed().replace(*FORGED), Ctx(), "FailedCheck"),
    "strange": (signed(number=7), Ctx(), "FailedAuthentication"),
    "no such key": (signed(key_info=identified(SKI)), Ctx(), "SecurityTokenUnavailable"),
    "no such print": (signed(key_info=identified(THUMBPRINT)), Ctx(), "SecurityTokenUnavailable"),
    "unfit": (signed(), registered(certificate(usage="crl_sign")), "FailedAuthentication"),
    "weak": (
        signed(kind="rsa1024"), registered(certificate("rsa1024")), "InvalidSecurityToken",
    ),
    "late": (
        signed(stamp=timestamp(NOW.replace(year=2029), None)),
        Ctx(now=NOW.replace(year=2029)),
        "InvalidSecurityToken",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_we_know_why_and_the_sender_does_not(name):
    message, ctx, fault = REFUSALS[name]
    error = refused(message, ctx)
    assert error.fault == fault, "what is recorded is exact"
    told = security.veiled(error)
    assert (told.fault, told.found, told.expected) == ("FailedAuthentication", "", "")
    assert str(told) == str(security.veiled(refused(signed().replace(*FORGED))))


def test_what_is_wrong_with_the_message_alone_is_told():
    error = refused(signed(stamp=timestamp(NOW.replace(year=2020), None)))
    assert security.veiled(error) is error
    changed = refused(signed().replace("проба", "подмена"))
    assert security.veiled(changed) is changed
