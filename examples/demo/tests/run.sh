#!/bin/sh
# The project's tests: each line of tests/cases is "expected<TAB>arguments".
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
passed=0
tab=$(printf '\t')
while IFS="$tab" read -r expected arguments; do
  [ -n "$expected" ] || continue
  # The arguments of a case are words.
  # shellcheck disable=SC2086
  got=$(sh bin/greet $arguments 2>&1)
  if [ "$got" = "$expected" ]; then
    passed=$((passed + 1))
  else
    echo "FAIL: greet $arguments: expected '$expected', got '$got'"
    failed=$((failed + 1))
  fi
done <tests/cases
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
