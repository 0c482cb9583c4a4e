import shutil

import pytest

from simulators.process import start
from tests.integration.esia import house


@pytest.fixture(scope="session")
def esia():
    """The stand, with our system registered as it is by default."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the package openssl")
    simulator = start("esia", "--seed", "7")
    try:
        yield simulator
    finally:
        simulator.stop()


@pytest.fixture
def registered(esia):
    """The stand, with our system registered anew."""
    house.register(esia)
    return esia


@pytest.fixture(scope="session")
def people(esia):
    """Accounts of the stand: a confirmed citizen, one with less, officials."""
    return esia.control(people=True)["people"]


@pytest.fixture(autouse=True)
def _closed():
    yield
    while house.MADE:
        house.MADE.pop().close()
