# shellcheck shell=bash
#
# What every script of the test ground shares: where things are kept, and how a long step tells that it is alive.
#
# Nothing is ever written into the checkout. Everything that is made once (toolbox, guest image) or kept between runs
# (build directories, the state of a running VM) lies in one cache directory that may be removed at any time.
# The host may be bare: only bash, coreutils, util-linux, grep and sed are taken for granted here.

guardd_default_cache() {
        local home=~ # bash looks it up in passwd when HOME is unset
        local dir="${XDG_CACHE_HOME:-$home/.cache}/guardd"
        mkdir -p "$dir" 2>/dev/null || dir=/var/tmp/guardd-$UID
        printf '%s\n' "$dir"
}

# shellcheck disable=SC2034 # for whoever reads this file
guardd_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
guardd_cache=${GUARDD_CACHE:-$(guardd_default_cache)}
mkdir -p "$guardd_cache"
guardd_cache=$(cd "$guardd_cache" && pwd -P)
export GUARDD_CACHE=$guardd_cache

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
        say "$*"
        exit 1
}

# hash_of STRING...: a short name for content, to key caches with
hash_of() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# step LABEL LOG COMMAND...: runs the command with its output in LOG, says every few seconds how far it is, and shows the
# end of LOG when it fails. The command stays in the foreground, so that ^C reaches it. A function given to it must chain
# its commands with &&: bash takes `set -e` away from whatever runs before ||.
step() {
        local label=$1 log=$2 start=$SECONDS status=0 pulse
        shift 2
        say "$label ..."
        pulse "$label" "$log" "$start" &
        pulse=$!
        "$@" >"$log" 2>&1 </dev/null || status=$?
        kill "$pulse" 2>/dev/null || true
        wait "$pulse" 2>/dev/null || true
        if ((status)); then
                tail -n 25 "$log" >&2
                say "$label: failed with status $status after $((SECONDS - start)) s; all of its output: $log"
                return "$status"
        fi
        say "$label: done in $((SECONDS - start)) s"
}

# pulse LABEL LOG START: the background half of step. It waits in read, not in sleep: a sleep would outlive it, and keep
# the output pipe of whoever runs us open.
pulse() {
        local never
        exec {never}<> <(:)
        while kill -0 $$ 2>/dev/null; do
                read -rt 10 -u "$never" _ || true
                say "$1 ... $((SECONDS - $3)) s: $(tail -n 1 "$2" 2>/dev/null | tr '\r' '\n' | tail -n 1 | cut -c1-90)"
        done
}

# locked FILE COMMAND...: only one process at a time; says so when it has to wait. The command's children do not inherit the
# lock: a QEMU that stays behind in the background must not hold it.
locked() {
        local file=$1 fd
        shift
        exec {fd}>"$file"
        if ! flock -n "$fd"; then
                say "waiting for another run (lock $file)"
                flock "$fd"
        fi
        eval "\"\$@\" $fd>&-"
        exec {fd}>&-
}

# prune_cache PREFIX: removes what earlier versions of a script made and nobody used for a week
prune_cache() {
        find "$guardd_cache" -mindepth 1 -maxdepth 1 -name "$1-*" -mtime +7 -exec rm -rf --one-file-system {} +
}
