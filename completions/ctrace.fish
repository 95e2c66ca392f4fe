# SPDX-License-Identifier: Apache-2.0
# fish: completion of ctrace's commands, their options, and what the options take.

# The help of each command is the list of its options: "  -d, --delay=SECONDS  text", or "--env LIST  text".
function __ctrace_options
    ctrace $argv[1] --help 2>/dev/null |
        string replace -rf '^ *(?:-., *)?(--[a-z][a-z-]*)(?:\[?=\S*| [A-Z]\S*)?(?: +(.*))?$' '$1\t$2'
end

# Of ctrace, or of container, image or system.
function __ctrace_members
    ctrace $argv --help 2>/dev/null | sed -n '/^Commands:/,/^$/p' | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end

function __ctrace_commands
    __ctrace_members
    printf '%s\t%s\n' --help 'how it is used' --version 'which ctrace this is'
end

# Names and ids of the launcher's containers; $argv: options of ctrace ps.
function __ctrace_containers
    ctrace ps $argv --format '{{.Names}} {{.ID}}' 2>/dev/null | string split ' '
end

# What an option takes; false where that is not known here.
function __ctrace_value
    switch $argv[1]
        case --network
            printf '%s\n' bridge none host container:
        case --ipc
            printf '%s\n' private shareable none host container:
        case --restart
            printf '%s\n' no on-failure always unless-stopped
        case --pull
            printf '%s\n' missing always never
        case --view
            printf '%s\n' containers timeline events limits host
        case --trace
            printf '%s\n' none summary full
        case --compat
            printf '%s\n' cadvisor
        case --color
            printf '%s\n' auto always never
        case --format
            printf '%s\n' json docker-events
        case --filter
            printf '%s\n' 'cont~' 'image~' type= phase= actor= 'dur>' exit= 'error!=-'
        case --bundle -b --rootfs
            __fish_complete_directories $argv[2]
        case --env-file --json --record --output -o --input
            __fish_complete_path $argv[2]
        case '*'
            return 1
    end
end

function __ctrace_argument
    switch $argv[1]
        case run create rmi tag pull images history save
            ctrace images --format '{{.Reference}}' 2>/dev/null
        case exec attach stop kill pause unpause stats port
            __ctrace_containers
        case start restart rm logs wait rename inspect
            __ctrace_containers -a
        case volume
            printf '%s\n' create ls inspect rm prune
            ctrace volume ls -q 2>/dev/null
        case oci
            printf '%s\n' create start run exec state kill delete list ps pause resume update events spec features
        case '*'
            __fish_complete_path $argv[2]
    end
end

function __ctrace
    set -l words (commandline -opc)
    set -l current (commandline -ct)

    if test (count $words) -lt 2
        __ctrace_commands
        return
    end
    # container, image, system: the word behind is docker's name for one of the others
    if contains -- $words[2] container image system
        if test (count $words) -lt 3
            __ctrace_members $words[2]
            return
        end
        switch $words[2]:$words[3]
            case container:ls
                set words[3] ps
            case image:ls
                set words[3] images
            case image:rm
                set words[3] rmi
        end
        set -e words[2]
    end
    if set -l dashes (contains -i -- -- $words) # behind it another command begins, with completions of its own
        complete -C (string join ' ' -- (string escape -- $words[(math $dashes + 1)..]) $current)
        return
    end
    if string match -qr '^--[a-z-]+=' -- $current
        set -l name (string replace -r '=.*' '' -- $current)
        string replace -r '^' -- "$name=" (__ctrace_value $name (string replace -r '^[^=]*=' '' -- $current))
        return
    end
    __ctrace_value $words[-1] $current; and return
    if string match -q -- '-*' $current
        __ctrace_options $words[2]
        return
    end
    __ctrace_argument $words[2] $current
end

complete -c ctrace -f -a '(__ctrace)'
