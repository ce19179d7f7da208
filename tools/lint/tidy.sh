#!/bin/sh
# tidy.sh BUILD short|full [FILE...]: clang-tidy over the product's files (no tests), or these. The short
# list finds what is nearly always a mistake and is cheap to look for, and is what CI runs; the full one
# is for ./dev check. WAVE_TIDY_JOBS: how many at a time.
set -u
build=$1
list=$2
shift 2
short='-*,bugprone-use-after-move,bugprone-dangling-handle,bugprone-unused-raii,bugprone-infinite-loop,
bugprone-string-constructor,bugprone-sizeof-expression,bugprone-unhandled-self-assignment,
performance-for-range-copy,performance-unnecessary-copy-initialization,performance-move-const-arg,
misc-throw-by-value-catch-by-reference'
full="$short,bugprone-*,performance-*,misc-unused-using-decls,clang-analyzer-cplusplus.*,
-bugprone-easily-swappable-parameters,-performance-enum-size,-bugprone-unchecked-optional-access,-bugprone-exception-escape"
case $list in
  short) checks=$short ;;
  full) checks=$full ;;
  *) exit 2 ;;
esac
commands=$build/compile_commands.json
[ -f "$commands" ] || {
  echo "  no compile_commands.json in $build"
  exit 1
}
checks=$(printf '%s' "$checks" | tr -d '\n')
mkdir -p build/tidy
tidy=$(cd build/tidy && pwd)

# Reading the headers is a third of the work: they are precompiled once, in the way clang-tidy wants them
# (it defines __clang_analyzer__). Without that it reads them for each file.
precompile=$(sed -n 's/^ *"command": "\(.*cmake_pch\.hxx\.pch\) -c .*",$/\1/p' "$commands" | head -1)
header=$(printf '%s' "$precompile" | sed -n 's/.*-include -Xclang \([^ ]*cmake_pch\.hxx\).*/\1/p')
precompile=$(printf '%s' "$precompile" | sed 's/ -o [^ ]*$//')
# The command is a list of words.
# shellcheck disable=SC2086
if [ -n "$precompile" ] && (cd "$build" &&
  $precompile -Xclang -setup-static-analyzer -o "$tidy/wave.pch" -c "$header.cxx") >"$tidy/pch.txt" 2>&1; then
  sed -E "s,(-Xclang -include-pch -Xclang )[^ ]+\.pch,\1$tidy/wave.pch,g; s/-Winvalid-pch//g" \
    "$commands" >"$tidy/compile_commands.json"
else
  sed -E 's/-Xclang -include-pch -Xclang [^ ]+\.pch//g; s/-Winvalid-pch//g; s/-Xclang -fno-pch-timestamp//g' \
    "$commands" >"$tidy/compile_commands.json"
fi

# The batches that the build compiles: their headers are read once for all of a batch. What is found in a source
# counts, although to clang-tidy it is one more header of the batch.
product() {
  sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$commands" | grep -E 'wave_[a-z]+\.dir/Unity/|/src/[^"]*\.cc$' | grep -vE '_test\.|/tests/'
}
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else product; fi |
  xargs -P "${WAVE_TIDY_JOBS:-$(nproc)}" -n 1 clang-tidy-19 -p "$tidy" --quiet --warnings-as-errors='*' \
    --header-filter="$(pwd)/src/.*\.cc$" --checks="$checks" >"$tidy/report.txt" 2>"$tidy/stderr.txt"
code=$?
grep -E '(warning|error):' "$tidy/report.txt" | sort -u | head -50
[ "$code" -eq 0 ] || grep -E 'error:' "$tidy/stderr.txt" | head -5
exit $code
