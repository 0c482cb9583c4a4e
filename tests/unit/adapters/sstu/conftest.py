import json
from pathlib import Path

import pytest

import adapters.sstu

FOLDER = Path(adapters.sstu.__file__).parent


@pytest.fixture(scope="session")
def schema():
    return json.loads((FOLDER / "appeal.schema.json").read_text(encoding="utf-8"))
