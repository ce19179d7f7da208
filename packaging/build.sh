#!/bin/sh
# build.sh BINARY FOLDER: a .tar.gz and a .deb of a release binary, made without debhelper, and tried out:
# both are unpacked and the program in them is asked for its version. Beside them a list of what is in the program
# (SBOM, SPDX 2.3), and the checksums of all three.
set -eu

binary=$1
folder=$2
version=$("$binary" version | sed 's/^wave //')
machine=$(dpkg --print-architecture 2>/dev/null || uname -m)
name=wave-$version-linux-$machine
root=$(cd "$(dirname "$0")/.." && pwd)

rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
stage=$folder/stage/usr
mkdir -p "$stage/bin" "$stage/share/bash-completion/completions" \
  "$stage/share/zsh/vendor-completions" "$stage/share/fish/vendor_completions.d" \
  "$stage/share/doc/wave"
cp "$binary" "$stage/bin/wave"
strip "$stage/bin/wave" 2>/dev/null || true
"$binary" completion bash >"$stage/share/bash-completion/completions/wave"
"$binary" completion zsh >"$stage/share/zsh/vendor-completions/_wave"
"$binary" completion fish >"$stage/share/fish/vendor_completions.d/wave.fish"
cp "$root/README.md" "$root/LICENSE" "$root/NOTICE" "$stage/share/doc/wave/"
# It starts when somebody enables it: which project it is for, only they know.
mkdir -p "$stage/lib/systemd/system"
cp "$root/packaging/wave.service" "$stage/lib/systemd/system/"
chmod 0644 "$stage/lib/systemd/system/wave.service"

python3 "$root/packaging/sbom.py" "$stage/bin/wave" "$name" >"$folder/$name.spdx.json"

tar -C "$folder/stage" -czf "$folder/$name.tar.gz" --owner=0 --group=0 --transform "s,^usr,$name," usr

if command -v dpkg-deb >/dev/null 2>&1; then
  control=$folder/stage/DEBIAN
  mkdir -p "$control"
  size=$(du -sk "$stage" | cut -f1)
  # Everything but libc is linked into the program.
  libc=$(dpkg-query -W -f='${Version}' libc6 2>/dev/null | sed 's/[-+].*//')
  cat >"$control/control" <<END
Package: wave
Version: $version
Architecture: $machine
Maintainer: The wave project <wave@localhost>
Installed-Size: $size
Depends: libc6 (>= ${libc:-2.36})
Recommends: git
Section: devel
Priority: optional
Description: runs pipelines of coding agents and commands
 A durable engine for pipelines of coding agents: steps in git worktrees, contracts on what they
 produce, gates for people, and a log from which every run goes on after any interruption.
END
  dpkg-deb --root-owner-group --build "$folder/stage" "$folder/wave_${version}_$machine.deb" >/dev/null
fi
rm -rf "$folder/stage"

# What was packed is what runs.
try=$folder/try
mkdir -p "$try"
tar -C "$try" -xzf "$folder/$name.tar.gz"
[ "$("$try/$name/bin/wave" version)" = "wave $version" ]
if [ -f "$folder/wave_${version}_$machine.deb" ]; then
  dpkg-deb -x "$folder/wave_${version}_$machine.deb" "$try/deb"
  [ "$("$try/deb/usr/bin/wave" version)" = "wave $version" ]
fi
rm -rf "$try"

sums=$(cd "$folder" && sha256sum -- *)
printf '%s\n' "$sums" >"$folder/SHA256SUMS"
ls -l "$folder"
