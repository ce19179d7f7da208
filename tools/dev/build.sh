# shellcheck shell=sh
# Configures and builds presets.

# configure PRESET: only where it was not done, or the presets have changed; what else CMake reads, ninja watches.
configure() {
  ! cmp -s CMakePresets.json "build/$1/configured-by.json" || return 0
  cmake --preset "$1" >"build/configure-$1.log" 2>&1 || {
    cat "build/configure-$1.log" >&2
    say "cmake --preset $1 failed" >&2
    return 1
  }
  cp CMakePresets.json "build/$1/configured-by.json"
}

# ninja PRESET [TARGET...]
run_ninja() {
  preset=$1
  shift
  if [ $# -eq 0 ]; then
    cmake --build "build/$preset" -j "$jobs"
  else
    cmake --build "build/$preset" -j "$jobs" --target "$@"
  fi
}

# build PRESET [TARGET...]: says how far it is; what ninja said is in build/PRESET-build.log.
build() {
  configure "$1" || return 1
  log=build/$1-build.log
  { run_ninja "$@" 2>&1 && echo "$ended_well"; } | tee "$log" | show_progress
  [ "$(tail -n 1 "$log")" = "$ended_well" ] || {
    grep -v '^\[[0-9]*/[0-9]*\]' "$log" | tail -n 60 >&2
    return 1
  }
}
# What stands behind the last line of a build that succeeded: a pipe has only its last command's exit code.
ended_well="built"

# Reads what ninja says and shows how much of it is done: on a terminal in one line that changes, else at every tenth.
show_progress() {
  began=$(now)
  tenth=0
  shown=0
  while IFS= read -r line; do
    case $line in
      '[0/'*) continue ;;  # looks whether there is something to do
      '['[0-9]*/[0-9]*'] '*) ;;
      *) continue ;;
    esac
    at=${line#?}
    all=${at#*/}
    at=${at%%/*}
    all=${all%%]*}
    percent=$((100 * at / all))
    if [ -t 1 ]; then
      printf '\r  %3d %%, %d of %d, %s ' "$percent" "$at" "$all" "$(clock $(($(now) - began)))"
      shown=1
    elif [ $((percent / 10)) -gt "$tenth" ]; then
      tenth=$((percent / 10))
      printf '  %3d %%, %s\n' "$percent" "$(clock $(($(now) - began)))"
    fi
  done
  [ "$shown" -eq 0 ] || printf '\n'
}

# The first of these programs that is there, or nothing.
first_program() {
  for candidate in "$@"; do
    if [ -x "$candidate" ]; then
      printf '%s' "$candidate"
      return 0
    fi
  done
}

# Targets of a configured preset whose name matches an expression, one a line.
targets_of() {
  ninja -C "build/$1" -t targets all 2>/dev/null | sed -n 's/: phony$//p; s/: .*EXECUTABLE.*$//p' |
    sed 's,.*/,,' | grep -E "$2" | sort -u || true
}

command_build() {
  need build test
  need_npm
  build "${1:-dev}"
}

build_release() {
  need build
  need_npm
  title "building build/release/wave"
  build release wave || die "the build failed: build/release-build.log"
}
