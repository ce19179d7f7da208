# shellcheck shell=sh
# ./dev check PART: what takes too long for every change, in parts of at most half an hour on two processors.

check_usage() {
  cat <<'END'
./dev check PART...

  tidy               clang-tidy, the whole list
  simulation-1 to -4 25,000 seeds each, without sanitizers
  fuzz-1 to -4       each fuzz target for 20 minutes, four of them at a time
  storms             machines that are short of something: tests/storms, and O9 and O11 without sanitizers
  chaos              kill -9 of everything, for 20 minutes: tests/chaos
  package            a .deb and a .tar.gz of the release, and what is in them
  clean-clone        ./dev run in a fresh clone of what is committed, without ccache
  debian13           both commands of README in a Debian 13 (root; a folder below build/)
  all                ./dev test, and every part
END
}

check_parts="tidy simulation-1 simulation-2 simulation-3 simulation-4 fuzz-1 fuzz-2 fuzz-3 fuzz-4
  storms chaos package clean-clone debian13"

command_check() {
  [ $# -gt 0 ] || {
    check_usage
    return 0
  }
  find_shared
  suite_limit=1700
  if [ "$*" = all ]; then
    stage "test" counted ./dev test
    # A list of names.
    # shellcheck disable=SC2086
    set -- $check_parts
  fi
  for part in "$@"; do
    case $part in
      tidy) stage "clang-tidy, the whole list" counted check_tidy ;;
      simulation-[1-4]) stage "$part" counted check_simulation "${part#simulation-}" ;;
      fuzz-[1-4]) stage "$part" counted fuzz_share "${part#fuzz-}" ;;
      storms) stage "storms" check_storms ;;
      chaos) stage "chaos" check_chaos ;;
      package) stage "package" counted check_package ;;
      clean-clone) stage "clean clone" counted check_clean_clone ;;
      debian13) stage "Debian 13" counted check_debian13 ;;
      *)
        check_usage >&2
        die "check has no part '$part'"
        ;;
    esac
  done
  summary
}

check_tidy() {
  need build test
  build asan || return 1
  sh tools/lint/tidy.sh build/asan full
}

check_simulation() {
  command_simulate --seeds 25000 --from $(($1 * 25000 - 24999))
}

# Each of the two tests for ten minutes.
check_chaos() {
  WAVE_CHAOS_SECONDS=600
  export WAVE_CHAOS_SECONDS
  check_suite chaos_test
}

# Tests that measure memory, or take descriptors and memory away, skip under sanitizers: they run here without.
check_storms() {
  check_suite storms_test || return 1
  build dev promises_test commands_test || return 1
  suite build/dev/tests/promises_test "--gtest_filter=*.O9_*:*.O11_*"
  suite build/dev/tests/commands_test "--gtest_filter=StartRoom.*"
}

check_suite() {
  need build test
  build asan "$1" || return 1
  suite "build/asan/tests/$1"
}

check_package() {
  command_package || return 1
  python3 packaging/check_packages.py build/packages
}

# The first thing that somebody sees, from what is committed; and the second time nothing is built.
check_clean_clone() {
  clone=$source_dir/build/clean-clone
  rm -rf "$clone"
  git clone -q "$source_dir" "$clone" || return 1
  (
    cd "$clone" || exit 1
    CCACHE_DISABLE=1 ./dev run || exit 1
    CCACHE_DISABLE=1 ./dev run >again.txt || exit 1
    if grep -nE '^ +[0-9]+ %' again.txt; then
      say "  the second ./dev run built something"
      exit 1
    fi
    rm again.txt
    changed=$(git status --porcelain)
    [ -z "$changed" ] || {
      say "  ./dev run left changes behind:"
      say "$changed"
      exit 1
    }
  )
}

check_debian13() {
  need debian13
  as_root sh tools/dev/debian13.sh "$source_dir/build/debian13"
}
