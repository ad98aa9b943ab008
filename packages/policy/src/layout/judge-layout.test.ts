import type { PolicyRule } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { judgeLayout } from "./judge-layout.ts";
import type { LayoutQuestion } from "./judgement.ts";
import {
  digestOf,
  evidence,
  issuer,
  layoutOf,
  link,
  question,
  signer,
  step,
  twoLinks,
  twoSteps,
} from "./layout.fixture.ts";

const codes = (change: Partial<LayoutQuestion>) => judgeLayout(question(change)).denials.map(({ code }) => code);
const [build, pack] = twoLinks as [(typeof twoLinks)[0], (typeof twoLinks)[0]];

test("L1: steps with their links, tied by artifacts, satisfy", () => {
  const judgement = judgeLayout(question());
  expect(judgement).toMatchObject({ verdict: "satisfied", denials: [], warnings: [], run: "r1" });
  expect(judgement.steps).toMatchObject([
    { name: "build", satisfied: true, functionaries: ["build"], materials: 1, products: 1 },
    { name: "package", satisfied: true, functionaries: ["package"] },
  ]);
});

test("L2: a layout without steps shows nothing, whatever is presented", () => {
  expect(codes({ layout: { ...twoSteps, steps: [] } })).toEqual(["POLICY_STEP_NONE"]);
});

test("L2: a layout counts until it expires, and one without a readable end not at all", () => {
  expect(codes({ now: new Date("2027-12-31T23:59:59.999Z") })).toEqual([]);
  expect(codes({ now: new Date("2028-01-01T00:00:00Z") })).toEqual(["POLICY_LAYOUT_EXPIRED"]);
  expect(codes({ layout: { ...twoSteps, expires: "never" } })).toEqual(["POLICY_LAYOUT_EXPIRED"]);
});

test("L3: every step needs a link, and no link stands for another step", () => {
  expect(codes({ links: [] })).toEqual(["POLICY_STEP_EVIDENCE_MISSING", "POLICY_STEP_EVIDENCE_MISSING"]);
  expect(codes({ links: [pack] })).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
  expect(codes({ links: [pack, { ...build, step: "other" }] })).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
});

test("L3: a link whose command failed does not count, and the judgement says so", () => {
  const judgement = judgeLayout(question({ links: [{ ...build, exitCode: 1 }, pack] }));
  expect(judgement.denials).toMatchObject([{ code: "POLICY_STEP_EVIDENCE_MISSING", step: "build" }]);
  expect(judgement.steps[0]?.links).toMatchObject([{ functionary: "build", notCounted: "its command failed with 1" }]);
});

test.each([
  ["another step's functionary", signer("package")],
  ["somebody unknown", signer("mallory")],
  ["the same name by another authority", signer("build", "https://other.example.org")],
  ["a key", { kind: "key", key: digestOf("key") } as const],
])("L4: a link signed by %s is outside of their authority", (_who, by) => {
  expect(codes({ links: [{ ...build, signer: by }, pack] })).toEqual(["POLICY_STEP_FUNCTIONARY"]);
});

test("L4: keys and declared patterns are functionaries too; a pattern does not cross a slash", () => {
  const key = digestOf("key");
  const layout = {
    ...twoSteps,
    functionaries: {
      build: { keys: [key] },
      package: { identities: [{ identity: "spiffe://factory.example.org/pack*", pattern: true }] },
    },
  };
  const links = [{ ...build, signer: { kind: "key", key } as const }, pack];
  expect(codes({ layout, links })).toEqual([]);
  expect(codes({ layout, links: [links[0] ?? build, { ...pack, signer: signer("pack/age") }] })).toEqual([
    "POLICY_STEP_FUNCTIONARY",
  ]);
});

test("L5: a threshold wants different functionaries who say the same", () => {
  const two = layoutOf([step("build", { functionaries: ["one", "two", "three"], threshold: 2 })], {
    subjects: [{ step: "build" }],
  });
  const by = (name: string, product = "t") => link("build", {}, { app: product }, { signer: signer(name) });
  const found = (...links: LayoutQuestion["links"]) => codes({ layout: two, links });
  expect(found(by("one"), by("two"))).toEqual([]);
  expect(found(by("one"))).toEqual(["POLICY_THRESHOLD"]);
  expect(found(by("one"), { ...by("one"), statement: digestOf("again") })).toEqual(["POLICY_THRESHOLD"]);
  expect(found(by("one"), by("two", "other"))).toEqual(["POLICY_THRESHOLD"]);
  expect(found(by("one"), by("two", "other"), by("three"))).toEqual([]);
  const twins = { ...two, functionaries: { ...two.functionaries, two: two.functionaries["one"] ?? {} } };
  expect(codes({ layout: twins, links: [by("one")] })).toEqual(["POLICY_THRESHOLD"]);
});

test("L5: with the semantics of in-toto, all who signed must agree", () => {
  const two = layoutOf([step("build", { functionaries: ["one", "two", "three"], threshold: 2 })]);
  const by = (name: string, product = "t") => link("build", {}, { app: product }, { signer: signer(name) });
  const links = [by("one"), by("two", "other"), by("three")];
  expect(codes({ layout: two, links, semantics: "in-toto" })).toEqual(["POLICY_THRESHOLD"]);
});

