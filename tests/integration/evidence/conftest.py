"""The small installation of the commands, with a key that seals."""

from __future__ import annotations

import msgspec
import pytest

from gateway import settings
from tests import gost_kit
from tests.integration.commands.conftest import house

__all__ = ["house", "sealing_house"]


@pytest.fixture
def sealing_house(house):
    """A house whose settings name the key of seals and the authority that is believed."""
    if not gost_kit.has_gost():
        pytest.skip("libengine-gost-openssl is not installed")
    given = gost_kit.pieces()
    house.environ |= {
        "GATEWAY_SIGNING_KEYS": msgspec.json.encode(given["signing_keys"]).decode(),
        "GATEWAY_TRUSTED_AUTHORITIES": ",".join(given["trusted_authorities"]),
        "GATEWAY_REVOCATION_LISTS": ",".join(given["revocation_lists"]),
        "GATEWAY_SEAL_WITH": given["signing_keys"][0]["name"],
    }
    house.settings = settings.load(house.environ)
    return house
