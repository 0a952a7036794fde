#!/bin/bash
# The commands of the ledger, and that the tools of others see the same in it.
set -u
for tool in sqlite3 openssl jq; do
	command -v "$tool" >/dev/null || { echo "no $tool here: skipped"; exit 77; }
done
here=$PWD failed=0
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99
export XDG_CONFIG_HOME=$scratch TZ=UTC

chaperone() { "$here/chaperone" "$@"; }

# is SENTENCE WANTED GOT
is() {
	[ "$2" = "$3" ] && return
	printf '%s:\n  wanted %s\n  got    %s\n' "$1" "$2" "$3"
	failed=1
}

# exits SENTENCE CODE COMMAND...: its output is kept in the file out
exits() {
	local name=$1 want=$2
	shift 2
	"$@" >out 2>err
	is "$name: exit" "$want" $?
}

says() {	# SENTENCE TEXT FILE
	grep -qF -- "$2" "$3" && return
	printf '%s: no "%s" in:\n' "$1" "$2"
	head -5 "$3"
	failed=1
}

query() { sqlite3 ledger.db "$1"; }

"$here/ledgersample" ledger.db bench 30 20 3 || exit 99
for who in acme mallory; do
	chaperone identity create --organization "$who" --no-encryption -o "$who.pem" >/dev/null || exit 99
	openssl x509 -in "$who.pem" -out "$who.crt" || exit 99
done
n=$(query 'SELECT count(*) FROM events')
run=$(query 'SELECT run FROM events WHERE sequence = 2')

# ---- commands ------------------------------------------------------------------
exits "a missing ledger" 66 chaperone ledger list --ledger none.db
exits "a list" 0 chaperone ledger list --ledger ledger.db
is "a line for each event" "$n" "$(wc -l <out)"
exits "JSON" 0 chaperone ledger list --ledger ledger.db --json
is "an object for each event" "$n" "$(jq -s 'map(select(.schema == "chaperone.record/1")) | length' out)"
exits "CSV" 0 chaperone ledger list --ledger ledger.db --csv
is "a row for each event and a heading" $((n + 1)) "$(wc -l <out)"
exits "verdicts" 0 chaperone ledger list --ledger ledger.db --verdict failed --json
is "only the verdict asked for" '["failed"]' "$(jq -cs 'map(.body.verdict) | unique' out)"
exits "by policy" 0 chaperone ledger list --ledger ledger.db --policy acme-field --json
is "only the policy asked for" '["acme-field"]' "$(jq -cs 'map(.body.policy) | unique' out)"
exits "since a day" 0 chaperone ledger list --ledger ledger.db --since "$(date -d '3 days ago' +%F)" --json
is "nothing from before" true "$(jq -s "all(.wall_ms >= $(date -d "$(date -d '3 days ago' +%F)" +%s)000)" out)"
exits "no such verdict" 64 chaperone ledger list --verdict good
exits "no such time" 64 chaperone ledger list --since yesteryear
exits "--csv with --json" 64 chaperone ledger list --ledger ledger.db --csv --json
exits "a run by its first digits" 0 chaperone ledger show --ledger ledger.db "${run:0:8}" --json
is "only that run" "[\"$run\"]" "$(jq -cs 'map(.run) | unique' out)"
exits "a run that is none" 66 chaperone ledger show --ledger ledger.db 00000000

# ---- the report -----------------------------------------------------------------
for by in device day slot policy; do
	exits "a report by $by" 0 chaperone report --ledger ledger.db --by "$by"
done
exits "a report by moon" 64 chaperone report --ledger ledger.db --by moon
exits "a page" 0 chaperone report --ledger ledger.db -o report.html --organization '<Acme>'
says "a page is titled" '<h1>&lt;Acme&gt;</h1>' report.html
says "a page says what it stands on" "The record holds: $n events" report.html
exits "a page is not overwritten" 73 chaperone report --ledger ledger.db -o report.html
exits "as JSON" 0 chaperone report --ledger ledger.db --json
is "it counts what sqlite3 counts" \
    "$(query "SELECT count(*) FROM verdicts WHERE command IN ('apply', 'verify')")" "$(jq .jobs out)"
is "and the devices" "$(query 'SELECT count(DISTINCT device) FROM verdicts')" "$(jq '.devices | length' out)"

