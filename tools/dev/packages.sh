# shellcheck shell=sh
# Installs what is missing of tools/dev/packages.txt.

# rows_of SET...: the rows of these sets, each the names that one package goes by.
rows_of() {
  for set in "$@"; do
    sed -n "s/^$set  *//p" tools/dev/packages.txt
  done
}

# missing_rows SET...: rows of which nothing is installed. One question to dpkg for all of them.
missing_rows() {
  # A list of names.
  # shellcheck disable=SC2046
  installed=" $(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $(rows_of "$@") 2>/dev/null |
    sed -n 's/^ii *//p' | tr '\n' ' ')"
  rows_of "$@" | while read -r row; do
    for name in $row; do
      case $installed in *" $name "*) continue 2 ;; esac
    done
    printf '%s\n' "$row"
  done
}

# The first name of a row that apt has a package for.
offered_name() {
  for name in "$@"; do
    if LC_ALL=C apt-cache policy "$name" 2>/dev/null | grep -q '^ *Candidate: [^(]'; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "not root, and there is no sudo: run as root: $*"
  fi
}

# need SET...: installs what is missing of these sets, and says so.
need() {
  command -v dpkg-query >/dev/null 2>&1 || {
    say "dev: this is not a Debian; the packages of tools/dev/packages.txt must be there by other means"
    return 0
  }
  missing=$(missing_rows "$@")
  [ -n "$missing" ] || return 0
  as_root apt-get update -qq
  chosen=$(printf '%s\n' "$missing" | while read -r row; do
    # shellcheck disable=SC2086
    offered_name $row || say "dev: apt offers none of: $row" >&2
  done)
  [ "$(printf '%s\n' "$chosen" | grep -c .)" -eq "$(printf '%s\n' "$missing" | grep -c .)" ] ||
    die "packages are missing (see above). Tried on Debian 12; add the names that your system uses to tools/dev/packages.txt"
  title "installing $(printf '%s' "$chosen" | tr '\n' ' ')"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $chosen
}

# Whatever npm there is, else the distribution's.
need_npm() {
  command -v npm >/dev/null 2>&1 || need node
}

# Puts a node that is new enough first in PATH, for all that follows.
use_node() {
  need_npm
  PATH=$(sh tools/node/with.sh printenv PATH)
  export PATH
}
