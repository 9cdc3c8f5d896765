-- Every table has a document, which is the value, and the columns by which it is found.
-- Times are in microseconds of Unix time, 0 for none.

-- +goose Up
CREATE TABLE account (id TEXT PRIMARY KEY, inn TEXT NOT NULL UNIQUE, state TEXT NOT NULL, activate_by INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX account_state ON account (state, id);
CREATE INDEX account_activate ON account (activate_by) WHERE activate_by > 0;

CREATE TABLE password (id TEXT PRIMARY KEY, account TEXT NOT NULL, overdue INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX password_account ON password (account);
CREATE INDEX password_overdue ON password (overdue) WHERE overdue > 0;

CREATE TABLE factor (id TEXT PRIMARY KEY, account TEXT NOT NULL, added INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX factor_account ON factor (account, added);

CREATE TABLE certificate (id TEXT PRIMARY KEY, account TEXT NOT NULL, bound INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX certificate_account ON certificate (account, bound);

CREATE TABLE card (id TEXT PRIMARY KEY, account TEXT NOT NULL, issued INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX card_account ON card (account, issued);
CREATE INDEX card_issued ON card (issued);

CREATE TABLE evidence (id TEXT PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX evidence_account ON evidence (account, at);

CREATE TABLE visit (id TEXT PRIMARY KEY, account TEXT NOT NULL, seen INTEGER NOT NULL, until INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX visit_account ON visit (account, seen);
CREATE INDEX visit_until ON visit (until);

CREATE TABLE secret (id TEXT PRIMARY KEY, account TEXT NOT NULL, purpose TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX secret_account ON secret (account, purpose, created);
CREATE INDEX secret_expires ON secret (expires);

CREATE TABLE counter (id TEXT PRIMARY KEY, expires INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX counter_expires ON counter (expires);

CREATE TABLE check_run (id TEXT PRIMARY KEY, expires INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX check_run_expires ON check_run (expires);

CREATE TABLE letter (id TEXT PRIMARY KEY, waiting INTEGER NOT NULL, not_before INTEGER NOT NULL, place TEXT NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX letter_due ON letter (waiting, not_before);
CREATE INDEX letter_place ON letter (place);

CREATE TABLE task (id TEXT PRIMARY KEY, kind TEXT NOT NULL, due INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX task_due ON task (kind, due);

CREATE TABLE note (id TEXT PRIMARY KEY, document BLOB NOT NULL) STRICT;

CREATE TABLE sequence (id TEXT PRIMARY KEY, document BLOB NOT NULL) STRICT;

CREATE TABLE ticket (id TEXT PRIMARY KEY, state TEXT NOT NULL, place TEXT NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX ticket_state ON ticket (state, place);
CREATE INDEX ticket_place ON ticket (place);

CREATE TABLE attachment (id TEXT PRIMARY KEY, ticket TEXT NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX attachment_ticket ON attachment (ticket);
