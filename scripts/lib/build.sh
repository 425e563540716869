# shellcheck shell=bash
# Building with progress. Sourced, never run. Needs common.sh and tour.sh.

# build_preset PRESET LOG TARGET...: configures and builds; on a terminal with ninja's status line, else with a line
# now and then. Of two at once, one waits for the other. A failed build shows what the compiler said.
build_preset() {
  local preset=$1 log=$2 lock status=0
  shift 2
  mkdir -p "$certpair_root/build"
  exec {lock}>"$certpair_root/build/.$preset.lock"
  if ! flock -n "$lock"; then
    tell "Another process is building it. Waiting."
    run flock "$lock"
  fi
  build_locked "$preset" "$log" "$@" || status=$?
  exec {lock}>&-
  return "$status"
}

build_locked() {
  local preset=$1 log=$2
  shift 2
  if ! run cmake -S "$certpair_root" --preset "$preset" >"$log" 2>&1; then
    tail -n 30 "$log"
    return 1
  fi
  local -a command=(cmake --build "$certpair_root/build/$preset" --target "$@")
  export NINJA_STATUS='  [%f of %t] '
  if [[ -t 1 ]]; then
    run "${command[@]}"
  elif ! run report_build "$log" "${command[@]}"; then
    grep -v '^  \[' "$log" | tail -n 40
    return 1
  fi
}

# report_build LOG COMMAND...: the output goes to LOG; its latest status line is printed every ten seconds.
report_build() {
  local log=$1 pid status=0 begin=$SECONDS said=$SECONDS
  shift
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    ((SECONDS - said >= 10)) || continue
    said=$SECONDS
    printf '%s (%d s)\n' "$(grep '^  \[' "$log" | tail -n 1)" $((SECONDS - begin))
  done
  wait "$pid" || status=$?
  grep '^  \[\|no work to do' "$log" | tail -n 1 | sed 's/^ninja: */  /' || true
  return "$status"
}
