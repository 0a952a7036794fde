#!/bin/sh
# The scripts are clean for shellcheck.
set -u
srcdir=${srcdir:-.}
command -v shellcheck >/dev/null || { echo "no shellcheck here"; exit 77; }

find "$srcdir/tools" "$srcdir/tests" "$srcdir/.ci" -type f 2>/dev/null | while read -r file; do
	head -n 1 "$file" | grep -qE '^#!.*[/ ](sh|bash)$' && printf '%s\n' "$file"
done | tr '\n' '\0' | xargs -0 shellcheck --exclude=SC1091
