import { type Digest, sha256 } from "@touchmark/core";
import type { Layout, LayoutStep } from "@touchmark/formats/policy";
import { filesOnly, judgeLayout, type LayoutQuestion, type StepLink } from "@touchmark/policy";
import { expect, test } from "vitest";

/*
 * The family of in-toto/go-witness#784: policies without steps, steps without wanted attestations, edges over which
 * nothing went. Beside each attack a judge that asks only whether anything it found is wrong: it lets all of them pass.
 */

const issuer = "https://factory.example.org";
const now = new Date("2027-01-01T00:00:00Z");
const identity = (name: string) => `spiffe://factory.example.org/${name}`;
const artifacts = (content: { readonly [path: string]: string }) =>
  filesOnly(new Map(Object.entries(content).map(([path, text]) => [path, sha256(text)])));

function link(
  step: string,
  materials: { readonly [path: string]: string },
  products: { readonly [path: string]: string },
  change: Partial<StepLink> = {},
): StepLink {
  return {
    statement: sha256(JSON.stringify([step, materials, products, change])),
    signer: { kind: "certificate", identity: identity(step), issuer },
    ...{ step, run: "r1", alsoRuns: [], command: [], exitCode: 0 },
    materials: artifacts(materials),
    products: artifacts(products),
    ...change,
  };
}

function layoutOf(steps: readonly LayoutStep[], change: Partial<Layout> = {}): Layout {
  return {
    touchmark: "layout/v1",
    name: "release",
    version: 1,
    expires: "2028-01-01T00:00:00Z",
    functionaries: Object.fromEntries(steps.map(({ name }) => [name, { identities: [{ identity: identity(name) }] }])),
    steps,
    subjects: [{ step: steps.at(-1)?.name ?? "build" }],
    ...change,
  };
}

const step = (name: string, change: Partial<LayoutStep> = {}): LayoutStep => ({
  name,
  functionaries: [name],
  ...change,
});
const evil = sha256("evil");

/** Goes over what there is and looks for something wrong: what is not there is never wrong. */
function naive({ layout, links }: LayoutQuestion): boolean {
  return layout.steps.every(({ name, materials = [] }) =>
    links
      .filter((each) => each.step === name)
      .every((each) =>
        materials.every(({ from }) => {
          const made = links.find((other) => other.step === from)?.products.digests ?? new Map<string, string>();
          return [...each.materials.digests].every(([path, digest]) => !made.has(path) || made.get(path) === digest);
        }),
      ),
  );
}

function refused(
  change: Pick<LayoutQuestion, "layout" | "links"> & { readonly subject?: Digest },
  ...codes: string[]
): void {
  const question: LayoutQuestion = { subject: evil, now, issuer, ...change };
  expect(naive(question)).toBe(true);
  const { verdict, denials } = judgeLayout(question);
  expect([verdict, ...denials.map(({ code }) => code)]).toEqual(["refused", ...codes]);
}

const match = { rule: "MATCH", pattern: "*", with: "products", from: "build" } as const;
const twoSteps = layoutOf([step("build"), step("package", { materials: [match] })]);
const build = link("build", { src: "s" }, { app: "a" });

test("a layout without steps, for which anything at all is enough", () => {
  refused({ layout: layoutOf([]), links: [build] }, "POLICY_STEP_NONE");
});

test("steps of which no evidence is presented", () => {
  refused({ layout: twoSteps, links: [] }, "POLICY_STEP_EVIDENCE_MISSING", "POLICY_STEP_EVIDENCE_MISSING");
});

test("a step that uses nothing of what was built before, with a rule that matches what is there", () => {
  refused({ layout: twoSteps, links: [build, link("package", {}, { "app.tgz": "evil" })] }, "POLICY_EDGE_EMPTY");
  refused(
    { layout: twoSteps, links: [build, link("package", { other: "x" }, { "app.tgz": "evil" })] },
    "POLICY_EDGE_EMPTY",
  );
  const named = layoutOf([step("build"), step("package", { after: ["build"] })]);
  refused(
    { layout: named, links: [build, link("package", { other: "x" }, { "app.tgz": "evil" })] },
    "POLICY_EDGE_EMPTY",
  );
});

test("the first step with no products, so that nothing can differ from them", () => {
  const links = [link("build", { src: "s" }, {}), link("package", { app: "evil" }, { "app.tgz": "evil" })];
  refused({ layout: twoSteps, links }, "POLICY_EDGE_EMPTY");
});

test("a layout that names no subject, for any artifact", () => {
  const layout = layoutOf([step("build")], { subjects: [] });
  refused({ layout, links: [build] }, "POLICY_SUBJECT_MISMATCH");
});

