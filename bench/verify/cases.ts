import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ARTIFACT, mintBundle, mintWorld, statementOf, trustedRootBytes } from "@touchmark/test-kit/mint";

/** Files of one trust root: what every verifier of the comparison is given. */
export interface Cases {
  readonly artifact: string;
  readonly trustRoot: string;
  readonly identity: string;
  readonly issuer: string;
  /** Bundles by what is large in them. */
  readonly bundles: Readonly<Record<"small" | "subjects" | "predicate", string>>;
  /** Small bundles, each with a key, a certificate and a log entry of its own. */
  readonly distinct: readonly string[];
}

const SUBJECTS = 1000;
const PREDICATE_BYTES = 11_000_000;

/** Mints bundles into a directory: one small, one about 1,000 artifacts, one with a predicate of 11 MB, and many small. */
export function makeCases(directory: string, distinctCount: number): Cases {
  mkdirSync(directory, { recursive: true });
  const world = mintWorld({ at: new Date() });
  const file = (name: string, bytes: Uint8Array): string => {
    const path = join(directory, name);
    writeFileSync(path, bytes);
    return path;
  };
  const statement = statementOf(ARTIFACT) as { subject: object[] };
  const others = Array.from({ length: SUBJECTS - 1 }, (_, i) => ({
    name: `release/file-${i}.tar.gz`,
    digest: { sha256: i.toString(16).padStart(64, "0") },
  }));
  const subjects = { ...statement, subject: [...others, ...statement.subject] };
  return {
    artifact: file("artifact", ARTIFACT),
    trustRoot: file("trusted_root.json", trustedRootBytes(world)),
    identity: world.identity,
    issuer: world.issuer,
    bundles: {
      small: file("small.sigstore.json", mintBundle(world).bytes),
      subjects: file("subjects.sigstore.json", mintBundle(world, { statement: subjects }).bytes),
      predicate: file("predicate.sigstore.json", mintBundle(world, { predicate: largePredicate() }).bytes),
    },
    distinct: Array.from({ length: distinctCount }, (_, i) => file(`distinct-${i}.json`, mintBundle(world).bytes)),
  };
}

/** As a provenance with very many dependencies. */
function largePredicate(): object {
  const resolvedDependencies: object[] = [];
  for (let bytes = 0, i = 0; bytes < PREDICATE_BYTES; i++) {
    const dependency = {
      uri: `pkg:npm/%40scope/package-number-${i}@1.${i}.0`,
      name: `node_modules/@scope/package-number-${i}`,
      digest: { sha256: i.toString(16).padStart(64, "a") },
      annotations: { license: "Apache-2.0" },
    };
    resolvedDependencies.push(dependency);
    bytes += JSON.stringify(dependency).length + 1;
  }
  return { buildDefinition: { resolvedDependencies } };
}
