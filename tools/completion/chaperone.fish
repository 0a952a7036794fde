# fish completion for chaperone(1)
#
# It asks the program for its commands and options, so it knows those of the
# version that is installed, and shows what its help says of each.

# The program as it was typed: that may be another one than the first in PATH.
function __chaperone_program
    string replace -r '^~/' "$HOME/" -- (commandline -opc)[1]
end

function __chaperone_ask
    set -l program (__chaperone_program)
    command -q $program; and command $program $argv 2>/dev/null
end

# A command of one or two words, and what it does: one per line, a tab between.
function __chaperone_commands
    __chaperone_ask --help | string replace -rf '^  ([a-z-]+(?: [a-z-]+)?)  +(.*)' '$1\t$2'
end

# The options of a command, and what they do.
function __chaperone_options
    __chaperone_ask $argv --help |
        string replace -rf '^ +(?:-[A-Za-z], )?(--[a-z-]+)(?: [^ ]+)?  +(.*)' '$1\t$2'
end

# Does option $argv[1] of the command that follows take a value?
function __chaperone_takes_value
    __chaperone_ask $argv[2..] --help |
        string match -rq -- "^ +(?:-[A-Za-z], )?$argv[1](?:, --[a-z-]+)? [^ ]"
end

function __chaperone_presets
    __chaperone_ask profile presets --json |
        string replace -rf '.*"name":"([^"]*)".*' '$1'
end

function __chaperone_values
    switch $argv[1]
        case --format
            printf '%s\n' p12 pem
        case --supervised
            printf '%s\n' yes no
        case --verdict
            printf '%s\n' compliant noncompliant blocked failed
        case --by
            printf '%s\n' device day slot policy
        case --preset
            __chaperone_presets
        case --group
            __fish_complete_groups
        case -u --udid
            timeout 3 (__chaperone_program) list --json 2>/dev/null |
                string replace -rf '.*"udid":"([^"]*)".*' '$1'
        case --jobs -j --timeout --wait --bits --days --max-rate --per-controller --for --until \
            --since --idle-timeout --organization --nonce --run --station --device --app \
            --identifier --restrict --wifi --footnote --asset-tag --target-os --http --http-name \
            --client --login --from --to
            # What these are nobody can guess.
        case '*'
            __fish_complete_path $argv[2]
    end
end

# The first words of all commands; of two-word commands what they are about.
function __chaperone_first_words
    set -l seen
    for line in (__chaperone_commands)
        set -l parts (string split \t -- $line)
        set -l words (string split ' ' -- $parts[1])
        contains -- $words[1] $seen; and continue
        set -a seen $words[1]
        if set -q words[2]
            printf '%s\n' $words[1]
        else
            printf '%s\n' $line
        end
    end
end

function __chaperone_complete
    set -l command
    set -l asking ''
    set -l names (__chaperone_commands | string replace -r '\t.*' '')
    set -l current (commandline -ct)

    # The words before the cursor that are neither options nor their values.
    for word in (commandline -opc)[2..]
        if test -n "$asking"
            set asking ''
        else if string match -q -- '-*=*' $word
            continue
        else if string match -q -- '-*' $word
            __chaperone_takes_value $word $command; and set asking $word
        else if not set -q command[1]
            set command $word
        else if not set -q command[2]; and contains -- "$command $word" $names
            set -a command $word
        end
    end

    if test -n "$asking"
        __chaperone_values $asking $current
    else if string match -q -- '--*=*' $current
        set -l halves (string split -m 1 = -- $current)
        __chaperone_values $halves | string replace -r -- '^' "$halves[1]="
    else if string match -q -- '-*' $current
        __chaperone_options $command
    else if not set -q command[1]
        __chaperone_first_words
    else if test "$command" = 'profile presets'
        __chaperone_presets
    else
        not set -q command[2]; and __chaperone_commands | string replace -rf "^$command " ''
        contains -- "$command" $names; and __fish_complete_path $current
    end
end

complete -c chaperone -f -a '(__chaperone_complete)'