# ---- hashes, by other tools --------------------------------------------------------
for i in 1 7 "$n"; do
	is "sqlite3 and openssl find the hash of event $i" \
	    "$(query "SELECT hash FROM events WHERE sequence = $i")" \
	    "$(sqlite3 ledger.db "SELECT 'chaperone.ledger/1', station, sequence, wall_ms, monotonic_ms,
		boot, run, coalesce(device, ''), kind, previous, body FROM events WHERE sequence = $i" \
		-separator '
' | openssl dgst -sha256 -r | cut -c 1-64)"
	is "the view has the bytes of event $i" "$(query "SELECT hash FROM hashed WHERE sequence = $i")" \
	    "$(query "SELECT bytes FROM hashed WHERE sequence = $i" | openssl dgst -sha256 -r | cut -c 1-64)"
done
exits "an export" 0 chaperone ledger export --ledger ledger.db -o all.jsonl
is "a line for each event" "$n" "$(wc -l <all.jsonl)"
for i in 1 7 "$n"; do
	is "jq and openssl find the hash of line $i" "$(sed -n "${i}p" all.jsonl | jq -r .hash)" \
	    "$(sed -n "${i}p" all.jsonl | jq -r '"chaperone.ledger/1", .station, .sequence, .wall_ms,
		.monotonic_ms, .boot, .run, .device // "", .kind, .previous, .text' |
		openssl dgst -sha256 -r | cut -c 1-64)"
done

# ---- seals -----------------------------------------------------------------------------
exits "verify" 0 chaperone ledger verify --ledger ledger.db
says "verify" "the chain holds" out
says "without a seal that is said" "no seal" out
exits "a seal" 0 chaperone ledger seal --ledger ledger.db -i acme.pem -o head.p7s
exits "verify against the certificate" 0 chaperone ledger verify --ledger ledger.db --ca acme.crt --head head.p7s
says "verify" "sealed up to event $n by 2 seals" out
exits "verify against another certificate" 1 chaperone ledger verify --ledger ledger.db --ca mallory.crt
exits "openssl finds the seal genuine" 0 openssl cms -verify -binary -inform DER -in head.p7s -CAfile acme.crt -purpose any
is "and it names the head" "$(query "SELECT hash FROM events WHERE sequence = $n")" "$(jq -r .hash out)"
query "SELECT json_extract(body, '\$.cms') FROM events WHERE sequence = $n + 1" |
    openssl base64 -d -A >inside.p7s
exits "the seal in the ledger is the same" 0 cmp inside.p7s head.p7s
exits "openssl refuses it for another" 4 openssl cms -verify -binary -inform DER -in head.p7s -CAfile mallory.crt -purpose any
exits "a seal is no statement" 65 chaperone attest verify head.p7s --ca acme.crt

# ---- time stamps: asked for, given and checked in files ---------------------------------
# An authority, whose certificate is valid between two moments.
authority() {	# NAME FROM TO
	[ -f "$1.key" ] || openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" \
	    -subj "/CN=$1" 2>/dev/null || exit 99
	openssl ca -batch -selfsign -config ca.cnf -keyfile "$1.key" -in "$1.csr" -out "$1.crt" \
	    -extensions stamps -notext -startdate "$2" -enddate "$3" 2>/dev/null || exit 99
}
stamp() {	# NAME REQUEST REPLY: what an authority does
	openssl ts -reply -config ca.cnf -section tsa -queryfile "$2" -signer "$1.crt" -inkey "$1.key" \
	    -out "$3" 2>/dev/null || exit 99
}
echo 01 >serial
: >index
cat >ca.cnf <<'TEXT'
[ca]
default_ca = own
[own]
new_certs_dir = .
database = index
serial = serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[stamps]
extendedKeyUsage = critical,timeStamping
[tsa]
serial = serial
default_policy = 1.2.3.4
signer_digest = sha256
digests = sha256
ess_cert_id_alg = sha256
TEXT
today=$(date -u -d yesterday +%Y%m%d%H%M%SZ)
authority tsa "$today" 20490101000000Z
authority fake "$today" 20490101000000Z
authority old 20200101000000Z 20210101000000Z
authority brief 20200101000000Z 20210101000000Z
exits "a seal and what to ask about it" 0 chaperone ledger seal --ledger ledger.db -i acme.pem -o late.p7s --timestamp-request late.tsq
exits "openssl reads the request" 0 openssl ts -query -in late.tsq -text
is "it is a digest of the seal" "$(openssl dgst -sha256 -r late.p7s | cut -c 1-64)" \
    "$(sed -n 's/^ *00[01]0 - \(.\{47\}\) .*/\1/p' out | tr -d ' \n-')"
