#!/usr/bin/env bash
# Brings programs of a newer Debian suite without touching the system: the packages are checked by apt's signatures,
# unpacked apart, and their programs linked into the peers' bin directory. Seconds, where compiling takes minutes.
#
#   debian-newer.sh [-s SUITE] PACKAGE...      SUITE: sid by default
#
# Only programs that need no newer libraries start on an older system; the static Go programs do.
set -euo pipefail

suite=sid
if [ "${1:-}" = -s ]; then suite=$2; shift 2; fi
if [ $# -eq 0 ]; then echo "usage: debian-newer.sh [-s SUITE] PACKAGE..." >&2; exit 2; fi
peers=${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}
state=$peers/debian-$suite
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror is the one that this machine is configured for: the first address whose path ends in /debian.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ') || true
if [ -z "$mirror" ]; then echo "debian-newer.sh: no Debian mirror in the apt sources of this machine" >&2; exit 1; fi
if [ ! -r "$keyring" ]; then echo "debian-newer.sh: expected $keyring (package debian-archive-keyring)" >&2; exit 1; fi

mkdir -p "$peers/bin" "$state/lists/partial" "$state/archives/partial" "$state/root"
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" > "$state/sources.list"
apt=(apt-get -q -o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$state/lists" -o "Dir::Cache::Archives=$state/archives"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! compgen -G "$state/lists/*Packages*" > /dev/null; then "${apt[@]}" update > "$state/update.log" 2>&1 || {
  sed -E 's#//[^/@ ]*@#//…@#' "$state/update.log" | tail -n 5 >&2; exit 1; }
fi

for package in "$@"; do
  stamp=$state/$package.done
  if [ -e "$stamp" ]; then echo "kept       $package $(cat "$stamp")"; continue; fi
  rm -f "$state/archives/${package}"_*.deb
  (cd "$state/archives" && "${apt[@]}" download "$package" > /dev/null)
  archive=$(compgen -G "$state/archives/${package}_*.deb" | head -n 1)
  dpkg-deb -x "$archive" "$state/root"
  dpkg-deb -c "$archive" | awk '$1 ~ /^-..x/ && $6 ~ /^\.\/usr\/s?bin\// { print substr($6, 3) }' | while read -r program; do
    ln -sf "$state/root/$program" "$peers/bin/$(basename "$program")"
  done
  dpkg-deb -f "$archive" Version > "$stamp"
  echo "installed  $package $(cat "$stamp")"
done
