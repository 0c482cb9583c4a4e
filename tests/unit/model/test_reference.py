"""The reference page tells what the classes tell."""

from tests.unit.model.reference import PAGE, page


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run: python -m tests.unit.model.reference --write"
