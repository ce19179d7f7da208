#!/bin/sh
# run.sh BINARY FOLDER: Schemathesis, bounded and with a fixed seed, against a real server of a small project.
# FOLDER keeps its environment between runs. Exit code 77: it could not be installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
mkdir -p "$2"
folder=$(cd "$2" && pwd)
venv=$folder/venv

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  rm -rf "$venv"
  { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check \
    -r "$here/requirements.txt"; } >"$folder/install.log" 2>&1 || {
    tail -n 20 "$folder/install.log" >&2
    rm -rf "$venv"
    exit 77
  }
  cp "$here/requirements.txt" "$venv/installed.txt"
fi

work=$(mktemp -d)
server=
# The server first: what it runs is in the folder that goes.
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

project=$work/project
mkdir -p "$project/.agents/pipelines" "$project/.agents/personas" "$project/.agents/contracts"
cat >"$project/wave.yaml" <<'END'
apiVersion: v1
kind: WaveManifest
metadata: {name: project}
adapters:
  scripted: {binary: wave, mode: headless}
personas:
  worker: {adapter: scripted, system_prompt_file: .agents/personas/worker.md}
runtime: {workspace_root: .agents/workspaces}
server:
  webhooks:
    - {name: issues, provider: generic, secret: "${HOOK_SECRET}", events: [push], pipeline: hello}
END
echo 'You do what you are told.' >"$project/.agents/personas/worker.md"
echo '{"type": "object"}' >"$project/.agents/contracts/shape.json"
pipeline() {
  printf 'kind: WavePipeline\nmetadata: {name: %s}\nsteps:\n%s\n' "$1" "$2" \
    >"$project/.agents/pipelines/$1.yaml"
}
pipeline hello '  - id: greet
    type: command
    workspace: {type: worktree}
    script: "mkdir -p .agents/output; echo hello | tee NEWS.md .agents/output/g.txt"
    output_artifacts: [{name: greeting, path: .agents/output/g.txt, type: text}]'
pipeline ask '  - {id: ask, gate: {type: approval, prompt: "Well?", freeform: true, choices: [{label: Yes, key: "yes"}]}}'
pipeline broken '  - {id: fails, type: command, script: "exit 3"}'
(
  cd "$project"
  git init -q -b main
  git add -A
  git -c user.name=test -c user.email=test@localhost commit -q -m begin
)

cd "$project"
: >"$work/out"
HOOK_SECRET=0123456789abcdef0123456789abcdef WAVE_VALIDATE_RESPONSES=1 \
  "$binary" serve --port 0 --json >"$work/out" 2>"$work/err" &
server=$!
tries=0
until grep -q '"url"' "$work/out"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null; then
    cat "$work/err" >&2
    exit 1
  fi
  sleep 0.1
done
url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$work/out")

submit() {
  curl -sS --fail-with-body -X POST "$url/api/runs" -H 'Content-Type: application/json' \
    -d "{\"pipeline\":\"$1\"}" | sed 's/.*"run_id":"\([^"]*\)".*/\1/'
}
runs=$(submit hello) && runs="$runs $(submit ask)" && runs="$runs $(submit broken)"
for run in $runs; do
  tries=0
  until curl -sS "$url/api/runs/$run" | grep -qE '"status":"(completed|waiting|failed)"'; do
    tries=$((tries + 1))
    [ "$tries" -le 300 ] || exit 1
    sleep 0.1
  done
done

# Runs and words, one quoted word a line.
words() { printf '"%s"\n' "$@"; }
# shellcheck disable=SC2086
words $runs >"$work/runs"
words greet ask fails >"$work/steps"
words hello worker shape greeting issues >"$work/names"
sed -e "s,\"RUNS\",\"$work/runs\"," -e "s,\"STEPS\",\"$work/steps\"," -e "s,\"NAMES\",\"$work/names\"," \
  "$here/schemathesis.toml" >"$work/schemathesis.toml"
cd "$work"
code=0
NO_COLOR=1 PYTHONDONTWRITEBYTECODE=1 timeout 900 "$venv/bin/schemathesis" --config-file "$work/schemathesis.toml" \
  run "$url/api/openapi.json" >"$folder/run.log" 2>&1 || code=$?
grep -A2 'Test cases:' "$folder/run.log" || true
if [ "$code" -ne 0 ]; then
  head -c 20000 "$folder/run.log"
  echo "all of it: $folder/run.log"
fi

# Whatever was sent: the server lives, contradicts its document nowhere, and ends as it should.
curl -sS --fail "$url/api/health" >/dev/null || code=1
if grep -nE 'with something else than it promises|Sanitizer|runtime error' "$work/err"; then code=1; fi
kill -TERM "$server"
ended=0
wait "$server" || ended=$?
server=
if [ "$ended" -ne 0 ]; then
  echo "the server ended with $ended"
  tail -n 40 "$work/err"
  code=1
fi
exit "$code"
