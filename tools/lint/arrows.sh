#!/bin/sh
# Includes run downwards only: cli -> server -> {http, auth, engine}; engine -> {agent, contract, workspace, process, store} ->
# flow -> model -> base. Each room may include itself and the rooms of its line (docs/architecture.md, 2).
set -u

allowed() {
  case $1 in
    base) echo base ;;
    model) echo base model ;;
    process) echo base process ;;
    flow) echo base model flow ;;
    store) echo base model flow store ;;
    workspace | contract | agent) echo base model flow process "$1" ;;
    engine) echo base model flow store process workspace contract agent engine ;;
    http | auth) echo base "$1" ;;
    server) echo base model flow store process workspace contract agent engine http auth server ;;
    cli) echo base model flow store process workspace contract agent engine http auth server cli ;;
    *) echo ;;
  esac
}

bad=0
for folder in src/*/; do
  room=$(basename "$folder")
  may=" $(allowed "$room") "
  [ "$may" != "  " ] || {
    echo "  src/$room: a room that tools/lint/arrows.sh does not know"
    bad=1
    continue
  }
  for file in $(git ls-files "src/$room/*.h" "src/$room/*.cc"); do
    sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u | while read -r used; do
      case $may in
        *" $used "*) ;;
        *) echo "  $file: room $room may not include $used" ;;
      esac
    done
  done
done >build/arrows.txt
[ -s build/arrows.txt ] && bad=1
cat build/arrows.txt

# The pure rooms do no I/O: no system headers that could.
for file in $(git ls-files 'src/flow/*.h' 'src/flow/*.cc'); do
  case $file in *_test.cc | *test_support*) continue ;; esac
  if grep -nE '^#include <(fstream|filesystem|thread|mutex|sys/|unistd|fcntl|random)' "$file" |
    sed "s,^,  $file:,"; then
    :
  fi
done >build/pure.txt
[ -s build/pure.txt ] && {
  cat build/pure.txt
  echo "  flow is pure: no files, threads or randomness"
  bad=1
}
exit $bad
