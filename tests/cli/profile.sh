#!/bin/sh
# profile: the profile commands through the real program, judged by others:
# python3's plistlib reads what it builds, openssl what it signs.
set -u
: "${srcdir:=.}"
PATH=$PWD:$PATH
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok   - $1"; }
bad() { echo "FAIL - $1"; failed=1; }

# is WANTED-EXIT-CODE "sentence" COMMAND...: the output is in $work/out
is() {
	want=$1 what=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	if [ "$got" = "$want" ]; then ok "$what"; else
		bad "$what: exit $got, not $want"
		cat "$work/out" "$work/err"
	fi
}
says() {
	if grep -qF -- "$2" "$work/out" "$work/err"; then ok "$1"; else
		bad "$1: nobody says \"$2\""
		cat "$work/out" "$work/err"
	fi
}
hides() {
	if grep -qF -- "$2" "$work/out" "$work/err"; then bad "$1: \"$2\" is said"; else ok "$1"; fi
}
same() { if cmp "$2" "$3"; then ok "$1"; else bad "$1"; fi }

presets=$(chaperone --json profile presets | sed 's/.*"name":"\([^"]*\)".*/\1/')
verify() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: $2, not $3"; fi }
verify "ten presets" "$(echo "$presets" | wc -l)" 10

# ---- building: the shipped files, whatever the surroundings -----------------
for p in $presets; do
	app=
	[ "$p" = kiosk ] && app="--app com.example.app"
	# shellcheck disable=SC2086
	is 0 "$p is built" chaperone profile build --preset "$p" $app -o "$work/$p.mobileconfig"
	same "$p is the shipped file" "$work/$p.mobileconfig" "$srcdir/profiles/$p.mobileconfig"
	# shellcheck disable=SC2086
	LC_ALL=de_DE.UTF-8 TZ=Pacific/Apia chaperone profile build --preset "$p" $app -o - >"$work/elsewhere"
	same "$p is the same elsewhere" "$work/elsewhere" "$work/$p.mobileconfig"
	is 0 "$p has no errors" chaperone profile lint --supervised yes "$work/$p.mobileconfig"
done
LC_ALL=C TZ=UTC chaperone profile build --until 2027-01-02T03:04:05+05:30 -o - >"$work/a"
LC_ALL=fr_FR.UTF-8 TZ=America/New_York chaperone profile build --until 2027-01-01T21:34:05Z -o - >"$work/b"
same "a moment is a moment in every time zone" "$work/a" "$work/b"

# ---- an independent reader ---------------------------------------------------
printf 'correct horse\n' >"$work/secret"; chmod 600 "$work/secret"
is 0 "everything at once is built" chaperone profile build --preset kiosk --preset lockdown-of-tool \
	--app com.acme.shop --restrict ratingApps=200 --restrict safariAcceptCookies=1.5 \
	--restrict deniedICCIDsForRCS=8949020000123456789 --for 8h30m --organization 'Büro & <Söhne>' \
	--wifi 'Shop "1"' --wifi-password-file "$work/secret" --removal-password-file "$work/secret" \
	--footnote "Don't touch" --asset-tag A-1 -o "$work/all.mobileconfig"
verify "a file with secrets is private" "$(stat -c %a "$work/all.mobileconfig")" 600
if command -v python3 >/dev/null; then
	is 0 "python3 reads what was built" python3 "$srcdir/tests/cli/profile_check.py" "$work/all.mobileconfig" "$work"/*.mobileconfig
else
	echo "skip - no python3: nobody else read the profiles"
fi

# The outer UUID, recomputed with what every system has.
uuid=$(sed -n '/^\t<key>PayloadUUID/{n;s/.*<string>\(.*\)<.*/\1/p}' "$work/imessage-off.mobileconfig")
hash=$(sed '/<key>PayloadUUID</{N;d}' "$work/imessage-off.mobileconfig" | sha256sum | cut -c1-32 | tr a-f A-F)
cut8() { echo "$1" | tr -d - | cut -c"$2"; }
if [ "$(cut8 "$uuid" 1-12)" = "$(cut8 "$hash" 1-12)" ] && [ "$(cut8 "$uuid" 13)" = 8 ] &&
	[ "$(cut8 "$uuid" 14-16)" = "$(cut8 "$hash" 14-16)" ] && [ "$(cut8 "$uuid" 18-32)" = "$(cut8 "$hash" 18-32)" ]; then
	ok "sed and sha256sum find the UUID"
