import { type Digest, sha256 } from "@touchmark/core";
import type { Layout, LayoutStep } from "@touchmark/formats/policy";
import type { Evidence, EvidenceSigner } from "../engine/evidence.ts";
import { filesOnly } from "./artifacts.ts";
import type { LayoutQuestion } from "./judgement.ts";
import type { StepLink } from "./step-link.ts";

export const issuer = "https://factory.example.org";
export const now = new Date("2027-03-01T12:00:00Z");

/** A signer by name, vouched for by the factory. */
export function signer(name: string, by = issuer): EvidenceSigner {
  return { kind: "certificate", identity: `spiffe://factory.example.org/${name}`, issuer: by };
}

/** Digest of a content. */
export function digestOf(content: string): Digest {
  return sha256(content);
}

/** Files by path, from path to content. */
export function files(content: { readonly [path: string]: string }): StepLink["products"] {
  return filesOnly(new Map(Object.entries(content).map(([path, text]) => [path, sha256(text)])));
}

/** A link of run `r1` by the functionary of the step. */
export function link(
  step: string,
  materials: { readonly [path: string]: string },
  products: { readonly [path: string]: string },
  change: Partial<StepLink> = {},
): StepLink {
  const by = change.signer ?? signer(step);
  return {
    statement: sha256(JSON.stringify([step, materials, products, by, change])),
    step,
    signer: by,
    run: "r1",
    alsoRuns: [],
    command: [],
    exitCode: 0,
    materials: files(materials),
    products: files(products),
    ...change,
  };
}

/** A step whose functionary has its name. */
export function step(name: string, change: Partial<LayoutStep> = {}): LayoutStep {
  return { name, functionaries: [name], ...change };
}

/** A layout of these steps; the artifact is a product of the last. */
export function layoutOf(steps: readonly LayoutStep[], change: Partial<Layout> = {}): Layout {
  const names = new Set(steps.flatMap(({ functionaries }) => functionaries));
  return {
    touchmark: "layout/v1",
    name: "release",
    version: 1,
    expires: "2028-01-01T00:00:00Z",
    functionaries: Object.fromEntries(
      [...names].map((name) => [name, { identities: [{ identity: `spiffe://factory.example.org/${name}` }] }]),
    ),
    steps,
    subjects: [{ step: steps.at(-1)?.name ?? "none" }],
    ...change,
  };
}

/** Build and package, tied by what was built. */
export const twoSteps = layoutOf([
  step("build", {
    products: [
      { rule: "CREATE", pattern: "app" },
      { rule: "DISALLOW", pattern: "*" },
    ],
  }),
  step("package", {
    after: ["build"],
    materials: [
      { rule: "MATCH", pattern: "*", with: "products", from: "build" },
      { rule: "DISALLOW", pattern: "*" },
    ],
  }),
]);

/** Links that satisfy it. */
export const twoLinks = [link("build", { src: "s" }, { app: "a" }), link("package", { app: "a" }, { "app.tgz": "t" })];

/** A question about `app.tgz`. */
export function question(change: Partial<LayoutQuestion> = {}): LayoutQuestion {
  return { layout: twoSteps, links: twoLinks, subject: digestOf("t"), now, issuer, ...change };
}

/** Evidence as the engine has it. */
export function evidence(
  predicateType: string,
  subject: Evidence["subject"],
  predicate: Evidence["predicate"],
  by: EvidenceSigner,
): Evidence {
  const bundle = sha256(JSON.stringify([predicateType, subject, predicate, by]));
  return { bundle, predicateType, predicate, subject, signer: by, time: now, trustRoot: undefined };
}
