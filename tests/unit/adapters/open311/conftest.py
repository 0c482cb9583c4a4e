"""The codec with the options of the manifest."""

import tomllib
from pathlib import Path

import pytest

import adapters.open311
from adapters.open311.adapter import Open311

MANIFEST = tomllib.loads(
    (Path(adapters.open311.__file__).parent / "manifest.toml").read_text("utf-8")
)


@pytest.fixture(scope="session")
def manifest():
    return MANIFEST


@pytest.fixture(scope="session")
def make():
    def made(**options):
        return Open311({**MANIFEST["options"], **options})

    return made


@pytest.fixture(scope="session")
def codec(make):
    return make()
