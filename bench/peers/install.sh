#!/usr/bin/env bash
# Installs the programs that this project is compared with and that must understand its output, into
# ${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}/bin. What is there is kept. Nothing of the product needs them.
#
#   install.sh [NAME...]    all of them by default: cosign witness in-toto-golang in-toto sigstore-js torchwood
#                         (litewitness) sigsum-go (sigsum-witness) tessera (tessera-fsck, tessera-bench; needs go)
#                         sigstore-go (sigstore-go-bench; needs go, takes minutes; only when named)
#
# Everything comes through the ordinary clients of this machine (apt, pip, npm) and their configuration.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
peers=${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}
mkdir -p "$peers/bin"
bad=0

python_in_toto=3.1.0
sigstore_js=(@sigstore/verify@4.1.3 @sigstore/bundle@5.0.1 @sigstore/protobuf-specs@0.5.2)

in_toto() {
  if [ -x "$peers/bin/in-toto-verify" ]; then echo "kept       in-toto (Python) $python_in_toto"; return; fi
  python3 -m venv "$peers/python" &&
    "$peers/python/bin/pip" install --quiet --disable-pip-version-check "in-toto==$python_in_toto" || return 1
  for program in in-toto-run in-toto-verify in-toto-sign in-toto-record; do
    ln -sf "$peers/python/bin/$program" "$peers/bin/$program"
  done
  echo "installed  in-toto (Python) $python_in_toto"
}

sigstore_javascript() {
  local stamp=$peers/node/.installed
  if [ "$(cat "$stamp" 2>/dev/null)" = "${sigstore_js[*]}" ]; then echo "kept       ${sigstore_js[*]}"; return; fi
  mkdir -p "$peers/node"
  printf '{"private":true}\n' > "$peers/node/package.json"
  npm install --prefix "$peers/node" --ignore-scripts --no-audit --no-fund --loglevel=error "${sigstore_js[@]}" > /dev/null || return 1
  printf '%s' "${sigstore_js[*]}" > "$stamp"
  echo "installed  ${sigstore_js[*]}"
}

sigstore_go_version=v1.3.0
sigstore_go() {
  local stamp=$peers/sigstore-go.installed module
  if [ "$(cat "$stamp" 2>/dev/null)" = "$sigstore_go_version" ]; then echo "kept       sigstore-go $sigstore_go_version"; return; fi
  command -v go > /dev/null || { echo "skipped    sigstore-go: go is not installed"; return; }
  module=$(mktemp -d)
  (cd "$module" && cp "$here/../verify/sigstore-go/main.go" . && go mod init peer &&
    go get "github.com/sigstore/sigstore-go@$sigstore_go_version" && go mod tidy &&
    CGO_ENABLED=0 go build -mod=mod -o "$peers/bin/sigstore-go-bench" .) > /dev/null 2>&1 ||
    { rm -rf "$module"; return 1; }
  rm -rf "$module"
  printf '%s' "$sigstore_go_version" > "$stamp"
  echo "installed  sigstore-go (sigstore-go-bench) $sigstore_go_version"
}

tessera_version=v1.0.4
tessera() {
  local stamp=$peers/tessera.installed module
  if [ "$(cat "$stamp" 2>/dev/null)" = "$tessera_version" ]; then echo "kept       tessera-fsck $tessera_version"; return; fi
  command -v go > /dev/null || { echo "skipped    tessera-fsck: go is not installed"; return; }
  module=$(mktemp -d)
  (cd "$module" && go mod init peer && go get "github.com/transparency-dev/tessera@$tessera_version" &&
    CGO_ENABLED=0 go build -mod=mod -o "$peers/bin/tessera-fsck" github.com/transparency-dev/tessera/cmd/fsck &&
    mkdir bench && cp "$here/../log/tessera/main.go" bench/ &&
    CGO_ENABLED=0 go build -mod=mod -o "$peers/bin/tessera-bench" ./bench) > /dev/null 2>&1 ||
    { rm -rf "$module"; return 1; }
  rm -rf "$module"
  printf '%s' "$tessera_version" > "$stamp"
  echo "installed  tessera-fsck, tessera-bench $tessera_version"
}

if [ $# -eq 0 ]; then set -- cosign witness in-toto-golang in-toto sigstore-js torchwood sigsum-go tessera; fi
for name in "$@"; do
  case $name in
    cosign | witness | in-toto-golang | torchwood | sigsum-go) "$here/debian-newer.sh" "$name" ;;
    in-toto) in_toto ;;
    tessera) tessera ;;
    sigstore-go) sigstore_go ;;
    sigstore-js) sigstore_javascript ;;
    *) echo "install.sh: no such peer: $name" >&2; exit 2 ;;
  esac || { echo "failed     $name" >&2; bad=1; }
done
exit $bad
