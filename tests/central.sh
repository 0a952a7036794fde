#!/bin/bash
# Many stations and one PostgreSQL, which this test starts for itself.
# CENTRAL_STATIONS and CENTRAL_DAYS make it larger (200 and 270: a million events).
set -u
skip() { echo "$1: skipped"; exit 77; }
pg=$(command -v initdb || find /usr/lib/postgresql -name initdb 2>/dev/null | sort | tail -1)
[ -n "$pg" ] || skip "no PostgreSQL here"
for tool in psql sqlite3 jq; do
	command -v "$tool" >/dev/null || skip "no $tool here"
done
pg=$(dirname "$pg")
as=()
# PostgreSQL does not run as root.
if [ "$(id -u)" = 0 ]; then
	id postgres >/dev/null 2>&1 || skip "no user postgres here"
	command -v setpriv >/dev/null || skip "no setpriv here"
	as=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
stations=${CENTRAL_STATIONS:-4} days=${CENTRAL_DAYS:-30}
here=$PWD failed=0
scratch=$(mktemp -d /tmp/central.XXXXXX) || exit 99
trap '"${as[@]}" "$pg/pg_ctl" -D "$scratch/pg/data" -m immediate stop >/dev/null 2>&1; rm -rf "$scratch"' EXIT
mkdir "$scratch/pg" || exit 99
chmod 711 "$scratch"
[ "$(id -u)" != 0 ] || chown postgres: "$scratch/pg"
cd "$scratch" || exit 99
export XDG_CONFIG_HOME=$scratch TZ=UTC PGOPTIONS='-c client_min_messages=warning'
unset PGHOST PGUSER PGDATABASE PGSSLMODE

chaperone() { "$here/chaperone" "$@"; }

is() {	# SENTENCE WANTED GOT
	[ "$2" = "$3" ] && return
	printf '%s:\n  wanted %s\n  got    %s\n' "$1" "$2" "$3"
	failed=1
}

exits() {	# SENTENCE CODE COMMAND...
	local name=$1 want=$2 got
	shift 2
	"$@" >out 2>err
	got=$?
	[ "$got" = "$want" ] && return
	is "$name: exit" "$want" "$got"
	head -3 err
}

start() {
	"${as[@]}" "$pg/pg_ctl" -w -D pg/data -l pg/log -o "-k $scratch/pg -c listen_addresses=''" start >/dev/null || { cat pg/log; exit 99; }
}

url() { echo "postgresql://$1@/chaperone?host=$scratch/pg"; }
sql() { psql -qAtX "$(url "$1")" -c "$2" 2>&1; }
owner=$(id -un)
[ "$owner" != root ] || owner=postgres

"${as[@]}" "$pg/initdb" -D pg/data -A trust -U "$owner" --no-sync >/dev/null || exit 99
start
psql -qX "postgresql://$owner@/postgres?host=$scratch/pg" -c 'CREATE DATABASE chaperone' || exit 99

# ---- setting up ----------------------------------------------------------------
exits "central-init" 0 chaperone ledger central-init --to "$(url "$owner")"
exits "and again" 0 chaperone ledger central-init --to "$(url "$owner")"
is "monthly partitions, and one for odd clocks" t "$(sql "$owner" "SELECT count(*) > 30 FROM pg_inherits")"
for i in $(seq "$stations"); do
	exits "station $i" 0 chaperone ledger central-init --to "$(url "$owner")" --station "bench-$i" \
	    --client "client-$((i % 2))" --login "station_$i"
	"$here/ledgersample" "l$i.db" "bench-$i" 30 "$days" "$i" || exit 99
done
exits "a reader" 0 chaperone ledger central-init --to "$(url "$owner")" --client client-1 --login reader_1
total=0
for i in $(seq "$stations"); do
	total=$((total + $(sqlite3 "l$i.db" 'SELECT count(*) FROM events')))
done

