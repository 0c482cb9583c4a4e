"""The made-up register of the unit tests, as rows of a real database."""

from __future__ import annotations

from tests.unit.addresses.region_kit import Made, voronezh

TABLES = ("object", "name", "house", "flat")


def load(db) -> Made:
    """Put the region of the cases into the tables that are searched; return it."""
    made = voronezh()
    for table in TABLES:
        db.execute(
            f"CREATE TABLE made_{table} PARTITION OF address_{table} FOR VALUES IN (36)".encode()
        )
    for row in made.objects.values():
        db.execute(
            "INSERT INTO address_object (region, id, guid, level, type, type_name, name, parent,"
            " parent_mun, oktmo, okato, postal_code, houses)"
            " VALUES (36, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            tuple(row),
        )
    for row in made.names:
        db.execute(
            "INSERT INTO address_name (region, key, object, type, kind, name)"
            " VALUES (36, $1, $2, $3, $4, '') ON CONFLICT DO NOTHING",
            tuple(row),
        )
    for row in made.houses:
        db.execute(
            "INSERT INTO address_house (region, parent, key, id, guid, kind, label, parent_mun,"
            " postal_code, oktmo, okato, cadastral, mkd)"
            " VALUES ($1, $2, $3, $4, $5::uuid, $6, $7, $8, $9, $10, $11, $12, $13)",
            tuple(row)[:13],
        )
    for row in made.flats:
        db.execute(
            "INSERT INTO address_flat (region, house, key, id, guid, level, label, cadastral)"
            " VALUES ($1, $2, $3, $4, $5::uuid, $6, $7, $8)",
            tuple(row),
        )
    db.execute(
        "INSERT INTO address_version VALUES (36, 20260908, now(), 'made', 1, 1, $1)",
        (len(made.flats),),
    )
    db.execute("INSERT INTO address_revision (value) VALUES (1)")
    return made
