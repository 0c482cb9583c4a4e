"""The statements of the lanes, by name (design §2.11, §2.12; docs/adr/0011, 0012).

Every one takes whole columns as arrays. Locks are taken in one order: lanes sorted by destination
and key, then destinations sorted by code. `CLAIM` comes last and waits for nobody.

Two clocks: what is due goes by the caller's `now`, leases go by the database's clock, because a
node whose clock runs ahead must not take a lane while another node is sending.
"""

POSITIONS = """
INSERT INTO lane AS l (destination, key, next_seq, waiting, due)
SELECT destination, key, 1 + n, waiting, due
FROM unnest($1::text[], $2::text[], $3::int4[], $4::int4[], $5::timestamptz[])
  AS u (destination, key, n, waiting, due)
ORDER BY destination, key
ON CONFLICT (destination, key) DO UPDATE
SET next_seq = l.next_seq + excluded.next_seq - 1,
    waiting = l.waiting + excluded.waiting,
    due = CASE WHEN l.waiting = 0 THEN excluded.due ELSE l.due END
RETURNING destination, key, next_seq
"""
"""Takes positions in lanes, making those that are not there; the row lock makes the order of
positions the order of commits. next_seq comes back as it is after."""

ENQUEUE = """
INSERT INTO delivery (id, destination, lane, seq, kind, appeal_id, event_seq, event_type, state,
                      created_at, changed_at, may_reach_citizen, test, through)
SELECT a, b, c, d, e, f, nullif(g, 0), h, 'ready', $11, $11, i, j, k
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::uuid[], $7::int4[],
            $8::text[], $9::bool[], $10::bool[], $12::uuid[])
  AS u (a, b, c, d, e, f, g, h, i, j, k)
"""

COLUMNS = """d.id, d.destination, d.lane, d.seq, d.kind, d.appeal_id, d.event_seq, d.event_type,
       d.state, d.attempts, d.created_at, d.may_reach_citizen, d.test, d.payload_sha256,
       d.through"""
"""The fields of `lanes.Delivery`, in order."""

CLAIM = f"""
WITH want AS (
  SELECT * FROM unnest($1::text[], $2::int4[], $3::int4[], $4::int4[])
    AS u (code, room, bound, lease)
), head AS MATERIALIZED (
  SELECT l.key AS lane_key, l.destination AS lane_destination, want.lease, d.*
  FROM want
  CROSS JOIN LATERAL (
    SELECT destination, key, head_seq FROM lane
    WHERE destination = want.code AND waiting > 0 AND closed_by = '' AND owner = '' AND due <= $5
    ORDER BY due
    LIMIT greatest(0, least(want.room, want.bound - (
      SELECT count(*) FROM lane b WHERE b.destination = want.code AND b.owner <> '')))
    FOR UPDATE SKIP LOCKED
  ) l
  LEFT JOIN LATERAL (
    SELECT {COLUMNS} FROM delivery d
    WHERE d.destination = l.destination AND d.lane = l.key AND d.seq >= l.head_seq
      AND d.state IN ('ready', 'retry', 'unknown', 'sending')
    ORDER BY d.seq LIMIT 1
  ) d ON true
  LIMIT $7
)
UPDATE lane SET
  owner = CASE WHEN d.id IS NULL THEN '' ELSE $6 END,
  fence = fence + 1,
  lease_until = CASE WHEN d.id IS NULL THEN NULL
                     ELSE clock_timestamp() + make_interval(secs => d.lease / 1000.0) END,
  head_seq = coalesce(d.seq, next_seq),
  waiting = CASE WHEN d.id IS NULL THEN 0 ELSE waiting END
FROM head d
WHERE lane.destination = d.lane_destination AND lane.key = d.lane_key
RETURNING {COLUMNS}, lane.fence
"""
"""Leases lanes whose head may be acted on and returns the heads, at most `room` a destination and
`bound` leased at once by all workers. A lane that has lost its rows (a month dropped by retention)
is put right in passing and comes back without an id."""

