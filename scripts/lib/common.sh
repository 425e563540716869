# shellcheck shell=bash
# What every script shares: how it speaks and how it fails. Sourced, never run.
# Answers go to stdout, everything that is said to a person to stderr.

certpair_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "${0##*/}: $*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The folder in which things that are dear to make are kept between runs.
cache_dir() { printf '%s\n' "${CERTPAIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/certpair}"; }

# at_least WANTED VERSION: is VERSION the same or newer? Numbers and dots only.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# with_progress WHAT LOG COMMAND...: runs it, its output into LOG, and says how far it is: lines of LOG and
# seconds; in place on a terminal, else now and then. When it fails the end of LOG is shown.
with_progress() {
  local what=$1 log=$2 pid status=0 begin=$SECONDS said=$SECONDS
  shift 2
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    if [[ -t 2 ]]; then
      printf '\r%s: %s packages, %d s ' "$what" "$(wc -l <"$log")" $((SECONDS - begin)) >&2
    elif ((SECONDS - said >= 30)); then
      said=$SECONDS
      say "$what: $(wc -l <"$log") packages, $((SECONDS - begin)) s"
    fi
    sleep 0.5
  done
  wait "$pid" || status=$?
  [[ -t 2 ]] && printf '\r\033[K' >&2
  if ((status != 0)); then
    say "$what failed after $((SECONDS - begin)) s; its last lines:"
    tail -n 20 "$log" >&2
    return "$status"
  fi
  say "$what: done in $((SECONDS - begin)) s"
}