# ---- what is refused before anything is sent --------------------------------------
exits "a password in the URL" 64 chaperone ledger push --ledger l1.db --to postgresql://a:b@127.0.0.1/x
exits "no TLS over the network" 64 chaperone ledger push --ledger l1.db --to 'postgresql://a@127.0.0.1/x?sslmode=disable'
exits "TLS if it happens to be there" 64 chaperone ledger push --ledger l1.db --to 'postgresql://a@127.0.0.1/x?sslmode=prefer'
exits "nobody there" 69 chaperone ledger push --ledger l1.db --to 'postgresql://a@127.0.0.1:1/x'
exits "no URL" 64 chaperone ledger push --ledger l1.db
exits "a login that is none" 69 chaperone ledger push --ledger l1.db --to "$(url nobody_1)"

# ---- a server that is not there is asked less and less often ------------------------------
"$here/chaperone" ledger push --ledger l1.db --to 'postgresql://a@127.0.0.1:1/x' --follow >none.out 2>none.err &
follower=$!
for _ in $(seq 600); do
	grep -q 'next try in 2 s' none.err && break
	read -rt 0.05 <> <(:) || :
done
kill "$follower"; wait "$follower"
is "a signal ends the wait well" 0 $?
is "after a second, then after two" "1 2" "$(sed -n 's/.*next try in \([0-9]*\) s.*/\1/p' none.err | head -2 | tr '\n' ' ' | sed 's/ $//')"

# ---- a server killed in mid-batch: nothing lost, nothing twice ----------------------
# A small ledger is sent before anybody looks: a tenth goes first, at least one batch.
"$here/ledgersample" crash.db bench-crash 60 "$((days > 60 ? days : 60))" 99 || exit 99
exits "a station to crash" 0 chaperone ledger central-init --to "$(url "$owner")" --station bench-crash --client client-0 --login station_crash
"$here/chaperone" ledger push --ledger crash.db --to "$(url station_crash)" --follow >follow.out 2>follow.err &
follower=$!
for i in 1 2 3; do
	# The server dies as soon as another batch is there.
	before=$(sql "$owner" "SELECT count(*) FROM chaperone.chain WHERE station = 'bench-crash'")
	for _ in $(seq 100); do
		now=$(sql "$owner" "SELECT count(*) FROM chaperone.chain WHERE station = 'bench-crash'")
		[ "$now" = "$before" ] || break
		read -rt 0.02 <> <(:) || :
	done
	"${as[@]}" "$pg/pg_ctl" -D pg/data -m immediate stop >/dev/null
	start
done
want=$(sqlite3 crash.db 'SELECT count(*) FROM events')
for _ in $(seq 300); do
	[ "$(sql "$owner" "SELECT count(*) FROM chaperone.events WHERE station = 'bench-crash'")" = "$want" ] && break
	read -rt 0.1 <> <(:) || :
done
kill "$follower"; wait "$follower"
is "a signal ends --follow well" 0 $?
is "every event is there once" "$want $want" "$(sql "$owner" "SELECT count(*) || ' ' || count(DISTINCT sequence) FROM chaperone.events WHERE station = 'bench-crash'")"
is "and is the one that was sent" "$(sqlite3 crash.db 'SELECT hash FROM events ORDER BY sequence' | sha256sum)" \
    "$(sql "$owner" "SELECT hash FROM chaperone.events WHERE station = 'bench-crash' ORDER BY sequence" | sha256sum)"

# ---- all of them, while one has something new ----------------------------------------
began=$(date +%s%N)
seq "$stations" | xargs -P 8 -I{} "$here/chaperone" ledger push --ledger l{}.db \
    --to "postgresql://station_{}@/chaperone?host=$scratch/pg" >pushed 2>pushed.err &
