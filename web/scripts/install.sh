#!/bin/sh
# install.sh STAMP: npm ci, unless what is there was installed from this very lock file.
set -eu
stamp=$1
sum=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat node_modules/.wave-lock 2>/dev/null || true)" != "$sum" ]; then
  npm ci --ignore-scripts --no-audit --no-fund
  printf '%s' "$sum" >node_modules/.wave-lock
fi
printf '%s' "$sum" >"$stamp"