LOCK = """
SELECT FROM lane l
JOIN unnest($1::text[], $2::text[]) AS k (destination, key)
  ON l.destination = k.destination AND l.key = k.key
ORDER BY l.destination, l.key
FOR UPDATE OF l
"""
"""Locks lanes in order, before what changes them."""

BEGIN = """
WITH k AS MATERIALIZED (
  SELECT u.* FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int8[], $6::int4[],
                         $7::bytea[], $8::bytea[], $9::text[], $10::int4[], $11::bool[])
    AS u (attempt, delivery, destination, lane, fence, n, sha256, request, head, needed, ask)
  JOIN lane l ON l.destination = u.destination AND l.key = u.lane
             AND l.owner = $12 AND l.fence = u.fence
             AND l.lease_until > clock_timestamp() + make_interval(secs => u.needed / 1000.0)
), a AS (
  INSERT INTO attempt (id, delivery_id, n, owner, fence, started_at, request_sha256, request, head)
  SELECT attempt, delivery, n, $12, fence, $13, sha256, request, head::jsonb FROM k WHERE NOT ask
), d AS (
  UPDATE delivery d SET state = 'sending', attempts = k.n, changed_at = $13,
                        payload_sha256 = k.sha256
  FROM k WHERE d.id = k.delivery AND NOT k.ask
)
SELECT attempt FROM k
"""
"""Writes the attempts down before the first byte leaves. Those whose lane is no longer leased under
our fence, or not long enough for the send, are left out of the answer and must not start."""

SETTLE = """
WITH u AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int8[], $5::text[],
                       $6::timestamptz[], $7::timestamptz[], $8::int4[], $9::text[], $10::text[],
                       $11::text[], $12::bool[], $13::text[], $14::int8[], $17::uuid[],
                       $18::text[], $19::int4[], $20::bytea[], $21::text[])
    AS u (id, destination, lane, seq, state, due, ack_due, attempts, code, error, reference,
          gone, closed_by, fence, attempt, outcome, status, response, detail)
), k AS MATERIALIZED (
  SELECT u.* FROM u JOIN lane l ON l.destination = u.destination AND l.key = u.lane
                               AND l.owner = $15 AND l.fence = u.fence
), a AS (
  UPDATE attempt a SET ended_at = $16, outcome = u.outcome, status = nullif(u.status, 0),
                       response = u.response, error = u.detail
  FROM u WHERE a.id = u.attempt AND a.delivery_id = u.id
), d AS (
  UPDATE delivery d SET state = k.state, due = k.due, ack_due = k.ack_due, attempts = k.attempts,
    error_code = k.code, error = k.error, changed_at = $16,
    reference = CASE WHEN k.reference = '' THEN d.reference ELSE k.reference END
  FROM k WHERE d.id = k.id
)
UPDATE lane l SET owner = '', lease_until = NULL, closed_by = k.closed_by,
  waiting = l.waiting - k.gone::int,
  head_seq = CASE WHEN k.gone AND l.head_seq = k.seq THEN k.seq + 1 ELSE l.head_seq END,
  due = CASE WHEN k.gone OR l.head_seq < k.seq THEN $16 ELSE k.due END
FROM k WHERE l.destination = k.destination AND l.key = k.lane
"""
"""Writes what became of deliveries whose lanes are still leased under our fence, and gives the
lanes back. A head that was moved back meanwhile (an acknowledgement that did not come) stays where
it was moved. The evidence of a send is kept also when its lane was taken away while we waited."""

HAND_BACK = """
UPDATE lane l SET owner = '', lease_until = NULL
FROM unnest($1::text[], $2::text[], $3::int8[]) AS k (destination, key, fence)
WHERE l.destination = k.destination AND l.key = k.key AND l.owner = $4 AND l.fence = k.fence
"""

