import { sha256 } from "@touchmark/core";
import type { Layout, Policy } from "@touchmark/formats/policy";
import {
  type DependencyFacts,
  decide,
  defaultPolicies,
  filesOnly,
  judgeLayout,
  type RunRequestFacts,
  requestOf,
  type StepFacts,
  type StepLink,
} from "@touchmark/policy";
import { mintRun, naiveVerify, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyChain } from "@touchmark/verify/chain";
import { expect, test } from "vitest";
import { artifact, asked, now, party, policyOf, ruleOf, said, signed, spiffe, world } from "./policy-scene.ts";

/*
 * Incidents of the field, replayed against rules of the library with the facts that each would have shown. Beside each
 * stands what the victim looked at, which was in order. Facts of a source host are stated by a connector of ours that
 * does not exist yet: the rules are real, whoever will record the facts.
 */

const digest = (character: string) => `sha256:${character.repeat(64)}` as const;
const commit = "c0ffee".padEnd(40, "0");

const request = (change: Partial<RunRequestFacts> = {}): RunRequestFacts => ({
  caller: { kind: "person", name: "ada", authentication: "certificate" },
  ...{ cause: "command", project: "shop" },
  pipeline: { name: "default", file: "touchmark.yaml", digest: digest("b"), signers: [spiffe("user/ada")] },
  source: {
    ...{ uri: "https://git.example/shop.git", revision: "main", commit, workingTree: false },
    signature: { status: "good", signer: "ada@example.org" },
    committedAt: "2026-05-30T08:00:00Z",
  },
  ...{ parameters: {}, insecureOptions: [], trusted: true, templates: ["node-package"] },
  steps: [{ name: "build", network: "none", image: `base@${digest("d")}`, script: true }],
  images: [{ reference: `base@${digest("d")}`, digest: digest("d"), pinned: true, vouchers: ["factory"] }],
  ...change,
});
const at = (point: "request" | "dependency" | "step", parts: Partial<Policy>) => policyOf({ point, ...parts });
const ask = (policy: Policy, facts: object, parameters: { readonly [name: string]: readonly string[] } = {}) =>
  said(asked(policy, { request: facts as never, parameters, subject: { name: "shop/default" } }));

/* AT3: CCleaner 2017. Somebody on the build host exchanges the product before it is signed. */

const issuer = "https://factory.example";
const link = (step: string, by: string, materials: string, products: string): StepLink => ({
  ...{ statement: sha256(`${step} ${by} ${products}`), step, run: "r1", alsoRuns: [], command: [], exitCode: 0 },
  signer: { kind: "certificate", identity: spiffe(by), issuer },
  materials: filesOnly(new Map([["app", sha256(materials)]])),
  products: filesOnly(new Map([["app", sha256(products)]])),
});
const release: Layout = {
  ...{ touchmark: "layout/v1", name: "release", version: 1, expires: "2027-01-01T00:00:00Z" },
  functionaries: { one: party("builder-1"), two: party("builder-2"), signer: party("signer") },
  steps: [
    { name: "build", functionaries: ["one", "two"], threshold: 2 },
    {
      ...{ name: "sign", functionaries: ["signer"] },
      materials: [
        { rule: "MATCH", pattern: "app", with: "products", from: "build" },
        { rule: "DISALLOW", pattern: "*" },
      ],
    },
  ],
  subjects: [{ step: "sign" }],
};
const judged = (links: readonly StepLink[], subject: string) => {
  const { verdict, denials } = judgeLayout({ layout: release, links, subject: sha256(subject), now, issuer });
  return [verdict, ...denials.map(({ code }) => code)];
};

test("AT3: a product that was exchanged before it was signed: the last signature is good, the edge before it is not", () => {
  const builds = [link("build", "builder-1", "source", "app"), link("build", "builder-2", "source", "app")];
  expect(judged([...builds, link("sign", "signer", "app", "signed app")], "signed app")).toEqual(["satisfied"]);
  const sealed = signed({ signed: true }, { by: "signer", about: sha256("signed evil") });
  expect(sealed.signer).toMatchObject({ identity: spiffe("signer") });
  const tampered = [...builds, link("sign", "signer", "evil", "signed evil")];
  expect(judged(tampered, "signed evil")[0]).toBe("refused");
  expect(judged(tampered, "signed evil")).toContain("POLICY_ARTIFACT_RULE");
});

