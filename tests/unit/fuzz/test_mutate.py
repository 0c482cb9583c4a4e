"""Whatever a mutation left of a body, the next one can be made of it."""

from random import Random

import pytest

from tests.fuzz import mutate

LEFT = [b'<?xml version="1.0"?>', b"<", b"x", b"<a/>", b"<?xml ?>\n"]


@pytest.mark.parametrize("body", LEFT)
def test_every_mutation_takes_what_little_is_left(body):
    random = Random(1)
    for change in set(mutate.BODY):
        for _ in range(30):
            assert isinstance(change(random, body), bytes)
