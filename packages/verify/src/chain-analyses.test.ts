import { type Digest, sha256 } from "@touchmark/core";
import {
  type MintedStatement,
  mintRun,
  mintWorld,
  type RunStatement,
  runFacts,
  trustedRootBytes,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { verifyRun } from "./chain.ts";
import { readTrustRoot } from "./index.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const builder = `spiffe://${world.trustDomain}/builder`;
const other = sha256("other bytes");
const own = (kind: string): string => `https://touchmark.dev/predicates/${kind}/v1`;
const bom = { bomFormat: "CycloneDX", specVersion: "1.6", version: 1 };

const statement = (name: string, predicateType: string, predicate: object): RunStatement => ({
  name,
  signer: builder,
  predecessors: ["trigger", "source", "step/fetch/link", "step/build/link"],
  statement: {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: runFacts.artifact.slice(7) } }],
    predicateType,
    predicate,
  },
});
const sbom = () => statement("sbom/app", "https://cyclonedx.org/bom", { ...bom });
const vulnerabilities = () =>
  statement("vulnerabilities/app", "https://in-toto.io/attestation/vulns/v0.2", { scanner: {}, metadata: {} });
const licences = () => statement("licences/app", own("licences"), { components: [] });
const analysis = (name = "analysis/app") =>
  statement(name, own("analysis"), {
    ...{ artifact: "app", digest: runFacts.artifact, materials: 0, unaccounted: [], unowned: [] },
    sbom: { components: 1, edges: 0, losses: [] },
    vulnerabilities: { evaluated: true },
    licences: { allowed: 0, warned: 0, denied: 0, unknown: 0 },
    gate: { verdict: "passed", results: [] },
  });
const good = (): RunStatement[] => [sbom(), vulnerabilities(), licences(), analysis()];

type Minted = ReadonlyMap<string, MintedStatement>;
type Bend = (made: RunStatement, minted: Minted) => void;

/** A run with these statements; the analysis names their bundles, before it is bent. */
function verified(more: RunStatement[], bend: Bend = () => {}) {
  const run = mintRun(world, {
    more: () => more,
    change: (made, minted) => {
      if (made.name.startsWith("analysis/")) {
        for (const kind of ["sbom", "vulnerabilities", "licences"]) {
          made.statement.predicate[kind].bundle = minted.get(`${kind}/app`)?.digest ?? other;
        }
      }
      bend(made, minted);
    },
  });
  return verifyRun(run.bundles(), trustRoot, {
    ...{ artifact: run.artifact, builder: run.builder, source: run.source, now: world.at },
  });
}

const at = (name: string, change: (made: RunStatement, minted: Minted) => void): Bend => {
  return (made, minted) => {
    if (made.name === name) change(made, minted);
  };
};
const about = (digest: Digest) => (made: RunStatement) => {
  made.statement.subject = [{ name: "app", digest: { sha256: digest.slice(7) } }];
};

test("V21: an analysis and the documents that it names are one chain, and shown", () => {
  expect(verified(good()).analyses).toMatchObject([
    { artifact: "app", digest: runFacts.artifact, gate: { verdict: "passed" } },
  ]);
  expect(verified([]).analyses).toEqual([]);
});

test.each<[string, RunStatement[], Bend?]>([
  ["an analysis about other bytes", good(), at("analysis/app", about(other))],
  [
    "an analysis that says other bytes than its subject",
    good(),
    at("analysis/app", ({ statement: { predicate } }) => {
      predicate.digest = other;
    }),
  ],
  [
    "an analysis of an artifact that was not released",
    good(),
    at("analysis/app", ({ statement: { predicate } }) => {
      predicate.artifact = "api";
    }),
  ],
  ["an SBOM of other bytes", good(), at("sbom/app", about(other))],
  [
    "an SBOM of two things",
    good(),
    at("sbom/app", (made) => {
      made.statement.subject.push({ name: "api", digest: { sha256: other.slice(7) } });
    }),
  ],
  ["a list of vulnerabilities of other bytes", good(), at("vulnerabilities/app", about(other))],
  ["licences of other bytes", good(), at("licences/app", about(other))],
  [
    "another document in place of the SBOM",
    good(),
    at("analysis/app", ({ statement: { predicate } }, minted) => {
      predicate.sbom.bundle = minted.get("vulnerabilities/app")?.digest;
    }),
  ],
  ["an SBOM that is not in the release", [vulnerabilities(), licences(), analysis()]],
  ["licences that are not in the release", [sbom(), vulnerabilities(), analysis()]],
  ["a document that no analysis names", [...good(), { ...sbom(), name: "sbom/again" }]],
  ["documents without an analysis", [sbom(), vulnerabilities(), licences()]],
  ["two analyses of one artifact", [...good(), analysis("analysis/again")]],
  [
    "an artifact that was released and refused",
    good(),
    at("analysis/app", ({ statement: { predicate } }) => {
      predicate.gate.verdict = "refused";
    }),
  ],
])("V21: CHAIN_ANALYSIS_MISMATCH: %s", (_, more, bend) => {
  expect(() => verified(more, bend)).toThrow(expect.objectContaining({ code: "CHAIN_ANALYSIS_MISMATCH" }));
});

test.each(["sbom/app", "vulnerabilities/app", "licences/app", "analysis/app"])(
  "V21: %s of anybody but the builder is refused",
  (name) => {
    const byStep = at(name, (made) => {
      made.signer = `spiffe://${world.trustDomain}/attest`;
    });
    expect(() => verified(good(), byStep)).toThrow(expect.objectContaining({ code: "CHAIN_SIGNER_UNEXPECTED" }));
  },
);
