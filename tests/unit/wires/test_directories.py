"""Directories that peers ask for."""

from __future__ import annotations

import pytest

from gateway.errors import NotFoundError
from gateway.wires import directories


@pytest.mark.parametrize("name", ["Topics", "Organisations"])
def test_a_directory_that_is_not_given_names_those_that_are(name):
    with pytest.raises(NotFoundError) as caught:
        directories.page(name, None, None)

    assert "DeclineGrounds" in caught.value.expected
    assert "gateway org" not in str(caught.value), "the caller has no such command"
