-- The ledger's schema. Each "-- version N" begins a migration: it is applied,
-- in one transaction, to a file whose user_version is below N. A section that
-- was ever released is never edited; a change is a new section.

-- version 1

-- One row: whose file this is, and what it continues.
CREATE TABLE ledger (
	one		INTEGER PRIMARY KEY CHECK (one = 1),
	station		TEXT NOT NULL,
	created_ms	INTEGER NOT NULL,
	first		INTEGER NOT NULL CHECK (first >= 1),
	previous	TEXT NOT NULL CHECK (length(previous) = 64)
) STRICT;

-- AUTOINCREMENT keeps the highest sequence ever given in sqlite_sequence, so a
-- tail that was simply cut off is missed.
CREATE TABLE events (
	sequence	INTEGER PRIMARY KEY AUTOINCREMENT,
	station		TEXT NOT NULL,
	wall_ms		INTEGER NOT NULL,
	monotonic_ms	INTEGER NOT NULL,
	boot		TEXT NOT NULL,
	run		TEXT NOT NULL,
	device		TEXT,
	kind		TEXT NOT NULL,
	body		TEXT NOT NULL CHECK (body LIKE '{%}'),
	previous	TEXT NOT NULL,
	hash		TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER events_follow_one_another BEFORE INSERT ON events
WHEN NEW.sequence IS NOT coalesce((SELECT max(sequence) FROM events) + 1, (SELECT first FROM ledger))
	OR NEW.previous IS NOT coalesce(
		(SELECT hash FROM events ORDER BY sequence DESC LIMIT 1), (SELECT previous FROM ledger))
	OR NEW.station IS NOT (SELECT station FROM ledger)
BEGIN
	SELECT RAISE(ABORT, 'this is not the next event of this ledger');
END;

CREATE TRIGGER a_closed_ledger_ends BEFORE INSERT ON events
WHEN (SELECT kind FROM events ORDER BY sequence DESC LIMIT 1) = 'closed'
BEGIN
	SELECT RAISE(ABORT, 'this ledger is closed');
END;

CREATE TRIGGER the_head_is_not_changed BEFORE UPDATE ON ledger
BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER the_head_is_not_deleted BEFORE DELETE ON ledger
BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- version 2

CREATE INDEX events_by_device ON events (device, sequence);
CREATE INDEX events_by_run ON events (run, sequence);
CREATE INDEX events_by_kind ON events (kind, wall_ms);

-- For whoever looks with sqlite3(1): the bytes that are hashed, and verdicts.
CREATE VIEW hashed (sequence, bytes, hash) AS
SELECT sequence,
	'chaperone.ledger/1' || char(10) || station || char(10) || sequence || char(10) || wall_ms
	|| char(10) || monotonic_ms || char(10) || boot || char(10) || run || char(10)
	|| coalesce(device, '') || char(10) || kind || char(10) || previous || char(10) || body,
	hash
FROM events;

CREATE VIEW verdicts (sequence, at, run, device, name, command, verdict, reason, truth) AS
SELECT sequence, strftime('%Y-%m-%dT%H:%M:%fZ', wall_ms / 1000.0, 'unixepoch'), run, device,
	json_extract(body, '$.device.name'), json_extract(body, '$.command'),
	json_extract(body, '$.verdict'), json_extract(body, '$.reason'), json_extract(body, '$.truth')
FROM events WHERE kind = 'verdict';
