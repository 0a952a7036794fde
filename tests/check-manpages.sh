#!/bin/sh
# Pages and programs say the same: commands, options, words, exit codes, JSON keys.
set -u
srcdir=${srcdir:-.}
page=$srcdir/tools/chaperone.1
bench_page=$srcdir/tools/chaperone-vbench.1
failed=0

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

# report TITLE: the lines of stdin under a title; fails when there are any.
report() {
	awk -v title="$1" 'NR == 1 { print title ":" } { print "    " $0 } END { exit NR > 0 }'
}

# compare WHAT: the lines of the files "program" and "page".
compare() {
	sort -u "$scratch/program" >"$scratch/a"
	sort -u "$scratch/page" >"$scratch/b"
	[ -s "$scratch/a" ] || { echo "$1: the program names none"; failed=1; }
	comm -23 "$scratch/a" "$scratch/b" | report "$1: not in the page" || failed=1
	comm -13 "$scratch/a" "$scratch/b" | report "$1: not in the program" || failed=1
}

# The .It lines of a section, without macros for punctuation.
items() {	# SECTION [PAGE]
	awk -v want="$1" '
		/^\.S[hs] / { name = $0; sub(/^\.S[hs] /, "", name)
			if ($1 == ".Sh") section = name }
		section == want && /^\.It / { sub(/^\.It /, ""); print }' "${2-$page}"
}

# ---- commands --------------------------------------------------------------
NO_COLOR=1 ./chaperone --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 }
	on { sub(/^ */, ""); sub(/  .*/, ""); print }' >"$scratch/program"
cp "$scratch/program" "$scratch/commands"
items COMMANDS | sed -n 's/^Cm //p' | sed 's/ \(Op\|Ar\) .*//' >"$scratch/page"
compare command

# ---- options: letter and value are part of what is compared -------------------
: >"$scratch/help"
while read -r command; do
	# shellcheck disable=SC2086 # a command may be two words
	./chaperone $command --help >>"$scratch/help"
done <"$scratch/commands"
# "  -u, --udid ID   this device" becomes "u udid value".
sed -nE 's/^ +(-([A-Za-z]), )?--([a-z-]+)( ([^ ]+))?  .*/\2 \3 \5/p' "$scratch/help" |
    sed -E 's/^([a-zA-Z]?) ([a-z-]+) .+$/\1 \2 value/; s/ $//' >"$scratch/program"
items OPTIONS |
    sed -nE 's/^(Fl ([A-Za-z]) , )?Fl -([a-z-]+)( (Ar|Cm) .*)?$/\2 \3 \4/p' |
    sed -E 's/^([a-zA-Z]?) ([a-z-]+) .+$/\1 \2 value/; s/ $//' >"$scratch/page"
compare option

# ---- verdicts, reasons, truths -----------------------------------------------
./words >"$scratch/words" || { echo "words does not run"; exit 99; }
sed -n 's/^verdict \([^ ]*\) .*/\1/p' "$scratch/words" >"$scratch/program"
items VERDICTS | sed -n 's/^Cm //p' >"$scratch/page"
compare verdict

# A reason stands under its verdict, a truth under none.
sed -n 's/^reason \([^ ]*\) \(.*\)/\2 \1/p; s/^truth /truth /p' "$scratch/words" >"$scratch/program"
awk '/^\.S[hs] / { on = 0 } /^\.Sh VERDICTS/ { on = 1 } /^\.Ss Truths/ { on = 1; verdict = "truth" }
	on && /^\.It Cm / { verdict = $3 } on && /^\.It Sy / { print verdict, $3 }' "$page" >"$scratch/page"
compare "reason or truth"

# README.md has the same in a table: "| `blocked`: ... | 2 | `locked` ... |".
sed -n 's/^verdict \([^ ]*\) \(.*\)/\1 \2/p; s/^reason \([^ ]*\) \(.*\)/\2 \1/p' \
    "$scratch/words" >"$scratch/program"
awk -F '|' '/^## / { on = /Verdicts/ } on && $3 ~ /^ [0-9] $/ {
	split($2, verdict, "`"); print verdict[2] $3; n = split($4, word, "`")
	for (i = 2; i <= n; i += 2) print verdict[2], word[i] }' "$srcdir/README.md" |
    sed 's/ $//' >"$scratch/page"
compare "verdict or reason in README.md"