else
	bad "sed and sha256sum find the UUID: $uuid, $hash"
fi

# ---- what cannot be built -------------------------------------------------------
while IFS='|' read -r what args message; do
	# shellcheck disable=SC2086
	is 64 "$what" chaperone profile build $args -o "$work/never"
	says "$what, said why" "$message"
	[ -e "$work/never" ] && bad "$what, but a file was written"
done <<'ROWS'
an unknown preset|--preset imessage-of|no preset is called
a misspelt key|--restrict allowChats=false|did you mean allowChat?
a value of another type|--restrict allowChat=no|true or false
no value|--restrict allowChat|KEY=VALUE
a kiosk without an app|--preset exam --preset kiosk|the preset kiosk needs the bundle id
two bounds|--for 1h --until 15:30|exclude each other
an app that cannot be hidden|--restrict blockedAppBundleIDs=com.apple.Preferences|X004
an identity that would do nothing|-i x.p12|--sign
ROWS
is 64 "build without -o" chaperone profile build
is 73 "an existing file stays" chaperone profile build -o "$work/imessage-off.mobileconfig"
chmod 644 "$work/secret"
is 77 "a secret that others can read" chaperone profile build --removal-password-file "$work/secret" -o "$work/never"
chmod 600 "$work/secret"

# ---- lint -------------------------------------------------------------------------
sed 's/<false\/>/<string>false<\/string>/' "$work/imessage-off.mobileconfig" >"$work/typed.mobileconfig"
is 1 "an error is exit 1" chaperone profile lint "$work/typed.mobileconfig"
says "an editor can jump there" "typed.mobileconfig:18:4: error K002:"
is 0 "warnings are exit 0" chaperone profile lint "$work/imessage-off.mobileconfig"
is 1 "unless strict" chaperone profile lint --strict "$work/imessage-off.mobileconfig"
is 66 "a missing file is 66" chaperone profile lint "$work/imessage-off.mobileconfig" "$work/none"
says "and the others are judged all the same" "imessage-off.mobileconfig: warning"
is 64 "a version that is none" chaperone profile lint --target-os latest "$work/imessage-off.mobileconfig"
is 64 "supervised perhaps" chaperone profile lint --supervised maybe "$work/imessage-off.mobileconfig"
is 0 "removed keys" chaperone profile build --restrict forceDelayedSoftwareUpdates=true -o "$work/old.mobileconfig"
is 1 "removed keys are errors on 27" chaperone profile lint --target-os 27.0 "$work/old.mobileconfig"
is 0 "and none on 18" chaperone profile lint --target-os 18.1 "$work/old.mobileconfig"
is 1 "JSON" chaperone --json profile lint "$work/typed.mobileconfig"
says "JSON has its schema" '"schema":"chaperone.lint/1"'
says "JSON has the line" '"line":18'
is 1 "a directory of hostile files ends in findings" chaperone profile lint "$srcdir"/tests/fuzz/corpus/profile/*

# ---- a large file: memory, and the time only told --------------------------------
if command -v python3 >/dev/null; then
python3 - "$work/large.mobileconfig" <<'PYTHON' || bad "a large file is made"
import plistlib, sys
apps = ["com.example.app%06d" % i for i in range(85000)]
plistlib.dump({"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "com.acme.large",
    "PayloadUUID": "6F1B2C3D-0000-4000-8000-000000000000", "PayloadDisplayName": "Large", "Note": "x" * 2900000,
    "PayloadContent": [{"PayloadType": "com.apple.applicationaccess", "PayloadVersion": 1,
        "PayloadIdentifier": "com.acme.large.1", "PayloadUUID": "6F1B2C3D-0000-4000-8000-000000000001",
        "blockedAppBundleIDs": apps}]}, open(sys.argv[1], "wb"))
PYTHON
if python3 - "$work/large.mobileconfig" >"$work/out" <<'PYTHON'
import os, resource, subprocess, sys
lint = subprocess.run(["chaperone", "profile", "lint", sys.argv[1]], stdout=subprocess.PIPE)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%d KiB: %d KiB of memory, %.2f s" % (os.path.getsize(sys.argv[1]) >> 10, use.ru_maxrss,
    use.ru_utime + use.ru_stime))
# Sanitizers need memory of their own.
sanitized = b"__asan_init" in open(os.popen("command -v chaperone").read().strip(), "rb").read()
sys.exit(lint.returncode not in (0, 1) or b"P005" not in lint.stdout or
    not (sanitized or use.ru_maxrss < 64 << 10))
PYTHON
then ok "a large file is linted: $(cat "$work/out")"; else bad "a large file: $(cat "$work/out")"; fi
fi

# ---- sign ---------------------------------------------------------------------------
printf 'pass phrase\n' >"$work/pass"; chmod 600 "$work/pass"
is 0 "an identity" chaperone identity create --organization Acme --passphrase-file "$work/pass" -o "$work/acme.p12"
is 0 "signed with it" chaperone profile sign -i "$work/acme.p12" --passphrase-file "$work/pass" \
	"$work/imessage-off.mobileconfig" -o "$work/signed.mobileconfig"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=Other/CN=Signer" -days 90 \
	-keyout "$work/other.key" -out "$work/other.crt" 2>/dev/null
cat "$work/other.crt" "$work/other.key" >"$work/other.pem"; chmod 600 "$work/other.pem" "$work/other.key"
is 0 "signed with a PEM that supervises nothing" chaperone profile sign -i "$work/other.pem" \
	"$work/imessage-off.mobileconfig" -o "$work/signed2.mobileconfig"
is 0 "built and signed at once" chaperone profile build --sign "$work/other.pem" -o "$work/signed3.mobileconfig"
for f in signed signed2 signed3; do
	is 0 "openssl verifies $f" openssl cms -verify -noverify -inform DER -binary -in "$work/$f.mobileconfig" -out "$work/inside"
	same "$f holds the very bytes" "$work/inside" "$work/imessage-off.mobileconfig"
	verify "$f is by SHA-256" "$(openssl cms -cmsout -print -inform DER -in "$work/$f.mobileconfig" |
		sed -n '/digestAlgorithms/,/encapContentInfo/s/.*algorithm: \([^ ]*\).*/\1/p')" sha256