ATTEMPT_WHOLE = """
INSERT INTO attempt (id, delivery_id, n, owner, fence, started_at, ended_at, outcome, status,
                     response, error)
SELECT a, b, c, $10, d, e, $11, f, nullif(g, 0), h, i
FROM unnest($1::uuid[], $2::uuid[], $3::int4[], $4::int8[], $5::timestamptz[], $6::text[],
            $7::int4[], $8::bytea[], $9::text[])
  AS u (a, b, c, d, e, f, g, h, i)
ON CONFLICT (id) DO NOTHING
"""
"""Attempts that put nothing on the wire, or only asked."""

LAST_SENT = """
SELECT DISTINCT ON (a.delivery_id) a.delivery_id, a.started_at, a.request_sha256, a.request, a.head
FROM attempt a
WHERE a.delivery_id = ANY($1::uuid[]) AND a.request_sha256 IS NOT NULL
ORDER BY a.delivery_id, a.id DESC
"""
"""The bytes of the last send of doubtful deliveries: a repeat under the same key is the same."""

OPEN_DOUBTS = """
SELECT DISTINCT ON (a.delivery_id) a.delivery_id, a.started_at, a.request_sha256, a.request, a.head
FROM attempt a
WHERE a.delivery_id = ANY($1::uuid[]) AND a.outcome = 'unknown' AND a.request_sha256 IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM attempt b WHERE b.delivery_id = a.delivery_id AND b.id > a.id
      AND b.outcome IN ('found', 'absent', 'acknowledged', 'sent'))
ORDER BY a.delivery_id, a.id DESC
"""
"""The bytes of the last send whose fate nobody ever learnt, of deliveries sent again by a person:
the peer may hold them under the key, and would refuse others under the same key."""

GATES_MADE = """
INSERT INTO destination (code) SELECT code FROM unnest($1::text[]) AS u (code) ORDER BY code
ON CONFLICT (code) DO NOTHING
"""

GATES = """
SELECT code, failures, open_until, tokens, tokens_at, paused_until
FROM destination WHERE code = ANY($1::text[]) ORDER BY code FOR UPDATE
"""
"""Breaker, rate and pause of destinations, locked in order: claims of one destination take turns,
otherwise two workers would count the same room twice."""

GATES_SAVED = """
UPDATE destination d SET failures = k.failures, open_until = k.open_until, tokens = k.tokens,
  tokens_at = k.tokens_at,
  last_ok = CASE WHEN k.ok THEN $8 ELSE d.last_ok END,
  last_error_at = CASE WHEN k.error = '' THEN d.last_error_at ELSE $8 END,
  last_error = CASE WHEN k.error = '' THEN d.last_error ELSE k.error END
FROM unnest($1::text[], $2::int4[], $3::timestamptz[], $4::int4[], $5::timestamptz[], $6::bool[],
            $7::text[])
  AS k (code, failures, open_until, tokens, tokens_at, ok, error)
WHERE d.code = k.code
"""

OWNERS = "SELECT DISTINCT owner FROM lane WHERE owner <> ''"

EXPIRED = """
WITH l AS MATERIALIZED (
  SELECT destination, key, head_seq FROM lane
  WHERE owner <> '' AND (lease_until < clock_timestamp() OR owner = ANY($4::text[]))
  ORDER BY destination, key FOR UPDATE SKIP LOCKED
), p AS (
  SELECT * FROM unnest($2::text[], $3::int4[]) AS u (code, after)
), d AS (
  UPDATE delivery d SET state = 'unknown', changed_at = $1, error_code = 'peer_doubtful',
    error = 'the worker did not come back',
    due = $1::timestamptz + make_interval(secs => coalesce(p.after, 0) / 1000.0)
  FROM l LEFT JOIN p ON p.code = l.destination
  WHERE d.destination = l.destination AND d.lane = l.key AND d.seq = l.head_seq
    AND d.state = 'sending'
  RETURNING d.id, d.destination, d.lane, d.due
), a AS (
  UPDATE attempt a SET ended_at = $1, outcome = 'unknown', error = 'the worker did not come back'
  FROM d WHERE a.delivery_id = d.id AND a.ended_at IS NULL
)
UPDATE lane SET owner = '', lease_until = NULL, fence = fence + 1, due = coalesce(d.due, $1)
FROM l LEFT JOIN d ON d.destination = l.destination AND d.lane = l.key
WHERE lane.destination = l.destination AND lane.key = l.key
RETURNING d.id
"""
"""Takes lanes back from workers that did not return. What was being sent is in doubt, never "not
sent"; what was only leased is due again."""