test("AT3: one of two build hosts makes something else: who verifies one signature never sees it", () => {
  const evil = link("build", "builder-1", "source", "evil");
  const good = link("build", "builder-2", "source", "app");
  const rest = link("sign", "signer", "evil", "signed evil");
  expect(evil.signer).toEqual({ kind: "certificate", identity: spiffe("builder-1"), issuer });
  expect(judged([evil, good, rest], "signed evil")).toContain("POLICY_THRESHOLD");
  expect(judged([evil, rest], "signed evil")).toContain("POLICY_THRESHOLD");
});

/* AT8: dependency confusion 2021. A public package has the name of an internal one, and a higher version. */

const internal: DependencyFacts = {
  ...{ kind: "package", step: "fetch", ecosystem: "npm", name: "@shop/billing", version: "1.4.0" },
  ...{ repository: "shop", locked: true, evidence: [{ kind: "npm-signature", outcome: "verified" }] },
  rules: [{ rule: "scope", outcome: "passed", message: "@shop comes from shop" }],
  ...{ published: "2026-01-01T00:00:00Z", licence: "MIT", vulnerabilities: [] },
};
const confused: DependencyFacts = {
  ...internal,
  ...{ version: "99.0.0", repository: "npmjs", locked: false, published: "2026-06-01T11:00:00Z" },
  rules: [{ rule: "scope", outcome: "refused", message: "@shop comes from shop alone" }],
};
/** A resolver that takes the highest version, wherever it lies. */
const highest = (found: readonly DependencyFacts[]) =>
  found.toSorted((a, b) => Number.parseInt(b.version ?? "", 10) - Number.parseInt(a.version ?? "", 10))[0];

test("AT8: a public package with an internal name and a higher version does not come in", () => {
  expect(highest([internal, confused])).toBe(confused);
  const own = 'request.name.startsWith("@shop/") ? request.repository == "shop" : request.repository == "npmjs"';
  const named = at("dependency", { rules: [ruleOf(own, { id: "own-scope" })] });
  expect(ask(named, requestOf("dependency", internal))).toEqual(["allow"]);
  expect(ask(named, requestOf("dependency", confused))).toEqual(["deny", "POLICY_RULE_FAILED own-scope"]);
  // Nobody had to write that rule: the built-in policy and the lockfile are enough.
  const [, builtIn] = defaultPolicies(now);
  const decision = asked(builtIn?.document as Policy, { request: requestOf("dependency", confused) as never });
  expect(said(decision)).toEqual(["deny", "POLICY_RULE_FAILED dependency.gate-admits"]);
  const unruled = requestOf("dependency", { ...confused, rules: [] });
  expect(ask(at("dependency", { collections: ["hermetic"] }), unruled)).toContain(
    "POLICY_RULE_FAILED dependency.locked",
  );
  expect(ask(at("dependency", { collections: ["freshness"] }), unruled)).toContain(
    "POLICY_RULE_FAILED dependency.old-enough",
  );
});

/* AT14: fake Dependabot 2023. A stolen token pushes a commit under a robot's name, which adds a workflow. */

test("AT14: a commit with a robot's name and somebody's token: its author is a text that anybody writes", () => {
  const { source, pipeline } = request();
  const robot = request({
    source: { ...source, signature: { status: "absent", signer: "dependabot[bot]" } },
    pipeline: { ...pipeline, file: ".github/workflows/hook.yml", digest: digest("e"), signers: [] },
  });
  expect(robot.source.signature.signer).toBe("dependabot[bot]");
  const signers = { pipelineSigners: [spiffe("user/ada")], callers: ["person:ada"], images: ["base"], nodes: [] };
  const rules = (facts: RunRequestFacts, ...collections: readonly string[]) =>
    ask(at("request", { collections }), requestOf("request", facts)).filter((each) => each.includes("signed"));
  expect(rules(request(), "slsa-source-l2")).toEqual([]);
  expect(rules(robot, "slsa-source-l2")).toEqual(["POLICY_RULE_FAILED request.commit-signed"]);
  const declared = Object.fromEntries(Object.keys(signers).map((name) => [name, { type: "list" as const }]));
  const callers = at("request", { collections: ["callers"], parameters: declared });
  expect(ask(callers, requestOf("request", robot), signers)).toContain("POLICY_RULE_FAILED request.pipeline-signed");
  expect(ask(callers, requestOf("request", request()), signers)).not.toContain(
    "POLICY_RULE_FAILED request.pipeline-signed",
  );
});