done
is 0 "signed again by another" chaperone profile sign -i "$work/other.pem" "$work/signed.mobileconfig" -o "$work/signed4.mobileconfig"
is 0 "shown" chaperone profile show "$work/signed4.mobileconfig"
says "who signed last" "Signer (Other)"
is 0 "openssl trusts it when it trusts the signer" openssl cms -verify -CAfile "$work/other.crt" -purpose any \
	-inform DER -binary -in "$work/signed2.mobileconfig" -out "$work/inside"
is 4 "and not when it trusts another" openssl cms -verify -CAfile "$work/other.crt" -purpose any \
	-inform DER -binary -in "$work/signed.mobileconfig" -out "$work/inside"
sed 's/allowChat/allowChap/' "$work/signed.mobileconfig" >"$work/altered.mobileconfig"
is 1 "an altered one is an error" chaperone profile lint "$work/altered.mobileconfig"
says "an altered one is called so" "S001"
is 65 "an altered one is not signed again" chaperone profile sign -i "$work/other.pem" "$work/altered.mobileconfig" -o "$work/never"
is 0 "a signed one has no errors" chaperone profile lint "$work/signed.mobileconfig"

# ---- show ------------------------------------------------------------------------------
is 0 "show plain" chaperone profile show "$work/imessage-off.mobileconfig"
says "what it does" "iMessage is off"
says "what stays" "SMS and MMS"
says "that it names its content" "names this very content"
is 0 "show altered" chaperone profile show "$work/altered.mobileconfig"
says "that it was changed" "CHANGED AFTER IT WAS SIGNED"
is 65 "show what is encrypted as a whole" chaperone profile show "$srcdir/tests/fuzz/corpus/envelope/encrypted.der"
says "that nothing can be read" "encrypted as a whole"
is 1 "lint says the same" chaperone profile lint "$srcdir/tests/fuzz/corpus/envelope/encrypted.der"
says "and which rule" "S002"
sed 's,<key>PayloadContent</key>,<key>IsEncrypted</key><true/><key>EncryptedPayloadContent</key><data>AAAA</data><key>X</key>,' \
	"$work/imessage-off.mobileconfig" >"$work/locked.mobileconfig"