ACK_EXPIRED = """
WITH late AS MATERIALIZED (
  SELECT d.id, d.destination, d.lane, d.seq FROM delivery d
  WHERE d.state = 'sent' AND d.ack_due < $1 ORDER BY d.ack_due LIMIT 500
), l AS MATERIALIZED (
  SELECT lane.destination, lane.key FROM lane
  WHERE (lane.destination, lane.key) IN (SELECT destination, lane FROM late)
  ORDER BY lane.destination, lane.key FOR UPDATE
), d AS (
  UPDATE delivery d SET state = 'unknown', due = $1, ack_due = NULL, changed_at = $1,
    error_code = 'peer_doubtful', error = 'the acknowledgement did not come in time'
  FROM late JOIN l ON l.destination = late.destination AND l.key = late.lane
  WHERE d.id = late.id AND d.state = 'sent'
  RETURNING d.destination, d.lane, d.seq
), n AS (
  SELECT destination, lane, min(seq) AS seq, count(*)::int AS count FROM d GROUP BY 1, 2
)
UPDATE lane SET waiting = waiting + n.count, head_seq = least(head_seq, n.seq),
  due = CASE WHEN waiting = 0 THEN $1 ELSE least(due, $1) END
FROM n WHERE lane.destination = n.destination AND lane.key = n.lane
RETURNING n.count
"""
"""Deliveries that the peer took and did not acknowledge in time are in doubt, and will be asked
about. The lane's head moves back to them."""

LOCK_OF = """
SELECT l.destination, l.key, CASE WHEN l.owner = '' THEN 0 ELSE l.head_seq END
FROM lane l
WHERE (l.destination, l.key) IN (
  SELECT d.destination, d.lane FROM delivery d WHERE d.id = ANY($1::uuid[]))
ORDER BY l.destination, l.key FOR UPDATE
"""
"""Locks the lanes of deliveries, in order, and says which position is in a worker's hands."""

MOVE = """
WITH was AS (
  SELECT id, state = ANY($7::text[]) AS counted FROM delivery WHERE id = $1
), d AS (
  UPDATE delivery d SET state = $2, due = CASE WHEN $2 = 'retry' THEN $4::timestamptz END,
    ack_due = NULL, changed_at = $4, error_code = $5, error = $6,
    attempts = CASE WHEN $2 = 'retry' THEN 0 ELSE d.attempts END
  FROM was WHERE d.id = was.id AND d.state = ANY($3::text[])
  RETURNING d.id, d.destination, d.lane, d.seq,
            (d.state = ANY($7::text[]))::int - was.counted::int AS more
)
UPDATE lane l SET
  waiting = l.waiting + d.more,
  head_seq = CASE WHEN d.more > 0 THEN least(l.head_seq, d.seq) ELSE l.head_seq END,
  closed_by = CASE WHEN l.closed_by = d.id::text THEN '' ELSE l.closed_by END,
  due = CASE WHEN l.key = $8 THEN NULL ELSE $4::timestamptz END
FROM d WHERE l.destination = d.destination AND l.key = d.lane
RETURNING d.id
"""
"""A decision about one delivery, by a person or by the peer's later word; its lane is locked."""

ACKNOWLEDGED_LATER = """
SELECT d.id, d.state, d.lane, d.seq FROM delivery d
WHERE d.destination = $1 AND d.state IN ('sent', 'unknown')
  AND (d.id = ANY($2::uuid[]) OR (d.reference <> '' AND d.reference = ANY($3::text[])))
"""

