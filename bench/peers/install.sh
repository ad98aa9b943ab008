#!/usr/bin/env bash
# Installs the programs that this project is compared with and that must understand its output, into
# ${TOUCHMARK_PEERS:-$HOME/.cache/touchmark-peers}/bin. What is there is kept. Nothing of the product needs them.
#
#   install.sh [NAME...]    all of them by default: cosign witness in-toto-golang in-toto sigstore-js torchwood
#                         (litewitness) sigsum-go (sigsum-witness) tessera (tessera-fsck, tessera-bench; needs go)
#                         clients (package managers of JavaScript and Python, into clients/; live tests run them)
#                         proxies (Verdaccio, devpi, for the benchmark of materials; only when named)
#                         crane oras notation containerd (clients of registries, and a runtime)
#                         versitygw (object storage; needs go)
#                         conformance (oci-conformance: the distribution specification's own suite; needs go and git)
#                         registries (distribution, regctl; needs go)
#                         syft grype osv-scanner (catalogues and scanners; need go, compile for minutes; only when named)
#                         cdxgen (and cyclonedx-npm; only when named)
#                         sigstore-go (sigstore-go-bench; needs go, takes minutes; only when named)
#                         cel (evaluators of CEL that ours is timed against; only when named)
#                         opa (the engine that ours is timed against; needs go, takes minutes; only when named)
#                         slsa-verifier (reads our verification summaries; needs go)
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

client_packages=(pnpm-10@npm:pnpm@10.34.9 pnpm-11@npm:pnpm@11.28.11 pnpm-12@npm:pnpm@12.21.0
  yarn-classic@npm:yarn@1.22.22 yarn-berry@npm:@yarnpkg/cli-dist@4.18.1 npm@11.19.1)
client_wheels=(pip==26.0.1 uv==0.13.9 poetry==2.5.1)

