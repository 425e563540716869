# shellcheck shell=bash
# The steps of scripts/test, one function each. Sourced, never run. Needs common.sh, packages.sh, tour.sh and build.sh, and
# the settings of scripts/test.

logs='' # the folder of this run's logs; set by scripts/test
could_not_run=()

# cannot WHAT WHY: reports it now and at the end.
cannot() {
  could_not_run+=("$1: $2")
  tell "cannot run: $1: $2"
}

# watched LOG PATTERN COMMAND...: runs it with its output in LOG; each half minute the last line of LOG that matches
# PATTERN (extended) shows how far it is.
watched() {
  local log=$1 pattern=$2
  shift 2
  run watch_log "$log" "$pattern" "$@"
}

watch_log() {
  local log=$1 pattern=$2 pid status=0 said=$SECONDS begin=$SECONDS
  shift 2
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    ((SECONDS - said >= 30)) || continue
    said=$SECONDS
    printf '  %4d s %s\n' $((SECONDS - begin)) "$(grep -E "$pattern" "$log" | tail -n 1 | cut -c 1-110 || true)"
  done
  wait "$pid" || status=$?
  return "$status"
}

install_packages() {
  need_packages "${packages_build[@]}" "${packages_control[@]}" "${packages_test[@]}" || return
  ((with_lint == 0)) || need_packages "${packages_lint[@]}" || cannot "a part of lint" "its packages could not be installed"
}

check_rules() {
  run python3 "$certpair_root/tests/rules/include_rules_test.py" --quiet &&
    run python3 "$certpair_root/tests/rules/include_rules.py" "$certpair_root" &&
    run python3 "$certpair_root/tests/rules/document_rules_test.py" --quiet &&
    run python3 "$certpair_root/tests/rules/document_rules.py" "$certpair_root" &&
    run python3 "$certpair_root/tests/rules/generated_test.py" --quiet &&
    run python3 "$certpair_root/scripts/lib/documents.py" --check "$certpair_root"
}

# own_files PATTERN...: the files of the repository, new ones too; of an unpacked archive, all.
own_files() {
  local name path names=()
  if git -C "$certpair_root" rev-parse --git-dir >/dev/null 2>&1; then
    git -C "$certpair_root" ls-files --cached --others --exclude-standard -- "$@" | while read -r path; do
      [[ ! -f $certpair_root/$path ]] || printf '%s\n' "$certpair_root/$path" # not yet committed as gone
    done
  else
    for name in "$@"; do names+=(-o -path "$certpair_root/$name"); done
    find "$certpair_root" -path "$certpair_root/build" -prune -o -type f \( "${names[@]:1}" \) -print
  fi
}

check_format() {
  local files
  have clang-format-19 || { cannot "format" "clang-format-19 is not installed"; return 0; }
  mapfile -t files < <(own_files '*.cpp' '*.hpp')
  tell "${#files[@]} files"
  run clang-format-19 --dry-run --Werror --ferror-limit=1 "${files[@]}"
}

check_scripts() {
  local files scripts=() file
  have shellcheck || { cannot "shellcheck" "shellcheck is not installed"; return 0; }
  mapfile -t files < <(own_files 'scripts/*' '.ci/*')
  for file in "${files[@]}"; do
    [[ $file == *.sh ]] || head -n 1 "$file" | grep -q '^#!.*bash' || continue
    scripts+=("$file")
  done
  tell "${#scripts[@]} scripts"
  # SC2317: this version reports functions that only a trap calls as unreachable.
  run shellcheck -x -P "$certpair_root/scripts" -e SC2317 "${scripts[@]}"
}

# run_ctest NAME PRESET ARGUMENT...: prints what failed, and CTest's closing lines as they are.
run_ctest() {
  local name=$1 build=$certpair_root/build/$2 log=$logs/$1.log status=0 line
  shift 2
  watched "$log" '^ *[0-9]+/[0-9]+ Test' ctest --test-dir "$build" --output-on-failure --no-tests=error \
    --parallel "$(nproc)" --output-junit "$logs/$name.xml" --test-output-size-passed 1000000 "$@" || status=$?
  ((status == 0)) || sed '/tests passed/,$d' "$log" | grep -vE '^ *Start +[0-9]+: |^ *[0-9]+/[0-9]+ Test .*(Passed|Skipped) '
  sed -n '/tests passed/,$p' "$log" || true
  grep -q 'tests passed' "$log" || tail -n 20 "$log"
  if [[ -s $logs/$name.xml ]]; then
    while read -r line; do could_not_run+=("$line"); done < <(python3 "$certpair_root/scripts/lib/skipped.py" "$logs/$name.xml")
  fi
  return "$status"
}

