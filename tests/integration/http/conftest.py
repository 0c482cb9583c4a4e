"""The tests of this folder call a served gateway."""

from tests.integration.house import SOAP11, house, make_house, own_house

__all__ = ["SOAP11", "house", "make_house", "own_house"]