test("a step whose functionaries are nobody, and one that nobody may perform", () => {
  const nobody = layoutOf([step("build")], { functionaries: { build: {} } });
  refused({ layout: nobody, links: [build] }, "POLICY_LAYOUT_INVALID");
  const none = layoutOf([step("build", { functionaries: [] })]);
  refused({ layout: none, links: [link("build", {}, { app: "evil" })] }, "POLICY_LAYOUT_INVALID");
});

test("wanted attestations of which none is presented", () => {
  const predicateType = "https://example.org/scan/v1";
  const layout = layoutOf([step("build", { attestations: [{ predicateType, functionaries: ["build"] }] })]);
  refused({ layout, links: [link("build", {}, { app: "evil" })] }, "POLICY_ATTESTATION_MISSING");
});

test("an inspection that nobody performed", () => {
  const layout = layoutOf([step("build")], { inspections: [{ name: "look", command: ["true"] }] });
  refused({ layout, links: [link("build", {}, { app: "evil" })] }, "POLICY_INSPECTION_MISSING");
});

test("a link twice, by one who counts as two", () => {
  const layout = layoutOf([step("build", { functionaries: ["build", "again"], threshold: 2 })], {
    functionaries: {
      build: { identities: [{ identity: identity("build") }] },
      again: { identities: [{ identity: identity("build") }] },
    },
  });
  const one = link("build", {}, { app: "evil" });
  refused({ layout, links: [one, { ...one, statement: sha256("again") }] }, "POLICY_THRESHOLD");
});

test("a good link of an earlier run in the place of a step that did not run", () => {
  const links = [{ ...build, run: "r0" }, link("package", { app: "a" }, { "app.tgz": "evil" })];
  refused({ layout: twoSteps, links }, "POLICY_STEP_EVIDENCE_MISSING");
});

test("a functionary who performs another's step", () => {
  const links = [
    link(
      "build",
      { src: "s" },
      { app: "a" },
      { signer: { kind: "certificate", identity: identity("package"), issuer } },
    ),
    link("package", { app: "a" }, { "app.tgz": "evil" }),
  ];
  refused({ layout: twoSteps, links }, "POLICY_STEP_FUNCTIONARY");
});

test("steps that wait for each other, so that none is ever first", () => {
  const layout = layoutOf([step("build", { after: ["package"] }), step("package", { after: ["build"] })]);
  refused({ layout, links: [link("package", {}, { app: "evil" })] }, "POLICY_LAYOUT_INVALID");
});

test("a layout whose time is over, with which a leaver could still release", () => {
  for (const expires of ["2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "never"]) {
    refused(
      { layout: layoutOf([step("build")], { expires }), links: [link("build", {}, { app: "evil" })] },
      "POLICY_LAYOUT_EXPIRED",
    );
  }
});

test("a step twice: the strict one for who reads it, the easy one for who judges it", () => {
  const easy = step("build", { functionaries: ["anybody"] });
  const layout = layoutOf([step("build"), easy], {
    functionaries: {
      build: { identities: [{ identity: identity("build") }] },
      anybody: { identities: [{ identity: "spiffe://factory.example.org/**", pattern: true }] },
    },
  });
  refused({ layout, links: [link("build", {}, { app: "evil" })] }, "POLICY_LAYOUT_INVALID");
});

test("a functionary of the same name that somebody else's authority vouches for", () => {
  const signer = { kind: "certificate", identity: identity("build"), issuer: "https://elsewhere.example.org" } as const;
  refused(
    { layout: layoutOf([step("build")]), links: [link("build", {}, { app: "evil" }, { signer })] },
    "POLICY_STEP_FUNCTIONARY",
  );
});

test("a link of a command that failed, and one of a run that never had the other steps", () => {
  const failed = link("build", {}, { app: "evil" }, { exitCode: 1 });
  refused({ layout: layoutOf([step("build")]), links: [failed] }, "POLICY_STEP_EVIDENCE_MISSING");
  // Each step's link is good, each of another run: what was tied together never happened.
  const links = [build, link("package", { app: "a" }, { "app.tgz": "evil" }, { run: "r2" })];
  const { verdict, denials } = judgeLayout({ layout: twoSteps, links, subject: evil, now, issuer });
  expect(naive({ layout: twoSteps, links, subject: evil, now, issuer })).toBe(true);
  expect([verdict, denials.map(({ code }) => code)]).toEqual(["refused", ["POLICY_STEP_EVIDENCE_MISSING"]]);
});
