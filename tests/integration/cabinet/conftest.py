import pytest

from tests.integration.cabinet.browser import Browser, House


@pytest.fixture
def house(pg_url, tmp_path):
    made = House(pg_url, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def browser(house):
    return Browser(house)
