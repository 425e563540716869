# shellcheck shell=bash
# Processes that outlive the script that starts them, and are found again without mistake. Sourced, never run.
#
# A pid alone is no name: it is used again. So the record of a process holds its start time and the boot too, and
# nothing is signalled unless all three fit.

# process_identity PID: start time (clock ticks since boot) and boot; fails when there is no such process.
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
# reach it. It writes its own record before it becomes COMMAND: there is no moment at which it runs unrecorded. The
# record is there when spawn returns.
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

# Whoever reads our output through a pipe, or waits for a lock, must not wait for the processes left behind.
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
