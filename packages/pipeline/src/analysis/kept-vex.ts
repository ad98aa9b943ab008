import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readVex, type VexDocument } from "@touchmark/advisories";
import { type Digest, digestHex, isFactoryError, sha256 } from "@touchmark/core";
import { predicateType, readPredicate, statementOf, subjectOf, type VexDecision } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import { writeFileAtomically } from "@touchmark/store";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { type AttestReport, signAttestation } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { analysisErrors } from "./errors.ts";

/** A VEX document that this factory keeps, with the decision that lets it count. */
export interface KeptVex {
  readonly digest: Digest;
  readonly document: VexDocument;
  readonly decision: VexDecision;
}

/** A document on which nothing rests, and why. */
export interface IgnoredVex {
  readonly digest: Digest;
  readonly code: string;
  readonly message: string;
}

/** What somebody decides about a document. */
export type VexScope = Pick<VexDecision, "approver" | "reason" | "projects" | "artifacts" | "expires">;

const placeOf = (factory: Factory): string => factory.home.paths.vex;

/** Keeps a document and signs the decision that its statements count. @throws VEX_… | PREDICATE_… */
export async function keepVex(factory: Factory, bytes: Uint8Array, scope: VexScope): Promise<KeptVex & AttestReport> {
  const document = readVex(bytes);
  const digest = sha256(bytes);
  const decision: VexDecision = {
    run: "vex",
    createdAt: timeOf(factory.clock.now()),
    predecessors: [],
    document: digest,
    format: document.format,
    author: document.author.slice(0, 16_000),
    ...scope,
  };
  const report = await signAttestation(factory, statementOf("vex-decision", [subjectOf("vex", digest)], decision));
  const directory = placeOf(factory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, `${digestHex(digest)}.json`), bytes, { mode: 0o600 });
  // The decision last: a document without one counts for nothing.
  writeFileAtomically(
    join(directory, `${digestHex(digest)}.sigstore.json`),
    Buffer.from(report.bytes).toString("utf8"),
  );
  return { digest, document, decision, ...report };
}

/** Forgets a document; what was signed stays in the log. True when it was there. */
export function forgetVex(factory: Factory, digest: Digest): boolean {
  const path = join(placeOf(factory), digestHex(digest));
  const isKept = namesIn(placeOf(factory)).includes(`${digestHex(digest)}.json`);
  rmSync(`${path}.sigstore.json`, { force: true });
  rmSync(`${path}.json`, { force: true });
  return isKept;
}

/** Documents whose decision verifies as this factory's, and those that count for nothing, each with why. */
export async function keptVex(
  factory: Factory,
): Promise<{ readonly kept: readonly KeptVex[]; readonly ignored: readonly IgnoredVex[] }> {
  const names = namesIn(placeOf(factory)).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  const kept: KeptVex[] = [];
  const ignored: IgnoredVex[] = [];
  if (names.length === 0) return { kept, ignored };
  const trustRoot = readTrustRoot(await factory.trustRoot());
  for (const name of names.sort()) {
    const digest: Digest = `sha256:${name.slice(0, 64)}`;
    try {
      kept.push(readKept(factory, trustRoot, digest));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      ignored.push({ digest, code: error.code, message: error.message });
    }
  }
  return { kept, ignored };
}

function readKept(factory: Factory, trustRoot: ReturnType<typeof readTrustRoot>, digest: Digest): KeptVex {
  const path = join(placeOf(factory), digestHex(digest));
  const bytes = readFileSync(`${path}.json`);
  if (sha256(bytes) !== digest) {
    throw analysisErrors.make("VEX_DOCUMENT_CHANGED", `expected the document ${digest}, found ${sha256(bytes)}`);
  }
  let bundle: Buffer;
  try {
    bundle = readFileSync(`${path}.sigstore.json`);
  } catch (cause) {
    throw analysisErrors.make("VEX_DECISION_MISSING", `nobody decided that ${digest} counts`, { cause });
  }
  const { trustDomain, issuer } = factory.names();
  const verified = verifyBundle(bundle, trustRoot, {
    artifact: digest,
    identity: attestId(trustDomain),
    issuer,
    predicateType: predicateType("vex-decision"),
  });
  if (verified.kind !== "statement")
    throw analysisErrors.make("VEX_DECISION_MISSING", `nobody decided that ${digest} counts`);
  const decision = readPredicate("vex-decision", verified.statement.predicate);
  if (decision.document !== digest) {
    throw analysisErrors.make("VEX_DECISION_MISSING", `the decision beside ${digest} is about ${decision.document}`);
  }
  return { digest, document: readVex(bytes), decision };
}

/** The documents that count for an artifact of a project at a time. */
export function vexFor(
  kept: readonly KeptVex[],
  about: { readonly project?: string; readonly artifact?: Digest; readonly now: Date },
): readonly VexDocument[] {
  return kept.flatMap(({ document, decision }) => {
    const { projects, artifacts, expires, approver } = decision;
    if (expires !== undefined && Date.parse(expires) <= about.now.getTime()) return [];
    if (projects.length > 0 && (about.project === undefined || !projects.includes(about.project))) return [];
    if (artifacts.length > 0 && (about.artifact === undefined || !artifacts.includes(about.artifact))) return [];
    return [{ ...document, approver, ...(expires === undefined ? {} : { expires }) }];
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}