/* AT17: Travis CI 2021. A build of somebody's fork is given the secrets of the project. */

const step = (change: Partial<StepFacts> = {}): StepFacts => ({
  ...{ run: "r1", project: "shop", pipeline: "default", step: "build", command: ["/bin/sh", "-c", "make"] },
  ...{ network: "none", tier: "bubblewrap", inputs: [], secrets: [], insecureOptions: [], ...change },
});

test("AT17: a fork's build is not opened, and a step with a secret has no way out", () => {
  const fork = request({ trusted: false, insecureOptions: ["insecure-allow-network"] });
  const [builtIn] = defaultPolicies(now);
  const decision = asked(builtIn?.document as Policy, { request: requestOf("request", fork) as never });
  expect(said(decision)).toEqual(["deny", "POLICY_RULE_FAILED request.outside-change-sealed"]);
  // A service that looks only at whose project it is would build it.
  expect(fork.project).toBe(request().project);
  const secrets = at("step", { collections: ["secrets"] });
  const given = (change: Partial<StepFacts>) => ask(secrets, requestOf("step", step(change)));
  expect(given({ secrets: ["DEPLOY_KEY"] })).toEqual(["allow"]);
  expect(given({ secrets: ["DEPLOY_KEY"], network: "proxy" })).toEqual([
    "deny",
    "POLICY_RULE_FAILED secrets.sealed-steps",
  ]);
  // A gate that does not say whether it is from outside is not believed to have looked.
  const { trusted: _, ...silent } = fork;
  const unsaid = asked(builtIn?.document as Policy, { request: silent });
  expect(said(unsaid)).toEqual(["deny", "POLICY_EVALUATION_ERROR request.outside-change-sealed"]);
});

/* AT28: Solana web3.js 2024. Whoever may publish publishes, without the pipeline. */

test("AT28: a release by the publishing account, signed and logged, with nothing behind it", () => {
  const run = mintRun(world);
  const root = readTrustRoot(trustedRootBytes(world));
  const expected = { artifact: "unbound", identityPattern: ".+", issuer: world.issuer, now } as const;
  const evidence = run.bundles().map((bytes) => verifyBundle(bytes, root, expected));
  const { builder, source } = run;
  const chain = verifyChain(evidence, { artifact: run.artifact, builder, source, issuer: world.issuer });
  const policies = defaultPolicies(now);
  const question = { point: "deploy", request: {}, policies, layouts: [], parameters: {}, now } as const;
  const about = (subject: typeof artifact) => ({
    ...question,
    issuer: world.issuer,
    subject: { name: "web3", digest: subject },
  });
  const good = decide({ ...about(run.artifact), evidence, chains: [chain] });
  expect(said(good)).toEqual(["allow"]);

  const published = signed({ published: true }, { by: "publisher", type: "https://npmjs.example/publish/v1" });
  expect(published.signer).toMatchObject({ identity: spiffe("publisher"), issuer: world.issuer });
  const gone = ["deny", "POLICY_RULE_FAILED chain.whole", "POLICY_RULE_FAILED chain.has-steps"];
  expect(said(decide({ ...about(artifact), evidence: [published] }))).toEqual(expect.arrayContaining(gone));
  // The chain of the last good release leads to other bytes.
  const borrowed = decide({ ...about(artifact), evidence: [...evidence, published], chains: [chain] });
  expect(said(borrowed)).toEqual(expect.arrayContaining(gone));
  expect(naiveVerify(run.bundles()[0] as Uint8Array, { signature: true, artifact: Buffer.from("web3") }).accepted).toBe(
    true,
  );
});