catching_up=$!
worst=0
for n in $(seq 1000); do
	kill -0 "$catching_up" 2>/dev/null || break
	t=$(date +%s%N)
	"$here/chaperone" ledger rotate --ledger crash.db --archive "crash-$n.db" >/dev/null || break
	# The closing event of the archive is what is new.
	"$here/chaperone" ledger push --ledger "crash-$n.db" --to "$(url station_crash)" >/dev/null 2>late.err || { cat late.err; failed=1; break; }
	ms=$((($(date +%s%N) - t) / 1000000))
	[ "$ms" -le "$worst" ] || worst=$ms
done
wait "$catching_up" || { echo "not all could push"; head -3 pushed.err; failed=1; }
ms=$((($(date +%s%N) - began) / 1000000))
is "everything is there once" "$total" "$(sql "$owner" "SELECT count(*) FROM chaperone.events WHERE station <> 'bench-crash'")"
echo "$stations stations, $total events in $ms ms; a new event of another station took at most $worst ms"
exits "pushed again" 0 chaperone ledger push --ledger l1.db --to "$(url station_1)" --json
is "nothing is sent twice" 0 "$(jq .events out)"

# ---- weeks later, and closed in the meantime --------------------------------------------
"$here/ledgersample" away.db bench-away 10 10 17 || exit 99
exits "a station that goes away" 0 chaperone ledger central-init --to "$(url "$owner")" --station bench-away --client client-0 --login station_away
cp away.db gap.db
sqlite3 gap.db 'DROP TRIGGER events_are_not_deleted; DELETE FROM events WHERE sequence = 5'
exits "a ledger that lacks an event" 65 chaperone ledger push --ledger gap.db --to "$(url station_away)"
is "says which" yes "$(grep -q 'does not hold at event 5' err && echo yes)"
cp away.db other.db
sqlite3 other.db "DROP TRIGGER events_are_not_changed; UPDATE events SET body = '{}' WHERE sequence = 7"
exits "one in which an event was changed" 65 chaperone ledger push --ledger other.db --to "$(url station_away)"
is "and nothing of either is there" 0 "$(sql "$owner" "SELECT count(*) FROM chaperone.chain WHERE station = 'bench-away'")"
exits "is there up to now" 0 chaperone ledger push --ledger away.db --to "$(url station_away)" --json
at=$(jq .sequence out)
for _ in 1 2 3; do
	exits "its ledger is closed" 0 chaperone ledger rotate --ledger away.db
done
exits "it comes back" 0 chaperone ledger push --ledger away.db --to "$(url station_away)" --json
# A rotation is two events: who ordered it, and the end of the file.
is "what was in the archives goes first" "[6,$((at + 6))]" "$(jq -c '[.events, .sequence]' out)"
exits "an archive that is there" 0 chaperone ledger push --ledger "ledger-1-$((at + 2)).db" --to "$(url station_away)" --json
is "is there" 0 "$(jq .events out)"
exits "closed once more" 0 chaperone ledger rotate --ledger away.db --archive elsewhere.db
exits "and once more" 0 chaperone ledger rotate --ledger away.db
rm "ledger-$((at + 9))-$((at + 10)).db"
exits "an archive that is not beside it" 65 chaperone ledger push --ledger away.db --to "$(url station_away)"
is "is asked for" yes "$(grep -q 'push the archive before it first' err && echo yes)"

