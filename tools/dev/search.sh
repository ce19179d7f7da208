# shellcheck shell=sh
# Looks for faults by chance: simulated runs and fuzz targets.

command_simulate() {
  need build test
  build simulate wave_simulate || return 1
  build/simulate/tests/simulation/wave_simulate "$@"
}

fuzz_targets() { (cd fuzz && printf '%s\n' *_fuzz.cc | sed 's/\.cc$//'); }

# fuzz [SECONDS]: every target for so long.
command_fuzz() {
  need build test
  # A list of names.
  # shellcheck disable=SC2046
  build fuzz $(fuzz_targets) || return 1
  for target in $(fuzz_targets); do
    title "$target, ${1:-60}s"
    fuzz_one "$target" "${1:-60}"
  done
}

# fuzz_share PART: every fourth target, together, for 20 minutes.
fuzz_share() {
  need build test
  share=$(fuzz_targets | awk -v part="$1" 'NR % 4 == part % 4')
  # shellcheck disable=SC2086
  build fuzz $share || return 1
  mkdir -p build/test-logs
  running=""
  for target in $share; do
    fuzz_one "$target" 1200 >"build/test-logs/$target.log" 2>&1 &
    running="$running $target:$!"
  done
  share_code=0
  for one in $running; do
    if wait "${one#*:}"; then
      say "  ${one%:*}: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/test-logs/${one%:*}.log") inputs"
    else
      share_code=1
      say "  ${one%:*} failed: build/test-logs/${one%:*}.log"
      tail -n 40 "build/test-logs/${one%:*}.log"
    fi
  done
  return "$share_code"
}

# fuzz_one TARGET SECONDS
fuzz_one() {
  corpus=build/fuzz-corpus/$1
  mkdir -p "$corpus"
  dictionary=fuzz/${1%_fuzz}.dict
  # shellcheck disable=SC2046
  "build/fuzz/fuzz/$1" $([ ! -f "$dictionary" ] || printf '%s' "-dict=$dictionary") -max_total_time="$2" -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$corpus-" -verbosity=0 -print_final_stats=1 "$corpus" $(fuzz_seeds "$1")
}

# Folders of what a target begins with.
fuzz_seeds() {
  shared=${WAVE_SHARED:-$source_dir/../shared}
  case $1 in
    yaml_fuzz | pipeline_fuzz)
      for folder in examples/demo/.agents/pipelines "$shared/corpus/wave/.agents/pipelines"; do
        [ ! -d "$folder" ] || printf '%s\n' "$folder"
      done
      ;;
    http_*_fuzz) printf '%s\n' fuzz/seeds/http ;;
    claude_output_fuzz) [ ! -d "$shared/vectors/agent-streams" ] || printf '%s\n' "$shared/vectors/agent-streams" ;;
    token_fuzz | certificate_fuzz | webhook_fuzz) printf '%s\n' "fuzz/seeds/${1%_fuzz}" ;;
  esac
}