slow_labels='integration|e2e'

build_first() { build_preset "$preset" "$logs/build-$preset.log" all; }

fast_tests() { run_ctest fast "$preset" --label-exclude "$slow_labels"; }

build_quick() { build_preset "$preset" "$logs/build-$preset.log" tests_unit tests_fault; }

# A program is skipped while it and every file that a test may read are those with which it last passed.
quick_tests() {
  local program mark marks read status=0 unchanged=()
  marks=$(cache_dir)/passed
  mkdir -p "$marks"
  find "$marks" -type f -mtime +30 -delete
  read=$(own_files 'crds/*' 'config/*' 'charts/*' 'examples/*' 'docs/*' '*.md' 'tests/*' | grep -vE '\.(cpp|hpp)$' | sort | xargs sha256sum)
  local -a leave_out=()
  for program in "$certpair_root/build/$preset/bin"/{unit,fault}_*; do
    mark=$marks/$({ cat "$program" && printf '%s' "$read" | sed "s| $certpair_root/| |"; } | sha256sum | cut -c 1-64)
    if [[ -f $mark ]]; then
      touch "$mark"
      unchanged+=("${program##*/}")
    else
      printf '%s\n' "$mark" >"$logs/${program##*/}.mark"
    fi
  done
  if ((${#unchanged[@]} > 0)); then
    tell "unchanged since they passed: ${unchanged[*]}"
    leave_out=(--exclude-regex "[.]($(IFS='|' && printf '%s' "${unchanged[*]}"))\$")
  fi
  run_ctest quick "$preset" --label-regex '^(rules|unit|fault)' ${leave_out[@]+"${leave_out[@]}"} || status=$?
  python3 "$certpair_root/scripts/lib/passed.py" "$logs/quick.xml" "$logs"
  return "$status"
}

# A million system-years, with the release build: the other takes an hour.
long_simulation() {
  build_preset release "$logs/build-release.log" tests_simulation || return
  watched "$logs/simulation.log" '^(\[ RUN|[0-9]+ lives)' env CERTPAIR_SIM_LONG=1 "$certpair_root/build/release/bin/simulation" ||
    { tail -n 40 "$logs/simulation.log" && return 1; }
  grep -E '^[0-9]+ lives|^\[  PASSED' "$logs/simulation.log" | sed 's/^/  /'
}

# 300 operations of 262 kB in one namespace, on a real API server: a minute or more.
heavy_tenant() {
  build_preset "$preset" "$logs/build-$preset.log" integration_operator || return
  watched "$logs/heavy-tenant.log" '^\[ RUN' env CERTPAIR_HEAVY_LONG=1 "$certpair_root/build/$preset/bin/integration_operator" '--gtest_filter=HeavyTenant.*' ||
    { tail -n 40 "$logs/heavy-tenant.log" && return 1; }
  grep -E '^\[  (PASSED|SKIPPED)' "$logs/heavy-tenant.log" | sed 's/^/  /'
}

find_control_plane() {
  local folder status=0
  run "$certpair_root/scripts/control-plane" path >"$logs/control-plane" || status=$?
  folder=$(<"$logs/control-plane")
  if ((status == 0)) && [[ -n $folder ]]; then
    export KUBEBUILDER_ASSETS=$folder
    tell "$folder"
    run "$certpair_root/scripts/cluster" get || cannot "tests on a cluster that runs pods" "this machine cannot run one (scripts/cluster can says why)"
    run "$certpair_root/scripts/control-plane" kube-score >/dev/null || cannot "the chart's scan" "kube-score could not be built"
    run "$certpair_root/scripts/control-plane" promtool >/dev/null || cannot "the alerts' tests" "promtool could not be fetched"
    run "$certpair_root/scripts/control-plane" helm || cannot "the chart's tests" "helm could not be built (scripts/control-plane helm says why)"
    return 0
  fi
  cannot "tests on a real API server" "its programs could not be built (scripts/control-plane path says why)"
  # For a person this is information. In CI, a test that did not run is a failure.
  [[ ${CI:-} != true ]]
}

slow_tests() {
  if ! grep -rqE "LABELS\"? \"?($slow_labels)" "$certpair_root/build/$preset/tests" --include=CTestTestfile.cmake; then
    cannot "$slow_labels" "no such tests are configured"
    return 1
  fi
  run_ctest integration "$preset" --label-regex "$slow_labels"
}

check_tidy() {
  local status=0 log=$logs/tidy.log
  have clang-tidy-19 || { cannot "clang-tidy" "clang-tidy-19 is not installed"; return 0; }
  watched "$log" '^[0-9]+ of |^[0-9]+ files' python3 "$certpair_root/scripts/lib/tidy.py" clang-tidy-19 \
    "$certpair_root/build/$preset" "$(cache_dir)/tidy" src controller plugin bench || status=$?
  sed 's/^/  /' "$log"
  while read -r file reason; do
    cannot "clang-tidy of ${file%:}" "$reason"
  done < <(grep ': left out: ' "$log" | sort -u)
  return "$status"
}

# sanitized PRESET NAME: the tests that need only this repository, under a sanitizer. With a budget one program at a time, in the
# order of their declaration, so that as many as possible run: each adds little to what the previous ones link.
sanitized() {
  local preset=$1 name=$2 programs program status=0
  if ((budget == 0)); then
    sanitize "$preset" "$preset" '^(unit|fault)$' tests_unit tests_fault
    return
  fi
  run cmake -S "$certpair_root" --preset "$preset" >"$logs/configure-$preset.log" 2>&1 || { tail -n 30 "$logs/configure-$preset.log" && return 1; }
  mapfile -t programs < <(ctest --test-dir "$certpair_root/build/$preset" --show-only --label-regex '^(unit|fault)$' |
    sed -nE 's/^ *Test +#[0-9]+: (unit|fault)[.]//p')
  for program in "${programs[@]}"; do
    too_late "$name of $program" || sanitize "$preset" "$preset-$program" "^$program\$" "$program" || status=1
  done
  return "$status"
}

# sanitize PRESET NAME LABELS TARGET...: builds the targets, and runs the tests of these labels.
sanitize() {
  local preset=$1 name=$2 labels=$3
  shift 3
  build_preset "$preset" "$logs/build-$name.log" "$@" && run_ctest "$name" "$preset" --label-regex "$labels"
}

under_asan() { sanitized asan AddressSanitizer; }
under_tsan() { sanitized tsan ThreadSanitizer; }

fuzz_briefly() {
  local program status=0 log build=$certpair_root/build/fuzz built=0 seeds corpora same=()
  # In CI, two runs try the same inputs.
  if [[ ${CI:-} == true ]]; then same=(-seed=1 -runs=30000); fi
  [[ -f $certpair_root/tests/fuzz/CMakeLists.txt ]] || { cannot "fuzz" "there are no targets"; return 0; }
  have clang++-19 || { cannot "fuzz" "clang++-19 is not installed"; return 0; }
  log=$logs/build-fuzz.log
  if ! watched "$log" '^ *\[' env CC=clang-19 CXX=clang++-19 cmake -G Ninja -S "$certpair_root/tests/fuzz" -B "$build" -DCERTPAIR_FUZZ=ON ||
    ! watched "$log" '^ *\[' cmake --build "$build"; then
    tail -n 40 "$log"
    return 1
  fi
  for program in "$build"/*_fuzz "$build"/bin/*_fuzz; do
    [[ -x $program ]] || continue
    built=1
    log=$logs/${program##*/}.log
    mkdir -p "$build/corpus/${program##*/}"
    corpora=("$build/corpus/${program##*/}")
    seeds=$certpair_root/tests/fuzz/seeds/$(basename "$program" _fuzz)
    if [[ -d $seeds ]]; then corpora+=("$seeds"); fi
    if watched "$log" '^#' "$program" -max_total_time="$fuzz_seconds" -timeout=20 -max_len=20000 -artifact_prefix="$logs/" \
      ${same[@]+"${same[@]}"} "${corpora[@]}"; then
      tell "${program##*/}: $(grep '^Done' "$log" || true)"
    else
      status=1
      tail -n 40 "$log"
    fi
  done
  ((built == 1)) || cannot "fuzz" "no target was built"
  return "$status"
}
