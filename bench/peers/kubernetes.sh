#!/usr/bin/env bash
# Builds etcd, kube-apiserver and kubectl from their Go modules into ${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}/bin,
# for the tests of admission: one program of three names. What is there is kept. Cold it compiles for four minutes on two
# quiet cores and takes some 400 CPU seconds; without it those tests are skipped.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
peers=${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}
module=k8s.io/kubernetes
stamp=$peers/kubernetes.installed
mkdir -p "$peers/bin"

command -v go > /dev/null || { echo "skipped    kubernetes: go is not installed"; exit 0; }
cd "$here/kubernetes" || exit 1
version=$(awk -v module="$module" '$1 == "require" && $2 == module { print $3 }' go.mod)
if [ "$(cat "$stamp" 2> /dev/null)" = "$version" ] && [ -x "$peers/bin/kubernetes" ]; then
  echo "kept       kubernetes $version"
  exit 0
fi
minor=${version#v1.} minor=${minor%%.*}
flags='-s -w'
# A build that does not say its version is refused by the server itself.
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
done
CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -ldflags "$flags" -o "$peers/bin/kubernetes" . || exit 1
for name in etcd kube-apiserver kubectl; do ln -sf kubernetes "$peers/bin/$name"; done
printf '%s' "$version" > "$stamp"
echo "installed  kubernetes $version (etcd, kube-apiserver, kubectl)"