test("L6: links of different runs are not put together", () => {
  const old = { ...build, run: "r0", statement: digestOf("old") };
  const judgement = judgeLayout(question({ links: [old, pack] }));
  expect(judgement.denials).toMatchObject([{ code: "POLICY_STEP_EVIDENCE_MISSING", step: "build" }]);
  expect(judgement.steps[0]?.links[0]?.notCounted).toBe("it is of run r0, and the artifact of r1");
  expect(codes({ links: [old, build, pack] })).toEqual([]);
  expect(codes({ links: [{ ...old, alsoRuns: ["r1"] }, pack] })).toEqual([]);
});

test("L6: another factory's link is tied by what it says, not by its run", () => {
  const other = "https://lab.example.org";
  const layout = {
    ...twoSteps,
    functionaries: {
      ...twoSteps.functionaries,
      build: { identities: [{ identity: "spiffe://factory.example.org/build", issuer: other }] },
    },
  };
  expect(codes({ layout, links: [{ ...build, run: "lab-7", signer: signer("build", other) }, pack] })).toEqual([]);
});

test("L7: an edge over which nothing went is refused", () => {
  const links = [build, link("package", { other: "o" }, { "app.tgz": "t" })];
  expect(codes({ links })).toEqual(["POLICY_EDGE_EMPTY", "POLICY_ARTIFACT_RULE"]);
  const noRules = layoutOf([step("build"), step("package", { after: ["build"] })]);
  expect(codes({ layout: noRules, links })).toEqual(["POLICY_EDGE_EMPTY"]);
  const matchAlone = layoutOf([
    step("build"),
    step("package", { materials: [{ rule: "MATCH", pattern: "*", with: "products", from: "build" }] }),
  ]);
  expect(codes({ layout: matchAlone, links })).toEqual(["POLICY_EDGE_EMPTY"]);
  const inToto = judgeLayout(question({ layout: matchAlone, links, semantics: "in-toto" }));
  expect(inToto).toMatchObject({
    verdict: "satisfied",
    warnings: ["materials of package: no MATCH rule found anything of build"],
  });
});

test("L8: the artifact is what the step of the subject made, by digest", () => {
  expect(codes({ subject: digestOf("a") })).toEqual(["POLICY_SUBJECT_MISMATCH"]);
  expect(codes({ subject: undefined })).toEqual(["POLICY_SUBJECT_MISMATCH"]);
  const named = { ...twoSteps, subjects: [{ step: "package", products: ["*.zip"] }] };
  expect(codes({ layout: named })).toEqual(["POLICY_SUBJECT_MISMATCH"]);
  expect(
    codes({ layout: { ...named, subjects: [...named.subjects, { step: "package", products: ["*.tgz"] }] } }),
  ).toEqual([]);
  expect(codes({ layout: { ...twoSteps, subjects: [] } })).toEqual(["POLICY_SUBJECT_MISMATCH"]);
  const odd = layoutOf([step("build")], { subjects: [{ step: "build", products: ["a[1].tgz"] }] });
  expect(codes({ layout: odd, links: [link("build", {}, { "a[1].tgz": "t" })] })).toEqual([]);
});

test("L9: an inspection must have run, have succeeded, and follow its rules", () => {
  const layout = {
    ...twoSteps,
    inspections: [
      {
        name: "unpack",
        command: ["tar", "xf", "app.tgz"],
        materials: [
          { rule: "MATCH", pattern: "app.tgz", with: "products", from: "package" } as const,
          { rule: "DISALLOW", pattern: "*" } as const,
        ],
      },
    ],
  };
  const inspect = (exitCode: number, content: string) =>
    new Map([["unpack", { exitCode, materials: new Map([["app.tgz", digestOf(content)]]), products: new Map() }]]);
  expect(codes({ layout })).toEqual(["POLICY_INSPECTION_MISSING"]);
  expect(codes({ layout, inspections: inspect(0, "t") })).toEqual([]);
  expect(codes({ layout, inspections: inspect(2, "t") })).toEqual(["POLICY_INSPECTION_FAILED"]);
  expect(codes({ layout, inspections: inspect(0, "x") })).toEqual(["POLICY_ARTIFACT_RULE"]);
});

const scanned = "https://example.org/scan/v1";
const subject = [{ name: "app", digest: { sha256: digestOf("a").slice(7) } }];
const rule: PolicyRule = { id: "clean", title: "Nothing was found", expression: "predicate.findings == 0" };
const attested = layoutOf([
  step("build", { attestations: [{ predicateType: scanned, functionaries: ["scanner"], rules: [rule] }] }),
  step("package", { after: ["build"] }),
]);
const withScanner = {
  ...attested,
  functionaries: {
    ...attested.functionaries,
    scanner: { identities: [{ identity: "spiffe://factory.example.org/scanner" }] },
  },
};
const evaluateRule: NonNullable<LayoutQuestion["evaluateRule"]> = ({ id, title }, variables) => ({
  ...{ id, title, severity: "medium", values: [], practices: [], cost: 1 },
  outcome: (variables["predicate"] as { findings: number }).findings === 0 ? "passed" : "failed",
});

