CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE audit (
  id INTEGER NOT NULL,
  at DATETIME NOT NULL,
  actor VARCHAR NOT NULL,
  origin VARCHAR NOT NULL,
  action VARCHAR NOT NULL,
  target VARCHAR NOT NULL,
  "before" JSON,
  "after" JSON,
  PRIMARY KEY (id)
);

CREATE INDEX ix_audit_target ON audit (target);

CREATE TABLE document (
  source VARCHAR NOT NULL,
  id VARCHAR NOT NULL,
  body JSON NOT NULL,
  created DATETIME NOT NULL,
  updated DATETIME NOT NULL,
  PRIMARY KEY (source, id)
);

CREATE TABLE job (
  name VARCHAR NOT NULL,
  path VARCHAR DEFAULT '' NOT NULL,
  present BOOLEAN DEFAULT 1 NOT NULL,
  status VARCHAR DEFAULT '' NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  active BOOLEAN DEFAULT 1 NOT NULL,
  declared_active BOOLEAN DEFAULT 1 NOT NULL,
  armed BOOLEAN DEFAULT 0 NOT NULL,
  next_due DATETIME,
  error TEXT,
  once_session BIGINT,
  schedule_key VARCHAR DEFAULT '' NOT NULL,
  settings JSON,
  source_hash VARCHAR,
  last_run_id BIGINT,
  last_started DATETIME,
  last_status VARCHAR,
  last_returned VARCHAR,
  first_seen DATETIME NOT NULL,
  updated DATETIME NOT NULL, overrides JSON,
  PRIMARY KEY (name)
);

CREATE TABLE log_line (
  run_id BIGINT NOT NULL,
  number INTEGER NOT NULL,
  at DATETIME NOT NULL,
  level VARCHAR NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
)
  WITHOUT ROWID;

CREATE TABLE run (
  id INTEGER NOT NULL,
  job VARCHAR NOT NULL,
  session BIGINT,
  status VARCHAR NOT NULL,
  returned VARCHAR,
  "trigger" VARCHAR NOT NULL,
  attempt INTEGER DEFAULT 1 NOT NULL,
  rescheduled_from BIGINT,
  due DATETIME NOT NULL,
  queued DATETIME NOT NULL,
  started DATETIME,
  finished DATETIME,
  duration_ms FLOAT,
  error TEXT,
  result JSON,
  result_note TEXT,
  info JSON,
  data JSON,
  user_id BIGINT DEFAULT 0 NOT NULL,
  source_hash VARCHAR,
  cpu_ms FLOAT,
  peak_memory_bytes BIGINT,
  log_lines INTEGER DEFAULT 0 NOT NULL, called_by BIGINT, problems JSON, version VARCHAR, modules JSON, remove_at DATETIME, schedule_id BIGINT, worker VARCHAR, superseded JSON, calls JSON,
  PRIMARY KEY (id)
);

CREATE INDEX ix_run_job_id ON run (job, id);

CREATE INDEX ix_run_status_id ON run (status, id);