# Python's come into an environment of the system's own Python where there is one: sandboxes see that, and no other.
clients() {
  local to=$peers/clients stamp=$peers/clients/.installed python=/usr/bin/python3
  if [ "$(cat "$stamp" 2>/dev/null)" = "${client_packages[*]} ${client_wheels[*]}" ]; then
    echo "kept       ${client_packages[*]} ${client_wheels[*]}"
    return
  fi
  [ -x "$python" ] || python=python3
  rm -rf "$to" && mkdir -p "$to/node" &&
    printf '{"private":true}\n' > "$to/node/package.json" &&
    npm install --prefix "$to/node" --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error \
      "${client_packages[@]}" > /dev/null &&
    "$python" -m venv "$to/python" &&
    "$to/python/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "${client_wheels[@]}" &&
    printf '%s' "${client_packages[*]} ${client_wheels[*]}" > "$stamp" || return 1
  echo "installed  ${client_packages[*]} ${client_wheels[*]}"
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

verdaccio_version=6.10.4 devpi_version=6.20.3
# The override repairs a dependency of Verdaccio that is asked for by a tag.
proxies() {
  local stamp=$peers/proxies/.installed
  if [ "$(cat "$stamp" 2>/dev/null)" = "$verdaccio_version $devpi_version" ]; then
    echo "kept       Verdaccio $verdaccio_version, devpi $devpi_version"
    return
  fi
  rm -rf "$peers/proxies" && mkdir -p "$peers/proxies/npm" &&
    printf '{"private":true,"dependencies":{"verdaccio":"%s"},"overrides":{"node-fetch":"2.7.0"}}\n' "$verdaccio_version" \
      > "$peers/proxies/npm/package.json" &&
    npm install --prefix "$peers/proxies/npm" --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null &&
    python3 -m venv "$peers/proxies/python" &&
    "$peers/proxies/python/bin/pip" install --quiet --disable-pip-version-check "devpi-server==$devpi_version" || return 1
  ln -sf "$peers/proxies/npm/node_modules/.bin/verdaccio" "$peers/bin/verdaccio"
  for program in devpi-server devpi-init; do
    ln -sf "$peers/proxies/python/bin/$program" "$peers/bin/$program"
  done
  printf '%s' "$verdaccio_version $devpi_version" > "$stamp"
  echo "installed  Verdaccio $verdaccio_version, devpi $devpi_version"
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

# Storage that speaks S3, for the tests of the registry's backend.
versitygw_version=v1.8.0
versitygw() {
  local stamp=$peers/versitygw.installed
  if [ "$(cat "$stamp" 2>/dev/null)" = "$versitygw_version" ]; then echo "kept       versitygw $versitygw_version"; return; fi
  command -v go > /dev/null || { echo "skipped    versitygw: go is not installed"; return; }
  (cd / && CGO_ENABLED=0 GOBIN=$peers/bin go install "github.com/versity/versitygw/cmd/versitygw@$versitygw_version") \
    > /dev/null 2>&1 || return 1
  printf '%s' "$versitygw_version" > "$stamp"
  echo "installed  versitygw $versitygw_version"
}

# The suite of the distribution specification, which no package registry carries.
conformance_version=v1.1.1
conformance() {
  local stamp=$peers/oci-conformance.installed clone
  if [ "$(cat "$stamp" 2>/dev/null)" = "$conformance_version" ]; then echo "kept       oci-conformance $conformance_version"; return; fi
  command -v go > /dev/null || { echo "skipped    oci-conformance: go is not installed"; return; }
  clone=$(mktemp -d)
  (git clone -q --depth 1 -b "$conformance_version" https://github.com/opencontainers/distribution-spec "$clone" &&
    cd "$clone/conformance" && CGO_ENABLED=0 go test -c -o "$peers/bin/oci-conformance" .) > /dev/null 2>&1 || {
    rm -rf "$clone"; echo "skipped    oci-conformance: its repository cannot be cloned here"; return; }
  rm -rf "$clone"
  printf '%s' "$conformance_version" > "$stamp"
  echo "installed  oci-conformance $conformance_version"
}

distribution_version=v3.1.2 regctl_version=v0.11.7
# distribution (registry), to compare with and to be a client of; regctl, a client of ours.
registries() {
  local stamp=$peers/registries.installed
  if [ "$(cat "$stamp" 2>/dev/null)" = "$distribution_version $regctl_version" ]; then
    echo "kept       distribution $distribution_version, regctl $regctl_version"
    return
  fi
  command -v go > /dev/null || { echo "skipped    registries: go is not installed"; return; }
  (cd / && export GOBIN=$peers/bin CGO_ENABLED=0 &&
    go install "github.com/distribution/distribution/v3/cmd/registry@$distribution_version" &&
    go install "github.com/regclient/regclient/cmd/regctl@$regctl_version") > /dev/null 2>&1 || return 1
  printf '%s' "$distribution_version $regctl_version" > "$stamp"
  echo "installed  distribution $distribution_version, regctl $regctl_version"
}

# A program written in Go: NAME PACKAGE VERSION.
go_program() {
  local stamp=$peers/$1.installed
  if [ "$(cat "$stamp" 2>/dev/null)" = "$3" ] && [ -x "$peers/bin/$1" ]; then echo "kept       $1 $3"; return; fi
  command -v go > /dev/null || { echo "skipped    $1: go is not installed"; return; }
  (cd / && CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' GOBIN=$peers/bin go install -ldflags '-s -w' "$2@$3") \
    > /dev/null 2>&1 || return 1
  printf '%s' "$3" > "$stamp"
  echo "installed  $1 $3"
}

# Built in a copy of the module: it does not install by version.
slsa_verifier_version=v2.7.1
slsa_verifier() {
  local stamp=$peers/slsa-verifier.installed module=github.com/slsa-framework/slsa-verifier/v2 from copy
  if [ "$(cat "$stamp" 2>/dev/null)" = "$slsa_verifier_version" ]; then echo "kept       slsa-verifier $slsa_verifier_version"; return; fi
  command -v go > /dev/null || { echo "skipped    slsa-verifier: go is not installed"; return; }
  from=$(cd / && go mod download -json "$module@$slsa_verifier_version" | sed -n 's/^\t*"Dir": "\(.*\)",*$/\1/p')
  [ -d "$from" ] || return 1
  copy=$(mktemp -d)
  cp -r "$from/." "$copy" && chmod -R u+w "$copy" &&
    CGO_ENABLED=0 go build -C "$copy" -trimpath -ldflags='-s -w' -o "$peers/bin/slsa-verifier" ./cli/slsa-verifier > /dev/null 2>&1 ||
    { rm -rf "$copy"; return 1; }
  rm -rf "$copy"
  printf '%s' "$slsa_verifier_version" > "$stamp"
  echo "installed  slsa-verifier $slsa_verifier_version"
}

cel_packages=(@bufbuild/cel@0.6.1 @marcbachmann/cel-js@8.0.0)
cel() {
  local to=$peers/cel stamp=$peers/cel/.installed
  if [ "$(cat "$stamp" 2>/dev/null)" = "${cel_packages[*]}" ]; then echo "kept       ${cel_packages[*]}"; return; fi
  rm -rf "$to" && mkdir -p "$to" && printf '{"private":true}\n' > "$to/package.json" &&
    npm install --prefix "$to" --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error "${cel_packages[@]}" > /dev/null || return 1
  printf '%s' "${cel_packages[*]}" > "$stamp"
  echo "installed  ${cel_packages[*]}"
}

cdxgen_packages=(@cyclonedx/cdxgen@12.8.4 @cyclonedx/cyclonedx-npm@6.0.1)
cdxgen() {
  local to=$peers/cdxgen stamp=$peers/cdxgen/.installed program
  if [ "$(cat "$stamp" 2>/dev/null)" = "${cdxgen_packages[*]}" ]; then echo "kept       ${cdxgen_packages[*]}"; return; fi
  rm -rf "$to" && mkdir -p "$to" && printf '{"private":true}\n' > "$to/package.json" &&
    npm install --prefix "$to" --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error "${cdxgen_packages[@]}" > /dev/null || return 1
  for program in cdxgen cyclonedx-npm; do ln -sf "$to/node_modules/.bin/$program" "$peers/bin/$program"; done
  printf '%s' "${cdxgen_packages[*]}" > "$stamp"
  echo "installed  ${cdxgen_packages[*]}"
}

if [ $# -eq 0 ]; then set -- crane oras notation containerd versitygw registries conformance cosign witness in-toto-golang in-toto sigstore-js torchwood sigsum-go tessera clients; fi
for name in "$@"; do
  case $name in
    cosign | witness | in-toto-golang | torchwood | sigsum-go | crane | oras | notation | containerd) "$here/debian-newer.sh" "$name" ;;
    in-toto) in_toto ;;
    clients) clients ;;
    proxies) proxies ;;
    tessera) tessera ;;
    versitygw) versitygw ;;
    conformance) conformance ;;
    registries) registries ;;
    syft) go_program syft github.com/anchore/syft/cmd/syft v1.52.0 ;;
    grype) go_program grype github.com/anchore/grype/cmd/grype v0.115.0 ;;
    # Newer ones want a newer Go.
    osv-scanner) go_program osv-scanner github.com/google/osv-scanner/v2/cmd/osv-scanner v2.5.0 ;;
    cdxgen) cdxgen ;;
    cel) cel ;;
    sigstore-go) sigstore_go ;;
    opa) go_program opa github.com/open-policy-agent/opa v1.22.0 ;;
    slsa-verifier) slsa_verifier ;;
    sigstore-js) sigstore_javascript ;;
    *) echo "install.sh: no such peer: $name" >&2; exit 2 ;;
  esac || { echo "failed     $name" >&2; bad=1; }
done
exit $bad
