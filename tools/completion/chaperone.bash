# bash completion for chaperone(1)
#
# It asks the program for its commands and options, so it knows those of the
# version that is installed. It needs nothing but bash.

# The lines of --help between "Commands:" and the next empty one.
__chaperone_commands() {
	"$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\) .*/\1/p'
}

# The options of a command, or of every command: both forms, one per line.
__chaperone_options() {
	local program=$1
	shift
	"$program" "$@" --help 2>/dev/null |
	    sed -n -E 's/^ +(-[A-Za-z]), (--[a-z-]+) .*/\1\n\2/p; s/^ +(--[a-z-]+) .*/\1/p'
}

# Does option $2 of the command that follows take a value?
__chaperone_takes_value() {
	local program=$1 option=$2
	shift 2
	"$program" "$@" --help 2>/dev/null |
	    grep -qE "^ +(-[A-Za-z], )?$option [^ ]" ||
	    "$program" "$@" --help 2>/dev/null | grep -qE "^ +$option, --[a-z-]+ [^ ]"
}

__chaperone_presets() {
	"$1" profile presets --json 2>/dev/null | sed -n 's/.*"name":"\([^"]*\)".*/\1/p'
}

__chaperone_value() {
	local program=$1 option=$2 current=$3
	case $option in
	--format) mapfile -t COMPREPLY < <(compgen -W 'p12 pem' -- "$current") ;;
	--supervised) mapfile -t COMPREPLY < <(compgen -W 'yes no' -- "$current") ;;
	--verdict) mapfile -t COMPREPLY < <(compgen -W 'compliant noncompliant blocked failed' -- "$current") ;;
	--by) mapfile -t COMPREPLY < <(compgen -W 'device day slot policy' -- "$current") ;;
	--preset) mapfile -t COMPREPLY < <(compgen -W "$(__chaperone_presets "$program")" -- "$current") ;;
	--group) mapfile -t COMPREPLY < <(compgen -g -- "$current") ;;
	-u | --udid)
		mapfile -t COMPREPLY < <(compgen -W "$(timeout 3 "$program" list --json 2>/dev/null |
		    sed -n 's/.*"udid":"\([^"]*\)".*/\1/p')" -- "$current") ;;
	--jobs | -j | --timeout | --wait | --bits | --days | --max-rate | --per-controller | --for | \
	    --until | --since | --idle-timeout | --organization | --nonce | --run | --station | --device | \
	    --app | --identifier | --restrict | --wifi | --footnote | --asset-tag | --target-os | --http | \
	    --http-name | --client | --login | --from | --to) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null ;;
	esac
	return 0
}

_chaperone() {
	local program=${COMP_WORDS[0]/#\~\//$HOME/} current=${COMP_WORDS[COMP_CWORD]}
	local previous='' word commands i
	local -a command=()
	COMPREPLY=()
	commands=$(__chaperone_commands "$program")

	# The words before the cursor that are neither options nor their values.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		=) ;;
		-*)
			if [[ ${COMP_WORDS[i + 1]-} = = ]]; then
				((i + 2 < COMP_CWORD)) && ((i += 2))
			elif __chaperone_takes_value "$program" "$word" "${command[@]}"; then
				((i + 1 < COMP_CWORD)) && ((i++))
			fi ;;
		*)
			if ((${#command[@]} == 0)) || { ((${#command[@]} == 1)) &&
			    grep -qxF -- "${command[0]} $word" <<<"$commands"; }; then
				command+=("$word")
			fi ;;
		esac
	done

	# "--option=value" comes as three words, "--option value" as two.
	((COMP_CWORD >= 2)) && previous=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $current = = ]]; then
		__chaperone_value "$program" "$previous" ''
		return
	fi
	if [[ $previous = = ]]; then
		__chaperone_value "$program" "${COMP_WORDS[COMP_CWORD - 2]}" "$current"
		return
	fi
	if [[ $previous = -* ]] && __chaperone_takes_value "$program" "$previous" "${command[@]}"; then
		__chaperone_value "$program" "$previous" "$current"
		return
	fi
	if [[ $current = -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(__chaperone_options "$program" "${command[@]}")" \
		    -- "$current")
	elif [[ ${command[*]} = 'profile presets' ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(__chaperone_presets "$program")" -- "$current")
		return
	elif ((${#command[@]} == 0)); then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$commands" | sort -u)" \
		    -- "$current")
	elif ((${#command[@]} == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^${command[0]} //p" <<<"$commands")" \
		    -- "$current")
	fi
	if ((${#COMPREPLY[@]} == 0)) && [[ $current != -* ]] && ((${#command[@]} > 0)); then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
	fi
	return 0
}

complete -F _chaperone chaperone