CREATE TABLE session (
  id INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  host VARCHAR NOT NULL,
  version VARCHAR NOT NULL,
  started DATETIME NOT NULL,
  ended DATETIME,
  clean BOOLEAN, commits BIGINT DEFAULT '0' NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE source (
  hash VARCHAR NOT NULL,
  text TEXT NOT NULL,
  first_seen DATETIME NOT NULL,
  PRIMARY KEY (hash)
);

CREATE TABLE planned_run (
  id INTEGER NOT NULL,
  job VARCHAR NOT NULL,
  due DATETIME NOT NULL,
  data JSON,
  user_id BIGINT DEFAULT 0 NOT NULL,
  planned_at DATETIME NOT NULL,
  called_by BIGINT, "trigger" VARCHAR DEFAULT 'call' NOT NULL, attempt INTEGER DEFAULT 1 NOT NULL, rescheduled_from BIGINT, crashes INTEGER DEFAULT 0 NOT NULL, schedule_id BIGINT, tag VARCHAR, first_trigger VARCHAR,
  PRIMARY KEY (id)
);

CREATE TABLE slot (
  job VARCHAR NOT NULL,
  first_due DATETIME NOT NULL,
  noted DATETIME NOT NULL,
  last_due DATETIME NOT NULL,
  count BIGINT,
  fate VARCHAR NOT NULL,
  cause VARCHAR NOT NULL,
  reason TEXT NOT NULL,
  run_id BIGINT, schedule_id BIGINT,
  PRIMARY KEY (job, first_due, noted)
)
  WITHOUT ROWID;

CREATE TABLE job_state (
  job VARCHAR NOT NULL,
  lasting BOOLEAN NOT NULL,
  value JSON NOT NULL,
  updated DATETIME NOT NULL,
  run_id BIGINT,
  PRIMARY KEY (job, lasting)
);

CREATE TABLE hold (
  kind VARCHAR NOT NULL,
  scope VARCHAR NOT NULL,
  target VARCHAR NOT NULL,
  note TEXT NOT NULL,
  actor VARCHAR NOT NULL,
  since DATETIME NOT NULL,
  until DATETIME,
  PRIMARY KEY (kind, scope, target)
);

CREATE INDEX ix_run_queued ON run (queued);

CREATE INDEX ix_run_remove_at ON run (remove_at) WHERE remove_at IS NOT NULL;

CREATE VIEW run_text_source AS SELECT id, coalesce(error, '') || char(10) || coalesce(
  (SELECT group_concat(text, char(10)) FROM (
  SELECT text FROM log_line WHERE run_id = run.id AND number <= run.log_lines ORDER BY number
) AS line), '') AS body
  FROM run WHERE finished IS NOT NULL AND (log_lines > 0 OR error IS NOT NULL);

CREATE VIRTUAL TABLE run_text USING fts5(body, content='run_text_source', content_rowid='id', tokenize='unicode61 remove_diacritics 0');

CREATE TABLE alert (
  id INTEGER NOT NULL,
  job VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  reason TEXT NOT NULL,
  run BIGINT,
  since DATETIME NOT NULL,
  last DATETIME NOT NULL,
  count INTEGER DEFAULT 1 NOT NULL,
  told DATETIME,
  ended DATETIME,
  end_reason TEXT,
  end_told DATETIME,
  trouble TEXT,
  acked DATETIME,
  acked_by VARCHAR,
  note TEXT,
  PRIMARY KEY (id)
);

CREATE INDEX ix_alert_job_id ON alert (job, id);

CREATE INDEX ix_alert_ended ON alert (ended);

CREATE TABLE given_schedule (
  id INTEGER NOT NULL,
  job VARCHAR NOT NULL,
  status VARCHAR NOT NULL,
  words TEXT NOT NULL,
  created DATETIME NOT NULL,
  created_by VARCHAR NOT NULL,
  rule JSON,
  due DATETIME,
  user_id BIGINT DEFAULT 0 NOT NULL,
  tag VARCHAR DEFAULT '' NOT NULL,
  data JSON,
  retries JSON,
  retry_delay FLOAT,
  remove_after FLOAT,
  called_by BIGINT,
  ended DATETIME,
  reason TEXT,
  last_run_id BIGINT,
  skipped INTEGER DEFAULT 0 NOT NULL,
  note TEXT, run_skipped BOOLEAN,
  PRIMARY KEY (id)
);

CREATE INDEX ix_given_schedule_job_id ON given_schedule (job, id);

CREATE INDEX ix_given_schedule_status_id ON given_schedule (status, id);

CREATE TABLE declared (
  job VARCHAR NOT NULL,
  seal VARCHAR NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (job)
)
  WITHOUT ROWID;

CREATE INDEX ix_slot_last_due ON slot (last_due);

CREATE INDEX ix_audit_at ON audit (at);

CREATE INDEX ix_planned_run_schedule_id ON planned_run (schedule_id);

CREATE INDEX ix_alert_untold ON alert (id) WHERE end_told IS NULL;

CREATE INDEX ix_run_asked_for ON run ("trigger", id) WHERE trigger <> 'schedule';

CREATE INDEX ix_run_user_id ON run (user_id, id) WHERE user_id <> 0;

CREATE TABLE node (
  id VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  host VARCHAR NOT NULL,
  home VARCHAR NOT NULL,
  pid INTEGER NOT NULL,
  version VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  addresses JSON NOT NULL,
  tags JSON NOT NULL,
  slots INTEGER,
  running INTEGER DEFAULT '0' NOT NULL,
  jobs_hash VARCHAR,
  clock_ahead FLOAT DEFAULT '0' NOT NULL,
  drain BOOLEAN DEFAULT 0 NOT NULL,
  started DATETIME NOT NULL,
  heartbeat DATETIME NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE lease (
  id INTEGER NOT NULL,
  term BIGINT NOT NULL,
  node VARCHAR NOT NULL,
  host VARCHAR NOT NULL,
  home VARCHAR NOT NULL,
  backend INTEGER NOT NULL,
  secret VARCHAR NOT NULL,
  until DATETIME NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE remote_run (
  run_id BIGINT NOT NULL,
  session BIGINT NOT NULL,
  token VARCHAR NOT NULL,
  request BLOB NOT NULL,
  source_hash VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  node VARCHAR,
  worker VARCHAR,
  chunks INTEGER DEFAULT '0' NOT NULL,
  calls INTEGER DEFAULT '0' NOT NULL,
  stop TEXT,
  grace FLOAT,
  outcome BLOB,
  PRIMARY KEY (run_id)
);

CREATE TABLE remote_log (
  run_id BIGINT NOT NULL,
  number INTEGER NOT NULL,
  lines BLOB NOT NULL,
  PRIMARY KEY (run_id, number)
)
  WITHOUT ROWID;

CREATE TABLE remote_call (
  run_id BIGINT NOT NULL,
  number INTEGER NOT NULL,
  question BLOB NOT NULL,
  answer BLOB,
  PRIMARY KEY (run_id, number)
)
  WITHOUT ROWID;

CREATE INDEX ix_run_job_otherwise ON run (job, status, id) WHERE status IN ('CANCELLED', 'CRASHED', 'ERROR', 'SKIPPED', 'TIMEOUT')