FOUND = f"""{COLUMNS}, d.due, d.ack_due, d.changed_at, d.error_code, d.error, d.reference,
       coalesce(a.receipt_number, ''), coalesce(a.external_id, '')"""

FIND = f"""
SELECT {FOUND}
FROM delivery d LEFT JOIN appeal a ON a.id = d.appeal_id
WHERE (cardinality($1::uuid[]) = 0 OR d.id = ANY($1::uuid[]))
  AND ($2 = '' OR d.destination = $2)
  AND (cardinality($3::text[]) = 0 OR d.state = ANY($3::text[]))
  AND ($4::uuid IS NULL OR d.appeal_id = $4)
ORDER BY d.id DESC LIMIT $5
"""

WAITING = "SELECT coalesce(sum(waiting), 0) FROM lane WHERE destination = $1"

HEADS = f"""
SELECT {FOUND}
FROM lane l CROSS JOIN LATERAL (
  SELECT * FROM delivery d
  WHERE d.destination = l.destination AND d.lane = l.key AND d.seq >= l.head_seq
    AND d.state IN ('ready', 'retry', 'unknown', 'sending')
  ORDER BY d.seq LIMIT 1
) d LEFT JOIN appeal a ON a.id = d.appeal_id
WHERE ($1 = '' OR l.destination = $1) AND l.waiting > 0 AND l.closed_by = '' AND l.owner = ''
  AND l.due <= $2
ORDER BY l.due LIMIT $3
"""

ATTEMPTS = """
SELECT id, n, owner, started_at, ended_at, outcome, status, request_sha256, request, head, response,
       error
FROM attempt WHERE delivery_id = $1 ORDER BY id
"""

DEPTH = """
SELECT destination, state, count(*)::int, min(created_at) FROM delivery
WHERE state NOT IN ('acknowledged', 'skipped') GROUP BY 1, 2 ORDER BY 1, 2
"""

PAUSE = """
INSERT INTO destination (code, paused_until, pause_reason) VALUES ($1, $2, $3)
ON CONFLICT (code) DO UPDATE SET paused_until = excluded.paused_until,
                                 pause_reason = excluded.pause_reason
"""

PULLED = f"""
SELECT {COLUMNS}, coalesce(a.peer, ''), coalesce(a.external_id, ''), coalesce(a.receipt_number, '')
FROM delivery d LEFT JOIN appeal a ON a.id = coalesce(d.through, d.appeal_id)
WHERE d.destination = $1 AND d.lane = $2 AND d.seq > $3 AND d.kind = 'pull' AND d.state <> 'skipped'
  AND (NOT d.test OR a.peer = $1 OR EXISTS (SELECT FROM peer p WHERE p.code = $1 AND p.test))
ORDER BY d.seq LIMIT $4
"""
"""A test message is read by its own sender and by test systems (design §2.14). What is told of
another's appeal goes by the numbers of the reader's own."""

PULL_LANE = """
SELECT head_seq, next_seq FROM lane WHERE destination = $1 AND key = $2
"""

PULL_ACKNOWLEDGED = """
WITH l AS MATERIALIZED (
  SELECT destination, key, head_seq FROM lane
  WHERE destination = $1 AND key = $2 AND next_seq > $3 FOR UPDATE
), d AS (
  UPDATE delivery d SET state = 'acknowledged', changed_at = $4 FROM l
  WHERE d.destination = $1 AND d.lane = $2 AND d.seq >= l.head_seq AND d.seq <= $3
    AND d.kind = 'pull' AND d.state = 'ready'
  RETURNING d.id
)
UPDATE lane SET head_seq = greatest(lane.head_seq, $3 + 1),
  waiting = greatest(0, waiting - (SELECT count(*) FROM d)::int)
FROM l WHERE lane.destination = l.destination AND lane.key = l.key
RETURNING (SELECT count(*) FROM d)::int
"""
"""The peer holds everything up to a position of its lane."""
