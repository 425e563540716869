# shellcheck shell=bash
# A tour in steps: what is shown to a person who watches, and how each step is timed, failed and interrupted.
# Sourced, never run. Needs common.sh.

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

step_titles=() # of the steps begun, with the result of each beside it
step_marks=()
step_times=()
running_job='' # the process group of the command in hand, if any

tell() { printf '  %s\n' "$*"; }

# run COMMAND...: runs it in a process group of its own and waits for it, so that a signal to us is acted upon at
# once, and end_running_job ends the command with all that it started.
run() {
  local status=0
  set -m
  if [[ -n ${folder_claim:-} ]]; then
    "$@" </dev/null {folder_claim}<&- &
  else
    "$@" </dev/null &
  fi
  running_job=$!
  set +m
  wait "$running_job" || status=$?
  running_job=''
  return "$status"
}

end_running_job() {
  local tries job=$running_job
  [[ -n $job ]] || return 0
  kill -TERM -- "-$job" 2>/dev/null || return 0
  for ((tries = 200; tries > 0; tries--)); do
    kill -0 -- "-$job" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -KILL -- "-$job" 2>/dev/null || true
}

# show COMMAND...: prints the command as a person would type it, runs it, and prints what it says.
show() { show_within 0 "$@"; }

# show_narrow COMMAND...: the same, for a table that is too wide: lines end where the terminal does.
show_narrow() {
  local columns
  columns=$(tput cols 2>/dev/null) || columns=0
  [[ -t 1 ]] && ((columns > 40)) || columns=160
  show_within "$columns" "$@"
}

show_within() {
  local columns=$1 status=0 said
  shift
  said=$(mktemp "$scratch/said.XXXXXX")
  printf '%s  $ %s%s\n' "$dim" "$*" "$plain"
  run "$@" >"$said" 2>&1 || status=$?
  if ((columns == 0)); then sed 's/^/  /' "$said"; else sed 's/^/  /' "$said" | cut -c "1-$columns"; fi
  rm -f "$said"
  return "$status"
}

# step TITLE FUNCTION: runs one step, and remembers how it went.
step() {
  local title=$1 begin=${EPOCHREALTIME/[.,]/} number=$((${#step_titles[@]} + 1)) status=0
  printf '\n%s%d  %s%s\n' "$bold" "$number" "$title" "$plain"
  step_titles+=("$title") step_marks+=("✘") step_times+=(0)
  "$2" || status=$?
  step_times[number - 1]=$((${EPOCHREALTIME/[.,]/} - begin))
  if ((status == 0)); then
    step_marks[number - 1]="✔"
    printf '%s✔%s %s\n' "$green" "$plain" "$(seconds_of "${step_times[number - 1]}")"
  else
    printf '%s✘ this step failed%s after %s\n' "$red" "$plain" "$(seconds_of "${step_times[number - 1]}")"
  fi
  return "$status"
}

# seconds_of MICROSECONDS: `1.3 s`, or minutes where there are some.
seconds_of() {
  local tenths=$((($1 + 50000) / 100000))
  if ((tenths >= 600)); then
    printf '%d min %d s' $((tenths / 600)) $((tenths % 600 / 10))
  else
    printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
  fi
}

# summary: every step begun, with its mark and its time.
summary() {
  local i colour total=0
  printf '\n%sSummary%s\n' "$bold" "$plain"
  for i in "${!step_titles[@]}"; do
    colour=$green
    [[ ${step_marks[i]} == "✔" ]] || colour=$red
    printf '  %s%s%s %2d  %-50s %12s\n' "$colour" "${step_marks[i]}" "$plain" $((i + 1)) "${step_titles[i]}" \
      "$(seconds_of "${step_times[i]}")"
    total=$((total + step_times[i]))
  done
  printf '  %5s %-50s %12s\n' '' 'together' "$(seconds_of "$total")"
}
