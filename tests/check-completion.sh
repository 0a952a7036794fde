#!/bin/bash
# Completing in bash offers the commands and options that the program has.
set -u
srcdir=${srcdir:-.}
failed=0
PATH=$PWD:$PATH
# No device is asked for anything here.
export USBMUXD_SOCKET_ADDRESS=UNIX:/nonexistent/usbmuxd
# shellcheck source=../tools/completion/chaperone.bash
. "$srcdir/tools/completion/chaperone.bash" || exit 99

# The line up to the cursor, split as bash does it ("=" is a word).
completes() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_chaperone
}

offers() {	# SENTENCE WANTED-WORD... -- LINE...
	local name=$1 wanted=() word
	shift
	while [ "$1" != -- ]; do
		wanted+=("$1")
		shift
	done
	shift
	completes "$@"
	for word in "${wanted[@]}"; do
		printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | grep -qxF -- "$word" && continue
		echo "$name: \"$word\" is not offered, but: ${COMPREPLY[*]-nothing}"
		failed=1
	done
}

offers_only() {	# SENTENCE WANTED -- LINE...
	offers "$@"
	[ "${#COMPREPLY[@]}" = 1 ] || {
		echo "$1: ${#COMPREPLY[@]} words are offered: ${COMPREPLY[*]-}"
		failed=1
	}
}

mapfile -t names < <(chaperone --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p')
[ "${#names[@]}" -gt 8 ] || { echo "chaperone --help lists ${#names[@]} commands"; failed=1; }
offers "an empty line: all commands" "${names[@]}" -- chaperone ''
offers_only "the beginning of a command" verify -- chaperone ver
# shellcheck disable=SC2088 # as it is typed
HOME=$(dirname "$PWD") offers_only "of a program below the home folder" verify -- \
    "~/$(basename "$PWD")/chaperone" ver
offers_only "the beginning of an option" --json -- chaperone --js
offers "after a command with two words: the second one" create show import export -- chaperone identity ''
offers "after profile: what can be done with profiles" build diff lint presets show sign -- chaperone profile ''
offers_only "the beginning of the second word" export -- chaperone identity ex

for name in "${names[@]}"; do
	# These are the first of two words.
	case $name in identity | profile) continue ;; esac
	mapfile -t options < <(chaperone "$name" --help | grep -oE -- ' --[a-z-]+ ' | tr -d ' ')
	offers "every option of $name" "${options[@]}" -- chaperone "$name" --
done
offers "a short option" -u -- chaperone apply -
offers_only "an option after another with a value" --preset -- chaperone apply -i acme.p12 --pres
offers_only "a command after a global option with a value" verify -- chaperone --config x verif
offers_only "an option after a value with =" --preset -- chaperone apply --jobs = 3 --pres
offers_only "the value of an option with =" pem -- chaperone identity create --format = pe
offers_only "the value of an option" pem -- chaperone identity create --format pe

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/acme one.p12"
offers_only "a file with a blank, as a value" "$scratch/acme one.p12" -- chaperone apply -i "$scratch/ac"
exit "$failed"
