#!/bin/sh
# No log of a test holds a private key or a passphrase. It runs after all the others.
# (What the scenarios' own runs print and keep is searched by them, for the very bytes.)
set -u
here=$(cd -- "$(dirname -- "$0")" && pwd)

# The passphrases and PINs of tests, and how a private key looks in PEM, in the base64 of
# its DER (RSA and EC, PKCS#1 and PKCS#8, in clear and encrypted) and in hexadecimal.
secrets=$(sed -n 's/^PASSPHRASE = "\(.*\)"$/\1/p; s/^PIN = "\(.*\)"$/\1/p' \
    "$here/scenarios/bench.py" "$here/scenarios/tokens.py")
[ "$(echo "$secrets" | grep -c .)" = 2 ] || { echo "the tests' passphrases are not where they were"; exit 1; }
keys='PRIVATE KEY-----|MII[BCEFJ][A-Za-z0-9+/]{1,3}IBA[AD]|MII[CEFJ][A-Za-z0-9+/]{2,4}(BAQEFAASC|KoZIhvcNAQUN)'
keys="$keys|3082[0-9a-f]{4}020100(0282|300d06092a864886f70d010101)"

searched=0 failed=0
for log in $(find . -name '*.log' -not -name 'config*.log' -not -path './tests/check-leaks.*' | sort); do
	searched=$((searched + 1))
	echo "$secrets" | grep -aFof - "$log" >/dev/null && { echo "$log holds a passphrase"; failed=1; }
	grep -aqE -e "$keys" "$log" && { echo "$log holds a private key"; failed=1; }
done
# That it can fail: a new key, as openssl writes it, is found in each of its forms.
if command -v openssl >/dev/null; then
	for kind in 'RSA -pkeyopt rsa_keygen_bits:1024' 'EC -pkeyopt ec_paramgen_curve:P-256'; do
		# shellcheck disable=SC2086 # words
		openssl genpkey -algorithm $kind 2>/dev/null | grep -qE -e "$keys" || { echo "blind to $kind"; failed=1; }
	done
	openssl genrsa 2048 2>/dev/null | grep -v -e ----- | tr -d '\n' | grep -qE -e "$keys" ||
	    { echo "blind to base64"; failed=1; }
	openssl genrsa 2048 2>/dev/null | openssl pkey -outform DER | od -An -v -tx1 | tr -d ' \n' |
	    grep -qE -e "$keys" || { echo "blind to hexadecimal"; failed=1; }
fi
echo "searched $searched logs"
exit "$failed"
