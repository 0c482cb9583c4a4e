CREATE TABLE appeal (
  id UUID NOT NULL,
  peer TEXT NOT NULL,
  external_id TEXT NOT NULL,
  receipt_number TEXT NOT NULL,
  revision INTEGER NOT NULL,
  regime TEXT NOT NULL,
  state TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  head_seq INTEGER NOT NULL,
  head_hash BYTEA NOT NULL,
  content_id UUID NOT NULL,
  content_sha256 BYTEA NOT NULL,
  executor TEXT DEFAULT '' NOT NULL,
  route_rule TEXT DEFAULT '' NOT NULL,
  route_reason TEXT DEFAULT '' NOT NULL,
  test BOOLEAN DEFAULT false NOT NULL,
  historical BOOLEAN DEFAULT false NOT NULL,
  merged_into UUID,
  PRIMARY KEY (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX appeal_changed ON appeal (peer, changed_at);

CREATE INDEX appeal_merged ON appeal (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE attempt (
  id UUID NOT NULL,
  delivery_id UUID NOT NULL,
  n INTEGER NOT NULL,
  owner TEXT NOT NULL,
  fence BIGINT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  outcome TEXT DEFAULT '' NOT NULL,
  status INTEGER,
  request_sha256 BYTEA,
  request BYTEA,
  head JSONB DEFAULT '{}' NOT NULL,
  response BYTEA,
  error TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX attempt_delivery ON attempt (delivery_id, n);

CREATE TABLE blob (
  sha256 BYTEA NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT DEFAULT '' NOT NULL,
  bytes BYTEA,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (sha256)
);

CREATE TABLE blob_ref (
  sha256 BYTEA NOT NULL,
  owner UUID NOT NULL,
  name TEXT DEFAULT '' NOT NULL,
  peer TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (sha256, owner)
);

CREATE TABLE conflict (
  message_id UUID NOT NULL,
  appeal_id UUID NOT NULL,
  peer TEXT NOT NULL,
  reason TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  settled_by TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (message_id)
);

CREATE INDEX conflict_open ON conflict (recorded_at) WHERE settled_at IS NULL;

CREATE TABLE content (
  appeal_id UUID NOT NULL,
  id UUID NOT NULL,
  digest BYTEA NOT NULL,
  salt BYTEA,
  bytes BYTEA,
  retention TEXT DEFAULT 'appeal' NOT NULL,
  erased_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (appeal_id, id)
)
 PARTITION BY RANGE (appeal_id);

CREATE TABLE credential (
  id TEXT NOT NULL,
  peer TEXT NOT NULL,
  kind TEXT DEFAULT 'key' NOT NULL,
  secret_sha256 BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  disabled_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (id)
);

CREATE INDEX credential_peer ON credential (peer);

CREATE TABLE deadline (
  appeal_id UUID NOT NULL,
  question SMALLINT NOT NULL,
  rule TEXT NOT NULL,
  opened_seq INTEGER NOT NULL,
  article TEXT NOT NULL,
  start DATE NOT NULL,
  due_internal DATE NOT NULL,
  due_legal DATE NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  ground TEXT DEFAULT '' NOT NULL,
  unconfirmed_calendar BOOLEAN DEFAULT false NOT NULL,
  PRIMARY KEY (appeal_id, question, rule, opened_seq)
);

CREATE INDEX deadline_due ON deadline (due_internal) WHERE closed_at IS NULL;

CREATE TABLE delivery (
  id UUID NOT NULL,
  destination TEXT NOT NULL,
  lane TEXT NOT NULL,
  seq BIGINT NOT NULL,
  kind TEXT DEFAULT 'push' NOT NULL,
  appeal_id UUID,
  event_seq INTEGER,
  event_type TEXT DEFAULT '' NOT NULL,
  state TEXT DEFAULT 'ready' NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  due TIMESTAMP WITH TIME ZONE,
  ack_due TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  may_reach_citizen BOOLEAN DEFAULT false NOT NULL,
  test BOOLEAN DEFAULT false NOT NULL,
  error_code TEXT DEFAULT '' NOT NULL,
  error TEXT DEFAULT '' NOT NULL,
  reference TEXT DEFAULT '' NOT NULL,
  payload_sha256 BYTEA,
  PRIMARY KEY (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX delivery_ack ON delivery (ack_due) WHERE state = 'sent';

CREATE INDEX delivery_appeal ON delivery (appeal_id);

CREATE INDEX delivery_lane ON delivery (destination, lane, seq);

CREATE INDEX delivery_open ON delivery (destination, state) WHERE state NOT IN ('acknowledged','skipped');

CREATE TABLE destination (
  code TEXT NOT NULL,
  failures INTEGER DEFAULT 0 NOT NULL,
  open_until TIMESTAMP WITH TIME ZONE,
  tokens INTEGER DEFAULT 0 NOT NULL,
  tokens_at TIMESTAMP WITH TIME ZONE,
  paused_until TIMESTAMP WITH TIME ZONE,
  pause_reason TEXT DEFAULT '' NOT NULL,
  last_ok TIMESTAMP WITH TIME ZONE,
  last_error_at TIMESTAMP WITH TIME ZONE,
  last_error TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (code)
);

CREATE TABLE event (
  appeal_id UUID NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  v SMALLINT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  message_id UUID,
  body BYTEA NOT NULL,
  prev BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  PRIMARY KEY (appeal_id, seq)
)
 PARTITION BY RANGE (appeal_id);

CREATE TABLE expectation (
  peer TEXT NOT NULL,
  organisation TEXT NOT NULL,
  number_key TEXT NOT NULL,
  number TEXT NOT NULL,
  appeal_id UUID,
  first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
  last_seen TIMESTAMP WITH TIME ZONE NOT NULL,
  remote JSONB DEFAULT '{}' NOT NULL,
  PRIMARY KEY (peer, organisation, number_key)
);

CREATE INDEX expectation_number ON expectation (number_key);

CREATE TABLE external_ref (
  appeal_id UUID NOT NULL,
  peer TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  value_key TEXT NOT NULL,
  PRIMARY KEY (appeal_id, peer, kind, value)
);

CREATE INDEX external_ref_key ON external_ref (value_key, kind);

CREATE TABLE finding (
  id UUID NOT NULL,
  run UUID NOT NULL,
  peer TEXT NOT NULL,
  class TEXT NOT NULL,
  key TEXT NOT NULL,
  appeal_id UUID,
  found_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ours JSONB DEFAULT '{}' NOT NULL,
  theirs JSONB DEFAULT '{}' NOT NULL,
  cause TEXT NOT NULL,
  repair TEXT NOT NULL,
  repaired_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (id)
);

CREATE INDEX finding_run ON finding (run);

CREATE TABLE lane (
  destination TEXT NOT NULL,
  key TEXT NOT NULL,
  next_seq BIGINT DEFAULT 1 NOT NULL,
  head_seq BIGINT DEFAULT 1 NOT NULL,
  waiting INTEGER DEFAULT 0 NOT NULL,
  due TIMESTAMP WITH TIME ZONE,
  owner TEXT DEFAULT '' NOT NULL,
  fence BIGINT DEFAULT 0 NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE,
  closed_by TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (destination, key)
);

CREATE INDEX lane_due ON lane (destination, due) WHERE waiting > 0 AND closed_by = '';

CREATE INDEX lane_leased ON lane (destination, lease_until) WHERE owner <> '';

CREATE TABLE ledger (
  peer TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  slot INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  message_id UUID NOT NULL,
  appeal_id UUID,
  receipt_number TEXT DEFAULT '' NOT NULL,
  accepted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  content_sha256 BYTEA NOT NULL,
  body_sha256 BYTEA NOT NULL,
  digest_version SMALLINT NOT NULL,
  PRIMARY KEY (peer, kind, key, slot)
);

CREATE UNIQUE INDEX ledger_receipt ON ledger (receipt_number) WHERE kind = 'appeal';

CREATE TABLE letter (
  number_key TEXT NOT NULL,
  date DATE NOT NULL,
  appeal_id UUID NOT NULL,
  PRIMARY KEY (number_key, date)
);

CREATE TABLE message (
  id UUID NOT NULL,
  peer TEXT NOT NULL,
  wire TEXT NOT NULL,
  operation TEXT NOT NULL,
  key TEXT DEFAULT '' NOT NULL,
  revision INTEGER DEFAULT 0 NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  correlation TEXT DEFAULT '' NOT NULL,
  media_type TEXT DEFAULT '' NOT NULL,
  body BYTEA,
  blob BYTEA,
  body_sha256 BYTEA NOT NULL,
  content_sha256 BYTEA,
  decoded BYTEA,
  appeal_id UUID,
  stage TEXT NOT NULL,
  note JSONB,
  PRIMARY KEY (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX message_appeal ON message (appeal_id) WHERE appeal_id IS NOT NULL;

CREATE INDEX message_peer ON message (peer, id);

CREATE INDEX message_stage ON message (stage, id) WHERE stage NOT IN ('applied','accepted');

CREATE TABLE node (
  id TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  role TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE organisation (
  id TEXT NOT NULL,
  full_name TEXT NOT NULL,
  short_name TEXT DEFAULT '' NOT NULL,
  parent TEXT DEFAULT '' NOT NULL,
  kind TEXT DEFAULT '' NOT NULL,
  zone TEXT DEFAULT 'Europe/Moscow' NOT NULL,
  calendar TEXT DEFAULT 'ru' NOT NULL,
  valid_from DATE,
  valid_to DATE,
  doc JSONB DEFAULT '{}' NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE organisation_id (
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  organisation TEXT NOT NULL,
  PRIMARY KEY (system, value)
);

CREATE INDEX organisation_id_org ON organisation_id (organisation);

CREATE TABLE organisation_unmapped (
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  name TEXT DEFAULT '' NOT NULL,
  first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
  last_seen TIMESTAMP WITH TIME ZONE NOT NULL,
  count INTEGER DEFAULT 1 NOT NULL,
  message_id UUID,
  PRIMARY KEY (system, value)
);

CREATE TABLE peer (
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  adapter TEXT DEFAULT '' NOT NULL,
  role TEXT DEFAULT 'partner' NOT NULL,
  require TEXT DEFAULT 'key' NOT NULL,
  enabled BOOLEAN DEFAULT true NOT NULL,
  test BOOLEAN DEFAULT false NOT NULL,
  disclosure TEXT DEFAULT 'reference_only' NOT NULL,
  disclosure_ground TEXT DEFAULT '' NOT NULL,
  callback_hosts TEXT[] DEFAULT '{}' NOT NULL,
  options JSONB DEFAULT '{}' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (code),
  CONSTRAINT peer_full_needs_ground CHECK (disclosure <> 'full' OR disclosure_ground <> '')
);

CREATE TABLE question (
  appeal_id UUID NOT NULL,
  ordinal SMALLINT NOT NULL,
  id UUID NOT NULL,
  state TEXT NOT NULL,
  topic TEXT DEFAULT '' NOT NULL,
  executor TEXT DEFAULT '' NOT NULL,
  flags TEXT[] DEFAULT '{}' NOT NULL,
  facts JSONB DEFAULT '{}' NOT NULL,
  PRIMARY KEY (appeal_id, ordinal)
)
 PARTITION BY RANGE (appeal_id);

CREATE TABLE refusal (
  id UUID NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  peer TEXT DEFAULT '' NOT NULL,
  address TEXT DEFAULT '' NOT NULL,
  path TEXT DEFAULT '' NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  correlation TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE register (
  organisation TEXT NOT NULL,
  code TEXT NOT NULL,
  year SMALLINT NOT NULL,
  next INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (organisation, code, year)
);

CREATE TABLE registration (
  appeal_id UUID NOT NULL,
  organisation TEXT NOT NULL,
  number TEXT NOT NULL,
  number_key TEXT NOT NULL,
  register TEXT DEFAULT '' NOT NULL,
  date DATE NOT NULL,
  is_ours BOOLEAN DEFAULT false NOT NULL,
  registered_by TEXT DEFAULT '' NOT NULL,
  annulled_at TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (appeal_id, organisation, number)
);

CREATE INDEX registration_key ON registration (number_key);

CREATE TABLE work (
  message_id UUID NOT NULL,
  appeal_id UUID,
  due TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts SMALLINT DEFAULT 0 NOT NULL,
  parked BOOLEAN DEFAULT false NOT NULL,
  error TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (message_id)
);
