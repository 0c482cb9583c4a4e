"""The tests of this folder call a served gateway."""

from tests.integration.house import house, make_house, own_house

__all__ = ["house", "make_house", "own_house"]
