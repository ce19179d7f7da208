# shellcheck shell=sh
# ./dev test: the stages of CI.

# The real agents that adapters are held by, pinned: npm would pick another release by the age of Node.
claude_version=2.1.197

command_lint() {
  need test
  lint_code=0
  for check in format arrows asio version parts shell; do
    if sh "tools/lint/$check.sh"; then
      say "  $check: ok"
    else
      lint_code=1
    fi
  done
  return $lint_code
}

# The real Claude Code, for the tests of its adapter: below build/, without its own scripts but for the one
# that puts its program in place.
install_agents() {
  agents=$source_dir/build/agents
  installed=$agents/node_modules/@anthropic-ai/claude-code
  if [ ! -x "$agents/claude-$claude_version" ]; then
    npm install --prefix "$agents" --ignore-scripts --no-audit --no-fund --loglevel=error \
      "@anthropic-ai/claude-code@$claude_version" >build/agents.log 2>&1 || {
      cat build/agents.log
      return 1
    }
    [ ! -f "$installed/install.cjs" ] || (cd "$installed" && node install.cjs >/dev/null 2>&1) || true
    ln -sf "$agents/node_modules/.bin/claude" "$agents/claude-$claude_version"
  fi
  WAVE_CLAUDE_BIN=$agents/claude-$claude_version
  WAVE_FAKE_LLM=$WAVE_SHARED/tools/fake-llm.mjs
  export WAVE_CLAUDE_BIN
  [ ! -f "$WAVE_FAKE_LLM" ] || export WAVE_FAKE_LLM
  "$WAVE_CLAUDE_BIN" --version >/dev/null
}

install_web() {
  (cd web && flock package.json sh scripts/install.sh ../build/web-installed) >build/web-install.log 2>&1 || {
    cat build/web-install.log
    return 1
  }
}

check_web() {
  (cd web && node node_modules/typescript/bin/tsc --noEmit) || return 1
  passed=$((passed + 1))
  vitest web_units
}

# The browser's fold of a run against the engine's: simulated runs, with everything going wrong, as a
# program of the tests writes them.
fold_web() {
  vectors=$(first_program build/asan/wave_vectors build/asan/tests/simulation/wave_vectors)
  [ -n "$vectors" ] || return 1
  rm -rf build/vectors
  "$vectors" "$source_dir/build/vectors" 120 || return 1
  WAVE_VECTORS=$source_dir/build/vectors
  export WAVE_VECTORS
  vitest web_fold src/run/vectors.test.ts
}

# A Chromium that runs here: Ubuntu's package is a snap, which is nothing for a container.
find_browser() {
  for candidate in "${WAVE_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    found=$(command -v "$candidate" 2>/dev/null) || continue
    "$found" --version >/dev/null 2>&1 || continue
    printf '%s' "$found"
    return 0
  done
  say "  no Chromium runs here: set WAVE_CHROMIUM to one" >&2
  return 1
}

# The application as the build with sanitizers has it, in Chromium. Pictures of every screen are kept in
# build/screenshots: look at them.
look_at_web() {
  need browser
  WAVE_CHROMIUM=$(find_browser) || return 1
  WAVE_WEB_DIST=$source_dir/build/asan/web/dist
  WAVE_BINARY=$source_dir/build/asan/wave
  export WAVE_CHROMIUM WAVE_WEB_DIST WAVE_BINARY
  vitest web_browser --config vitest.browser.config.ts
  say "  pictures of every screen: build/screenshots"
}

# What Schemathesis finds in the API of a real server, by the OpenAPI document. It comes from PyPI, pinned;
# where that cannot be reached the stage is skipped, and says so.
look_with_schemathesis() {
  schemathesis_code=0
  sh tools/schemathesis/run.sh build/asan/wave build/schemathesis || schemathesis_code=$?
  if [ "$schemathesis_code" -eq 77 ]; then
    say "  skipped: Schemathesis could not be installed, see build/schemathesis/install.log"
    skipped=$((skipped + 1))
    return 0
  fi
  [ "$schemathesis_code" -eq 0 ] || return 1
  passed=$((passed + 1))
}

simulate_some() {
  counted build/asan/tests/simulation/wave_simulate --seeds "$1"
}

# Test programs whose threads are looked at by TSan.
thread_suites="base_test store_test process_test engine_test http_test server_test"

build_asan() { build asan; }

# ---- behind the simulation --------------------------------------------------------------------------

# The simulation computes on one core. What else only computes runs behind it, at the lowest priority, in a session of
# its own, and ends with ours: `./dev behind` is clang-tidy, and then the build with TSan.
start_behind() {
  rm -rf build/behind
  mkdir -p build/behind
  setsid nice -n 19 ./dev behind >build/behind/log 2>&1 &
  behind=$!
  trap 'kill -TERM "-$behind" 2>/dev/null || true' EXIT
  trap 'exit 130' INT TERM HUP
}

command_behind() {
  behind_stage tidy sh tools/lint/tidy.sh build/asan short
  # A list of names.
  # shellcheck disable=SC2086
  behind_stage tsan build tsan $thread_suites
}

# behind_stage NAME COMMAND...: leaves its output, and then its exit code and seconds, in build/behind.
behind_stage() {
  name=$1
  shift
  began_at=$(now)
  code=0
  "$@" >"build/behind/$name.log" 2>&1 || code=$?
  echo "$code $(($(now) - began_at))" >build/behind/ending
  mv build/behind/ending "build/behind/$name"
}

# result_of NAME: waits for a stage behind the tests; its output and result.
result_of() {
  while [ ! -f "build/behind/$1" ]; do
    kill -0 "$behind" 2>/dev/null || [ -f "build/behind/$1" ] || {
      say "  it ended without a result:"
      tail -n 60 build/behind/log
      return 1
    }
    sleep 1
  done
  read -r code seconds <"build/behind/$1"
  cat "build/behind/$1.log"
  say "  took $(clock "$seconds") at the lowest priority, behind the tests"
  return "$code"
}

# Foreign data lies beside the checkout; tests that need it skip without it, and fail in CI.
find_shared() {
  WAVE_SHARED=${WAVE_SHARED:-$source_dir/../shared}
  export WAVE_SHARED
}

command_test() {
  need build test
  use_node
  find_shared
  stage "lint" counted command_lint
  stage "agents" install_agents
  stage "web: install" install_web
  stage "web: types and units" check_web
  stage "build with ASan and UBSan" build_asan
  stage "tests with ASan and UBSan" run_suites asan
  stage "API: Schemathesis" look_with_schemathesis
  stage "web: the fold of a run" fold_web
  stage "web: browser" look_at_web
  # Not sooner: the tests above look at deadlines, and a busy machine is not what they are about.
  start_behind
  stage "simulation" simulate_some 2000
  stage "clang-tidy" counted result_of tidy
  stage "build with TSan" result_of tsan
  # shellcheck disable=SC2086
  stage "tests with TSan" run_suites tsan $thread_suites
  summary
}
