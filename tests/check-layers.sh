#!/bin/sh
# No arrow points up: who may include whom, and where a library may appear.
set -u
srcdir=${srcdir:-.}
failed=0

complain() {
	echo "$1"
	failed=1
}

# FOLDER: the folders of src/ it may include from, its own among them.
layers='
base    base
core    base core
crypto  base core crypto
wire    base core crypto wire
device  base core crypto wire device
store   base core crypto store
report  base core crypto store report
flow    base core crypto wire device store flow
station base core crypto wire device store flow station
web     base web
cli     base core crypto wire device store report flow station web cli
sim     base sim
'

# LIBRARY (a pattern for its headers): the folders that may include it.
# Everywhere else its types are named by a forward declaration.
libraries='
openssl/          crypto sim
sqlite3[.]h       store
libpq-fe[.]h      store
usbmuxd[.]h       nobody
libimobiledevice/ wire device
jansson[.]h       store report flow station web cli sim
cyaml/            flow cli sim
yaml[.]h          flow sim
microhttpd[.]h    web
'

includes() {	# PATTERN: file:line of what src/ includes
	grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]+$1" "$srcdir/src"
}

for folder in "$srcdir"/src/*/; do
	name=$(basename "$folder")
	allowed=$(echo "$layers" | awk -v f="$name" '$1 == f { $1 = ""; print }')
	[ -n "$allowed" ] || { complain "src/$name is in no layer: tests/check-layers.sh"; continue; }
	pattern=$(echo "$allowed" | sed 's/^ *//; s/  */|/g')
	found=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' "$folder" |
	    grep -vE "\"($pattern)/")
	[ -z "$found" ] || complain "src/$name may include only from: $allowed
$found"
done

while read -r library allowed; do
	[ -n "$library" ] || continue
	pattern=$(echo "$allowed" | tr ' ' '|')
	found=$(includes "<$library" | grep -vE "/src/($pattern)/")
	[ -z "$found" ] || complain "<$library> belongs to: $allowed
$found"
done <<TEXT
$libraries
TEXT

# One thread in each process, so no sanitizer for threads.
found=$(grep -rnE '(pthread|thrd)_create|<(pthread|threads)[.]h>|MHD_USE_[A-Z_]*THREAD' "$srcdir/src" "$srcdir/tools")
[ -z "$found" ] || complain "no process has a second thread:
$found"

# core is pure: nothing in it can open, ask, wait or print.
impure='open|openat|fopen|fdopen|read|write|close|socket|connect|poll|select|time|clock_gettime'
impure="$impure|gettimeofday|getenv|secure_getenv|printf|puts|putchar|perror|fork|rand|random"
impure="$impure|getrandom|exit|abort|log_[a-z_]*|file_[a-z_]*|deadline_[a-z_]*"
found=$(nm -A -u libcore.a 2>/dev/null | grep -E " U ($impure)(@.*)?\$")
[ -z "$found" ] || complain "core opens nothing, waits for nothing and prints nothing:
$found"
[ -n "$(nm -u libcore.a 2>/dev/null)" ] || complain "libcore.a cannot be read"

exit "$failed"
