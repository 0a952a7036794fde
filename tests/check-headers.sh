#!/bin/sh
# Every header compiles alone, and twice. (A file of _rows is the inside of a table.)
set -u
srcdir=${srcdir:-.}
failed=0 n=0

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
find "$srcdir/src" "$srcdir/tests" -name '*.h' ! -name '*_rows.h' | sort >"$scratch/headers"
while read -r header; do
	case $header in
	# Without anything else it needs what cmocka needs.
	*/tests/*) before='#include <stdarg.h>' ;;
	*) before='' ;;
	esac
	path=$header
	case $path in /*) ;; *) path=$PWD/$path ;; esac
	printf '%s\n#include "%s"\n#include "%s"\n' "$before" "$path" "$path" >"$scratch/alone.c"
	# shellcheck disable=SC2086 # COMPILE is a command with its options
	if ! eval "${COMPILE:?}" -fsyntax-only '"$scratch/alone.c"'; then
		echo "does not compile alone: $header"
		failed=1
	fi
	n=$((n + 1))
done <"$scratch/headers"
echo "$n headers"
[ "$n" -gt 20 ] || failed=1
exit "$failed"
