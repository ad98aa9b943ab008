#!/bin/sh
# Makes $TOUCHMARK_OUTPUT/root from the packages in /work/packages/NAME: unpacked in the order of their names, nothing of
# theirs executed; then hardened. The same packages give the same files.
set -eu
name=$1
root="$TOUCHMARK_OUTPUT/root"
info="$root/var/lib/dpkg/info"
control=$(mktemp -d)
umask 022

# Merged /usr, as Debian has it: the links come before what is unpacked through them.
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$info"
for place in bin sbin lib lib64; do ln -s "usr/$place" "$root/$place"; done

: > "$root/var/lib/dpkg/status"
for package in "/work/packages/$name"/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink --no-same-owner -C "$root"
  rm -rf "$control/DEBIAN" && dpkg-deb -e "$package" "$control/DEBIAN"
  which=$(sed -n 's/^Package: //p' "$control/DEBIAN/control")
  # What scanners read: the package database, as if each had been configured.
  sed 's/^\(Package: .*\)$/\1\nStatus: install ok installed/' "$control/DEBIAN/control" >> "$root/var/lib/dpkg/status"
  echo >> "$root/var/lib/dpkg/status"
  dpkg-deb --fsys-tarfile "$package" | tar -t | sed 's,^\./,/,; s,\(.\)/$,\1,' > "$info/$which.list"
  [ ! -f "$control/DEBIAN/md5sums" ] || cp "$control/DEBIAN/md5sums" "$info/$which.md5sums"
done

# What maintainer scripts would have done, as far as builds need it.
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
mkdir -p "$root/etc/ssl/certs"
find "$root/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat > "$root/etc/ssl/certs/ca-certificates.crt"
[ -e "$root/usr/bin/awk" ] || ln -s gawk "$root/usr/bin/awk"
[ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
[ ! -e "$root/usr/bin/gcc" ] || [ -e "$root/usr/bin/cc" ] || ln -s gcc "$root/usr/bin/cc"
[ ! -e "$root/usr/bin/g++" ] || [ -e "$root/usr/bin/c++" ] || ln -s g++ "$root/usr/bin/c++"

# Hardened and small: no setuid, no documentation but licences, no caches, no logs.
find "$root" -perm /6000 -exec chmod u-s,g-s {} +
rm -rf "$root/usr/share/man" "$root/usr/share/info" "$root/usr/share/locale" "$root/usr/share/lintian" \
  "$root/var/cache" "$root/var/log" "$root/var/lib/apt"
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -type l ! -name copyright -delete
find "$root/usr/share/doc" -type d -empty -delete
mkdir -p "$root/tmp" "$root/run" "$root/var/tmp" "$root/work" "$root/home" "$root/proc" "$root/dev" "$root/sys"
