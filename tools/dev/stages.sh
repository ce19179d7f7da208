# shellcheck shell=sh
# Counts what tests say, and how long stages take.

passed=0
failed=0
skipped=0
failed_names=""
stage_times=""
# Seconds that a suite may take.
suite_limit=1200

# stage NAME COMMAND...: runs it, notes its time; a failure counts as a failed test and goes on.
stage() {
  stage_name=$1
  shift
  title "$stage_name"
  stage_start=$(now)
  if ! "$@"; then
    failed=$((failed + 1))
    failed_names="$failed_names $(printf '%s' "$stage_name" | tr ' ' '_')"
  fi
  stage_times="$stage_times$(printf '%5ds  %s' $(($(now) - stage_start)) "$stage_name")
"
}

# A stage that is a test of its own.
counted() {
  "$@" || return 1
  passed=$((passed + 1))
}

# suite PROGRAM [ARGUMENT...]: a GoogleTest program; adds up what it says.
suite() {
  suite_name=$(basename "$1")
  suite_log=build/test-logs/$(basename "$(dirname "$1")")-$suite_name.log
  mkdir -p build/test-logs
  suite_code=0
  timeout "$suite_limit" "$@" --gtest_brief=1 >"$suite_log" 2>&1 || suite_code=$?
  # Of a suite that crashed there is no summary: what it said last is all there is.
  ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$suite_log" | tail -1)
  bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$suite_log" | tail -1)
  # --gtest_brief leaves the summary of failures out; each has a line with its time.
  [ -n "$bad" ] || bad=$(grep -c '^\[  FAILED  \] .* ([0-9]* ms)$' "$suite_log" || true)
  left=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$suite_log" | tail -1)
  ok=${ok:-0}
  bad=${bad:-0}
  left=${left:-0}
  [ "$suite_code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  [ $((ok + bad + left)) -gt 0 ] || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
  skipped=$((skipped + left))
  printf '  %-28s %4d passed, %d failed' "$suite_name" "$ok" "$bad"
  [ "$left" -eq 0 ] || printf ', %d skipped' "$left"
  printf '\n'
  if [ "$bad" -gt 0 ]; then
    failed_names="$failed_names $suite_name"
    tail -n 60 "$suite_log"
  fi
}

# Test programs of a preset, as CMake lists them. Storms take too long for every change.
test_programs() {
  for program in build/"$1"/*_test build/"$1"/tests/*_test build/"$1"/tests/*/*_test; do
    [ "$(basename "$program")" != storms_test ] || continue
    [ ! -x "$program" ] || printf '%s\n' "$program"
  done
}

run_suites() {
  preset=$1
  shift
  for program in $(test_programs "$preset"); do
    case " $* " in
      "  " | *" $(basename "$program") "*) suite "$program" ;;
    esac
  done
}

# vitest NAME [ARGUMENT...]: a suite of web/; adds up what it says.
vitest() {
  suite_name=$1
  shift
  mkdir -p build/test-logs
  suite_json=$source_dir/build/test-logs/$suite_name.json
  rm -f "$suite_json"
  suite_code=0
  (cd web && timeout 1200 node node_modules/vitest/vitest.mjs run --reporter=default --reporter=json \
    --outputFile="$suite_json" "$@") >"build/test-logs/$suite_name.log" 2>&1 || suite_code=$?
  ok=$(sed -n 's/.*"numPassedTests":\([0-9]*\).*/\1/p' "$suite_json" 2>/dev/null | head -1)
  bad=$(sed -n 's/.*"numFailedTests":\([0-9]*\).*/\1/p' "$suite_json" 2>/dev/null | head -1)
  ok=${ok:-0}
  bad=${bad:-0}
  [ "$suite_code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
  printf '  %-28s %4d passed, %d failed\n' "$suite_name" "$ok" "$bad"
  if [ "$bad" -gt 0 ]; then
    failed_names="$failed_names $suite_name"
    tail -n 80 "build/test-logs/$suite_name.log"
  fi
}

# What all stages came to, as the last thing that is said; fails if anything failed.
summary() {
  title "stages"
  printf '%s%5ds  in all\n' "$stage_times" $(($(now) - summary_start))
  [ -z "$failed_names" ] || say "failed:$failed_names"
  [ "$skipped" -eq 0 ] || say "$skipped skipped: see build/test-logs"
  say "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
summary_start=$(now)
