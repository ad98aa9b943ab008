/**
 * What a decision costs over verified evidence that is at hand: decisions a second of processor time, latency, and
 * memory afterwards. Five attestations with a hundred components each, twenty rules over them.
 * `node bench/policy/decisions.ts [--json]`; BENCH_SHORT=1 for a smoke run.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import type { Policy } from "@touchmark/formats/policy";
import { type DecisionInput, decide, decisionJson, explainTree } from "@touchmark/policy";
import { ARTIFACT, mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { isShort } from "../machine.ts";

/** What is still needed, without what only waits to be collected. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

const rounds = isShort ? 500 : 100_000;
const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const identity = `spiffe://${world.trustDomain}/scanner`;
const types = Array.from({ length: 5 }, (_, i) => `https://example.com/facts-${i}/v1`);
const evidence = types.map((predicateType, i) => {
  const components = Array.from({ length: 100 }, (_, k) => ({
    name: `component-${k}`,
    version: `${i}.${k}.0`,
    score: k % 10,
  }));
  const bundle = mintBundle(world, {
    predicateType,
    predicate: { components, total: 100 },
    leaf: { uris: [identity] },
  });
  return verifyBundle(bundle.bytes, trustRoot, { artifact: "unbound", identity, issuer: world.issuer, now: world.at });
});
const expressions = [
  (i: number) => `attestations.a${i % 5}.exists(s, s.predicate.total == 100 && s.signer.functionary == "scanner")`,
  (i: number) => `attestations.a${i % 5}.all(s, s.predicate.components.all(c, c.score < ${10 + i}))`,
  () => 'request.labels.all(l, l.startsWith("team-")) && subject.digest.matches("^sha256:[0-9a-f]{64}$")',
  (i: number) => `now - attestations.a${i % 5}[0].time < duration("24h")`,
];
const policy: Policy = {
  ...{ touchmark: "policy/v1", name: "bench", version: 1, point: "deploy", expires: "2099-01-01T00:00:00Z" },
  trust: { scanner: { identities: [{ identity }] } },
  attestations: Object.fromEntries(types.map((predicateType, i) => [`a${i}`, { predicateType, by: ["scanner"] }])),
  rules: Array.from({ length: 20 }, (_, i) => ({
    ...{ id: `rule-${i}`, title: `Rule ${i}` },
    expression: (expressions[i % expressions.length] as (i: number) => string)(i),
  })),
};
const digest: Digest = sha256(canonicalJson(policy));
const input: DecisionInput = {
  point: "deploy",
  subject: { name: "registry.example/app:1", digest: sha256(ARTIFACT) },
  request: { labels: ["team-blue", "team-red"], kind: "Pod" },
  policies: [{ digest, document: policy }],
  layouts: [],
  evidence,
  parameters: {},
  now: world.at,
  issuer: world.issuer,
};

const first = decide(input);
if (first.result !== "allow") throw new Error(explainTree(first));
const coldBytes = decisionJson(first);
for (let i = 0; i < 500; i++) decide(input);
const heapBefore = heapInUse();
const times = new Float64Array(rounds);
const begin = process.cpuUsage();
for (let i = 0; i < rounds; i++) {
  const from = performance.now();
  decide(input);
  times[i] = performance.now() - from;
}
const { user, system } = process.cpuUsage(begin);
if (decisionJson(decide(input)) !== coldBytes) throw new Error("the last decision is not the first");
times.sort();
const at = (share: number) => Number((times[Math.floor(rounds * share)] ?? Number.NaN).toFixed(3));
const figures = {
  decisions: rounds,
  perSecond: Math.round((rounds * 1e6) / (user + system)),
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  maxMs: at(1 - 1 / rounds),
  cost: first.cost,
  heapGrowthMiB: Number(((heapInUse() - heapBefore) / 2 ** 20).toFixed(1)),
  residentMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
};
console.log(
  process.argv.includes("--json")
    ? JSON.stringify(figures)
    : Object.entries(figures)
        .map(([name, value]) => `${name.padEnd(16)} ${value}`)
        .join("\n"),
);
