#!/bin/sh
# Completing in fish and in zsh offers the commands and options that the program has.
set -u
srcdir=${srcdir:-.}
completion=$(cd "$srcdir/tools/completion" && pwd) || exit 99
failed=0 skipped=''
PATH=$PWD:$PATH
# No device is asked for anything here.
USBMUXD_SOCKET_ADDRESS=UNIX:/nonexistent/usbmuxd
export PATH USBMUXD_SOCKET_ADDRESS

# What is offered at the end of the line $1, a word per line.
fish_offers() {
	# shellcheck disable=SC2016 # fish expands
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$completion/chaperone.fish" "$1" |
	    cut -f 1
}

# Without a terminal there is no completion in zsh: what it would be given is looked at.
zsh_offers() {
	# shellcheck disable=SC2016 # zsh expands
	zsh -f -c '
		compdef() {}
		compset() { typed=${typed#*=} }
		compadd() { print -rl -- "${(@)argv[${argv[(ie)--]}+1,-1]}" | grep -- "^$typed" }
		_files() { print -rl -- $typed*(N) }
		functions[load]=$(sed "\$d" $1/_chaperone)
		load
		words=("${(@s: :)2}") CURRENT=$#words typed=$words[-1]
		_chaperone' zsh "$completion" "$1"
}

# offers SENTENCE LINE WORD...: these, in the shell at hand.
offers() {
	sentence=$1 offered=$("${shell}_offers" "$2")
	shift 2
	for word; do
		printf '%s\n' "$offered" | grep -qxF -- "$word" && continue
		echo "$shell: $sentence: \"$word\" is not offered, but: $(printf '%s' "$offered" | tr '\n' ' ')"
		failed=1
	done
}

# The same with one word, and no other.
offers_only() {
	offers "$@"
	[ "$(printf '%s\n' "$offered" | wc -l)" = 1 ] || {
		echo "$shell: $sentence: more is offered: $(printf '%s' "$offered" | tr '\n' ' ')"
		failed=1
	}
}

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/acme.p12"
ln -s "$PWD" "$scratch/bin"
export HOME="$scratch"
first_words=$(chaperone --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p' | sort -u)
apply_options=$(chaperone apply --help | grep -oE -- ' --[a-z-]+ ' | tr -d ' ')

for shell in fish zsh; do
	command -v "$shell" >/dev/null || { skipped="$skipped $shell"; continue; }
	# shellcheck disable=SC2086 # words
	offers "an empty line: all commands" "chaperone " $first_words
	offers_only "the beginning of a command" "chaperone ver" verify
	# shellcheck disable=SC2088 # as it is typed
	offers_only "of a program below the home folder" "~/bin/chaperone ver" verify
	offers_only "the beginning of an option" "chaperone --js" --json
	offers "after a command with two words: the second one" "chaperone identity " create show import export
	offers_only "the beginning of the second word" "chaperone identity ex" export
	# shellcheck disable=SC2086 # words
	offers "every option of a command" "chaperone apply --" $apply_options
	offers_only "an option after another with a value" "chaperone apply -i acme.p12 --pres" --preset
	offers_only "a command after a global option with a value" "chaperone --config x verif" verify
	offers_only "an option after a value with =" "chaperone apply --jobs=3 --pres" --preset
	offers_only "the value of an option" "chaperone identity create --format pe" pem
	offers_only "a shipped profile" "chaperone apply --preset imessage-o" imessage-off
	offers_only "a file, as a value" "chaperone apply -i $scratch/ac" "$scratch/acme.p12"
	offers_only "a file, as an argument" "chaperone profile lint $scratch/ac" "$scratch/acme.p12"
done
shell=fish
command -v fish >/dev/null &&
    offers_only "the value of an option with =" "chaperone identity create --format=pe" --format=pem
shell=zsh
command -v zsh >/dev/null &&
    offers_only "the value of an option with =" "chaperone identity create --format=pe" pem
[ "$failed" = 0 ] || exit 1
[ -z "$skipped" ] || { echo "skipped: there is no$skipped here"; exit 77; }
