import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import { type BreakGlass, predicateType, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { writeFileAtomically } from "@touchmark/store";
import { prepareExpectations, readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { type AttestReport, signAttestation } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { namesIn } from "../policy/policy-place.ts";
import { homeAdmissionErrors } from "./errors.ts";

/** What somebody lets pass. */
export interface BreakGlassDraft extends Pick<BreakGlass, "id" | "namespaces" | "by" | "reason" | "expires"> {
  readonly ticket?: string;
  readonly digest: Digest;
  /** How the artifact was named; for people. */
  readonly name: string;
}

/** Signs as somebody else than `attest`: a person with a key of their own. */
export type SignStatement = (statement: Statement<unknown>) => Promise<AttestReport>;

/** Where a home keeps its permissions. */
export const breakGlassPlace = (factory: Factory): string => join(factory.home.paths.policy, "break-glass");

const fileOf = (factory: Factory, id: string): string => join(breakGlassPlace(factory), `${id}.sigstore.json`);

/** Signs a permission, logs it, and keeps it. Whether it may be signed was checked before. @throws BREAK_GLASS_EXISTS | PREDICATE_* */
export async function keepBreakGlass(
  factory: Factory,
  draft: BreakGlassDraft,
  sign: SignStatement = (statement) => signAttestation(factory, statement),
): Promise<AttestReport> {
  const { digest, name, ...content } = draft;
  const predicate: BreakGlass = {
    run: "break-glass",
    createdAt: timeOf(factory.clock.now()),
    predecessors: [],
    ...content,
  };
  const statement = statementOf("break-glass", [subjectOf(name, digest)], predicate);
  const path = fileOf(factory, draft.id);
  if (existsSync(path)) {
    throw homeAdmissionErrors.make("BREAK_GLASS_EXISTS", `expected a new id, found ${draft.id}`);
  }
  const report = await sign(statement);
  mkdirSync(breakGlassPlace(factory), { recursive: true, mode: 0o700 });
  writeFileAtomically(path, Buffer.from(report.bytes).toString("utf8"));
  return report;
}

/** Ends a permission here; what was signed stays in the log. @throws BREAK_GLASS_UNKNOWN */
export function endBreakGlass(factory: Factory, id: string): void {
  const known = namesIn(breakGlassPlace(factory), ".sigstore.json");
  if (!known.includes(`${id}.sigstore.json`)) {
    throw homeAdmissionErrors.make(
      "BREAK_GLASS_UNKNOWN",
      `expected the id of a permission, found ${JSON.stringify(id.slice(0, 64))}`,
      {
        hint:
          known.length === 0 ? "none is kept" : `kept are ${known.map((each) => each.replace(/\..*/, "")).join(", ")}`,
      },
    );
  }
  rmSync(fileOf(factory, id));
}

/** Permissions whose signatures verify as those of somebody whom this factory's authority names; who of them may is said elsewhere. */
export async function keptBreakGlass(factory: Factory): Promise<{
  readonly statements: readonly VerifiedStatement[];
  readonly refused: readonly { readonly bundle: Digest; readonly code: string; readonly message: string }[];
}> {
  const statements: VerifiedStatement[] = [];
  const refused: { bundle: Digest; code: string; message: string }[] = [];
  const names = namesIn(breakGlassPlace(factory), ".sigstore.json");
  if (names.length === 0) return { statements, refused };
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const { trustDomain, issuer } = factory.names();
  const expected = prepareExpectations({
    artifact: "unbound",
    identityPattern: `spiffe:\\/\\/${trustDomain.replaceAll(".", "\\.")}\\/.+`,
    issuer,
    predicateType: predicateType("break-glass"),
  });
  for (const name of names) {
    const bytes = readFileSync(join(breakGlassPlace(factory), name));
    try {
      statements.push(verifyBundle(bytes, trustRoot, expected));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      refused.push({ bundle: sha256(bytes), code: error.code, message: error.message });
    }
  }
  return { statements, refused };
}
