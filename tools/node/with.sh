#!/bin/sh
# with.sh COMMAND...: runs COMMAND with a node and npm that the packages of web/ support. The machine's own are taken
# if they are new enough; if not, the pinned ones of package-lock.json here, installed below build/node by any npm.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=$root/build/node
least=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' "$root/web/package.json")

# is_new_enough VERSION: at least what web/package.json asks for.
is_new_enough() {
  [ "$(printf '%s\n%s\n' "$least" "$1" | sort -V | head -1)" = "$least" ]
}

install_pinned() {
  command -v npm >/dev/null 2>&1 || {
    echo "node $least or newer is needed, or any npm to get one with: apt-get install nodejs npm" >&2
    exit 1
  }
  mkdir -p "$folder"
  # Two builds may want it at once.
  exec 9>"$folder/lock"
  flock 9
  cmp -s "$here/package-lock.json" "$folder/installed" || {
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
    # Not every npm links a program that is called node.
    mkdir -p "$folder/bin"
    (cd "$folder/bin" && ln -sf ../node_modules/node-linux-*/bin/node ../node_modules/npm/bin/npm-cli.js . &&
      mv npm-cli.js npm)
    cp "$here/package-lock.json" "$folder/installed"
  }
  exec 9>&-
}

if ! command -v npm >/dev/null 2>&1 || ! is_new_enough "$(node --version 2>/dev/null | sed 's/^v//')"; then
  cmp -s "$here/package-lock.json" "$folder/installed" || install_pinned
  PATH=$folder/bin:$PATH
  export PATH
fi
exec "$@"
