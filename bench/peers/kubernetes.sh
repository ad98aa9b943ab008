#!/usr/bin/env bash
# Builds what admission is tested against from Go modules into ${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}/bin.
# What is there is kept; tests whose programs are missing are skipped.
#
#   kubernetes.sh [NAME...]    kubernetes (etcd, kube-apiserver, kubectl as one program of three names; cold it compiles
#                              for four minutes on two quiet cores, some 400 CPU seconds): the default
#                              gatekeeper (and its custom resources, into gatekeeper/; some 300 CPU seconds; only when named)
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
peers=${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}
mkdir -p "$peers/bin"
bad=0
command -v go > /dev/null || { echo "skipped    $*: go is not installed"; exit 0; }
export CGO_ENABLED=0

kubernetes() {
  local stamp=$peers/kubernetes.installed version minor flags='-s -w' package name
  cd "$here/kubernetes" || return 1
  version=$(awk '$1 == "require" && $2 == "k8s.io/kubernetes" { print $3 }' go.mod)
  if [ "$(cat "$stamp" 2> /dev/null)" = "$version" ] && [ -x "$peers/bin/kubernetes" ]; then echo "kept       kubernetes $version"; return; fi
  minor=${version#v1.} minor=${minor%%.*}
  # A server that does not know its version serves no stable API.
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  done
  go build -mod=readonly -trimpath -buildvcs=false -ldflags "$flags" -o "$peers/bin/kubernetes" . || return 1
  for name in etcd kube-apiserver kubectl; do ln -sf kubernetes "$peers/bin/$name"; done
  printf '%s' "$version" > "$stamp"
  echo "installed  kubernetes $version (etcd, kube-apiserver, kubectl)"
}

gatekeeper_version=v3.23.1
gatekeeper() {
  local stamp=$peers/gatekeeper.installed module=github.com/open-policy-agent/gatekeeper/v3 sources
  if [ "$(cat "$stamp" 2> /dev/null)" = "$gatekeeper_version" ]; then echo "kept       gatekeeper $gatekeeper_version"; return; fi
  cd / || return 1
  GOBIN=$peers/bin go install -trimpath -buildvcs=false -ldflags '-s -w' "$module@$gatekeeper_version" || return 1
  sources=$(go mod download -json "$module@$gatekeeper_version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  rm -rf "$peers/gatekeeper" && mkdir -p "$peers/gatekeeper" &&
    cp "$sources"/charts/gatekeeper/crds/*.yaml "$peers/gatekeeper/" && chmod -R u+w "$peers/gatekeeper" || return 1
  printf '%s' "$gatekeeper_version" > "$stamp"
  echo "installed  gatekeeper $gatekeeper_version"
}

if [ $# -eq 0 ]; then set -- kubernetes; fi
for name in "$@"; do
  case $name in
    kubernetes | gatekeeper) "$name" ;;
    *) echo "kubernetes.sh: no such peer: $name" >&2; exit 2 ;;
  esac || { echo "failed     $name" >&2; bad=1; }
done
exit $bad
