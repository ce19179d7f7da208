#include "store/sqlite/schema.h"

#include <array>

#include "store/sqlite/access_schema.h"
#include "store/sqlite/approver_schema.h"
#include "store/sqlite/queue_schema.h"
#include "store/sqlite/revocation_schema.h"
#include "store/sqlite/webhook_schema.h"

namespace wave::store::sqlite {
namespace {

// Times are milliseconds since the Unix epoch; booleans are 0 and 1; "" stands for "none" in text
// columns unless they may be NULL.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE meta(
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta(key, value) VALUES('position_floor', 0);

CREATE TABLE run(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL UNIQUE,
  accepted_at INTEGER NOT NULL,
  pipeline TEXT NOT NULL,
  actor TEXT NOT NULL,
  origin_run_id TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  owner_epoch INTEGER NOT NULL DEFAULT 0,
  crash_folds INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  resuming INTEGER NOT NULL,
  waiting_reason TEXT NOT NULL,
  failed_step TEXT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  queued_at INTEGER,
  started_at INTEGER,
  finished_at INTEGER,
  updated_at INTEGER NOT NULL,
  steps_total INTEGER NOT NULL,
  steps_done INTEGER NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  tokens_cache_read INTEGER NOT NULL,
  tokens_cache_write INTEGER NOT NULL,
  cost_usd REAL NOT NULL
) STRICT;
CREATE INDEX run_by_time ON run(accepted_at);
CREATE INDEX run_by_status ON run(status, accepted_at);
CREATE INDEX run_by_pipeline ON run(pipeline, accepted_at);
CREATE INDEX run_by_pipeline_status ON run(pipeline, status, accepted_at);

-- Apart from run, so that a long input is not rewritten with every change of status.
CREATE TABLE run_start(
  run INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
  input TEXT NOT NULL,
  tags TEXT NOT NULL
) STRICT;
CREATE TABLE run_tag(
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY(run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_tag_by_value ON run_tag(key, value);

-- run is not a foreign key: a pruned run's events go in pieces, after its other rows.
CREATE TABLE event(
  position INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  folded INTEGER NOT NULL,
  kind TEXT NOT NULL,
  step TEXT,
  line TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_by_seq ON event(run, seq);
CREATE INDEX event_folded ON event(run, seq) WHERE folded = 1;

CREATE TABLE step(
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  step TEXT NOT NULL,
  position INTEGER NOT NULL,
  status TEXT NOT NULL,
  persona TEXT NOT NULL,
  adapter TEXT NOT NULL,
  model TEXT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  workspace TEXT NOT NULL,
  reason TEXT NOT NULL,
  visit INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  interruptions INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  tokens_cache_read INTEGER NOT NULL,
  tokens_cache_write INTEGER NOT NULL,
  cost_usd REAL NOT NULL,
  PRIMARY KEY(run, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE gate(
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  gate_id TEXT NOT NULL,
  waiting INTEGER NOT NULL,
  step TEXT NOT NULL,
  type TEXT NOT NULL,
  prompt TEXT NOT NULL,
  choices TEXT NOT NULL,
  freeform INTEGER NOT NULL,
  default_choice TEXT NOT NULL,
  resolved INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  choice TEXT NOT NULL,
  text TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  via TEXT NOT NULL,
  opened_at INTEGER,
  deadline INTEGER,
  decided_at INTEGER,
  PRIMARY KEY(run, gate_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX gate_waiting ON gate(opened_at) WHERE waiting = 1;

CREATE TABLE artifact(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  step TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  UNIQUE(run, step, name)
) STRICT;

CREATE TABLE spool_mark(
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  step TEXT NOT NULL,
  visit INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  out_offset INTEGER NOT NULL,
  err_offset INTEGER NOT NULL,
  parser_state BLOB NOT NULL,
  PRIMARY KEY(run, step, visit, attempt, purpose)
) STRICT, WITHOUT ROWID;

CREATE TABLE command(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  gate_id TEXT NOT NULL,
  payload TEXT NOT NULL,
  actor TEXT NOT NULL,
  via TEXT NOT NULL,
  idempotency_key TEXT,
  created_at INTEGER NOT NULL,
  consumed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX command_pending ON command(run, consumed, id);
CREATE UNIQUE INDEX command_gate ON command(run, gate_id) WHERE kind = 'gate';
CREATE UNIQUE INDEX command_key ON command(run, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE idempotency(
  key TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_run ON idempotency(run);

CREATE TABLE blob_ref(
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  sha256 TEXT NOT NULL,
  PRIMARY KEY(run, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_ref_by_hash ON blob_ref(sha256);

CREATE TABLE pruned(
  run_id TEXT PRIMARY KEY,
  run INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  pruned_at INTEGER NOT NULL,
  finished INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pruned_unfinished ON pruned(run) WHERE finished = 0;
)sql";

constexpr std::array kMigrations{Migration{1, kVersion1},       Migration{2, kAccessSchema},
                                 Migration{3, kQueueSchema},    Migration{4, kWebhookSchema},
                                 Migration{5, kApproverSchema}, Migration{6, kRevocationSchema}};

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

}  // namespace wave::store::sqlite
