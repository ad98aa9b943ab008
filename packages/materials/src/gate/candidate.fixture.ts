import type { Upstream } from "../material.ts";
import type { Candidate, InspectedArchive } from "./decision.ts";
import { defaultRules, type GateRules } from "./rules.ts";

/** A registry, a private one before it. */
export const inner: Upstream = {
  name: "inner",
  ecosystem: "npm",
  url: "http://127.0.0.1:4873/",
  exclusive: ["@acme/*"],
  order: 0,
};
export const outer: Upstream = {
  ...inner,
  name: "outer",
  url: "https://packages.example.com/",
  exclusive: [],
  order: 1,
};

export const sha = "a".repeat(64);

export const plainArchive: InspectedArchive = {
  format: "tar.gz",
  files: 3,
  unpackedBytes: 1000,
  installScripts: [],
  licence: "MIT",
  digests: new Map(),
  faults: [],
};

/** Rules as a user has them who configured nothing but his repositories. */
export function rulesWith(changes: Partial<GateRules> = {}): GateRules {
  return { ...defaultRules, upstreams: { npm: [inner, outer], pypi: [{ ...outer, ecosystem: "pypi" }] }, ...changes };
}

/** A package that passes every default, on arrival. */
export function candidateWith(changes: Partial<Candidate> = {}, facts: Partial<Candidate["facts"]> = {}): Candidate {
  const { name = "left-pad", version = "1.3.0", ecosystem = "npm" } = facts;
  return {
    phase: "arrival",
    facts: {
      ecosystem,
      kind: "archive",
      upstream: { ...outer, ecosystem },
      name,
      version,
      purl: `pkg:${ecosystem}/${name.replace("@", "%40")}@${version}`,
      fileName: `${name}-${version}.tgz`,
      immutable: true,
      ...facts,
    },
    step: "fetch",
    now: new Date("2026-06-01T00:00:00Z"),
    locked: [
      {
        key: `node_modules/${name}`,
        ecosystem,
        name,
        version,
        from: { kind: "registry" },
        digests: [{ algorithm: "sha256", value: sha }],
        scope: "runtime",
        dependencies: [],
        direct: true,
      },
    ],
    announced: [],
    seen: [],
    evidence: [],
    archive: plainArchive,
    size: 500,
    hashes: { sha256: sha },
    history: { package: `pkg:${ecosystem}/${name}`, versions: [] },
    ...changes,
  };
}
