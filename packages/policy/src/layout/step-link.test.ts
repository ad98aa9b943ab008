import { digestHex } from "@touchmark/core";
import { linkPredicate, predicateType } from "@touchmark/formats/predicates";
import { expect, test } from "vitest";
import type { Evidence } from "../engine/evidence.ts";
import { judgeLayout } from "./judge-layout.ts";
import { digestOf, evidence, layoutOf, question, signer, step } from "./layout.fixture.ts";
import { linksOf, linksOfEvidence } from "./step-link.ts";

const at = "2027-03-01T12:00:00Z";
const subjectOf = (name: string, content: string) => ({ name, digest: { sha256: digestHex(digestOf(content)) } });

/** A link as our own runs sign it: inputs are trees named by their step, products a tree and its files. */
function ours(
  name: string,
  inputs: { readonly [from: string]: string },
  files: { readonly [path: string]: string },
  change: { readonly run?: string; readonly by?: string; readonly exitCode?: number } = {},
): Evidence {
  const predicate = linkPredicate({
    chain: { run: change.run ?? "r1", createdAt: at, predecessors: [] },
    step: name,
    command: ["make"],
    materials: Object.entries(inputs).map(([from, content]) => ({ name: from, digest: digestOf(content) })),
    exitCode: change.exitCode ?? 0,
  });
  const subject = [
    subjectOf(`output/${name}`, `tree of ${name}`),
    ...Object.entries(files).map(([path, content]) => subjectOf(path, content)),
  ];
  return evidence(
    predicateType("link"),
    subject,
    predicate as unknown as Evidence["predicate"],
    signer(change.by ?? name),
  );
}

const build = ours("build", { source: "tree" }, { "dist/app": "a", "dist/readme": "r" });
const pack = ours("package", { build: "tree of build" }, { "app.tgz": "t" });

test("L30: a link of our own names trees by step, products by tree and path", () => {
  const [link] = linksOfEvidence([pack]);
  expect(link).toMatchObject({ step: "package", run: "r1", command: ["make"], exitCode: 0 });
  expect([...(link?.materials.digests ?? [])]).toEqual([["output/build", digestOf("tree of build")]]);
  expect([...(link?.products.digests.keys() ?? [])]).toEqual(["output/package", "app.tgz"]);
  expect([...(link?.products.members ?? [])]).toEqual([["output/package", ["app.tgz"]]]);
});

const match = (change: object) =>
  ({ rule: "MATCH", pattern: "*", with: "products", from: "build", ...change }) as const;
const none = { rule: "DISALLOW", pattern: "*" } as const;

test.each([
  ["the whole tree", [match({}), none]],
  ["the tree by its name", [match({ pattern: "output/build" }), none]],
  ["each file in it", [match({ pattern: "dist/*", in: "output/build" }), none]],
  [
    "files by their names",
    [match({ pattern: "dist/app", in: "output/build" }), match({ pattern: "dist/readme", in: "output/build" }), none],
  ],
])("L31: rules of a step that used a tree may speak of %s", (_what, materials) => {
  const layout = layoutOf([step("build"), step("package", { after: ["build"], materials })]);
  const links = linksOfEvidence([build, pack]);
  expect(judgeLayout(question({ layout, links })).denials).toEqual([]);
});

test("L31: a file of a tree that no rule speaks of is found by DISALLOW, and a tree of other content by its digest", () => {
  const one = layoutOf([
    step("build"),
    step("package", { materials: [match({ pattern: "dist/app", in: "output/build" }), none] }),
  ]);
  const links = linksOfEvidence([build, pack]);
  expect(judgeLayout(question({ layout: one, links })).denials).toMatchObject([
    {
      code: "POLICY_ARTIFACT_RULE",
      message: 'materials of package: DISALLOW * found "output/build", "output/build/dist/readme"',
    },
  ]);
  const whole = layoutOf([step("build"), step("package", { materials: [match({}), none] })]);
  const other = linksOfEvidence([build, ours("package", { build: "another tree" }, { "app.tgz": "t" })]);
  expect(judgeLayout(question({ layout: whole, links: other })).denials).toMatchObject([
    { code: "POLICY_ARTIFACT_RULE" },
  ]);
});

test("L31: the source is the step `source`, as the verified chain has it", () => {
  const layout = layoutOf([step("build", { materials: [match({ from: "source" }), none] })], {
    subjects: [{ step: "build" }],
  });
  const links = linksOfEvidence([build]);
  const source = { uri: "git+https://git.example.org/app", revision: "c1", tree: digestOf("tree") };
  const ask = (tree: string) =>
    judgeLayout(question({ layout, links, subject: digestOf("a"), source: { ...source, tree: digestOf(tree) } }));
  expect(ask("tree").verdict).toBe("satisfied");
  expect(ask("other").denials).toMatchObject([{ code: "POLICY_ARTIFACT_RULE" }]);
});

test("L32: a link with one name for two artifacts, or an artifact without digest, counts for nothing", () => {
  const twice = { ...build, subject: [...build.subject, subjectOf("dist/app", "other")] };
  const shadow = { ...build, subject: [...build.subject, subjectOf("output/build", "other")] };
  const bare = { ...build, subject: [...build.subject, { name: "x", digest: {} }] };
  const nameless = { ...build, subject: [{ digest: { sha256: "ab".repeat(32) } }] };
  const malformed = { ...build, predicate: { name: 7 } };
  const found = linksOfEvidence([twice, shadow, bare, nameless, malformed]).map(({ unusable }) => unusable);
  expect(found).toEqual([
    'it lists "dist/app" twice',
    'it lists "output/build" twice',
    '"x" has no digest',
    "it lists an artifact without a name",
    expect.stringContaining("it is malformed"),
  ]);
  const layout = layoutOf([step("build")], { subjects: [{ step: "build" }] });
  expect(
    judgeLayout(question({ layout, links: linksOfEvidence([shadow]), subject: digestOf("a") })).denials,
  ).toMatchObject([{ code: "POLICY_STEP_EVIDENCE_MISSING" }]);
});

const hit = (run: string, link: Evidence, by: string) =>
  evidence(
    predicateType("cache-hit"),
    [subjectOf("output/build", "tree of build")],
    {
      ...{
        run,
        createdAt: at,
        predecessors: [],
        step: "build",
        key: digestOf("key"),
        output: digestOf("tree of build"),
      },
      original: {
        run: "r0",
        link: link.bundle,
        bundles: [link.bundle],
        functionary: "spiffe://factory.example.org/build",
      },
      materials: [],
    },
    signer(by),
  );

test("L33: a cache hit of the builder lets a link of an earlier run count, for that run and by nobody else's word", () => {
  const old = ours("build", { source: "tree" }, { "dist/app": "a" }, { run: "r0" });
  const layout = layoutOf([step("build"), step("package", { after: ["build"] })]);
  const ask = (...more: Evidence[]) =>
    judgeLayout(question({ layout, links: linksOfEvidence([old, pack, ...more]) })).denials.map(({ code }) => code);
  expect(ask()).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
  expect(ask(hit("r1", old, "builder"))).toEqual([]);
  expect(ask(hit("r2", old, "builder"))).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
  expect(ask(hit("r1", old, "build"))).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
  expect(ask(hit("r1", pack, "builder"))).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
});

test("L30: only statements that were verified here become links", () => {
  const forged = { ...build, kind: "statement", statement: {}, times: [] };
  expect(linksOf([forged as never])).toEqual([]);
});
