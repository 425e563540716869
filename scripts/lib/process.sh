# shellcheck shell=bash
# Processes that outlive the script that starts them, and are found again without mistake. Sourced, never run.
#
# A process ID is reused. So the record of a process also holds its start time and the boot, and a process is signalled only if
# all three match.

# process_identity PID: start time (clock ticks since boot) and boot. Fails if the process does not exist.
process_identity() {
  local stat boot
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) } # the name before it may hold blanks and parentheses
  read -ra stat <<<"$stat"
  [[ ${stat[0]} != Z ]] || return 1
  boot=$(</proc/sys/kernel/random/boot_id)
  printf '%s %s\n' "${stat[19]}" "$boot"
}

# spawn RECORDS NAME LOG COMMAND...: starts it in a session of its own, so that Ctrl-C at our terminal does not
# reach it. It writes its record before it becomes COMMAND, so it never runs
# unrecorded. The record exists when spawn returns.
spawn() {
  local records=$1 name=$2 log=$3 pid
  shift 3
  (
    close_inherited
    pid=$BASHPID
    printf '%s %s %s\n' "$name" "$pid" "$(process_identity "$pid")" >>"$records"
    exec setsid "$@"
  ) </dev/null >"$log" 2>&1 &
  pid=$!
  disown "$pid" # the shell is not to report its end
  until grep -qs "^$name $pid " "$records" || ! kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
}

# A reader of our output, or of a lock, must not wait for the processes that stay.
close_inherited() {
  local fd
  for fd in "/proc/$BASHPID/fd/"*; do
    fd=${fd##*/}
    ((fd > 2 && fd != 255)) && eval "exec $fd>&-" 2>/dev/null
  done
  return 0
}

# is_running RECORDS NAME
is_running() { [[ -n $(recorded_pid "$1" "$2") ]]; }

# recorded_pid RECORDS NAME: its pid, or nothing if it ended.
recorded_pid() {
  local name pid identity
  [[ -f $1 ]] || return 0
  while read -r name pid identity; do
    [[ $name == "$2" && $(process_identity "$pid") == "$identity" ]] && printf '%s\n' "$pid"
  done <"$1"
  return 0
}

# end_process RECORDS NAME SECONDS: asks it to end, and ends it when it has not after SECONDS.
end_process() {
  local pid tries
  pid=$(recorded_pid "$1" "$2")
  [[ -n $pid ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for ((tries = $3 * 20; tries > 0; tries--)); do
    is_running "$1" "$2" || return 0
    sleep 0.05
  done
  pid=$(recorded_pid "$1" "$2")
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  for ((tries = 100; tries > 0; tries--)); do
    is_running "$1" "$2" || return 0
    sleep 0.05
  done
  say "$2 (process $pid) does not end"
  return 1
}
