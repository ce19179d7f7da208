#!/bin/sh
# debian13.sh FOLDER: both commands of README, on a Debian 13 that is made in FOLDER from the archive that apt uses.
# For `./dev test` that is its part that depends on the system: the tests, built with preset dev. Run as root; what
# is committed is tried.
set -eu

root=$1
project=$(cd "$(dirname "$0")/../.." && pwd)

# What is mounted goes with the namespace.
if [ "${2:-}" != inside ]; then
  exec unshare --mount --propagation private sh "$0" "$root" inside
fi

if [ ! -f "$root/made" ]; then
  # The fields are apt's, not the shell's.
  # shellcheck disable=SC2016
  archive=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(SITE)' 'Created-By: Packages' |
    sed -n 's/^Debian Debian //p' | head -1)
  [ -n "$archive" ] || {
    echo "apt knows no Debian archive to take Debian 13 from" >&2
    exit 1
  }
  rm -rf "$root"
  mkdir -p "$root"
  echo "making a Debian 13 in $root"
  debootstrap --variant=minbase trixie "$root" "$archive" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log"
    exit 1
  }
  date >"$root/made"
fi

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# Whoever is trusted here is trusted there: registries may be reached by a proxy.
mkdir -p "$root/trust"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/trust/certificates.pem" 2>/dev/null || : >"$root/trust/certificates.pem"
if [ -d "${WAVE_SHARED:-}" ]; then
  mkdir -p "$root/shared"
  mount --bind "$WAVE_SHARED" "$root/shared"
fi

rm -rf "$root/wave"
git -c safe.directory='*' clone -q "$project" "$root/wave"
within() {
  env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${CI:+CI="$CI"} WAVE_SHARED=/shared NODE_EXTRA_CA_CERTS=/trust/certificates.pem SSL_CERT_FILE=/trust/certificates.pem \
    chroot "$root" sh -c "cd /wave && $1"
}
within "./dev run"
within "./dev suites dev"
