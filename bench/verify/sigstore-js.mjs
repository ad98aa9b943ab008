// Verifies Sigstore bundles with @sigstore/verify, for comparison: once, or over and over.
//
//   node sigstore-js.mjs ROOT IDENTITY ISSUER SECONDS BUNDLE...      (installed by bench/peers/install.sh sigstore-js)
//
// Each verification starts from the bundle's bytes. The package does not compare the artifact with the statement.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const peers = process.env.TOUCHMARK_PEERS ?? join(homedir(), ".cache", "touchmark-peers");
const require = createRequire(join(peers, "node", "package.json"));
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");

const [root, identity, issuer, seconds, ...names] = process.argv.slice(2);
const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(root, "utf8"))));
const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 1, timestampThreshold: 1 });
const policy = { subjectAlternativeName: identity, extensions: { issuer } };
const bundles = names.map((name) => readFileSync(name));
const one = (bytes) => verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bytes.toString("utf8")))), policy);

for (const bytes of bundles) one(bytes);
if (Number(seconds) > 0) {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < Number(seconds) * 1000) one(bundles[count++ % bundles.length]);
  const perSecond = count / ((performance.now() - start) / 1000);
  console.log(JSON.stringify({ perSecond, peakMiB: process.resourceUsage().maxRSS / 1024 }));
}
