/**
 * Verifies bundles with `verifyBundle`, over and over, as the programs beside this one do with other libraries.
 *
 *   node touchmark.ts ROOT ARTIFACT IDENTITY ISSUER SECONDS BUNDLE...
 */
import { readFileSync } from "node:fs";
import { prepareExpectations, readTrustRoot, verifyBundle } from "@touchmark/verify";

const [root = "", artifact = "", identity = "", issuer = "", seconds = "1", ...names] = process.argv.slice(2);
const trustRoot = readTrustRoot(readFileSync(root));
const expected = prepareExpectations({ artifact: readFileSync(artifact), identity, issuer });
const bundles = names.map((name) => readFileSync(name));

for (const bytes of bundles) verifyBundle(bytes, trustRoot, expected);
const start = performance.now();
let count = 0;
while (performance.now() - start < Number(seconds) * 1000) {
  verifyBundle(bundles[count++ % bundles.length] as Buffer, trustRoot, expected);
}
const perSecond = count / ((performance.now() - start) / 1000);
console.log(JSON.stringify({ perSecond, peakMiB: process.resourceUsage().maxRSS / 1024 }));