exits "another seal" 0 chaperone ledger seal --ledger ledger.db -i acme.pem -o other.p7s --timestamp-request other.tsq
is "no request is like another" 2 "$({ openssl ts -query -in late.tsq -text; openssl ts -query -in other.tsq -text; } 2>/dev/null | grep Nonce | sort -u | wc -l)"
# Certified again for a few seconds, in which it stamps.
for seconds in 2 4 8 16; do
	ends=$(($(date +%s) + seconds))
	authority brief "$today" "$(date -u -d "@$ends" +%Y%m%d%H%M%SZ)"
	stamp brief late.tsq brief.tsr
	[ "$(date +%s)" -ge "$ends" ] || break
done
stamp tsa late.tsq late.tsr
stamp tsa other.tsq other.tsr
stamp fake late.tsq fake.tsr
stamp old late.tsq old.tsr
openssl ts -query -data acme.crt -sha256 -cert -out no.tsq 2>/dev/null
stamp tsa no.tsq no.tsr
exits "openssl finds the reply right" 0 openssl ts -verify -data late.p7s -in late.tsr -CAfile tsa.crt
verify=(chaperone ledger verify --ledger ledger.db --ca acme.crt --timestamp)
exits "so do we, with a seal in the ledger" 0 "${verify[@]}" late.tsr --tsa-ca tsa.crt
says "and say what it shows" "everything up to event $((n + 1)) existed at 20" out
exits "two of them" 0 "${verify[@]}" late.tsr --timestamp other.tsr --tsa-ca tsa.crt --json
is "each with its seal" "[$((n + 1)),$((n + 2))]" "$(jq -cs 'map(select(.schema == "chaperone.timestamp/1").sealed)' out)"
exits "by another authority" 1 "${verify[@]}" fake.tsr --tsa-ca tsa.crt
says "says so" "not by the authority expected" out
exits "openssl agrees" 1 openssl ts -verify -data late.p7s -in fake.tsr -CAfile tsa.crt
exits "by one that was not valid" 1 "${verify[@]}" old.tsr --tsa-ca old.crt
says "says so" "not valid at the time that it stamped" out
exits "for something else" 1 "${verify[@]}" no.tsr --tsa-ca tsa.crt
says "says so" "none of the seals that hold" out
exits "a request is no reply" 1 "${verify[@]}" late.tsq --tsa-ca tsa.crt
says "says so" "no reply of a time-stamping authority" out
# The last byte is the signature's, one in the middle the time's.
at=$(grep -abo "20[0-9]\{12\}Z" late.tsr | head -1 | cut -d : -f 1)
{ head -c "$at" late.tsr; printf 19; tail -c +$((at + 3)) late.tsr; } >altered.tsr
exits "with another time in it" 1 "${verify[@]}" altered.tsr --tsa-ca tsa.crt
{ head -c -1 late.tsr; tail -c 1 late.tsr | tr '\000-\377' '\001-\377\000'; } >altered.tsr
exits "with another signature" 1 "${verify[@]}" altered.tsr --tsa-ca tsa.crt
says "says so" "it was altered" out
exits "cut short" 1 "${verify[@]}" <(head -c 1000 late.tsr) --tsa-ca tsa.crt
exits "--timestamp alone" 64 "${verify[@]}" late.tsr
exits "--tsa-ca alone" 64 chaperone ledger verify --ledger ledger.db --tsa-ca tsa.crt
exits "no such reply" 66 "${verify[@]}" none.tsr --tsa-ca tsa.crt
exits "a request over a file that is there" 73 chaperone ledger seal --ledger ledger.db -i acme.pem --timestamp-request late.tsq
exits "to standard output" 64 chaperone ledger seal --ledger ledger.db -i acme.pem --timestamp-request -
is "and then nothing is sealed" "$((n + 3))" "$(query 'SELECT count(*) FROM events')"
while [ "$(date +%s)" -le "$ends" ]; do
	read -rt 0.1 <> <(:) || :
done
exits "by one that has expired since" 1 "${verify[@]}" brief.tsr --tsa-ca brief.crt
says "says so" "has expired since" out
exits "openssl agrees" 1 openssl ts -verify -data late.p7s -in brief.tsr -CAfile brief.crt

