"""Directories that peers ask for."""

from __future__ import annotations

import pytest

from gateway.errors import NotFoundError
from gateway.topics import Classifier, Node, seed
from gateway.wires import directories


@pytest.mark.parametrize("name", ["Topics", "Organisations"])
def test_a_directory_that_is_not_given_names_those_that_are(name):
    with pytest.raises(NotFoundError) as caught:
        directories.page(name, None, None)

    assert "DeclineGrounds" in caught.value.expected
    assert "gateway org" not in str(caught.value), "the caller has no such command"


def test_topics_are_given_in_pages_with_what_has_ended_among_them():
    many = [
        Node(system="sstu", code=f"{n:04}", title=f"Тема {n}", version=v)
        for n in range(1, 1001)
        for v in ("1", "2")
    ]
    classifier = Classifier("sstu", many, version="2")
    seen, cursor = [], None
    while True:
        version, items, cursors = directories.topics(classifier, 7, None, cursor)
        seen += items[: directories.TOPICS_OF_PAGE]
        if len(items) <= directories.TOPICS_OF_PAGE:
            break
        cursor = cursors[directories.TOPICS_OF_PAGE - 1]
    assert version == "2|7"
    assert len(seen) == 2000
    assert directories.topics(classifier, 7, version, None)[1] == []
    assert directories.topics(classifier, 8, version, None)[1] != []


def test_the_part_that_comes_with_the_gateway_is_given_with_parents():
    _, items, _ = directories.topics(seed(), 0, None, None)
    by_code = {item.code: item for item in items}
    assert by_code["0005"].parent is None
    assert by_code["0005.0005.0056.1149"].parent == "0005.0005.0056"