is 0 "show what is encrypted inside" chaperone profile show "$work/locked.mobileconfig"
says "that the payloads cannot be seen" "encrypted for one device"
is 0 "show everything" chaperone profile show "$work/all.mobileconfig"
hides "no secret" "correct horse"
says "how it ends" "8 h 30 min"
is 0 "show as JSON" chaperone --json profile show "$work/all.mobileconfig"
hides "no secret in JSON" "correct horse"
says "JSON has its schema" '"schema":"chaperone.profile/1"'
is 65 "what is no profile" chaperone profile show "$srcdir/Makefile.am"

# ---- diff ------------------------------------------------------------------------------------
is 0 "signed and plain mean the same" chaperone profile diff "$work/signed.mobileconfig" "$work/imessage-off.mobileconfig"
is 1 "exam and school day differ" chaperone profile diff "$work/student-day.mobileconfig" "$work/exam.mobileconfig"
says "by a key" "+ com.apple.applicationaccess.allowSafari: false"
hides "not by order or name of the content" "PayloadUUID"
printf 'other\n' >"$work/secret2"; chmod 600 "$work/secret2"
chaperone profile build --wifi a --wifi-password-file "$work/secret" -o "$work/w1.mobileconfig" >/dev/null
chaperone profile build --wifi a --wifi-password-file "$work/secret2" -o "$work/w2.mobileconfig" >/dev/null
is 1 "two passwords differ" chaperone profile diff "$work/w1.mobileconfig" "$work/w2.mobileconfig"
says "without being said" "(secret)"
hides "no secret" "correct horse"

# ---- without a preset: what is in it, and nothing else ----------------------------
while IFS='|' read -r what args identifier keys; do
	# shellcheck disable=SC2086
	is 0 "$what is built" chaperone profile build $args -o "$work/plain" --overwrite
	verify "$what: its name, and what it restricts" "$(python3 - "$work/plain" <<'PY'
import plistlib, sys
p = plistlib.load(open(sys.argv[1], "rb"))
found = [k for c in p["PayloadContent"] if c["PayloadType"] == "com.apple.applicationaccess" for k in c]
print(p["PayloadIdentifier"], ",".join(sorted(k for k in found if not k.startswith("Payload"))) or "nothing")
PY
)" "$identifier $keys"
done <<'ROWS'
Wi-Fi|--wifi Guest|org.chaperone.wifi|nothing
a Lock Screen|--footnote Acme|org.chaperone.lock-screen|nothing
a Lock Screen with Wi-Fi|--asset-tag 17 --wifi Guest|org.chaperone.wifi|nothing
pairing|--lock-pairing|org.chaperone.restrictions|allowHostPairing
a restriction with Wi-Fi|--restrict allowCamera=false --wifi Guest|org.chaperone.restrictions|allowCamera
nothing at all|--organization Acme|org.chaperone.preset.imessage-off|allowChat
ROWS

exit $failed
