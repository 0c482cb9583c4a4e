"""What is kept, as SQLAlchemy Core tables.

Three rules hold everywhere (docs/adr/0009, 0011, 0018):

- `event` is the truth. `appeal` (state, route, revision, merger), `question`, `registration`,
  `deadline`, `conflict` and `twin` are projections: `gateway verify --rebuild` makes them again
  from the events. So are `external_ref` and `letter`, from the contents whose digests events name;
  what came with a content that was erased since stays as it is. `place` follows from both; an
  erased content takes the object with it.
- Personal data lies in `content` and in the bodies of `message`, `attempt` and `reply` only.
  Erasing drops `content.salt` and `content.bytes`; the hash chain over `event` still verifies.
- The register of addresses (`address_*`, `gar_*`) is a copy of the state's: it is loaded again,
  not restored.
- Rows that grow with traffic are partitioned by month as ranges of their uuid7 key. `ledger`, the
  memory of keys, stays whole.
"""

from gateway.store.tables.addresses import (
    address_flat,
    address_house,
    address_name,
    address_object,
    address_revision,
    address_version,
)
from gateway.store.tables.appeals import (
    appeal,
    blob,
    blob_ref,
    content,
    event,
    ledger,
    message,
    question,
    verdict,
    work,
)
from gateway.store.tables.base import metadata
from gateway.store.tables.facts import (
    conflict,
    deadline,
    expectation,
    external_ref,
    finding,
    letter,
    register,
    registration,
    twin,
)
from gateway.store.tables.gar import (
    gar_addr_obj,
    gar_addr_obj_division,
    gar_addr_obj_params,
    gar_adm_hierarchy,
    gar_apartments,
    gar_apartments_params,
    gar_houses,
    gar_houses_params,
    gar_load,
    gar_member,
    gar_mun_hierarchy,
    gar_steads,
    gar_steads_params,
    gar_type,
)
from gateway.store.tables.keepers import (
    house_keeper,
    house_point,
    keeper_revision,
    territory_body,
)
from gateway.store.tables.memory import memory
from gateway.store.tables.outgoing import attempt, delivery, destination, lane, reply
from gateway.store.tables.peers import (
    credential,
    nonce,
    organisation,
    organisation_id,
    organisation_unmapped,
    peer,
    refusal,
    source,
)
from gateway.store.tables.people import (
    access_event,
    account,
    binding,
    citizen_appeal,
    login_state,
    session,
)
from gateway.store.tables.places import address_synonym, place
from gateway.store.tables.seals import erasure, hold, reading, seal, seal_part
from gateway.store.tables.topics import (
    topic_classifier,
    topic_map,
    topic_node,
    topic_revision,
    topic_unmapped,
)

__all__ = [
    "access_event",
    "account",
    "address_flat",
    "address_house",
    "address_name",
    "address_object",
    "address_revision",
    "address_synonym",
    "address_version",
    "appeal",
    "attempt",
    "binding",
    "blob",
    "blob_ref",
    "citizen_appeal",
    "conflict",
    "content",
    "credential",
    "deadline",
    "delivery",
    "destination",
    "erasure",
    "event",
    "expectation",
    "external_ref",
    "finding",
    "gar_addr_obj",
    "gar_addr_obj_division",
    "gar_addr_obj_params",
    "gar_adm_hierarchy",
    "gar_apartments",
    "gar_apartments_params",
    "gar_houses",
    "gar_houses_params",
    "gar_load",
    "gar_member",
    "gar_mun_hierarchy",
    "gar_steads",
    "gar_steads_params",
    "gar_type",
    "hold",
    "house_keeper",
    "house_point",
    "keeper_revision",
    "lane",
    "ledger",
    "letter",
    "login_state",
    "memory",
    "message",
    "metadata",
    "nonce",
    "organisation",
    "organisation_id",
    "organisation_unmapped",
    "peer",
    "place",
    "question",
    "reading",
    "refusal",
    "register",
    "registration",
    "reply",
    "seal",
    "seal_part",
    "session",
    "source",
    "territory_body",
    "topic_classifier",
    "topic_map",
    "topic_node",
    "topic_revision",
    "topic_unmapped",
    "twin",
    "verdict",
    "work",
]