test("L10: further statements about what a step made are demanded, by whom they may be", () => {
  const ask = (...attestations: NonNullable<LayoutQuestion["attestations"]>) =>
    codes({ layout: withScanner, attestations, evaluateRule });
  const good = evidence(scanned, subject, { findings: 0 }, signer("scanner"));
  const bad = evidence(scanned, subject, { findings: 3 }, signer("scanner"));
  expect(ask(good)).toEqual([]);
  expect(ask()).toEqual(["POLICY_ATTESTATION_MISSING"]);
  expect(ask(evidence(scanned, subject, { findings: 0 }, signer("mallory")))).toEqual(["POLICY_ATTESTATION_MISSING"]);
  const elsewhere = [{ name: "app", digest: { sha256: digestOf("x").slice(7) } }];
  expect(ask(evidence(scanned, elsewhere, { findings: 0 }, signer("scanner")))).toEqual(["POLICY_ATTESTATION_MISSING"]);
  expect(ask(bad)).toEqual(["POLICY_RULE_FAILED", "POLICY_ATTESTATION_MISSING"]);
  expect(ask(bad, good)).toEqual([]);
  expect(codes({ layout: withScanner, attestations: [good] })).toEqual([
    "POLICY_EVALUATION_ERROR",
    "POLICY_ATTESTATION_MISSING",
  ]);
});

test("L10: a party who attests twice, and whom two functionaries name, stands for one of them", () => {
  const [wanted] = attested.steps[0]?.attestations ?? [];
  const identity = (name: string) => ({ identities: [{ identity: `spiffe://factory.example.org/${name}` }] });
  const laboratory = { identities: [...identity("lab").identities, ...identity("lab-2").identities] };
  const layout = {
    ...attested,
    steps: attested.steps.map((each) =>
      each.name === "build" && wanted !== undefined
        ? { ...each, attestations: [{ ...wanted, functionaries: ["one", "two", "lab"], threshold: 3 }] }
        : each,
    ),
    functionaries: { ...attested.functionaries, one: identity("ci"), two: identity("ci"), lab: laboratory },
  };
  const by = (name: string, more: object = {}) => evidence(scanned, subject, { findings: 0, ...more }, signer(name));
  const attestations = [by("ci"), by("ci", { again: 1 }), by("lab"), by("lab-2")];
  expect(codes({ layout, attestations, evaluateRule })).toEqual(["POLICY_THRESHOLD"]);
  // Three signers stand for three.
  const three = { ...layout, functionaries: { ...layout.functionaries, two: identity("two") } };
  expect(codes({ layout: three, attestations: [by("ci"), by("two"), by("lab")], evaluateRule })).toEqual([]);
});

test("L11: what a layout says of its source, the verified chain must show", () => {
  const uri = "git+https://git.example.org/app";
  const layout = {
    ...layoutOf([step("build", { materials: [{ rule: "MATCH", pattern: "*", with: "products", from: "source" }] })]),
    source: { uri, revision: "c1" },
  };
  const links = [link("build", { source: "tree" }, { app: "t" })];
  const source = { uri, revision: "c1", tree: digestOf("tree") };
  expect(codes({ layout, links, source })).toEqual([]);
  expect(codes({ layout, links })).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
  expect(codes({ layout, links, source: { ...source, uri: `${uri}2` } })).toEqual(["POLICY_ARTIFACT_RULE"]);
  expect(codes({ layout, links, source: { ...source, revision: "c2" } })).toEqual(["POLICY_ARTIFACT_RULE"]);
  expect(codes({ layout, links, source: { ...source, tree: digestOf("x") } })).toEqual(
    expect.arrayContaining(["POLICY_EDGE_EMPTY"]),
  );
});

test("L12: another command is a warning, and time that is over a denial", () => {
  const layout = layoutOf([step("build"), step("package", { after: ["build"], command: ["tar"] })]);
  expect(judgeLayout(question({ layout }))).toMatchObject({
    verdict: "satisfied",
    warnings: ['step package ran [], expected ["tar"]'],
  });
  expect(codes({ isOver: () => true })).toEqual(["POLICY_TIMEOUT"]);
});

test("L12: hostile patterns end in a denial, not in hours", () => {
  const pattern = `${"*a".repeat(1000)}b`;
  const names = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`${"a".repeat(1000)}${i}`, "x"]));
  const layout = layoutOf([step("build", { products: [{ rule: "DISALLOW", pattern }] })]);
  expect(codes({ layout, links: [link("build", {}, { ...names, app: "t" })] })).toEqual(["POLICY_COST"]);
});

test("L4: the issuer of the factory vouches where a functionary names none", () => {
  expect(codes({ issuer: "https://other.example.org" })).toEqual([
    "POLICY_STEP_FUNCTIONARY",
    "POLICY_STEP_FUNCTIONARY",
  ]);
  expect(codes({ issuer })).toEqual([]);
});
