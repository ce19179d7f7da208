#!/bin/sh
# C++ is formatted as .clang-format says. Repair: ./dev format
set -u
git ls-files '*.h' '*.cc' | xargs clang-format-19 --dry-run -Werror 2>&1 |
  grep -E 'error:' | sed 's/: error.*//' | cut -d: -f1 | sort | uniq -c |
  awk '{ print "  " $2 ": " $1 " places; ./dev format repairs them"; bad = 1 } END { exit bad }'
