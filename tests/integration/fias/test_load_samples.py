"""The public samples of ГАР: they fit the public schemas, and they are loaded."""

import os
from pathlib import Path

import pytest
from lxml import etree

from adapters.fias.format import DICTIONARIES, FILE, TABLES
from tests.integration.fias import kit

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared")) / "data"
SAMPLES, SCHEMAS = DATA / "gar-samples" / "ypermitin", DATA / "gar-xsd"

pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="no data/gar-samples beside the checkout (GATEWAY_SHARED)"
)


def schema_of(kind):
    stem = "PARAM" if kind.endswith("_PARAMS") else kind
    (found,) = (p for p in SCHEMAS.glob("*.xsd") if p.name.startswith(f"AS_{stem}_2"))
    return found


def test_the_samples_fit_the_schemas():
    for sample in sorted([*SAMPLES.glob("AS_*"), *SAMPLES.glob("72/AS_*")]):
        named = FILE.fullmatch(sample.name)
        schema = etree.XMLSchema(etree.parse(schema_of(named["kind"])))
        assert schema.validate(etree.parse(sample)), (sample.name, schema.error_log)


def test_the_tables_are_those_of_the_schemas():
    for kind, table in TABLES.items():
        made = etree.parse(schema_of(kind)).iter("{*}attribute", "{*}element")
        parts = [(e.tag.rpartition("}")[2], e.get("name"), e.get("use")) for e in made]
        assert {name for _, name, _ in parts if name in {table.root, table.row}}
        attributes = {name: use for what, name, use in parts if what == "attribute"}
        assert set(attributes) == table.known, kind
        required = {name for name, use in attributes.items() if use == "required"}
        assert required == table.known - table.optional, kind


@pytest.mark.parametrize("folder", [".", "72"])
def test_the_samples_are_loaded(pg_url, folder):
    extras = frozenset(("apartments", "steads"))
    with kit.connected(pg_url) as db:
        (done,) = kit.take(db, SAMPLES / folder, extras=extras)
        assert (done.region, done.objects, done.flats) == ("72", 7, 0)
        assert done.version == (20230707 if folder == "." else 20231030)
        assert done.rows == {
            "gar_addr_obj": 7, "gar_addr_obj_division": 180, "gar_addr_obj_params": 1,
            "gar_adm_hierarchy": 1, "gar_mun_hierarchy": 1, "gar_houses": 0,
            "gar_houses_params": 1, "gar_apartments": 1, "gar_apartments_params": 0,
            "gar_steads": 1, "gar_steads_params": 1,
        }  # fmt: skip
        assert db.execute(
            "SELECT key, address_object.type FROM address_name JOIN address_object ON object = id"
            " WHERE address_object.name = 'Белая'"
        ).fetchall() == [("белая", "улица")]
        words = db.execute("SELECT count(DISTINCT dictionary) FROM gar_type").fetchone()
    assert words == ((len(DICTIONARIES) - 1,) if folder == "." else (0,))