# ---- the rules of lint, their severities and words --------------------------------
sed -n 's/^rule //p' "$scratch/words" >"$scratch/program"
awk '/^\.It Sy [A-Z][0-9]/ { rule = $3 " " $5; getline; sub(/\.$/, "")
	print rule, tolower(substr($0, 1, 1)) substr($0, 2) }' "$srcdir/tools/chaperone-lint.7" >"$scratch/page"
sed -i -E 's/^([^ ]+ [^ ]+ )(.)/\1\L\2/' "$scratch/program"
compare "rule of lint"

# README.md names the presets that there are.
sed -n 's/^preset //p' "$scratch/words" >"$scratch/program"
# shellcheck disable=SC2016 # the quotes are Markdown's
sed -nE 's/^\| `([a-z-]+)` \| [^|]* \| [0-9.]+ \|$/\1/p' "$srcdir/README.md" >"$scratch/page"
compare "preset in README.md"

# ---- exit codes ----------------------------------------------------------------
{
	sed -n 's/^verdict [^ ]* //p' "$scratch/words"
	echo '#include <sysexits.h>' | eval "${COMPILE:?}" -E -dM - >"$scratch/sysexits"
	grep -ohE '\bEX_[A-Z]+\b' "$srcdir"/src/cli/*.c | sort -u | while read -r name; do
		awk -v name="$name" '$2 == name { print $3 }' "$scratch/sysexits"
	done
	sed -n '/^enum exit_code/,/;/p' "$srcdir/src/cli/command.h" |
	    grep -oE 'EXIT_[A-Z_]+ = [0-9]+' | sed 's/.* //'
} >"$scratch/program"
items "EXIT STATUS" >"$scratch/page"
compare "exit code"

# ---- JSON: every schema and every key -------------------------------------------
cat "$srcdir"/src/flow/report.c "$srcdir"/src/cli/*.c |
    grep -ohE '"chaperone\.[a-z]+/[0-9]+"' | tr -d '"' >"$scratch/program"
items JSON | sed -n 's/^Sy //p' >"$scratch/page"
compare "JSON schema"

# Keys, and the words that are their values.
{
	cat "$srcdir/src/flow/report.c"
	awk '/^identity_object/,/^}/' "$srcdir/src/cli/cmd_identity.c"
	awk '/^(device|file)_object|^(findings_array|match_word)/,/^}/' "$srcdir/src/cli/cmd_policy.c"
	grep -ohE 'report_event\("[a-z]+"' "$srcdir"/src/cli/*.c
} | grep -oE '"[a-z][a-z_-]*"' | tr -d '"' >"$scratch/program"
awk '/^\.S[hs] / { on = /JSON/ } on' "$page" | grep -E '^\.((It |Pq )?(Va|Ql)) ' |
    tr ' ' '\n' | grep -E '^[a-z_-]+$' | grep -vxE 'or|and|others' >"$scratch/all"
# What the station and the commands for profiles and the ledger say is checked one way: what the
# page names is there.
( cd "$srcdir/src" && cat store/audit.c cli/record.c cli/cmd_ledger.c cli/cmd_audit.c \
    cli/cmd_central.c cli/cmd_report.c cli/cmd_attest.c cli/stamp.c cli/cmd_agent.c station/station*.c cli/cmd_profile*.c core/lint.c ) |
    grep -oE '"[a-z][a-z_-]*"' | tr -d '"' | grep -vxF -f "$scratch/program" | sort -u >"$scratch/others"
grep -vxF -f "$scratch/others" "$scratch/all" >"$scratch/page"
compare "JSON key or word"

# ---- the virtual bench --------------------------------------------------------
{ ./chaperone-vbench --help; echo --help --version; } | grep -oE -- '--[a-z-]+' |
    sed 's/^--//' >"$scratch/program"
items DESCRIPTION "$bench_page" | sed -nE 's/^Fl -([a-z-]+).*/\1/p' >"$scratch/page"
compare "option of the bench"

{
	echo wait
	sed -nE 's/^\t\{ "([a-z-]+)", (do|on)_[a-z_]+ \},$/\1/p' "$srcdir/src/sim/order.c"
} >"$scratch/program"
items CONTROL "$bench_page" | sed -E 's/^Cm //; s/ , /\n/g' | sed 's/ .*//' >"$scratch/page"
compare "control command of the bench"

# ---- form ------------------------------------------------------------------------
if command -v mandoc >/dev/null; then
	for file in "$srcdir"/tools/*.[1-8]; do
		mandoc -Tlint -Wwarning "$file" || failed=1
	done
else
	echo "no mandoc here: the form of the pages was not checked"
fi
exit "$failed"