# ---- rotation ----------------------------------------------------------------------------
exits "a rotation" 0 chaperone ledger rotate --ledger ledger.db --archive old.db
exits "the new file goes on" 0 chaperone ledger seal --ledger ledger.db -i acme.pem
is "where the old one ended" "$(sqlite3 old.db 'SELECT hash FROM events ORDER BY sequence DESC LIMIT 1')" \
    "$(query 'SELECT previous FROM events ORDER BY sequence LIMIT 1')"
exits "both in order" 0 chaperone ledger verify old.db ledger.db --ca acme.crt
exits "in the wrong order" 1 chaperone ledger verify ledger.db old.db
exits "an archive is not overwritten" 73 chaperone ledger rotate --ledger ledger.db --archive old.db
exits "and nothing was begun" 0 chaperone ledger seal --ledger ledger.db -i acme.pem -o later.p7s
exits "both and what followed" 0 chaperone ledger verify old.db ledger.db
ln -s ledger.db link.db
n=$(query "SELECT count(*) FROM events WHERE kind <> 'operator'")
exits "an archive that is the ledger itself" 64 chaperone ledger rotate --ledger ledger.db --archive ./ledger.db
exits "or a link to it" 73 chaperone ledger rotate --ledger ledger.db --archive link.db
exits "or in a folder that is not there" 73 chaperone ledger rotate --ledger ledger.db --archive none/old.db
is "closes nothing" 0 "$(query "SELECT count(*) FROM events WHERE kind = 'closed'")"
is "and loses nothing" "$n" "$(query "SELECT count(*) FROM events WHERE kind <> 'operator'")"

# ---- seals kept elsewhere, and several files -----------------------------------------------
exits "a seal of the second file, given with both" 0 chaperone ledger verify old.db ledger.db --head later.p7s
exits "given with the first alone" 1 chaperone ledger verify old.db --head later.p7s
exits "a seal of the first file, given with both" 0 chaperone ledger verify old.db ledger.db --head late.p7s
exits "given with the second alone" 1 chaperone ledger verify ledger.db --head late.p7s
says "says that it proves nothing there" "name its archive too" out

# ---- what a forger would try ---------------------------------------------------------------
# forged NAME SQL: a copy in which the guards are out of the way for a moment.
forged() {
	cp ledger.db "$1"
	sqlite3 "$1" "CREATE TEMP TABLE guards AS SELECT name, sql FROM sqlite_master WHERE type = 'trigger'" \
	    "SELECT 'DROP TRIGGER ' || name || ';' FROM guards" >drop.sql
	sqlite3 "$1" "SELECT sql || ';' FROM sqlite_master WHERE type = 'trigger'" >make.sql
	sqlite3 "$1" <drop.sql && sqlite3 "$1" "$2" && sqlite3 "$1" <make.sql
}
last=$(query 'SELECT max(sequence) FROM events')
for column in kind device run body station boot hash; do
	forged nul.db "UPDATE events SET $column = coalesce($column, '') || char(0) || 'x' WHERE sequence = $last"
	exits "a NUL behind the $column, and more" 1 chaperone ledger verify nul.db
	says "the event is named" "event $last" out
done
forged nul.db "UPDATE ledger SET station = station || char(0)"
exits "a NUL behind the station of the file" 65 chaperone ledger verify nul.db
forged far.db "INSERT INTO events SELECT 9223372036854775807, station, wall_ms, monotonic_ms, boot, run, device,
    kind, body, previous, hash FROM events WHERE sequence = $last"
exits "a sequence without end" 1 timeout 60 "$here/chaperone" ledger verify far.db
says "is foreign" "no ledger goes so far" out
cp ledger.db silent.db
sqlite3 silent.db "CREATE TRIGGER sqlitexstat_x BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END"
exits "a trigger that swallows events is found" 1 chaperone ledger verify silent.db
says "by its name" "sqlitexstat_x does not belong" out
exits "and what it swallows is not taken for written" 74 chaperone ledger seal --ledger silent.db -i acme.pem

# ---- a changed copy -----------------------------------------------------------------------
sqlite3 old.db "DROP TRIGGER events_are_not_changed; UPDATE events SET body = '{}' WHERE sequence = 5"
exits "a changed copy" 1 chaperone ledger verify old.db
says "says where" "changed: event 5 (" out
exits "in JSON" 1 chaperone ledger verify old.db --json
is "says where" '["changed",5,5]' "$(jq -cs '.[0] | [.kind, .first, .last]' out)"
is "and that it does not hold" false "$(jq -s '.[-1].holds' out)"
exit $failed
