"""A token is taken once by the whole installation, over its real store."""

from contextlib import closing

import pytest

from adapters.esia.adapter import Esia
from gateway.errors import TrustError
from gateway.lent import Lent
from gateway.store.memory import StoredMemory
from gateway.store.pool import Pool
from tests.gost_kit import needs_gost
from tests.integration.esia import house


@needs_gost
def test_a_token_that_logged_in_at_one_node_is_refused_by_another(registered, people, pg_url):
    with closing(Pool(pg_url)) as one, closing(Pool(pg_url)) as other:
        nodes = [node(registered, pool) for pool in (one, other)]
        house.log_in(nodes[0], people[0]["oid"])
        for token in ("id", "access"):
            registered.control(alter={"how": "replay", "token": token})

        with pytest.raises(TrustError) as refused:
            house.log_in(nodes[1], people[0]["oid"])

        assert refused.value.reason == "replayed"
        assert house.log_in(nodes[1], people[0]["oid"]).subject


def node(simulator, pool) -> Esia:
    pool.open()
    lent = Lent(StoredMemory(pool, "esia", house.now), house.signing, house.now)
    return house.esia(house.options(simulator), lent=lent)
