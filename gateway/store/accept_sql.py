"""The statements of the accept path, by name (design §2.2).

Every one takes whole columns as arrays. `LEDGER` claims the keys; the rest is written for the
winners only, in one statement, so that a batch costs three round trips whatever its size.
"""

LEDGER = """
INSERT INTO ledger (peer, kind, key, slot, revision, message_id, appeal_id, receipt_number,
                    accepted_at, content_sha256, body_sha256, digest_version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int4[], $5::int4[], $6::uuid[],
                     $7::uuid[], $8::text[], $9::timestamptz[], $10::bytea[], $11::bytea[],
                     $12::int2[])
ON CONFLICT (peer, kind, key, slot) DO NOTHING
RETURNING message_id
"""
"""Claims keys; a key that is taken is left out of the answer. The target is named: without it a
clash of receipt numbers would look like a repeat."""

EXISTING = """
SELECT l.peer, l.kind, l.key, l.slot, l.revision, l.message_id, l.appeal_id, l.receipt_number,
       l.accepted_at, l.content_sha256, l.body_sha256
FROM ledger l
JOIN unnest($1::text[], $2::text[], $3::text[], $4::int4[]) AS k (peer, kind, key, slot)
  USING (peer, kind, key, slot)
"""
"""Reads the rows that hold the keys we did not get."""

TARGETS = """
SELECT k.n, coalesce(e.appeal_id, r.appeal_id), coalesce(e.receipt_number, r.receipt_number),
       coalesce(e.key, CASE WHEN r.peer = k.peer THEN r.key END, '')
FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[]) AS k (n, peer, external_id, receipt)
LEFT JOIN ledger e ON k.external_id <> '' AND e.peer = k.peer AND e.kind = 'appeal'
                  AND e.key = k.external_id AND e.slot = 0
LEFT JOIN ledger r ON k.receipt <> '' AND r.kind = 'appeal' AND r.receipt_number = k.receipt
                  AND (r.peer = k.peer OR EXISTS (
                        SELECT FROM delivery d
                        WHERE d.appeal_id = r.appeal_id AND d.destination = k.peer
                          AND d.state <> 'skipped' AND d.through IS NULL))
"""
"""Finds the appeals that calls name by external id or receipt number, if the peer may see them:
it sent the appeal, or was given it; being told of one through a merged letter of its own is not
that. The external id is told to its sender only, for it goes into
the receipt."""

TARGETS_BY_REGISTRATION = """
SELECT k.n, l.appeal_id, l.receipt_number, CASE WHEN l.peer = k.peer THEN l.key ELSE '' END
FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[]) AS k (n, peer, number_key, organisation)
JOIN registration g ON g.number_key = k.number_key AND g.annulled_at IS NULL
                   AND (k.organisation = '' OR g.organisation = k.organisation)
JOIN appeal a ON a.id = g.appeal_id
JOIN ledger l ON l.kind = 'appeal' AND l.receipt_number = a.receipt_number
WHERE l.peer = k.peer OR EXISTS (
    SELECT FROM delivery d WHERE d.appeal_id = l.appeal_id AND d.destination = k.peer
                          AND d.state <> 'skipped' AND d.through IS NULL)
UNION ALL
SELECT k.n, own.id, own.receipt_number, own.external_id
FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[]) AS k (n, peer, number_key, organisation)
JOIN registration g ON g.number_key = k.number_key AND g.annulled_at IS NULL
                   AND (k.organisation = '' OR g.organisation = k.organisation)
JOIN appeal a ON a.id = g.appeal_id AND a.peer <> k.peer
CROSS JOIN LATERAL (
  SELECT o.id, o.receipt_number, o.external_id FROM appeal o
  WHERE o.merged_into = a.id AND o.peer = k.peer ORDER BY o.id LIMIT 1) AS own
WHERE NOT EXISTS (
    SELECT FROM delivery d WHERE d.appeal_id = a.id AND d.destination = k.peer
                          AND d.state <> 'skipped' AND d.through IS NULL)
"""
"""The same by a body's registration number; two matches mean the organisation must be named. A
sender whose letter was merged is told the number of the other appeal, and means its own by it."""

ROWS = """
WITH m AS (
  INSERT INTO message (id, peer, wire, operation, key, revision, recorded_at, correlation,
                       media_type, body, blob, body_sha256, content_sha256, decoded, appeal_id,
                       stage, note)
  SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q::jsonb
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int4[],
              $7::timestamptz[], $8::text[], $9::text[], $10::bytea[], $11::bytea[],
              $12::bytea[], $13::bytea[], $14::bytea[], $15::uuid[], $16::text[], $17::text[])
    AS u (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
), p AS (
  INSERT INTO appeal (id, peer, external_id, receipt_number, revision, regime, state, recorded_at,
                      changed_at, head_seq, head_hash, content_id, content_sha256, test, historical)
  SELECT a, b, c, d, e, f, g, h, clock_timestamp(), i, j, k, l, m, n
  FROM unnest($18::uuid[], $19::text[], $20::text[], $21::text[], $22::int4[], $23::text[],
              $24::text[], $25::timestamptz[], $26::int4[], $27::bytea[],
              $28::uuid[], $29::bytea[], $30::bool[], $31::bool[])
    AS u (a, b, c, d, e, f, g, h, i, j, k, l, m, n)
), q AS (
  INSERT INTO question (appeal_id, ordinal, id, state, topic)
  SELECT * FROM unnest($32::uuid[], $33::int2[], $34::uuid[], $35::text[], $36::text[])
), e AS (
  INSERT INTO event (appeal_id, seq, type, v, recorded_at, message_id, body, prev, hash)
  SELECT * FROM unnest($37::uuid[], $38::int4[], $39::text[], $40::int2[], $41::timestamptz[],
                       $42::uuid[], $43::bytea[], $44::bytea[], $45::bytea[])
), c AS (
  INSERT INTO content (appeal_id, id, digest, salt, bytes)
  SELECT * FROM unnest($46::uuid[], $47::uuid[], $48::bytea[], $49::bytea[], $50::bytea[])
)
INSERT INTO work (message_id, appeal_id, due)
SELECT * FROM unnest($51::uuid[], $52::uuid[], $53::timestamptz[])
"""
"""Everything a batch brings, for the winners of their keys. `changed_at` is the database's own
instant, as `message.stored_at` is: lists are read in their order (gateway.store.horizon)."""

BLOBS = """
WITH b AS (
  INSERT INTO blob (sha256, size, media_type, bytes, created_at)
  SELECT DISTINCT ON (a) a, b, c, d, $5
  FROM unnest($1::bytea[], $2::int8[], $3::text[], $4::bytea[]) AS u (a, b, c, d) ORDER BY a
  ON CONFLICT (sha256) DO UPDATE SET created_at = excluded.created_at
)
INSERT INTO blob_ref (sha256, owner, name, peer)
SELECT * FROM unnest($6::bytea[], $7::uuid[], $8::text[], $9::text[])
ON CONFLICT (sha256, owner) DO NOTHING
"""
"""A row that is there is locked and made young, so that the collector spares it (docs/adr/0013)."""
