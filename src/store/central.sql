-- Many stations in one database. Run by the owner; running it again adds what
-- is missing. Stations insert and nothing else, readers see their client's.

CREATE SCHEMA IF NOT EXISTS chaperone;

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'chaperone_station') THEN
		CREATE ROLE chaperone_station NOLOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'chaperone_reader') THEN
		CREATE ROLE chaperone_reader NOLOGIN;
	END IF;
END $$;

CREATE TABLE IF NOT EXISTS chaperone.stations (
	station	text PRIMARY KEY,
	client	text NOT NULL,
	login	name NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS chaperone.readers (
	login	name NOT NULL,
	client	text NOT NULL,
	PRIMARY KEY (login, client)
);

-- What makes an event unique, whatever its clock said: partitions by time
-- cannot promise that.
CREATE TABLE IF NOT EXISTS chaperone.chain (
	station		text NOT NULL,
	sequence	bigint NOT NULL,
	hash		text NOT NULL CHECK (length(hash) = 64),
	arrived		timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (station, sequence)
);

CREATE TABLE IF NOT EXISTS chaperone.events (
	station		text NOT NULL,
	sequence	bigint NOT NULL,
	at		timestamptz NOT NULL,
	wall_ms		bigint NOT NULL,
	monotonic_ms	bigint NOT NULL,
	boot		text NOT NULL,
	run		text NOT NULL,
	device		text,
	kind		text NOT NULL,
	body		text NOT NULL,
	previous	text NOT NULL,
	hash		text NOT NULL,
	PRIMARY KEY (station, sequence, at)
) PARTITION BY RANGE (at);

CREATE INDEX IF NOT EXISTS events_by_kind ON chaperone.events (kind, at);
CREATE INDEX IF NOT EXISTS events_by_device ON chaperone.events (device, at);

-- A month per partition, from two years ago to a year ahead; a clock that is
-- further off goes into the last one. Where such an event came before its month
-- had a partition, that month stays in the last one.
DO $$
DECLARE
	month date := date_trunc('month', now() - interval '24 months');
BEGIN
	WHILE month < now() + interval '12 months' LOOP
		BEGIN
			EXECUTE format('CREATE TABLE IF NOT EXISTS chaperone.%I PARTITION OF chaperone.events'
				' FOR VALUES FROM (%L) TO (%L)', 'events_' || to_char(month, 'YYYY_MM'),
				month::timestamp AT TIME ZONE 'UTC',
				(month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
		EXCEPTION WHEN check_violation THEN
			RAISE NOTICE 'events of % stay in events_other', month;
		END;
		month := month + interval '1 month';
	END LOOP;
	CREATE TABLE IF NOT EXISTS chaperone.events_other PARTITION OF chaperone.events DEFAULT;
END $$;

CREATE TABLE IF NOT EXISTS chaperone.alarms (
	station		text NOT NULL,
	sequence	bigint NOT NULL,
	kept		text,
	offered		text,
	what		text NOT NULL,
	login		name NOT NULL DEFAULT session_user,
	at		timestamptz NOT NULL DEFAULT now()
);

-- The station of who is connected. The row security below rests on it.
CREATE OR REPLACE FUNCTION chaperone.my_station() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT s.station FROM chaperone.stations s WHERE s.login = session_user $$;

-- Those that who is connected may read: asked once for a query, not for each row.
CREATE OR REPLACE FUNCTION chaperone.my_client_stations() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.station FROM chaperone.readers r JOIN chaperone.stations s USING (client)
		WHERE r.login = session_user
$$;

-- An event that is there already is passed over; another one in its place is
-- a cloned or rolled-back station, whatever the sender says about it.
CREATE OR REPLACE FUNCTION chaperone.notice_other() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept text;
BEGIN
	SELECT c.hash INTO kept FROM chaperone.chain c
		WHERE c.station = NEW.station AND c.sequence = NEW.sequence;
	IF kept <> NEW.hash AND NEW.station = chaperone.my_station() THEN
		INSERT INTO chaperone.alarms (station, sequence, kept, offered, what)
			VALUES (NEW.station, NEW.sequence, kept, NEW.hash, 'another event of the same sequence');
	END IF;
	RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER notice_other BEFORE INSERT ON chaperone.chain
	FOR EACH ROW EXECUTE FUNCTION chaperone.notice_other();

-- Insert only, also for the owner by mistake.
CREATE OR REPLACE FUNCTION chaperone.refuse() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'the record is append-only'; END $$;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON chaperone.chain
	FOR EACH ROW EXECUTE FUNCTION chaperone.refuse();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON chaperone.events
	FOR EACH ROW EXECUTE FUNCTION chaperone.refuse();

CREATE OR REPLACE TRIGGER not_emptied BEFORE TRUNCATE ON chaperone.chain
	FOR EACH STATEMENT EXECUTE FUNCTION chaperone.refuse();
CREATE OR REPLACE TRIGGER not_emptied BEFORE TRUNCATE ON chaperone.events
	FOR EACH STATEMENT EXECUTE FUNCTION chaperone.refuse();

ALTER TABLE chaperone.chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE chaperone.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE chaperone.alarms ENABLE ROW LEVEL SECURITY;

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_policies WHERE schemaname = 'chaperone') THEN
		RETURN;
	END IF;
	CREATE POLICY own_inserts ON chaperone.chain FOR INSERT TO chaperone_station
		WITH CHECK (station = (SELECT chaperone.my_station()));
	CREATE POLICY own_chain ON chaperone.chain FOR SELECT TO chaperone_station
		USING (station = (SELECT chaperone.my_station()));
	CREATE POLICY own_inserts ON chaperone.events FOR INSERT TO chaperone_station
		WITH CHECK (station = (SELECT chaperone.my_station()));
	CREATE POLICY own_alarms ON chaperone.alarms FOR INSERT TO chaperone_station
		WITH CHECK (station = (SELECT chaperone.my_station()));
	CREATE POLICY of_client ON chaperone.events FOR SELECT TO chaperone_reader
		USING (station IN (SELECT chaperone.my_client_stations()));
	CREATE POLICY of_client ON chaperone.chain FOR SELECT TO chaperone_reader
		USING (station IN (SELECT chaperone.my_client_stations()));
	CREATE POLICY of_client ON chaperone.alarms FOR SELECT TO chaperone_reader
		USING (station IN (SELECT chaperone.my_client_stations()));
END $$;

GRANT USAGE ON SCHEMA chaperone TO chaperone_station, chaperone_reader;
GRANT INSERT, SELECT ON chaperone.chain TO chaperone_station;
GRANT INSERT ON chaperone.events, chaperone.alarms TO chaperone_station;
GRANT SELECT ON chaperone.events, chaperone.chain, chaperone.alarms TO chaperone_reader;

-- For reports and for whoever looks; what is seen is decided above.
CREATE OR REPLACE VIEW chaperone.verdicts WITH (security_invoker = true) AS
SELECT station, sequence, at, run, device, body::jsonb #>> '{device,name}' AS name,
	body::jsonb ->> 'command' AS command, body::jsonb ->> 'policy' AS policy,
	body::jsonb ->> 'verdict' AS verdict, body::jsonb ->> 'reason' AS reason,
	body::jsonb ->> 'truth' AS truth
FROM chaperone.events WHERE kind = 'verdict';

CREATE OR REPLACE VIEW chaperone.latest WITH (security_invoker = true) AS
SELECT DISTINCT ON (device) * FROM chaperone.verdicts ORDER BY device, at DESC;
GRANT SELECT ON chaperone.verdicts, chaperone.latest TO chaperone_reader;

CREATE OR REPLACE FUNCTION chaperone.add_login(wanted name, granted name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
		EXECUTE format('CREATE ROLE %I LOGIN', wanted);
	END IF;
	EXECUTE format('GRANT %I TO %I', granted, wanted);
END $$;
REVOKE ALL ON FUNCTION chaperone.add_login FROM PUBLIC;