# ---- what a station may not do ---------------------------------------------------------
row="'bench-2', 999999, now(), 0, 0, 'b', 'r', NULL, 'sent', '{}', repeat('0', 64), repeat('1', 64)"
refused() { is "$1" yes "$(sql station_1 "$2" | grep -qE 'row-level security|permission denied' && echo yes)"; }
refused "write as another station" "INSERT INTO chaperone.events VALUES ($row)"
refused "write another's chain" "INSERT INTO chaperone.chain VALUES ('bench-2', 999999, repeat('1', 64))"
refused "update" "UPDATE chaperone.events SET body = '{}'"
refused "update its chain" "UPDATE chaperone.chain SET hash = repeat('1', 64)"
refused "delete" "DELETE FROM chaperone.events"
refused "truncate" "TRUNCATE chaperone.events"
refused "read events" "SELECT * FROM chaperone.events"
refused "write into a partition" "INSERT INTO chaperone.events_other VALUES ($row)"
refused "read a partition" "SELECT * FROM chaperone.events_other"
refused "read what others may not" "SELECT * FROM chaperone.stations"
refused "become another" "INSERT INTO chaperone.stations VALUES ('x', 'y', 'station_1')"
refused "silence an alarm" "DELETE FROM chaperone.alarms"
is "another's chain is not seen" 0 "$(sql station_1 "SELECT count(*) FROM chaperone.chain WHERE station <> 'bench-1'")"
is "the owner does not delete by mistake" yes "$(sql "$owner" 'DELETE FROM chaperone.events' | grep -q append-only && echo yes)"
is "nor empty it" yes "$(sql "$owner" 'TRUNCATE chaperone.events' | grep -q append-only && echo yes)"
sql "$owner" "INSERT INTO chaperone.events VALUES ('odd', 1, now() + interval '40 months', 0, 0, 'b', 'r', NULL, 'sent', '{}', repeat('0', 64), repeat('1', 64))"
exits "a clock that is years ahead is no obstacle later" 0 chaperone ledger central-init --to "$(url "$owner")"
is "another station's ledger under this login" 77 "$(chaperone ledger push --ledger l2.db --to "$(url station_1)" >/dev/null 2>&1; echo $?)"

# ---- two stations with one id; a ledger rolled back ----------------------------------------
"$here/ledgersample" clone.db bench-1 30 "$days" 4242 || exit 99
exits "a clone" 65 chaperone ledger push --ledger clone.db --to "$(url station_1)"
is "raises an alarm" t "$(sql "$owner" "SELECT count(*) > 0 FROM chaperone.alarms WHERE station = 'bench-1'")"
"$here/ledgersample" short.db bench-2 5 2 7 || exit 99
exits "a rolled-back station" 65 chaperone ledger push --ledger short.db --to "$(url station_2)"
is "raises an alarm" t "$(sql "$owner" "SELECT count(*) > 0 FROM chaperone.alarms WHERE station = 'bench-2'")"
is "and what was there stays" "$(sqlite3 l2.db 'SELECT hash FROM events ORDER BY sequence' | sha256sum)" \
    "$(sql "$owner" "SELECT hash FROM chaperone.chain WHERE station = 'bench-2' ORDER BY sequence" | sha256sum)"

# ---- reports, per client ------------------------------------------------------------------
began=$(date +%s%N)
exits "a report from the database" 0 chaperone report --from "$(url reader_1)" --json
echo "a report of the half that is one client's in $((($(date +%s%N) - began) / 1000000)) ms"
want=0
for i in $(seq 1 2 "$stations"); do
	want=$((want + $(sqlite3 "l$i.db" "SELECT count(*) FROM events WHERE kind = 'verdict'")))
done
is "counts the client's stations and no others" "$want" "$(jq .jobs out)"
exits "a page from the database" 0 chaperone report --from "$(url reader_1)" -o page.html
is "a reader cannot write" yes "$(sql reader_1 "DELETE FROM chaperone.events" | grep -q 'permission denied' && echo yes)"
is "a station gets no report" 77 "$(chaperone report --from "$(url station_1)" >/dev/null 2>&1; echo $?)"

# ---- over the network: TLS, and whose certificate it is --------------------------------------
if ! command -v openssl >/dev/null; then
	echo "no openssl here: TLS was not tried"
	exit $failed
