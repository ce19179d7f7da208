#!/bin/sh
# tidy.sh BUILD short|full: clang-tidy over the product's files (no tests). The short list finds what is
# nearly always a mistake, and is what CI runs; the full one is for ./dev check.
set -u
build=$1
short='-*,bugprone-use-after-move,bugprone-dangling-handle,bugprone-unused-raii,bugprone-infinite-loop,
bugprone-undelegated-constructor,bugprone-string-constructor,bugprone-sizeof-expression,
bugprone-unhandled-self-assignment,performance-for-range-copy,performance-unnecessary-copy-initialization,
performance-move-const-arg,misc-throw-by-value-catch-by-reference,misc-unused-using-decls'
full="$short,clang-analyzer-cplusplus.*,bugprone-*,performance-*,-bugprone-easily-swappable-parameters,-performance-enum-size,
-bugprone-unchecked-optional-access,-bugprone-exception-escape"
case $2 in
  short) checks=$short ;;
  full) checks=$full ;;
  *) exit 2 ;;
esac
[ -f "$build/compile_commands.json" ] || {
  echo "  no compile_commands.json in $build"
  exit 1
}
checks=$(printf '%s' "$checks" | tr -d '\n')
# The precompiled header was made for the compiler's own flags: tidy reads the sources without it.
mkdir -p build/tidy
sed -E 's/-Xclang -include-pch -Xclang [^ ]+\.pch//g; s/-Winvalid-pch//g; s/-Xclang -fno-pch-timestamp//g' \
  "$build/compile_commands.json" >build/tidy/compile_commands.json
git ls-files 'src/*.cc' | grep -v '_test\.cc$' |
  xargs -P "${WAVE_TIDY_JOBS:-2}" -n 8 clang-tidy-19 -p build/tidy --quiet --warnings-as-errors='*' --checks="$checks" \
    >build/tidy/report.txt 2>build/tidy/stderr.txt
code=$?
grep -E '(warning|error):' build/tidy/report.txt | sort -u | head -50
exit $code
