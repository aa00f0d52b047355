# Completion of guardctl for fish. guardctl itself knows what may come next.

function __guardctl_candidates
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] $word 2>/dev/null)
        if test "$line" = :files
            set -l before (string match -r -- '^--[^=]*=' $word)
            for file in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $word))
                echo -- "$before$file"
            end
        else
            echo -- $line
        end
    end
end

complete -c guardctl -f -a '(__guardctl_candidates)'
