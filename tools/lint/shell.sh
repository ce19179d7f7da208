#!/bin/sh
# Every shell script of the project passes shellcheck; parts that ./dev reads are looked at together with it.
set -u
scripts=$(git ls-files | while read -r file; do
  case $file in
    *.sh) head -n 1 "$file" | grep -q '^# shellcheck shell=' || echo "$file" ;;
    *) [ -f "$file" ] && head -c 64 "$file" 2>/dev/null | head -1 | tr -d '\0' |
      grep -qE '^#!/bin/(ba)?sh' && echo "$file" ;;
  esac
done)
# A list of file names without blanks.
# shellcheck disable=SC2086
exec shellcheck --external-sources --check-sourced $scripts