fi
ca() {	# NAME: a certificate authority
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.crt" -days 10 -subj "/CN=$1" 2>/dev/null || exit 99
}
certify() {	# CA NAME: a key and a certificate of this name
	openssl req -newkey rsa:2048 -nodes -keyout "$2.key" -out "$2.csr" -subj "/CN=$2" 2>/dev/null &&
	openssl x509 -req -in "$2.csr" -CA "$1.crt" -CAkey "$1.key" -CAcreateserial -days 10 -out "$2.crt" \
	    -extfile <(echo "subjectAltName=DNS:$2") 2>/dev/null || exit 99
	chmod 600 "$2.key"
}
ca central-ca
ca other-ca
certify central-ca db.test
certify central-ca station_1
certify other-ca station_2
cp db.test.crt db.test.key central-ca.crt pg/
[ "$(id -u)" != 0 ] || chown postgres: pg/*
cat >pg/data/pg_hba.conf <<TEXT
local all all trust
hostssl chaperone station_1,station_2 127.0.0.1/32 cert
hostssl chaperone all 127.0.0.1/32 trust
TEXT
with_tls() {	# on|off: on a port that is free
	for _ in 1 2 3 4 5 6 7 8; do
		port=$((20000 + RANDOM))
		"${as[@]}" "$pg/pg_ctl" -w -D pg/data -l pg/log -o "-k $scratch/pg -p $port -c listen_addresses=127.0.0.1 -c ssl=$1 -c ssl_cert_file=$scratch/pg/db.test.crt -c ssl_key_file=$scratch/pg/db.test.key -c ssl_ca_file=$scratch/pg/central-ca.crt" start >/dev/null && return
	done
	cat pg/log
	exit 99
}
far() {	# LOGIN HOST MORE: a URL whose host is 127.0.0.1 by another name
	echo "postgresql://$1@$2:$port/chaperone?hostaddr=127.0.0.1$3"
}
stop() { "${as[@]}" "$pg/pg_ctl" -w -D pg/data -m fast stop >/dev/null; }
stop
with_tls on
trusted="&sslrootcert=$scratch/central-ca.crt"
mine="&sslcert=$scratch/station_1.crt&sslkey=$scratch/station_1.key"
push() { exits "$1" "$2" chaperone ledger push --ledger l1.db --to "$3"; }
push "TLS to the server expected, by a certificate" 0 "$(far station_1 db.test "$trusted$mine")"
exits "a report, too" 0 chaperone report --from "$(far reader_1 db.test "$trusted")" --json
is "  of the client's stations" "$want" "$(jq .jobs out)"
is "  encrypted, as the server sees it" t "$(psql -qAtX "$(far reader_1 db.test "$trusted&sslmode=verify-full")" -c "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")"
push "another authority" 69 "$(far station_1 db.test "&sslrootcert=$scratch/other-ca.crt$mine")"
is "  says so" yes "$(grep -q 'certificate verify failed' err && echo yes)"
push "another name" 69 "$(far station_1 elsewhere.test "$trusted$mine")"
is "  says so" yes "$(grep -q 'does not match host name' err && echo yes)"
push "no authority at all" 69 "$(far station_1 db.test "$mine")"
push "encrypted, to whomever: asked for" 0 "$(far station_1 db.test "&sslmode=require$mine")"
push "plain" 64 "$(far station_1 db.test "$trusted$mine&sslmode=disable")"
push "plain if need be" 64 "$(far station_1 db.test "$trusted$mine&sslmode=allow")"
PGSSLMODE=disable push "plain, by the environment" 0 "$(far station_1 db.test "$trusted$mine")"
push "without a certificate of its own" 69 "$(far station_1 db.test "$trusted")"
push "with another station's" 69 "$(far station_2 db.test "$trusted$mine")"
push "with one that another authority gave" 69 "$(far station_2 db.test "$trusted&sslcert=$scratch/station_2.crt&sslkey=$scratch/station_2.key")"
stop
with_tls off
push "a server without TLS" 69 "$(far station_1 db.test "$trusted$mine")"
is "  says so" yes "$(grep -q 'does not support SSL' err && echo yes)"
exit $failed
