# shellcheck shell=bash
# Completion of guardctl for bash. guardctl itself knows what may come next.

# The word that bash completes begins behind the last of its own breaks: what is before that it keeps.
__guardctl_kept() {
        local word=$1 kept=''
        while [[ -n $word && -n $COMP_WORDBREAKS && $word =~ [=:] && $COMP_WORDBREAKS == *"${BASH_REMATCH[0]}"* ]]; do
                kept+=${word%%[=:]*}${BASH_REMATCH[0]}
                word=${word#*[=:]}
        done
        printf '%s' "$kept"
}

_guardctl() {
        local line=${COMP_LINE:0:COMP_POINT} words=() word='' kept candidate
        COMPREPLY=()
        read -ra words <<<"${line//\\/\\\\}"
        if ((${#words[@]} > 1)) && [[ $line != *[[:blank:]] ]]; then
                word=${words[-1]}
                unset 'words[-1]'
        fi
        kept=$(__guardctl_kept "$word")
        while IFS=$'\t' read -r candidate _; do
                if [[ $candidate == :files ]]; then
                        mapfile -t COMPREPLY < <(compgen -f -- "${word#*=}")
                        compopt -o filenames 2>/dev/null
                        return
                fi
                [[ $candidate != *= ]] || compopt -o nospace 2>/dev/null
                printf -v candidate '%q' "${candidate#"$kept"}"
                COMPREPLY+=("$candidate")
        done < <("$1" __complete "${words[@]:1}" "$word" 2>/dev/null)
}

complete -F _guardctl guardctl
